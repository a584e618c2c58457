"""What a back-test came to, as people are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from factoryops.alarms.back_test_events import told_events
from factoryops.alarms.directory import Directory
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.back_tests import (
    Episode,
    Figures,
    MarkedIncident,
    figures_of,
    first_seen_us,
    per_day,
)
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.performance.effect import RecordedLoad, tried_lines
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import from_us, to_us
from factoryops.rules.back_test.feed import Tally
from factoryops.rules.back_test.material import DeviceResult

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What results are held against.

    Attributes:
        timezone: the factory's zone, in which days are counted.
        names: what devices are called, by key.
        incidents: those that touch the span.
        devices_in: keys of the devices of an area.
        directory: what devices and parameters are called when it is told why an alarm was raised.
        load: what the factory's alarm figures are made of without the rule; None where that is too much.
        gaps: when nothing could be received.
    """

    timezone: str
    names: Mapping[str, str]
    incidents: Sequence[http.Incident]
    devices_in: Mapping[str, Sequence[str]]
    directory: Directory
    load: RecordedLoad | None = None
    gaps: Sequence[Span] = ()

    def marked(self) -> list[MarkedIncident]:
        """The incidents with the devices they concern."""
        return [MarkedIncident(one.id, self._concerned(one.content), *_span_of(one.content)) for one in self.incidents]

    def _concerned(self, content: http.IncidentContent) -> frozenset[str] | None:
        if not (content.device_keys or content.areas):
            return None
        in_areas = (device for area in content.areas for device in self.devices_in.get(area, ()))
        return frozenset((*content.device_keys, *in_areas))


def outcome_of(
    request: http.BackTestRequest,
    definitions: Sequence[RuleDefinition],
    results: Sequence[DeviceResult],
    around: Surroundings,
    notes: Sequence[str],
) -> http.BackTestOutcome:
    """Everything a back-test tells.

    Args:
        request: what was asked.
        definitions: the rule and then each variant.
        results: by device, of the same rules.
        around: what they are held against.
        notes: what a person should know about the data.
    """
    span = to_us(request.start), to_us(request.end)
    marked = around.marked()
    episodes = [one for result in results for one in result.episodes(0, span)]
    raised_us = [one.raised_us for one in episodes if span[0] <= one.raised_us < span[1]]
    events = told_events(results, span, definitions[0], around.directory)
    tally = sum((result.tally for result in results), Tally())
    return http.BackTestOutcome(
        rule_name=definitions[0].name,
        start=request.start,
        end=request.end,
        samples=tally.on_time,
        late=tally.late,
        imported=tally.imported,
        figures=_told(figures_of(episodes, span, marked, _suppressed(results, 0, span))),
        days=_days(raised_us, request, around.timezone),
        devices=[_device(result, span, around.names) for result in results],
        events=events[: http.MOST_BACK_TEST_EVENTS],
        is_cut=len(events) > http.MOST_BACK_TEST_EVENTS,
        trials=[
            _trial(definition, number, results, span, marked) for number, definition in enumerate(definitions) if number
        ],
        incidents=[_incident(incident, one, episodes) for incident, one in zip(around.incidents, marked, strict=True)],
        notes=[*notes, *_load_notes(around.load)],
        **_loads(definitions[0], results, around, span),
    )


def _loads(
    rule: RuleDefinition, results: Sequence[DeviceResult], around: Surroundings, span: Span
) -> dict[str, http.AlarmLoad]:
    if around.load is None:
        return {}
    tried = [
        line
        for result in results
        for line in tried_lines(
            ((event.kind, event.at_us, event.is_told) for event in result.events[0]), span,
            device=result.device, name=rule.name, priority=int(rule.priority),
        )
    ]  # fmt: skip
    without, together = (around.load.measured(lines, span, around.gaps) for lines in ([], tried))
    return {"load_without": http.AlarmLoad.of(without), "load_with": http.AlarmLoad.of(together)}


def _load_notes(load: RecordedLoad | None) -> list[str]:
    if load is None:
        return ["The factory has too many alarm events in this time to tell the effect on its figures: try less time."]
    return [] if load.is_counted else ["Alarms of the rule's class do not count, so that the figures stay as they are."]


def _device(result: DeviceResult, span: Span, names: Mapping[str, str]) -> http.BackTestDevice:
    told = [event for event in result.in_span(0, span) if event.is_told]
    ended = result.episodes(0, span)[-1:]
    return http.BackTestDevice(
        device_key=result.device,
        device_name=names.get(result.device, result.device),
        alarms=len(told),
        samples=result.tally.on_time,
        is_active_at_end=any(one.cleared_us is None for one in ended),
    )


def _suppressed(results: Sequence[DeviceResult], variant: int, span: Span) -> int:
    """Raises that were suppressed by design."""
    events = (event for result in results for event in result.in_span(variant, span))
    return sum(event.kind is AlarmEventKind.RAISED and not event.is_told for event in events)


def _trial(
    definition: RuleDefinition,
    number: int,
    results: Sequence[DeviceResult],
    span: Span,
    marked: Sequence[MarkedIncident],
) -> http.BackTestTrial:
    plain = plain_limit(definition.condition)
    episodes = [one for result in results for one in result.episodes(number, span)]
    return http.BackTestTrial(
        limit=None if plain is None else plain.limit,
        deadband=None if plain is None else plain.deadband,
        on_delay_s=definition.on_delay_s,
        off_delay_s=definition.off_delay_s,
        figures=_told(figures_of(episodes, span, marked, _suppressed(results, number, span))),
    )


def _incident(incident: http.Incident, marked: MarkedIncident, episodes: Sequence[Episode]) -> http.BackTestIncident:
    seen_us = first_seen_us(marked, episodes)
    return http.BackTestIncident(
        incident_id=incident.id,
        start=incident.content.start,
        end=incident.content.end,
        note=incident.content.note,
        seen_at=None if seen_us is None else from_us(seen_us),
    )


def _days(raised_us: Sequence[int], request: http.BackTestRequest, timezone: str) -> list[http.BackTestDay]:
    """Alarms by local date; the first and the last one may be parts of days."""
    zone = ZoneInfo(timezone)
    day = request.start.astimezone(zone).date()
    dates = [day]
    while (day := day + timedelta(days=1)) <= (request.end - timedelta(microseconds=1)).astimezone(zone).date():
        dates.append(day)
    starts = [to_us(datetime(one.year, one.month, one.day, tzinfo=zone)) for one in (*dates, day)]
    counts = per_day(raised_us, starts)
    return [http.BackTestDay(date=one.isoformat(), alarms=count) for one, count in zip(dates, counts, strict=True)]


def _told(figures: Figures) -> http.BackTestFigures:
    return http.BackTestFigures(**{name: getattr(figures, name) for name in Figures.__struct_fields__})


def _span_of(content: http.IncidentContent) -> Span:
    return to_us(content.start), to_us(content.end)
