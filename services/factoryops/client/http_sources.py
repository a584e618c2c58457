"""Where data comes from, over HTTP: the part of `HttpPlant` that implements `SourcesClient`."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from factoryops.contracts import http

A = TypeVar("A", bound=BaseModel)


class Asks(Protocol):
    """What a part of the client is given: a way to ask the service."""

    async def _ask(
        self, method: str, path: str, answer: type[A], *, body: Any = None, query: dict[str, Any] | None = None
    ) -> A: ...

    async def _send(
        self, method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None
    ) -> httpx.Response: ...


class HttpSources:
    """Quarantine, devices that wait, and mappings."""

    async def quarantine(
        self: Asks, *, before: int | None = None, reason: str | None = None, origin: str | None = None
    ) -> http.QuarantinePage:
        """Messages that could not be accepted, newest first."""
        query = {"before": before, "reason": reason, "origin": origin}
        return await self._ask("GET", "quarantine", http.QuarantinePage, query=query)

    async def quarantine_groups(self: Asks) -> list[http.QuarantineGroup]:
        """The same messages grouped by reason and origin."""
        return (await self._ask("GET", "quarantine/groups", http.QuarantineGroupList)).groups

    async def factory_settings(self: Asks) -> http.FactorySettings:
        """The session's factory, and what its administrators decide about it."""
        return await self._ask("GET", "factory", http.FactorySettings)

    async def change_factory(self: Asks, change: http.FactoryChange) -> http.FactorySettings:
        """Decide something about the factory."""
        return await self._ask("PATCH", "factory", http.FactorySettings, body=change)

    async def waiting_devices(self: Asks) -> list[http.WaitingDevice]:
        """Devices that publish and are not taken up."""
        return (await self._ask("GET", "devices/waiting", http.WaitingDeviceList)).devices

    async def accept_device(self: Asks, acceptance: http.DeviceAcceptance) -> http.Device:
        """Take up a device."""
        return await self._ask("POST", "devices/waiting/accept", http.Device, body=acceptance)

    async def decline_device(self: Asks, key: str) -> None:
        """Do not offer a device for seven days."""
        await self._send("POST", "devices/waiting/decline", body=http.DeviceRefusal(key=key))

    async def mappings(self: Asks) -> list[http.KeptMapping]:
        """All mappings."""
        return (await self._ask("GET", "mappings", http.MappingList)).mappings

    async def create_mapping(self: Asks, content: http.MappingContent) -> http.KeptMapping:
        """Add a mapping."""
        return await self._ask("POST", "mappings", http.KeptMapping, body=content)

    async def update_mapping(self: Asks, mapping_id: str, update: http.MappingUpdate) -> http.KeptMapping:
        """Change a mapping."""
        return await self._ask("PUT", f"mappings/{mapping_id}", http.KeptMapping, body=update)

    async def delete_mapping(self: Asks, mapping_id: str) -> None:
        """Take a mapping away."""
        await self._send("DELETE", f"mappings/{mapping_id}")

    async def try_mapping(self: Asks, trial: http.MappingTrial) -> http.MappingOutcome:
        """What a mapping would make of a message."""
        return await self._ask("POST", "mappings/try", http.MappingOutcome, body=trial)

    async def preview_replay(self: Asks, choice: http.QuarantineChoice) -> http.ReplayPreview:
        """What a replay of these messages would do."""
        return await self._ask("POST", "quarantine/preview", http.ReplayPreview, body=choice)

    async def start_replay(self: Asks, choice: http.QuarantineChoice) -> http.Run:
        """Put these messages into the history with their own times."""
        return await self._ask("POST", "quarantine/replays", http.Run, body=choice)
