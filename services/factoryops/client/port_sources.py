"""Where data comes from: quarantine, mappings and devices that wait. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from typing import Protocol

from factoryops.contracts import http


class SourcesClient(Protocol):
    """What a client of the service can ask and change about its sources."""

    async def quarantine(
        self, *, before: int | None = None, reason: str | None = None, origin: str | None = None
    ) -> http.QuarantinePage:
        """Messages that could not be accepted, newest first; of one group if asked."""
        ...

    async def quarantine_groups(self) -> list[http.QuarantineGroup]:
        """The same messages grouped by reason and origin."""
        ...

    async def factory_settings(self) -> http.FactorySettings:
        """The session's factory, and what its administrators decide about it."""
        ...

    async def change_factory(self, change: http.FactoryChange) -> http.FactorySettings:
        """Decide something about the factory."""
        ...

    async def waiting_devices(self) -> list[http.WaitingDevice]:
        """Devices that publish and are not taken up."""
        ...

    async def accept_device(self, acceptance: http.DeviceAcceptance) -> http.Device:
        """Take up a device; raises ConflictError when it was taken up already."""
        ...

    async def decline_device(self, key: str) -> None:
        """Do not offer a device for seven days."""
        ...

    async def mappings(self) -> list[http.KeptMapping]:
        """All mappings."""
        ...

    async def create_mapping(self, content: http.MappingContent) -> http.KeptMapping:
        """Add a mapping; raises ConflictError when one in use has overlapping topics."""
        ...

    async def update_mapping(self, mapping_id: str, update: http.MappingUpdate) -> http.KeptMapping:
        """Change a mapping; raises ConflictError when somebody else changed it first."""
        ...

    async def delete_mapping(self, mapping_id: str) -> None:
        """Take a mapping away; samples made by it stay."""
        ...

    async def try_mapping(self, trial: http.MappingTrial) -> http.MappingOutcome:
        """What a mapping would make of a message; nothing is kept."""
        ...

    async def preview_replay(self, choice: http.QuarantineChoice) -> http.ReplayPreview:
        """What a replay of these messages would do; nothing is kept. Raises NotFoundError when there are none."""
        ...

    async def start_replay(self, choice: http.QuarantineChoice) -> http.Run:
        """Put these messages into the history with their own times."""
        ...
