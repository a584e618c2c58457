"""Where the imagined plant's data comes from: the part of `FakePlant` that implements `SourcesClient`."""

from __future__ import annotations

from factoryops.client import imagined
from factoryops.client.fake_jobs import FakeJobs
from factoryops.client.fake_mappings import FakeMappings
from factoryops.client.fake_quarantine import FakeQuarantine, accepted
from factoryops.client.fake_replays import Outcome, check_mapping, outcomes, preview_of
from factoryops.contracts import http, live
from factoryops.contracts.http.trials import outcome_of
from factoryops.domain.identity import Permission


class FakeSources:
    """Quarantine, devices that wait, and mappings."""

    _devices: dict[str, http.Device]
    _quarantine: FakeQuarantine
    _mappings: FakeMappings
    _jobs: FakeJobs

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    def _tell(self, message: live.ServiceMessage) -> None:
        raise NotImplementedError

    async def quarantine(
        self, *, before: int | None = None, reason: str | None = None, origin: str | None = None
    ) -> http.QuarantinePage:
        """Messages that could not be accepted."""
        await self._enter(Permission.SEE_QUARANTINE)
        return self._quarantine.page(before, reason, origin)

    async def quarantine_groups(self) -> list[http.QuarantineGroup]:
        """The same messages grouped by reason and origin."""
        await self._enter(Permission.SEE_QUARANTINE)
        return self._quarantine.groups()

    async def factory_settings(self) -> http.FactorySettings:
        """The imagined factory."""
        await self._enter(Permission.VIEW)
        return http.FactorySettings(
            slug=imagined.SLUG, name="Riverside Works", timezone=imagined.TIMEZONE,
            adopts_automatically=self._quarantine.adopts_automatically,
        )  # fmt: skip

    async def change_factory(self, change: http.FactoryChange) -> http.FactorySettings:
        """Decide something about the factory."""
        await self._enter(Permission.EDIT_PLANT)
        if change.adopts_automatically is not None:
            self._quarantine.adopts_automatically = change.adopts_automatically
        return await self.factory_settings()

    async def waiting_devices(self) -> list[http.WaitingDevice]:
        """Devices that publish and are not taken up."""
        await self._enter(Permission.SEE_QUARANTINE)
        return self._quarantine.waiting({device.key for device in self._devices.values()})

    async def accept_device(self, acceptance: http.DeviceAcceptance) -> http.Device:
        """Take up a device."""
        await self._enter(Permission.EDIT_PLANT)
        device = accepted(acceptance, {one.key for one in self._devices.values()})
        self._devices[device.id] = device
        self._tell(live.PlantChanged())
        return device

    async def decline_device(self, key: str) -> None:
        """Do not offer a device for seven days."""
        await self._enter(Permission.EDIT_PLANT)
        self._quarantine.decline(key)

    async def mappings(self) -> list[http.KeptMapping]:
        """All mappings."""
        await self._enter(Permission.SEE_QUARANTINE)
        return self._mappings.all()

    async def create_mapping(self, content: http.MappingContent) -> http.KeptMapping:
        """Add a mapping."""
        return self._mappings.create(content, await self._enter(Permission.EDIT_PLANT))

    async def update_mapping(self, mapping_id: str, update: http.MappingUpdate) -> http.KeptMapping:
        """Change a mapping."""
        return self._mappings.update(mapping_id, update, await self._enter(Permission.EDIT_PLANT))

    async def delete_mapping(self, mapping_id: str) -> None:
        """Take a mapping away."""
        await self._enter(Permission.EDIT_PLANT)
        self._mappings.delete(mapping_id)

    async def try_mapping(self, trial: http.MappingTrial) -> http.MappingOutcome:
        """What a mapping would make of a message."""
        await self._enter(Permission.SEE_QUARANTINE)
        return outcome_of(trial)

    async def preview_replay(self, choice: http.QuarantineChoice) -> http.ReplayPreview:
        """What a replay of these messages would do."""
        await self._enter(Permission.SEE_QUARANTINE)
        return preview_of(self._replayed(choice))

    async def start_replay(self, choice: http.QuarantineChoice) -> http.Run:
        """Put these messages into the history."""
        actor = await self._enter(Permission.EDIT_PLANT)
        found = self._replayed(choice)
        self._quarantine.mark(message.number for message, _, refusal in found if refusal is None)
        return self._jobs.start(http.RunRequest(kind=http.JobKind.QUARANTINE_REPLAY), actor)

    def _replayed(self, choice: http.QuarantineChoice) -> list[Outcome]:
        check_mapping(choice)
        in_force = [one.content for one in self._mappings.all() if one.content.is_enabled]
        mappings = [*([choice.mapping] if choice.mapping is not None else []), *in_force]
        known = {one.key for one in self._devices.values()}
        chosen = self._quarantine.chosen(choice)
        if self._quarantine.adopts_automatically:
            known |= {"press-7", *(message.device for message in chosen)}
        return outcomes(chosen, mappings, known)
