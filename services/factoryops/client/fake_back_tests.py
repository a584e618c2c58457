"""Back-tests of the imagined plant: plain limits are tried on its history, other conditions never raise there."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from factoryops.client.fake_history import FakeHistory
from factoryops.client.fake_jobs import FakeJobs
from factoryops.client.fake_performance import FakePerformance
from factoryops.client.imagined import FACTORY_ID
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.back_tests import Episode, Figures, MarkedIncident, figures_of, first_seen_us
from factoryops.domain.conditions.limits import PlainLimit, plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Permission, new_id, parameter_id
from factoryops.domain.performance.effect import RecordedLoad, TriedEvent, tried_lines
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import US_PER_S, from_us, to_us

MOST_TRIED_SAMPLES: Final = 50_000


class IncidentBook:
    """Marked incidents in memory."""

    def __init__(self, devices: Mapping[str, http.Device], clock: Callable[[], int]) -> None:
        self._devices = devices
        self._clock = clock
        self._held: dict[str, http.Incident] = {}

    def all(self) -> list[http.Incident]:
        """Newest first."""
        return sorted(self._held.values(), key=lambda one: (one.content.start, one.id), reverse=True)

    def keep(self, identity: str, content: http.IncidentContent, actor: str) -> http.Incident:
        """Mark one, or change a mark."""
        known = {device.key for device in self._devices.values()}
        missing = next((key for key in content.device_keys if key not in known), None)
        if missing is not None:
            raise InvalidInputError(
                f"There is no device {missing!r} in this factory.", fields={"device_keys": "no such device"}
            )
        self._held[identity] = http.Incident(
            id=identity, content=content, marked_by=actor, marked_at=from_us(self._clock())
        )
        return self._held[identity]

    def get(self, identity: str) -> http.Incident:
        """One."""
        if identity not in self._held:
            raise NotFoundError("There is no such incident.")
        return self._held[identity]

    def delete(self, identity: str) -> None:
        """Take a mark away."""
        self.get(identity)
        del self._held[identity]

    def within(self, start_us: int, end_us: int) -> list[MarkedIncident]:
        """Those that touch a span, with the devices they concern."""
        return [
            marked
            for one in self._held.values()
            if (marked := self._marked(one)).start_us < end_us and marked.end_us >= start_us
        ]

    def _marked(self, incident: http.Incident) -> MarkedIncident:
        content = incident.content
        areas = {device.key for device in self._devices.values() if device.area in content.areas}
        concerned = frozenset({*content.device_keys, *areas}) if content.device_keys or content.areas else None
        return MarkedIncident(incident.id, concerned, to_us(content.start), to_us(content.end))


class _Judged(NamedTuple):
    """A rule tried on all its devices."""

    episodes: list[Episode]
    samples: dict[str, int]
    values: dict[int, float]


class FakeBackTests(FakePerformance):
    """Back-tests and the incidents they are held against."""

    _back_tests: dict[str, http.BackTestRequest]
    _devices: dict[str, http.Device]
    _history: FakeHistory
    _incidents: IncidentBook
    _jobs: FakeJobs

    async def start_back_test(self, request: http.BackTestRequest) -> http.Run:
        """Queue a back-test."""
        actor = await self._enter(Permission.EDIT_RULES)
        request.check()
        run = self._jobs.start(
            http.RunRequest(kind=http.JobKind.BACK_TEST, start=request.start, end=request.end), actor
        )
        self._back_tests[run.id] = request
        return run

    async def back_test(self, run_id: str) -> http.BackTest:
        """How far it is, and what it came to."""
        await self._enter(Permission.VIEW)
        run = self._jobs.get(run_id)
        if run_id not in self._back_tests:
            raise NotFoundError("There is no such back-test.")
        if run.state is not http.RunState.SUCCEEDED:
            return http.BackTest(run=run)
        return http.BackTest(run=run, outcome=await asyncio.to_thread(self._outcome, self._back_tests[run_id]))

    async def incidents(self) -> list[http.Incident]:
        """Newest first."""
        await self._enter(Permission.VIEW)
        return self._incidents.all()

    async def mark_incident(self, content: http.IncidentContent) -> http.Incident:
        """Mark one."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._incidents.keep(new_id(), content, actor)

    async def change_incident(self, incident_id: str, content: http.IncidentContent) -> http.Incident:
        """Change a mark."""
        actor = await self._enter(Permission.EDIT_RULES)
        self._incidents.get(incident_id)
        return self._incidents.keep(incident_id, content, actor)

    async def delete_incident(self, incident_id: str) -> None:
        """Take a mark away."""
        await self._enter(Permission.EDIT_RULES)
        self._incidents.delete(incident_id)

    def _outcome(self, request: http.BackTestRequest) -> http.BackTestOutcome:
        span = to_us(request.start), to_us(request.end)
        plain = plain_limit(request.rule.condition)
        judged = self._judge(request, plain)
        marked = self._incidents.within(*span)
        figures = _told(figures_of(judged.episodes, span, marked))
        return http.BackTestOutcome(
            rule_name=request.rule.name, start=request.start, end=request.end, samples=sum(judged.samples.values()),
            figures=figures, devices=self._by_device(judged), events=_events(judged, plain),
            trials=[self._trial(request, variant) for variant in request.variants()],
            incidents=[
                http.BackTestIncident(
                    incident_id=one.id, start=from_us(one.start_us), end=from_us(one.end_us),
                    note=self._incidents.get(one.id).content.note, seen_at=_moment(first_seen_us(one, judged.episodes)),
                )
                for one in marked
            ],
            took_s=0.4, **self._loads(request, judged, span),
        )  # fmt: skip

    def _loads(
        self, request: http.BackTestRequest, judged: _Judged, span: tuple[int, int]
    ) -> dict[str, http.AlarmLoad]:
        is_counted = self._philosophy.philosophy().is_counted(request.rule.alarm_class)
        load = RecordedLoad(
            [*self._lines(request.end, without_rule=request.rule_id or "")], self._declared,
            self._philosophy.thresholds, is_counted,
        )  # fmt: skip
        told = {device: [one for one in judged.episodes if one.device == device] for device in judged.samples}
        tried = [
            line
            for device, episodes in told.items()
            for line in tried_lines(
                (event for one in episodes for event in _turns(one)), span, device=device, name=request.rule.name,
                priority=int(request.rule.priority),
            )
        ]  # fmt: skip
        without, together = (load.measured(lines, span, ()) for lines in ([], tried))
        return {"load_without": http.AlarmLoad.of(without), "load_with": http.AlarmLoad.of(together)}

    def _judge(self, request: http.BackTestRequest, plain: PlainLimit | None) -> _Judged:
        judged = _Judged([], {}, {})
        chosen = request.rule.scope.devices
        for device in self._devices.values():
            if plain is not None and (not chosen or device.key in chosen):
                self._judge_device(request, plain, device.key, judged)
        return judged

    def _judge_device(self, request: http.BackTestRequest, plain: PlainLimit, device: str, judged: _Judged) -> None:
        """The comparison with its deadband and delays."""
        identity = parameter_id(FACTORY_ID, device, plain.parameter_key)
        if not self._history.has(identity):
            return
        start_us, end_us = to_us(request.start), to_us(request.end)
        found = self._history.raw(identity, start_us, end_us, MOST_TRIED_SAMPLES, self._clock())
        judged.samples[device] = len(found.time_us)
        made = limit_episodes(device, found.time_us, found.value, request.rule.definition())
        judged.episodes.extend(made)
        for moment_us in (one for episode in made for one in (episode.raised_us, episode.cleared_us)):
            if moment_us is not None:
                judged.values[moment_us] = found.value[bisect_right(found.time_us, moment_us) - 1]

    def _trial(self, request: http.BackTestRequest, variant: RuleDefinition) -> http.BackTestTrial:
        plain = plain_limit(variant.condition)
        judged = self._judge(request.model_copy(update={"rule": http.RuleContent.of(variant)}), plain)
        span = to_us(request.start), to_us(request.end)
        return http.BackTestTrial(
            limit=plain.limit if plain else None, deadband=plain.deadband if plain else None,
            on_delay_s=variant.on_delay_s, off_delay_s=variant.off_delay_s,
            figures=_told(figures_of(judged.episodes, span, self._incidents.within(*span))),
        )  # fmt: skip

    def _by_device(self, judged: _Judged) -> list[http.BackTestDevice]:
        names = {device.key: device.name for device in self._devices.values()}
        return [
            http.BackTestDevice(
                device_key=device, device_name=names[device], samples=count,
                alarms=sum(one.device == device for one in judged.episodes),
                is_active_at_end=any(one.device == device and one.cleared_us is None for one in judged.episodes),
            )
            for device, count in judged.samples.items()
        ]  # fmt: skip


def _turns(episode: Episode) -> Iterator[TriedEvent]:
    yield AlarmEventKind.RAISED, episode.raised_us, True
    if episode.cleared_us is not None:
        yield AlarmEventKind.CLEARED, episode.cleared_us, False


def limit_episodes(device: str, time_us: Sequence[int], values: Sequence[float], rule: RuleDefinition) -> list[Episode]:
    """What a plain limit would have raised on samples of a device, with its deadband and delays."""
    plain = plain_limit(rule.condition)
    if plain is None:
        return []
    on_us, off_us = round(rule.on_delay_s * US_PER_S), round(rule.off_delay_s * US_PER_S)
    found: list[Episode] = []
    for since_us, until_us in _runs(time_us, values, plain):
        is_same = bool(found) and found[-1].cleared_us is not None and since_us <= found[-1].cleared_us
        if is_same:
            found[-1] = found[-1]._replace(cleared_us=None if until_us is None else until_us + off_us)
        elif (time_us[-1] if until_us is None else until_us) - since_us > on_us:
            found.append(Episode(device, since_us + on_us, None if until_us is None else until_us + off_us))
    return found


def _runs(time_us: Sequence[int], values: Sequence[float], plain: PlainLimit) -> Iterator[tuple[int, int | None]]:
    """From when to when the comparison held, deadband included; None while it does."""
    since_us: int | None = None
    for at_us, value in zip(time_us, values, strict=True):
        is_true = _holds(plain, value, is_held=since_us is not None)
        if is_true and since_us is None:
            since_us = at_us
        elif not is_true and since_us is not None:
            yield since_us, at_us
            since_us = None
    if since_us is not None:
        yield since_us, None


def _holds(plain: PlainLimit, value: float, *, is_held: bool) -> bool:
    back = plain.deadband if is_held else 0.0
    match plain.comparison:
        case Comparison.ABOVE:
            return value > plain.limit - back
        case Comparison.AT_OR_ABOVE:
            return value >= plain.limit - back
        case Comparison.BELOW:
            return value < plain.limit + back
        case _:
            return value <= plain.limit + back


def _events(judged: _Judged, plain: PlainLimit | None) -> list[http.BackTestEvent]:
    found: list[http.BackTestEvent] = []
    for one in judged.episodes:
        for kind, at_us in ((AlarmEventKind.RAISED, one.raised_us), (AlarmEventKind.CLEARED, one.cleared_us)):
            if at_us is not None:
                found.append(_event(one.device, kind, at_us, judged.values.get(at_us), plain))
    return sorted(found, key=lambda event: event.at)[: http.MOST_BACK_TEST_EVENTS]


def _event(
    device: str, kind: AlarmEventKind, at_us: int, value: float | None, plain: PlainLimit | None
) -> http.BackTestEvent:
    """An event with the one comparison that decided it."""
    is_raise = kind is AlarmEventKind.RAISED
    leaves: list[http.DecidingLeaf] = []
    if plain is not None and value is not None:
        sample = http.DecidingSample(
            device_key=device, parameter_key=plain.parameter_key, at=from_us(at_us), value=value, is_uncertain=False
        )
        leaf = http.DecidingLeaf(
            path="", text=f"{plain.parameter_key} crosses {plain.limit:g}", state="true" if is_raise else "false",
            value=value, limit=plain.limit, samples=[sample],
        )  # fmt: skip
        leaves.append(leaf)
    return http.BackTestEvent(
        device_key=device, kind=kind, at=from_us(at_us), value=value, is_told=is_raise,
        why="; ".join(leaf.text for leaf in leaves), turned_at=from_us(at_us), leaves=leaves,
    )  # fmt: skip


def _told(figures: Figures) -> http.BackTestFigures:
    return http.BackTestFigures(**{name: getattr(figures, name) for name in Figures.__struct_fields__})


def _moment(time_us: int | None) -> datetime | None:
    return None if time_us is None else from_us(time_us)
