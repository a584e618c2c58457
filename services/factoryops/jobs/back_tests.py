"""The work of a back-test: a rule against recorded history, held against incidents and the factory's own alarms."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from factoryops.alarms.back_test_outcome import Surroundings, outcome_of
from factoryops.alarms.directory import Directory
from factoryops.contracts import http
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import FactoryId, Role, RuleId, Scope, new_id
from factoryops.domain.performance.effect import RecordedLoad
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.rule_advice import Sifted, mistaken_for_silence
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import US_PER_S, to_us
from factoryops.history.clock_changes import ClockChange
from factoryops.history.queries import History
from factoryops.jobs.orders import Done, LeftFile, Order
from factoryops.jobs.sources import Sources
from factoryops.reports.collect import Tell
from factoryops.rules.back_test.material import DeviceResult, Material, as_told, begin_of
from factoryops.rules.back_test.trying import try_rule

_FILE: Final = "back-test.json"
_TELL_EVERY_S: Final = 0.2
_DAY_US: Final = 86_400 * US_PER_S
_WORTH_A_NOTE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of a rule's surroundings.

    Attributes:
        devices: those it is evaluated for, in order.
        load: what the factory's figures of the span are made of without the rule; None where that is too much.
    """

    factory: Factory
    in_force: RuleInForce
    devices: list[Device]
    parameters: list[Parameter]
    incidents: list[http.Incident]
    all_devices: list[Device]
    load: RecordedLoad | None = None


def back_test(order: Order, sources: Sources, tell: Tell) -> Done:
    """Carry out a back-test and leave what it came to.

    Raises:
        InvalidInputError: the rule cannot be tried.
        UnavailableError: a store is away.
    """
    began = time.monotonic()
    request = http.BackTestRequest.model_validate({**order.arguments, "start": order.start, "end": order.end})
    request.check()
    tell(0.0, "Reading the plant")
    known = read_known(sources.database, FactoryId(order.factory_id), request)
    outcome = carry_out(request, known, sources.history, paced(tell))
    outcome = outcome.model_copy(update={"took_s": round(time.monotonic() - began, 3)})
    try:
        (Path(order.folder) / _FILE).write_text(outcome.model_dump_json(), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The result could not be written: {error.strerror or error}. Free some space.") from error
    figures = outcome.figures
    message = f"{figures.alarms:,} alarms, {figures.alarms_per_day:.1f} a day, from {outcome.samples:,} samples."
    return Done(message, figures.model_dump(mode="json"), (LeftFile(_FILE, _FILE, "application/json"),))


def paced(tell: Tell) -> Tell:
    """Tell now and then only."""
    told_at = 0.0

    def paced(share: float, message: str) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _TELL_EVERY_S:
            told_at = time.monotonic()
            tell(share, message)

    return paced


def read_known(database: Database, factory_id: FactoryId, request: http.BackTestRequest) -> Known:
    """Resolve the rule as the engine would, and read the alarms that others raised.

    Raises:
        NotFoundError: the factory is not there.
        UnavailableError: the database is away.
    """
    scope = Scope(factory_id, "worker", Role.VIEWER)
    known = database.read(lambda tx: _resolved(tx, scope, request))
    return replace(known, load=_recorded_load(database, scope, request))


def _resolved(transaction: Transaction, scope: Scope, request: http.BackTestRequest) -> Known:
    factory_id = scope.factory_id
    factory = transaction.factories.get(factory_id)
    devices, parameters = transaction.devices(scope).list(), transaction.parameters(scope).list()
    definition = request.rule.definition()
    chosen = in_scope(definition, devices, parameters)
    span = to_us(request.start), to_us(request.end)
    rule = Rule(RuleId(request.rule_id or new_id()), factory_id, 1, definition)
    keys = frozenset(device.key for device in chosen)
    return Known(
        factory=factory,
        in_force=RuleInForce(rule, keys, factory.timezone, transaction.shifts(scope).schedules()),
        devices=chosen,
        parameters=parameters,
        incidents=transaction.incidents(scope).within(*span),
        all_devices=devices,
    )


def _recorded_load(database: Database, scope: Scope, request: http.BackTestRequest) -> RecordedLoad | None:
    span = to_us(request.start), to_us(request.end)
    try:
        lines = read_alarm_history(database, scope, span, without_rule=request.rule_id or "")
    except InvalidInputError:
        return None
    philosophy, declared = database.read(
        lambda tx: (tx.philosophy(scope).get().philosophy(), tx.outages(scope).spans(*span))
    )
    return RecordedLoad(lines, declared, philosophy.thresholds, philosophy.is_counted(request.rule.alarm_class))


def in_scope(definition: RuleDefinition, devices: Sequence[Device], parameters: Sequence[Parameter]) -> list[Device]:
    """The devices it is evaluated for."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for one in parameters:
        having[one.device_id].add(one.key)
    return [one for one in devices if definition.is_about(one.key, one.kind, one.area, having[one.id])]


def carry_out(request: http.BackTestRequest, known: Known, history: History, tell: Tell) -> http.BackTestOutcome:
    """Try the rule and its sweep on what history holds."""
    material = material_of(known, history, (to_us(request.start), to_us(request.end)))
    variants = request.variants()
    results = try_rule(
        known.in_force,
        variants,
        [device.key for device in known.devices],
        material,
        lambda share: tell(0.95 * share, "Trying the rule on the history"),
        most_shown=http.MOST_BACK_TEST_EVENTS,
    )
    definitions = [known.in_force.rule.definition, *variants]
    notes = notes_on(known, material, results, history)
    gaps = history.gaps(known.factory.id, to_us(request.start), to_us(request.end))
    around = surroundings_of(known, [(gap.start_us, gap.end_us) for gap in gaps])
    return outcome_of(request, definitions, results, around, notes)


def surroundings_of(known: Known, gaps: Sequence[tuple[int, int]] = ()) -> Surroundings:
    """What results are held against."""
    areas: dict[str, list[str]] = {}
    for device in known.all_devices:
        areas.setdefault(device.area, []).append(device.key)
    names = {device.key: device.name for device in known.devices}
    directory = Directory(known.all_devices, known.parameters)
    return Surroundings(known.factory.timezone, names, known.incidents, areas, directory, known.load, gaps)


def notes_on(known: Known, material: Material, results: Sequence[DeviceResult], history: History) -> list[str]:
    """What a person should know about the data, one sentence each."""
    notes = [f"{one.device}: {one.fault}" for one in results if one.fault]
    late, imported = (sum(getattr(one.tally, name) for one in results) for name in ("late", "imported"))
    if not known.devices:
        notes.append("No device of the rule's scope has what it looks at.")
    if late:
        notes.append(
            f"{late:,} samples came late: they moved no alarm then and move none here. Where one took the place of a "
            "sample of the same moment, that one is missing here."
        )
    if imported:
        notes.append(f"{imported:,} samples were imported: imported history raises no alarms.")
    if _sifted(known):
        notes.append(
            "A deadband holds samples back of a parameter whose silence the rule looks for: live that looks like "
            "missing data, too, so that alarms may be raised by mistake."
        )
    if gaps := history.gaps(known.factory.id, *material.span):
        notes.append(f"{len(gaps)} recorded gaps touch the time: data may be missing there.")
    if history.pending_from_us is not None:
        notes.append("The newest samples are not in the history yet and are missing here.")
    return [*notes, *_thinned(results, history)]


def _sifted(known: Known) -> list[Sifted]:
    """Parameters whose deadband the rule takes for silence."""
    devices = {device.id: device for device in known.all_devices}
    sifted = [
        Sifted(device.key, device.kind, device.area, one.key, one.deadband_max_s)
        for one in known.parameters
        if one.deadband and (device := devices.get(one.device_id)) is not None
    ]
    return mistaken_for_silence(known.in_force.rule.definition, sifted)


def _thinned(results: Sequence[DeviceResult], history: History) -> list[str]:
    """Samples that retention has given up are told by the roll-ups that are left of them."""
    there = gone = 0
    for read in (one for result in results for one in result.read):
        bins = history.binned([read.series], *read.span, _DAY_US).values()
        known = sum(int(one.count.sum()) for one in bins)
        there, gone = there + read.stored, gone + max(0, known - read.stored)
    if gone <= _WORTH_A_NOTE * there:
        return []
    return [
        f"About {gone:,} of {there + gone:,} samples are gone and only figures by the hour are kept: what the rule "
        "would have done with them is not known."
    ]


def material_of(known: Known, history: History, span: tuple[int, int]) -> Material:
    """What history holds of a factory."""
    clocks: dict[str, list[ClockChange]] = {}
    for change in history.clocks(known.factory.id):
        clocks.setdefault(change.device, []).append(change)
    keys = {device.id: device.key for device in known.all_devices}
    series: dict[str, list[SeriesKey]] = {}
    for one in known.parameters:
        device = keys[one.device_id]
        series.setdefault(device, []).append(SeriesKey(known.factory.id, device, one.key))
    return Material(
        factory=known.factory.id,
        span=span,
        chunks=history.chunks,
        newest=lambda one, start_us, end_us: history.newest([one], start_us, end_us),
        gaps=as_told(history.gaps(known.factory.id, begin_of(span), span[1])),
        clocks=clocks,
        series=series,
    )
