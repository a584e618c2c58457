"""What operators do with the imagined plant's alarms: the part of `FakePlant` that implements `AlarmsClient`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from factoryops.client.fake_alarms import FakeAlarms
from factoryops.client.fake_rules import RuleShelf
from factoryops.contracts import alarm_orders, http
from factoryops.contracts.alarm_orders import Orders
from factoryops.contracts.alarm_places import places_of
from factoryops.contracts.alarm_view import listed
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed
from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.errors import OutdatedError
from factoryops.domain.identity import Permission
from factoryops.domain.time import from_us


class FakeAlarmHandling:
    """Alarms, their handling and their classes in memory."""

    _clock: Callable[[], int]
    _alarms: FakeAlarms
    _rules: RuleShelf
    _philosophy = http.FIRST_PHILOSOPHY

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    def _tell_alarm(self, alarm: http.Alarm) -> None:
        raise NotImplementedError

    def _flood_list(self) -> http.FloodList:
        raise NotImplementedError

    # --- what tests may do -------------------------------------------------------------------------------------------

    def suppress_alarm(self, alarm_id: str, *, is_suppressed: bool) -> http.Alarm:
        """Let the alarm's suppression by design begin or end, now."""
        move = alarm_life.suppressed if is_suppressed else alarm_life.unsuppressed
        alarm = self._alarms.take(alarm_id, move(self._alarms.facts(alarm_id), self._clock()))
        self._tell_alarm(alarm)
        return alarm

    def let_time_bring(self) -> list[http.Alarm]:
        """Do what the life-cycle clock would do now: end shelving that is over, announce again what is due."""
        changed = self._alarms.let_time_bring()
        for alarm in changed:
            self._tell_alarm(alarm)
        return changed

    # --- what a client asks ------------------------------------------------------------------------------------------

    async def alarms(self) -> list[http.Alarm]:
        """Every alarm that is not normal, those that are put aside too."""
        await self._enter(Permission.VIEW)
        self.let_time_bring()
        return [alarm for alarm in self._alarms.all() if alarm.state is not AlarmState.NORMAL]

    async def alarm_list(self, tab: http.AlarmTab | None = None) -> http.AlarmList:
        """One list of alarms, or all of them."""
        return listed(await self.alarms(), tab).model_copy(update={"floods": self._flood_list().floods})

    async def alarm_places(self) -> list[http.AlarmPlace]:
        """Where the alarms are."""
        return places_of(await self.alarms()).places

    async def alarm_events(
        self, *, before: str | None = None, most: int = 200, start: datetime | None = None,
        end: datetime | None = None, alarm_id: str | None = None, shadow_of: str | None = None,
    ) -> http.AlarmEventPage:  # fmt: skip
        """Alarm history, newest first."""
        await self._enter(Permission.VIEW)
        return self._alarms.events(before, most, start, end, alarm_id, shadow_of)

    async def alarm_why(
        self, alarm_id: str, annunciation: int, kind: AlarmEventKind = AlarmEventKind.RAISED,
        at: datetime | None = None,
    ) -> http.AlarmWhy:  # fmt: skip
        """Why an annunciation began or ended."""
        await self._enter(Permission.VIEW)
        return self._alarms.why(alarm_id, annunciation, kind, at)

    async def response_sheet(self, alarm_id: str) -> http.ResponseSheet:
        """What is to be known and done about an alarm."""
        await self._enter(Permission.VIEW)
        return self._alarms.sheet(alarm_id)

    # --- what operators do -------------------------------------------------------------------------------------------

    async def acknowledge(self, request: http.AcknowledgeRequest) -> list[http.Alarm]:
        """Acknowledge alarms."""
        deed = await self._deed(Permission.ACKNOWLEDGE, request.comment)
        return self._do(alarm_orders.acknowledging(request, deed))

    async def reset_alarms(self, request: http.ResetRequest) -> list[http.Alarm]:
        """Reset latches."""
        deed = await self._deed(Permission.ACKNOWLEDGE, request.comment)
        return self._do(alarm_orders.resetting(request, deed))

    async def shelve(self, request: http.ShelveRequest) -> list[http.Alarm]:
        """Put alarms aside."""
        deed = await self._deed(Permission.SHELVE, request.reason)
        return self._do(alarm_orders.shelving(request, deed), request.request_id)

    async def unshelve(self, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Take up again what was shelved."""
        deed = await self._deed(Permission.SHELVE, request.comment)
        return self._do(alarm_orders.unshelving(request, deed))

    async def prepare_alarms(self, rule_id: str, device_ids: list[str]) -> list[http.Alarm]:
        """A rule's alarms on devices, never raised ones too."""
        await self._enter(Permission.SHELVE)
        return self._alarms.prepare(self._rules.get(rule_id), device_ids)

    async def take_out_of_service(self, request: http.TakeOutRequest) -> list[http.Alarm]:
        """Take alarms out of service."""
        deed = await self._deed(Permission.OUT_OF_SERVICE, request.reason)
        return self._do(alarm_orders.taking_out(request, deed), request.request_id)

    async def return_to_service(self, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Return alarms to service."""
        deed = await self._deed(Permission.OUT_OF_SERVICE, request.comment)
        return self._do(alarm_orders.returning(request, deed))

    async def _deed(self, permission: Permission, said: str | None) -> Deed:
        return Deed(await self._enter(permission), self._clock(), said)

    def _do(self, orders: Orders, request_id: str = "") -> list[http.Alarm]:
        """All or none; a request that was done is not done again."""
        classes = self._philosophy.philosophy()
        outcomes = {
            identity: step(self._alarms.facts(identity), classes.class_of(self._alarms.get(identity).alarm_class))
            for identity, step in orders.items()
        }
        if self._alarms.is_new(request_id):
            for identity, outcome in outcomes.items():
                if outcome[1]:
                    self._tell_alarm(self._alarms.take(identity, outcome))
        return [self._alarms.get(identity) for identity in orders]

    # --- classes -----------------------------------------------------------------------------------------------------

    async def philosophy(self) -> http.Philosophy:
        """The factory's classes and matrix."""
        await self._enter(Permission.VIEW)
        return self._philosophy

    async def change_philosophy(self, change: http.PhilosophyChange) -> http.Philosophy:
        """Put all of it anew."""
        actor = await self._enter(Permission.EDIT_PLANT)
        wanted = change.philosophy()
        wanted.check()
        if change.version != self._philosophy.version:
            raise OutdatedError("Somebody else changed the alarm philosophy meanwhile: look at it again.")
        uses = ((rule.content.alarm_class, rule.content.name) for rule in self._rules.all())
        self._philosophy.philosophy().check_removal(wanted, uses)
        self._philosophy = http.Philosophy(
            version=change.version + 1, classes=change.classes, matrix=change.matrix, thresholds=change.thresholds,
            changed_by=actor, changed_at=from_us(self._clock()),
        )  # fmt: skip
        return self._philosophy

    async def proposed_priority(self, severity: str, time_to_respond_s: float) -> http.ProposedPriority:
        """The priority that the matrix gives a severity and a time to respond."""
        await self._enter(Permission.VIEW)
        proposed = self._philosophy.philosophy().matrix.proposed(severity, time_to_respond_s)
        return http.ProposedPriority(priority=proposed)
