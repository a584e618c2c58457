"""What a report tells: everything read once, before a line is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from factoryops.contracts import http
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.bins import BinnedSeries, bin_width_us
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.rates import Span
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops.history.queries import History
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Gap

Tell = Callable[[float, str], None]
"""Called with a share of 0 to 1 and what is being done."""

MOST_BINS: Final = 1_500
MOST_ALARMS: Final = 2_000
_SHORTEST_PACE_US: Final = 60 * US_PER_S
_LAST_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is to cover.

    Attributes:
        device_ids: empty means every device.
    """

    factory_id: FactoryId
    start: datetime
    end: datetime
    device_ids: tuple[str, ...] = ()
    requested_by: str = ""

    def span_us(self) -> tuple[int, int]:
        """The span in microseconds; raises InvalidInputError when it is empty."""
        start_us, end_us = to_us(self.start), to_us(self.end)
        if end_us <= start_us:
            raise InvalidInputError("The span is empty: its end must lie after its start.")
        return start_us, end_us


@dataclass(frozen=True, slots=True)
class ParameterFigures:
    """One parameter over the span; the figures are None when it has no samples there.

    Attributes:
        completeness: share of the intervals of its own usual pace (a minute at least) in which a value came.
        pace_us: that pace.
    """

    parameter: Parameter
    bins: BinnedSeries
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    last: float | None
    completeness: float
    pace_us: int


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One device with all its parameters."""

    device: Device
    parameters: tuple[ParameterFigures, ...]

    @property
    def samples(self) -> int:
        """Samples of all parameters."""
        return sum(one.samples for one in self.parameters)

    @property
    def completeness(self) -> float:
        """The mean over its parameters; 0 for a device without any."""
        return float(np.mean([one.completeness for one in self.parameters])) if self.parameters else 0.0


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One annunciation of an alarm; what lies outside the span is None."""

    rule_name: str
    device_name: str
    priority: Priority
    raised_at: datetime | None
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    comment: str | None
    value: float | None

    def period_us(self, start_us: int, end_us: int) -> tuple[int, int]:
        """When it was active, within the span."""
        first = to_us(self.raised_at) if self.raised_at is not None else start_us
        last = to_us(self.cleared_at) if self.cleared_at is not None else end_us
        return max(first, start_us), min(max(first, last), end_us)


@dataclass(frozen=True, slots=True)
class DailyFigures:
    """Everything a daily report tells.

    Attributes:
        load: how many alarms were announced; None of single devices.
        quarantined: messages of the span that could not be accepted; None when the journal could not be asked.
        pending_from: samples from here on were not in the store yet; None when all were seen.
        data_sha256: of the figures and alarms, so that two prints of the same data can be told to be the same.
    """

    request: Request
    factory: Factory
    devices: tuple[DeviceFigures, ...]
    alarms: tuple[AlarmLine, ...]
    is_alarm_list_cut: bool
    rules: tuple[http.Rule, ...]
    gaps: tuple[Gap, ...]
    quarantined: int | None
    pending_from: datetime | None
    data_sha256: str
    load: http.AlarmPerformance | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The factory's own clock."""
        return ZoneInfo(self.factory.timezone)

    @property
    def samples(self) -> int:
        """Samples of all devices."""
        return sum(one.samples for one in self.devices)

    @property
    def completeness(self) -> float:
        """The mean over the devices that were ever heard of in the span; 0 when none was."""
        heard = [one.completeness for one in self.devices if one.samples]
        return float(np.mean(heard)) if heard else 0.0


@dataclass(frozen=True, slots=True)
class Plant:
    """What the database knows of the plant and the span; events are of the span, abnormal alarms of now."""

    factory: Factory
    devices: list[Device]
    parameters: list[Parameter]
    rules: list[http.Rule]
    events: list[http.AlarmEvent]
    abnormal: list[http.Alarm]
    is_cut: bool
    history: list[HistoryLine] | None = None
    limits: Thresholds = DEFAULT
    declared: Sequence[Span] = ()


def collect(
    request: Request, database: Database, history: History, tell: Tell, *, quarantine: JournalReader | None = None
) -> DailyFigures:
    """Read everything a report needs.

    Raises:
        InvalidInputError: the span is empty.
        NotFoundError: a device is not of this factory.
        UnavailableError: a store is away.
    """
    start_us, end_us = request.span_us()
    tell(0.02, "Reading the plant and its alarms")
    plant = database.read(lambda transaction: read_plant(transaction, request))
    if not request.device_ids:
        scope = Scope(request.factory_id, "worker", Role.VIEWER)
        plant = replace(plant, history=read_alarm_history(database, scope, request.span_us()))
    devices = tuple(_read_devices(plant, history, start_us, end_us, tell))
    alarms = alarm_lines(plant.events, plant.abnormal, request.start, request.end)
    pending_us = history.pending_from_us
    gaps = tuple(history.gaps(request.factory_id, start_us, end_us))
    return DailyFigures(
        request=request,
        factory=plant.factory,
        devices=devices,
        alarms=alarms,
        is_alarm_list_cut=plant.is_cut,
        rules=tuple(plant.rules),
        gaps=gaps,
        quarantined=_count_quarantined(quarantine, request.factory_id, start_us, end_us),
        pending_from=from_us(pending_us) if pending_us is not None and pending_us < end_us else None,
        data_sha256=_digest(devices, alarms),
        load=_load_of(plant, (start_us, end_us), gaps),
    )


def _load_of(plant: Plant, span: tuple[int, int], gaps: Sequence[Gap]) -> http.AlarmPerformance | None:
    if plant.history is None:
        return None
    unseen = [(gap.start_us, gap.end_us) for gap in gaps]
    return http.AlarmPerformance.of(plant.history, span, unseen, plant.declared, None, plant.limits)


def read_plant(transaction: Transaction, request: Request) -> Plant:
    """The factory, the devices asked for, and what happened to them."""
    scope = Scope(request.factory_id, "worker", Role.VIEWER)
    devices = transaction.devices(scope)
    chosen = devices.get_many(request.device_ids) if request.device_ids else devices.list()
    known = {device.id for device in chosen}
    alarms = transaction.alarms(scope)
    events: list[http.AlarmEvent] = []
    before: str | None = None
    while len(events) < MOST_ALARMS:
        page = alarms.events(before, 500, request.start, request.end)
        events += page.events
        before = page.next_before
        if before is None:
            break
    return Plant(
        factory=transaction.factories.get(request.factory_id),
        devices=chosen,
        parameters=[one for one in transaction.parameters(scope).list() if one.device_id in known],
        rules=transaction.rules(scope).list(),
        events=_of_devices(events, chosen, is_all=not request.device_ids),
        abnormal=[one for one in alarms.list_abnormal() if one.device_id in known],
        is_cut=before is not None,
        limits=transaction.philosophy(scope).get().thresholds,
        declared=transaction.outages(scope).spans(*request.span_us()),
    )


def _of_devices(events: list[http.AlarmEvent], devices: Sequence[Device], *, is_all: bool) -> list[http.AlarmEvent]:
    names = {device.name for device in devices}
    return [event for event in events if is_all or event.device_name in names]


def _read_devices(
    plant: Plant, history: History, start_us: int, end_us: int, tell: Tell
) -> Iterable[DeviceFigures]:  # fmt: skip
    width_us = max(bin_width_us(end_us - start_us, most_bins=MOST_BINS), US_PER_S)
    for number, device in enumerate(plant.devices):
        tell(0.05 + 0.55 * number / max(len(plant.devices), 1), f"Reading {device.name}")
        parameters = [one for one in plant.parameters if one.device_id == device.id]
        columns = history.binned([one.series_id for one in parameters], start_us, end_us, width_us)
        figures = [
            _figures_of(one, columns.get(one.series_id), history, (start_us, end_us), width_us) for one in parameters
        ]
        yield DeviceFigures(device, tuple(figures))


def _figures_of(
    parameter: Parameter, bins: BinnedSeries | None, history: History, span: tuple[int, int], width_us: int
) -> ParameterFigures:
    if bins is None or not len(bins):
        none = np.empty(0, np.int64)
        empty = BinnedSeries(width_us, none, none, *(np.empty(0, np.float64),) * 3)
        return ParameterFigures(parameter, empty, 0, None, None, None, None, 0.0, _SHORTEST_PACE_US)
    samples = int(bins.count.sum())
    pace_us = usual_pace_us(bins)
    return ParameterFigures(
        parameter=parameter,
        bins=bins,
        samples=samples,
        minimum=float(bins.minimum.min()),
        mean=float((bins.mean * bins.count).sum() / samples),
        maximum=float(bins.maximum.max()),
        last=_last_value(history, parameter.series_id, int(bins.start_us[-1]), span, width_us),
        completeness=completeness(bins, span, pace_us),
        pace_us=pace_us,
    )


def _last_value(history: History, series: int, bin_us: int, span: tuple[int, int], width_us: int) -> float | None:
    samples = history.raw(series, max(bin_us, span[0]), min(bin_us + width_us, span[1]), most=_LAST_MOST)
    return float(samples.value[-1]) if len(samples) else None


def usual_pace_us(bins: BinnedSeries) -> int:
    """The interval at which a parameter usually speaks: the median distance of its bins, a minute at least."""
    shortest = max(_SHORTEST_PACE_US, bins.width_us)
    if len(bins) < 2:
        return shortest
    return max(shortest, int(np.median(np.diff(bins.start_us))))


def completeness(bins: BinnedSeries, span: tuple[int, int], pace_us: int) -> float:
    """Share of the intervals of `pace_us` within the span in which at least one sample came."""
    intervals = -(-(span[1] - span[0]) // pace_us)
    filled = np.unique((np.maximum(bins.start_us, span[0]) - span[0]) // pace_us)
    return min(len(filled) / intervals, 1.0) if intervals else 0.0


def alarm_lines(
    events: Sequence[http.AlarmEvent], abnormal: Sequence[http.Alarm], start: datetime, end: datetime
) -> tuple[AlarmLine, ...]:
    """One line per annunciation, newest first: what was raised, cleared or answered in the span, and what stood."""
    grouped: dict[tuple[str, int], list[http.AlarmEvent]] = {}
    for event in events:
        grouped.setdefault((event.alarm_id, event.annunciation), []).append(event)
    lines = [_line_of(group) for group in grouped.values()]
    for alarm in abnormal:
        is_listed = (alarm.id, alarm.annunciation) in grouped
        stood = alarm.raised_at is not None and alarm.raised_at < end
        if not is_listed and stood and (alarm.cleared_at is None or alarm.cleared_at >= start):
            lines.append(_standing(alarm))
    return tuple(sorted(lines, key=lambda line: line.raised_at or start, reverse=True))


def _line_of(group: Sequence[http.AlarmEvent]) -> AlarmLine:
    by_kind = {event.kind: event for event in group}
    any_of = group[0]
    raised = by_kind.get(AlarmEventKind.RAISED)
    cleared = by_kind.get(AlarmEventKind.CLEARED)
    answered = by_kind.get(AlarmEventKind.ACKNOWLEDGED)
    return AlarmLine(
        rule_name=any_of.rule_name,
        device_name=any_of.device_name,
        priority=any_of.priority,
        raised_at=raised.at if raised else None,
        cleared_at=cleared.at if cleared else None,
        acknowledged_at=answered.at if answered else None,
        acknowledged_by=answered.actor if answered else None,
        comment=answered.comment if answered else None,
        value=raised.value if raised else None,
    )


def _standing(alarm: http.Alarm) -> AlarmLine:
    return AlarmLine(
        alarm.rule_name, alarm.device_name, alarm.priority, alarm.raised_at, alarm.cleared_at, alarm.acknowledged_at,
        alarm.acknowledged_by, alarm.comment, alarm.value,
    )  # fmt: skip


def _count_quarantined(reader: JournalReader | None, factory: str, start_us: int, end_us: int) -> int | None:
    if reader is None:
        return None
    found, before = 0, None
    while page := reader.quarantined(factory, before=before, most=500):
        moments = [int(str(message["received_us"])) for message in page]
        found += sum(start_us <= moment < end_us for moment in moments)
        before = int(str(page[-1]["number"]))
        if moments[-1] < start_us:
            break
    return found


def _digest(devices: Sequence[DeviceFigures], alarms: Sequence[AlarmLine]) -> str:
    digest = hashlib.sha256()
    for device in devices:
        for one in device.parameters:
            digest.update(one.parameter.id.encode())
            for column in (one.bins.start_us, one.bins.count, one.bins.minimum, one.bins.maximum, one.bins.mean):
                digest.update(np.ascontiguousarray(column).tobytes())
    for line in alarms:
        digest.update(repr(line).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
