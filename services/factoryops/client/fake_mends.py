"""Proposals for the imagined plant's nuisance alarms: changes of plain limits, tried on its history."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from factoryops.client.fake_alarms import FakeAlarms
from factoryops.client.fake_back_tests import MOST_TRIED_SAMPLES, IncidentBook, limit_episodes
from factoryops.client.fake_history import FakeHistory
from factoryops.client.fake_jobs import FakeJobs
from factoryops.client.fake_rules import RuleShelf
from factoryops.client.imagined import FACTORY_ID
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.back_tests import Episode
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Permission, parameter_id
from factoryops.domain.performance.candidates import Breaks, SignalFacts, noise_of
from factoryops.domain.performance.proposing import Question, propose
from factoryops.domain.performance.signal_practice import signal_kind
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import to_us


class FakeMends:
    """Searches for changes that make alarms calmer; every alarm is looked at that was raised more than once."""

    _alarms: FakeAlarms
    _clock: Callable[[], int]
    _devices: dict[str, http.Device]
    _history: FakeHistory
    _incidents: IncidentBook
    _jobs: FakeJobs
    _mendings: dict[str, http.MendRequest]
    _rules: RuleShelf
    _philosophy: http.Philosophy

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def start_mending(self, request: http.MendRequest) -> http.Run:
        """Queue a search."""
        actor = await self._enter(Permission.EDIT_RULES)
        request.check()
        for identity in request.alarm_ids:
            self._alarms.get(identity)
        run = self._jobs.start(
            http.RunRequest(kind=http.JobKind.ALARM_MENDS, start=request.start, end=request.end), actor
        )
        self._mendings[run.id] = request
        return run

    async def mending(self, run_id: str) -> http.Mending:
        """How far it is, and what it came to."""
        await self._enter(Permission.VIEW)
        run = self._jobs.get(run_id)
        if run_id not in self._mendings:
            raise NotFoundError("There is no such search for proposals.")
        if run.state is not http.RunState.SUCCEEDED:
            return http.Mending(run=run)
        return http.Mending(run=run, outcome=await asyncio.to_thread(self._searched, self._mendings[run_id]))

    def _searched(self, request: http.MendRequest) -> http.MendOutcome:
        events = self._alarms.events(None, MOST_TRIED_SAMPLES, request.start, request.end, None).events
        raised = Counter(one.alarm_id for one in events if one.kind is AlarmEventKind.RAISED and one.is_annunciation)
        often = [identity for identity, times in raised.most_common() if times > 1]
        wanted = request.alarm_ids or often[: http.MOST_MENDED]
        mends = [self._mend(request, self._alarms.get(identity), raised[identity]) for identity in wanted]
        return http.MendOutcome(
            start=request.start, end=request.end, mends=mends, left_out=0 if request.alarm_ids else
            max(0, len(often) - len(mends)), took_s=0.4,
        )  # fmt: skip

    def _mend(self, request: http.MendRequest, alarm: http.Alarm, recorded: int) -> http.AlarmMend:
        rule, device = self._rules.get(alarm.rule_id), self._devices[alarm.device_id]
        told = http.MendedAlarm(
            alarm_id=alarm.id, rule_id=rule.id, rule_name=rule.content.name, rule_version=rule.version,
            device_key=device.key, device_name=device.name, area=device.area, priority=alarm.priority,
            recorded=recorded,
        )  # fmt: skip
        definition = rule.content.definition()
        plain = plain_limit(definition.condition)
        parameter = next((one for one in device.parameters if plain and one.key == plain.parameter_key), None)
        if parameter is None:
            return http.AlarmMend(alarm=told, notes=["The imagined plant tries plain limits only."])
        span = to_us(request.start), to_us(request.end)
        found = self._history.raw(
            parameter_id(FACTORY_ID, device.key, parameter.key), *span, MOST_TRIED_SAMPLES, self._clock()
        )  # fmt: skip

        def try_rules(rules: Sequence[RuleDefinition]) -> list[list[Episode]]:
            return [limit_episodes(device.key, found.time_us, found.value, one) for one in rules]

        def facts_of(episodes: Sequence[Episode]) -> SignalFacts:
            values = np.array(found.value, np.float64)
            breaks = Breaks(definition, episodes)
            breaks.take(np.array(found.time_us, np.int64), values)
            width = (parameter.high or 0.0) - (parameter.low or 0.0)
            return SignalFacts(signal_kind(parameter.key, parameter.unit), width, noise_of(values), breaks.depths())

        question = Question(span, self._incidents.within(*span), request.real_after_s, self._philosophy.thresholds)
        proposal = propose(definition, question, try_rules, facts_of)
        incidents = {one.id: one for one in self._incidents.all()}
        return http.AlarmMend.of(told, definition, proposal, incidents, unit=parameter.unit, notes=[])
