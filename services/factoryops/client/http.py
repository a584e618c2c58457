"""The service over HTTPS and WebSocket: implements `factoryops.client.port.PlantClient`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from factoryops.client.answers import error_of, parse
from factoryops.client.files import ArrivingFile
from factoryops.client.http_alarms import HttpAlarms
from factoryops.client.http_back_tests import HttpBackTests
from factoryops.client.http_calculations import HttpCalculations
from factoryops.client.http_credentials import HttpCredentials
from factoryops.client.http_link import open_link
from factoryops.client.http_notifications import HttpNotifications
from factoryops.client.http_organisation import HttpOrganisation
from factoryops.client.http_outages import HttpOutages
from factoryops.client.http_performance import HttpPerformance
from factoryops.client.http_retention import HttpRetention
from factoryops.client.http_rules import HttpRules
from factoryops.client.http_scheduled_rules import HttpScheduledRules
from factoryops.client.http_sources import HttpSources
from factoryops.client.http_transfers import HttpTransfers
from factoryops.client.place import ServicePlace
from factoryops.client.port import LiveLink
from factoryops.contracts import http
from factoryops.domain.errors import NotLoggedInError, UnavailableError

A = TypeVar("A", bound=BaseModel)

_AWAY = "The service cannot be reached; check the network and whether it runs."


class HttpPlant(
    HttpAlarms,
    HttpCalculations,
    HttpCredentials,
    HttpNotifications,
    HttpOrganisation,
    HttpOutages,
    HttpPerformance,
    HttpRetention,
    HttpRules,
    HttpBackTests,
    HttpScheduledRules,
    HttpSources,
    HttpTransfers,
):
    """A client of one service; its calls may overlap, all on one event loop.

    Args:
        url: such as https://plant-server:8420; plain http is for loopback alone.
        ca_file: the certificate authority to trust instead of the system's own.
        timeout_s: for an answer; connecting gets a third of it.

    Raises:
        SetupError: the address or the certificate file cannot be used.
    """

    def __init__(self, url: str, *, ca_file: Path | None = None, timeout_s: float = 15.0) -> None:
        self._place = ServicePlace.of(url, ca_file)
        self._token: str | None = None
        self._http = httpx.AsyncClient(
            base_url=self._place.api_url,
            verify=self._place.tls if self._place.tls is not None else True,
            timeout=httpx.Timeout(timeout_s, connect=timeout_s / 3),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=20.0),
            headers={"Accept": "application/json, application/problem+json"},
            follow_redirects=False,
            trust_env=False,
        )

    # --- session -----------------------------------------------------------------------------------------------------

    async def login(self, factory: str, user: str, password: str) -> http.SessionInfo:
        """Open a session; raises NotLoggedInError when refused."""
        body = {"factory": factory, "user": user, "password": password}
        answer = await self._ask("POST", "session", http.LoginAnswer, body=body, is_open=True)
        self._token = answer.token
        return answer.session

    async def resume(self, token: str) -> http.SessionInfo:
        """Take up a session whose token was kept; raises NotLoggedInError when it has ended."""
        session = await self._ask("GET", "session", http.SessionInfo, token=token)
        self._token = token
        return session

    @property
    def token(self) -> str | None:
        """The session's token."""
        return self._token

    async def logout(self) -> None:
        """End the session."""
        await self._send("DELETE", "session")
        self._token = None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    # --- plant and history -------------------------------------------------------------------------------------------

    async def health(self) -> http.Health:
        """Which promises hold."""
        return await self._ask("GET", "health", http.Health)

    async def devices(self) -> list[http.Device]:
        """All devices with their parameters."""
        return (await self._ask("GET", "devices", http.DeviceList)).devices

    async def change_device(self, device_id: str, change: http.DeviceChange) -> http.Device:
        """Edit a device."""
        return await self._ask("PATCH", f"devices/{device_id}", http.Device, body=change)

    async def change_parameter(self, parameter_id: str, change: http.ParameterChange) -> http.Parameter:
        """Edit a parameter."""
        return await self._ask("PATCH", f"parameters/{parameter_id}", http.Parameter, body=change)

    async def latest(self) -> list[http.LatestValue]:
        """The newest sample of every parameter."""
        return (await self._ask("GET", "latest", http.LatestValues)).values

    async def binned(
        self, parameter_ids: Sequence[str], start_us: int, end_us: int, *, most_bins: int = 1_000
    ) -> http.BinnedAnswer:
        """History in bins of the ladder, live tail included."""
        query = {
            "parameter_id": list(parameter_ids), "start_us": start_us, "end_us": end_us, "most_bins": most_bins,
        }  # fmt: skip
        return await self._ask("GET", "history", http.BinnedAnswer, query=query)

    async def raw(
        self, parameter_id: str, start_us: int, end_us: int, *, most_samples: int = 50_000
    ) -> http.RawColumns:
        """Every sample of a span, live tail included."""
        query = {"start_us": start_us, "end_us": end_us, "most_samples": most_samples}
        return await self._ask("GET", f"parameters/{parameter_id}/samples", http.RawColumns, query=query)

    # --- jobs --------------------------------------------------------------------------------------------------------

    async def runs(self) -> list[http.Run]:
        """The newest runs."""
        return (await self._ask("GET", "runs", http.RunList)).runs

    async def start_run(self, request: http.RunRequest) -> http.Run:
        """Queue work now."""
        return await self._ask("POST", "runs", http.Run, body=request)

    async def cancel_run(self, run_id: str) -> http.Run:
        """Ask a run to stop."""
        return await self._ask("POST", f"runs/{run_id}/cancel", http.Run)

    async def schedules(self) -> list[http.Schedule]:
        """What runs by itself, and when."""
        return (await self._ask("GET", "schedules", http.ScheduleList)).schedules

    async def change_schedule(self, kind: http.JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule."""
        return await self._ask("PUT", f"schedules/{kind.value}", http.Schedule, body=change)

    async def download(self, artifact: http.Artifact, target: Path) -> Path:
        """Fetch a file whole or not at all, its hash checked; returns where it lies."""
        request = self._request("GET", f"artifacts/{artifact.id}", None, None, self._known_token())
        try:
            response = await self._http.send(request, stream=True)
            try:
                return await _receive(response, artifact, target)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise UnavailableError("The file did not arrive whole; download it again.") from error

    async def open_live(self) -> LiveLink:
        """Open the live connection of this session."""
        token = self._known_token()
        return await open_link(self._place, token)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _known_token(self) -> str:
        if self._token is None:
            raise NotLoggedInError("Log in first.")
        return self._token

    async def _ask(
        self, method: str, path: str, answer: type[A], *, body: Any = None, query: dict[str, Any] | None = None,
        token: str | None = None, is_open: bool = False,
    ) -> A:  # fmt: skip
        response = await self._send(method, path, body=body, query=query, token=token, is_open=is_open)
        return await parse(response, answer)

    async def _send(
        self, method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None,
        token: str | None = None, is_open: bool = False,
    ) -> httpx.Response:  # fmt: skip
        used = None if is_open else token or self._known_token()
        tries = 2 if method == "GET" else 1
        for left in range(tries - 1, -1, -1):
            try:
                response = await self._http.send(self._request(method, path, body, query, used))
            except httpx.TimeoutException as error:
                raise UnavailableError("The service did not answer in time; try again.") from error
            except httpx.TransportError as error:
                if not left or "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise UnavailableError(_why(error)) from error
                continue
            if response.is_success:
                return response
            raise error_of(response)
        raise UnavailableError(_AWAY)

    def _request(
        self, method: str, path: str, body: Any, query: dict[str, Any] | None, token: str | None
    ) -> httpx.Request:
        if isinstance(body, BaseModel):
            body = body.model_dump(mode="json", exclude_unset=True)
        is_file = isinstance(body, AsyncIterator)
        return self._http.build_request(
            method,
            path,
            json=None if is_file else body,
            content=body if is_file else None,
            params={name: value for name, value in (query or {}).items() if value is not None} or None,
            headers={"Authorization": f"Bearer {token}"} if token else None,
        )


def _why(error: httpx.TransportError) -> str:
    """What to tell a person about a connection that was not made."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            "The service's certificate is not trusted, so nothing was sent to it; "
            "give the plant's own authority file, or ask plant IT whether this is the right server."
        )
    return _AWAY


async def _receive(response: httpx.Response, artifact: http.Artifact, target: Path) -> Path:
    if not response.is_success:
        await response.aread()
        raise error_of(response)
    arriving = await asyncio.to_thread(ArrivingFile, target, artifact.name, artifact.sha256)
    try:
        async for part in response.aiter_bytes(1 << 16):
            await asyncio.to_thread(arriving.write, part)
        return await asyncio.to_thread(arriving.finish)
    finally:
        await asyncio.to_thread(arriving.close)
