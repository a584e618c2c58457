"""A small plant in memory that passes the same contract tests as a service: for tests, screenshots and try-outs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from factoryops.client import imagined
from factoryops.client.fake_alarm_handling import FakeAlarmHandling
from factoryops.client.fake_alarms import FakeAlarms
from factoryops.client.fake_back_tests import FakeBackTests, IncidentBook
from factoryops.client.fake_calculations import CalculationBook, FakeCalculations
from factoryops.client.fake_credentials import CredentialBook, FakeCredentials
from factoryops.client.fake_history import FakeHistory
from factoryops.client.fake_jobs import FakeJobs
from factoryops.client.fake_link import FakeLink
from factoryops.client.fake_mappings import FakeMappings
from factoryops.client.fake_mends import FakeMends
from factoryops.client.fake_notifications import FakeNotifications, NotificationBook
from factoryops.client.fake_organisation import FakeOrganisation, OrganisationBook
from factoryops.client.fake_quarantine import FakeQuarantine
from factoryops.client.fake_retention import FakeRetention
from factoryops.client.fake_rules import FakeRules, RuleShelf
from factoryops.client.fake_scheduled_rules import FakeScheduledRules
from factoryops.client.fake_sources import FakeSources
from factoryops.client.fake_transfers import FakeTransfers
from factoryops.client.files import write_whole
from factoryops.client.port import LiveLink
from factoryops.contracts import http, live
from factoryops.domain.errors import (
    FactoryOpsError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotLoggedInError,
    UnavailableError,
)
from factoryops.domain.identity import Permission, Role, permissions_of
from factoryops.domain.time import from_us, now_us

ACCOUNTS: Final[Mapping[str, tuple[str, Role]]] = {
    role.value: (f"riverside {role.value}", role) for role in (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)
}
"""User name -> password and role of the imagined plant "riverside"; it guards nothing."""

_ROLES: Final = ("api", "engine", "historian", "ingest", "worker")


class FakePlant(
    FakeBackTests,
    FakeAlarmHandling,
    FakeCalculations,
    FakeCredentials,
    FakeNotifications,
    FakeOrganisation,
    FakeRetention,
    FakeRules,
    FakeMends,
    FakeScheduledRules,
    FakeSources,
    FakeTransfers,
):
    """Implements `factoryops.client.port.PlantClient` on an imagined plant.

    Args:
        clock: the plant's wall clock, microseconds since 1970 (UTC).
        seed: two plants of one seed have the same signals.
        tick_s: how often an open live link looks at the clock.
        accounts: user name -> password and role.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int] = now_us,
        seed: int = 1,
        tick_s: float = 0.1,
        accounts: Mapping[str, tuple[str, Role]] = ACCOUNTS,
    ) -> None:
        self._clock = clock
        self._tick_s = tick_s
        self._accounts = accounts
        self._sessions: dict[str, str] = {}
        self._token: str | None = None
        self._cut = False
        self._next_error: FactoryOpsError | None = None
        self._links: list[FakeLink] = []
        self._devices = imagined.describe_devices()
        self._history = FakeHistory(clock(), seed)
        self._organisation = OrganisationBook(clock)
        self._notifications = NotificationBook(clock)
        self._rules = RuleShelf(
            self._devices, clock, lambda: self._philosophy, self._organisation.shifts.keys,
            lambda: [one.id for one in self._notifications.policies.all()],
        )  # fmt: skip
        self._alarms = FakeAlarms(self._devices, self._rules.starters, clock)
        self._jobs = FakeJobs(clock)
        self._incidents = IncidentBook(self._devices, clock)
        self._back_tests: dict[str, http.BackTestRequest] = {}
        self._mendings: dict[str, http.MendRequest] = {}
        self._calculations = CalculationBook(self._devices, clock)
        self._uploads: dict[str, http.Upload] = {}
        self._credentials = CredentialBook(clock)
        self._mappings = FakeMappings(clock)
        self._quarantine = FakeQuarantine(self._history.start_us, clock)

    # --- what tests may do to it -------------------------------------------------------------------------------------

    def cut_link(self) -> None:
        """Make the service unreachable: open links end, calls fail."""
        self._cut = True
        self._end_links(UnavailableError("The connection to the service was lost."))

    def restore_link(self) -> None:
        """Make the service reachable again."""
        self._cut = False

    def fail_next(self, error: FactoryOpsError) -> None:
        """Let the next call fail with `error`."""
        self._next_error = error

    def end_sessions(self) -> None:
        """End every session, as deactivating the users would."""
        self._sessions.clear()
        self._end_links(NotLoggedInError("The session has ended; log in again."))

    def raise_alarm(self, rule_id: str, device_key: str, value: float) -> http.Alarm:
        """Let the rule's condition turn true on a device, now."""
        alarm = self._alarms.raise_now(self._rules.get(rule_id), device_key, value)
        self._tell_alarm(alarm)
        return alarm

    def clear_alarm(self, alarm_id: str) -> http.Alarm:
        """Let the alarm's condition turn false, now."""
        alarm = self._alarms.clear_now(alarm_id)
        self._tell_alarm(alarm)
        return alarm

    def set_clock_offset(self, device_key: str, offset_s: float) -> None:
        """Let a device's clock be found wrong."""
        device = next(one for one in self._devices.values() if one.key == device_key)
        self._devices[device.id] = device.model_copy(update={"clock_offset_s": offset_s})
        self._tell(live.PlantChanged())

    def set_late_share(self, device_key: str, share: float) -> None:
        """Pretend that a device's clock is wrong."""
        device = next(one for one in self._devices.values() if one.key == device_key)
        self._devices[device.id] = device.model_copy(update={"late_share": share})
        self._tell(live.PlantChanged())

    # --- session -----------------------------------------------------------------------------------------------------

    async def login(self, factory: str, user: str, password: str) -> http.SessionInfo:
        """Open a session."""
        await self._reach()
        known = self._accounts.get(user)
        if factory != imagined.SLUG or known is None or not secrets.compare_digest(known[0], password):
            raise NotLoggedInError("Factory, user or password is wrong.")
        self._token = secrets.token_urlsafe(32)
        self._sessions[self._token] = user
        return self._session_info(user)

    async def resume(self, token: str) -> http.SessionInfo:
        """Take up a kept session."""
        await self._reach()
        user = self._sessions.get(token)
        if user is None:
            raise NotLoggedInError("The session has ended; log in again.")
        self._token = token
        return self._session_info(user)

    @property
    def token(self) -> str | None:
        """The session's token."""
        return self._token

    async def logout(self) -> None:
        """End the session."""
        await self._enter(Permission.VIEW)
        self._sessions.pop(self._token or "", None)
        self._token = None
        self._end_links(NotLoggedInError("The session has ended; log in again."))

    async def close(self) -> None:
        """Close the links; the session goes on."""
        for link in list(self._links):
            await link.close()
        self._links.clear()

    # --- plant and history -------------------------------------------------------------------------------------------

    async def health(self) -> http.Health:
        """Which promises hold."""
        await self._enter(Permission.VIEW)
        now = self._clock()
        accepted = (now - self._history.start_us) // imagined.CADENCE_US * len(self._devices)
        values = accepted * 6
        roles = [http.RoleHealth(role=role, is_alive=True, beat_at=from_us(now), figures={}) for role in _ROLES]
        return http.Health(
            status="ok",
            version="0.1.0",
            roles=roles,
            problems=[],
            messages=http.MessageBalance(
                received=accepted + len(self._quarantine), accepted=accepted, quarantined=len(self._quarantine)
            ),
            values=http.ValueBalance(
                accepted=values, stored=values - 120, replaced=0, in_journal=120, late=0, refused={"not_a_number": 2}
            ),
        )

    async def devices(self) -> list[http.Device]:
        """All devices."""
        await self._enter(Permission.VIEW)
        received = from_us(self._clock())
        return [device.model_copy(update={"last_received_at": received}) for device in self._devices.values()]

    async def change_device(self, device_id: str, change: http.DeviceChange) -> http.Device:
        """Edit a device."""
        await self._enter(Permission.EDIT_PLANT)
        device = self._devices.get(device_id)
        if device is None:
            raise NotFoundError("There is no such device.")
        self._devices[device_id] = device.model_copy(update=change.model_dump(exclude_unset=True))
        self._tell(live.PlantChanged())
        return self._devices[device_id]

    async def change_parameter(self, parameter_id: str, change: http.ParameterChange) -> http.Parameter:
        """Edit a parameter."""
        await self._enter(Permission.EDIT_PLANT)
        for device in self._devices.values():
            for place, parameter in enumerate(device.parameters):
                if parameter.id == parameter_id:
                    changed = parameter.model_copy(update=change.model_dump(exclude_unset=True))
                    parameters = [*device.parameters[:place], changed, *device.parameters[place + 1 :]]
                    self._devices[device.id] = device.model_copy(update={"parameters": parameters})
                    self._tell(live.PlantChanged())
                    return changed
        raise NotFoundError("There is no such parameter.")

    async def latest(self) -> list[http.LatestValue]:
        """The newest samples."""
        await self._enter(Permission.VIEW)
        return self._history.latest(self._clock())

    async def binned(
        self, parameter_ids: Sequence[str], start_us: int, end_us: int, *, most_bins: int = 1_000
    ) -> http.BinnedAnswer:
        """History in bins."""
        await self._enter(Permission.VIEW)
        return await asyncio.to_thread(self._history.binned, parameter_ids, start_us, end_us, most_bins, self._clock())

    async def raw(
        self, parameter_id: str, start_us: int, end_us: int, *, most_samples: int = 50_000
    ) -> http.RawColumns:
        """Every sample of a span."""
        await self._enter(Permission.VIEW)
        return await asyncio.to_thread(self._history.raw, parameter_id, start_us, end_us, most_samples, self._clock())

    # --- jobs --------------------------------------------------------------------------------------------------------

    async def runs(self) -> list[http.Run]:
        """The newest runs."""
        await self._enter(Permission.VIEW)
        return self._jobs.all()

    async def start_run(self, request: http.RunRequest) -> http.Run:
        """Queue work."""
        actor = await self._enter(Permission.RUN_JOBS)
        if request.kind in http.STARTED_APART:
            raise InvalidInputError("This kind of work is started in another way.", fields={"kind": "not here"})
        if any(device not in self._devices for device in request.device_ids):
            raise NotFoundError("There is no such device.")
        return self._jobs.start(request, actor)

    async def cancel_run(self, run_id: str) -> http.Run:
        """Ask a run to stop."""
        await self._enter(Permission.RUN_JOBS)
        return self._jobs.cancel(run_id)

    async def schedules(self) -> list[http.Schedule]:
        """What runs by itself."""
        await self._enter(Permission.VIEW)
        return self._jobs.schedules()

    async def change_schedule(self, kind: http.JobKind, change: http.ScheduleChange) -> http.Schedule:
        """Switch or move a schedule."""
        await self._enter(Permission.EDIT_RULES)
        return self._jobs.change_schedule(kind, change)

    async def download(self, artifact: http.Artifact, target: Path) -> Path:
        """Write the file whole."""
        await self._enter(Permission.VIEW)
        content = self._jobs.content(artifact.id)
        return await asyncio.to_thread(write_whole, target, artifact.name, artifact.sha256, content)

    async def open_live(self) -> LiveLink:
        """Open a live link."""
        await self._enter(Permission.VIEW)
        link = FakeLink(self._history, self._jobs, self._clock, self._tick_s, self._flood_list)
        self._links.append(link)
        return link

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        error, self._next_error = self._next_error, None
        if error is not None:
            raise error
        if self._cut:
            raise UnavailableError("The service cannot be reached; check the network.")

    async def _enter(self, permission: Permission) -> str:
        await self._reach()
        user = self._sessions.get(self._token or "")
        if user is None:
            raise NotLoggedInError("The session has ended; log in again.")
        if permission not in permissions_of(self._accounts[user][1]):
            raise NotAllowedError("Your role does not permit this; ask a supervisor.")
        return user

    def _session_info(self, user: str) -> http.SessionInfo:
        role = self._accounts[user][1]
        return http.SessionInfo(
            user=user,
            role=role,
            permissions=sorted(permissions_of(role)),
            factory=http.FactoryInfo(
                id=imagined.FACTORY_ID, slug=imagined.SLUG, name="Riverside Works", timezone=imagined.TIMEZONE
            ),
            expires_at=from_us(self._clock()) + timedelta(hours=12),
        )

    def _tell(self, message: live.ServiceMessage) -> None:
        self._links = [link for link in self._links if not link.is_over]
        for link in self._links:
            link.tell(message)

    def _tell_alarm(self, alarm: http.Alarm) -> None:
        if not self._alarms.facts(alarm.id).is_shadow:
            self._tell(live.AlarmChanged(alarm.model_dump_json().encode()))

    def _end_links(self, error: FactoryOpsError) -> None:
        for link in self._links:
            link.end(error)
        self._links.clear()
