"""What a client of the service can ask for: the port that the app, scripts and tests program against.

`factoryops.client.http.HttpPlant` speaks to a service; `factoryops.client.fake.FakePlant` is a small plant in memory
that passes the same contract tests. Every method may raise the errors of `factoryops.domain.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from factoryops.client.port_alarms import AlarmsClient
from factoryops.client.port_back_tests import BackTestsClient
from factoryops.client.port_calculations import CalculationsClient
from factoryops.client.port_credentials import CredentialsClient
from factoryops.client.port_notifications import NotificationsClient
from factoryops.client.port_organisation import OrganisationClient
from factoryops.client.port_outages import OutagesClient
from factoryops.client.port_performance import PerformanceClient
from factoryops.client.port_retention import RetentionClient
from factoryops.client.port_rules import RulesClient
from factoryops.client.port_scheduled_rules import ScheduledRulesClient
from factoryops.client.port_sources import SourcesClient
from factoryops.client.port_transfers import TransfersClient
from factoryops.contracts import http, live


class LiveLink(Protocol):
    """An open live connection; iterate it for messages until it ends."""

    async def subscribe(self, request: live.Subscribe) -> None:
        """Replace what is sent."""
        ...

    def __aiter__(self) -> AsyncIterator[live.ServiceMessage]:
        """Messages in order; ends with UnavailableError when the link is lost, NotLoggedInError when refused."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class PlantClient(
    AlarmsClient,
    BackTestsClient,
    CalculationsClient,
    CredentialsClient,
    NotificationsClient,
    OrganisationClient,
    OutagesClient,
    PerformanceClient,
    RetentionClient,
    RulesClient,
    ScheduledRulesClient,
    SourcesClient,
    TransfersClient,
    Protocol,
):
    """The service, seen by one user."""

    async def login(self, factory: str, user: str, password: str) -> http.SessionInfo:
        """Open a session; raises NotLoggedInError when refused."""
        ...

    async def resume(self, token: str) -> http.SessionInfo:
        """Take up a session whose token was kept; raises NotLoggedInError when it has ended."""
        ...

    @property
    def token(self) -> str | None:
        """The session's token, to be kept in the keyring; None when logged out."""
        ...

    async def logout(self) -> None:
        """End the session."""
        ...

    async def close(self) -> None:
        """Let go of all connections; the session goes on."""
        ...

    async def health(self) -> http.Health:
        """Which promises hold."""
        ...

    async def devices(self) -> list[http.Device]:
        """All devices with their parameters."""
        ...

    async def change_device(self, device_id: str, change: http.DeviceChange) -> http.Device:
        """Edit a device."""
        ...

    async def change_parameter(self, parameter_id: str, change: http.ParameterChange) -> http.Parameter:
        """Edit a parameter."""
        ...

    async def latest(self) -> list[http.LatestValue]:
        """The newest sample of every parameter."""
        ...

    async def binned(
        self, parameter_ids: Sequence[str], start_us: int, end_us: int, *, most_bins: int = 1_000
    ) -> http.BinnedAnswer:
        """History in whole bins of the ladder, live tail included; the span grows to the bins' edges."""
        ...

    async def raw(
        self, parameter_id: str, start_us: int, end_us: int, *, most_samples: int = 50_000
    ) -> http.RawColumns:
        """Every sample of a span, live tail included."""
        ...

    async def runs(self) -> list[http.Run]:
        """The newest runs."""
        ...

    async def start_run(self, request: http.RunRequest) -> http.Run:
        """Queue work now."""
        ...

    async def cancel_run(self, run_id: str) -> http.Run:
        """Ask a run to stop."""
        ...

    async def schedules(self) -> list[http.Schedule]:
        """What runs by itself, and when."""
        ...

    async def change_schedule(self, kind: http.JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule."""
        ...

    async def download(self, artifact: http.Artifact, target: Path) -> Path:
        """Fetch a file to `target` (a path or a folder), whole or not at all, hash checked; returns where it lies."""
        ...

    async def open_live(self) -> LiveLink:
        """Open the live connection of this session."""
        ...
