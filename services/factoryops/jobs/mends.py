"""The work of proposing calmer rules for alarms that chatter or flicker: each change is a back-test on one device."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from factoryops.contracts import http
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.database import Database
from factoryops.database.performance import AlarmOrigin
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.back_tests import Episode
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.errors import AbandonedError, NotFoundError, StorageError
from factoryops.domain.identity import FactoryId, Role, RuleId, Scope
from factoryops.domain.performance.candidates import Breaks, Numbers, SignalFacts, noise_of
from factoryops.domain.performance.figures import measure
from factoryops.domain.performance.history import HistoryLine, numbered
from factoryops.domain.performance.proposing import Facts, Proposal, Question, propose
from factoryops.domain.performance.rates import Span
from factoryops.domain.performance.signal_practice import signal_kind
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.samples import SampleFlag, SeriesKey
from factoryops.domain.schedules import Schedule
from factoryops.domain.time import to_us
from factoryops.history.queries import History
from factoryops.jobs.back_tests import Known, in_scope, material_of, notes_on, paced, surroundings_of
from factoryops.jobs.orders import Done, LeftFile, Order
from factoryops.jobs.sources import Sources
from factoryops.reports.collect import Tell
from factoryops.rules.back_test.material import DeviceResult, Material
from factoryops.rules.back_test.trying import try_rule

_FILE: Final = "mends.json"
_LONGEST_S: Final = 420.0
"""A run is ended after ten minutes; what was found by then would be lost."""

_OUT_OF_USE: Final = "Its rule was taken out of use: there is nothing to change."
_SCHEDULED: Final = (
    "It comes from a scheduled rule, which is judged at its own times only: a delay or a deadband would change nothing."
)
_MOST_NOISE_SAMPLES: Final = 200_000
_NO_VALUE: Final = np.uint8(SampleFlag.TEXT | SampleFlag.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Plant:
    """What the database knows of a plant, whatever the rule."""

    factory: Factory
    devices: list[Device]
    parameters: list[Parameter]
    incidents: list[http.Incident]
    shifts: dict[str, Schedule]

    def known(self, rule: http.Rule, device_key: str) -> Known:
        """The surroundings of a rule that is tried on one of its devices alone."""
        held = Rule(RuleId(rule.id), self.factory.id, rule.version, rule.content.definition())
        return Known(
            factory=self.factory,
            in_force=RuleInForce(held, frozenset({device_key}), self.factory.timezone, self.shifts),
            devices=[one for one in self.devices if one.key == device_key],
            parameters=self.parameters,
            incidents=self.incidents,
            all_devices=self.devices,
        )

    def compared(self, rule: RuleDefinition, device_key: str) -> Parameter | None:
        """The parameter that a plain limit looks at on a device."""
        plain = plain_limit(rule.condition)
        device_id = next((one.id for one in self.devices if one.key == device_key), None)
        if plain is None or device_id is None:
            return None
        of_device = (one for one in self.parameters if one.device_id == device_id)
        return next((one for one in of_device if one.key == plain.parameter_key), None)


@dataclass(frozen=True, slots=True)
class Nuisances:
    """The alarms that proposals are wanted for.

    Attributes:
        cases: alarms and the rules that hold now, None for one out of use; the worst first.
        recorded: by alarm id, how often it was raised in the span.
        left_out: alarms that would have been looked at too if there were not so many.
        scheduled: ids of scheduled rules.
        limits: what chattering and fleeting are.
    """

    plant: Plant
    cases: list[tuple[AlarmOrigin, http.Rule | None]]
    recorded: Mapping[str, int]
    left_out: int = 0
    limits: Thresholds = DEFAULT
    scheduled: frozenset[str] = frozenset()


def mend_alarms(order: Order, sources: Sources, tell: Tell) -> Done:
    """Carry out a search for proposals and leave what it came to.

    Raises:
        InvalidInputError: the span cannot be tried.
        UnavailableError: a store is away.
    """
    request = http.MendRequest.model_validate({**order.arguments, "start": order.start, "end": order.end})
    request.check()
    tell(0.0, "Looking for alarms that chatter")
    scope = Scope(FactoryId(order.factory_id), "worker", Role.VIEWER)
    outages = outages_in(sources.history, scope, request)
    nuisances = read_nuisances(sources.database, scope, request, outages)
    outcome = carry_out(request, nuisances, sources.history, paced(tell))
    try:
        (Path(order.folder) / _FILE).write_text(outcome.model_dump_json(), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The result could not be written: {error.strerror or error}. Free some space.") from error
    proposals = sum(one.proposed is not None for one in outcome.mends)
    message = f"{len(outcome.mends)} alarms looked at, {proposals} proposals."
    result: dict[str, object] = {"alarms": len(outcome.mends), "proposals": proposals, "left_out": outcome.left_out}
    return Done(message, result, (LeftFile(_FILE, _FILE, "application/json"),))


def outages_in(history: History, scope: Scope, request: http.MendRequest) -> list[Span]:
    """When nothing could be received in the span of a request."""
    gaps = history.gaps(scope.factory_id, to_us(request.start), to_us(request.end))
    return [(gap.start_us, gap.end_us) for gap in gaps]


def read_nuisances(database: Database, scope: Scope, request: http.MendRequest, outages: Sequence[Span]) -> Nuisances:
    """The alarms of a request, or those that chatter or flicker in its span.

    What chatters is worked out between reads: a long one keeps others from writing.

    Raises:
        NotFoundError: an alarm that was asked for is not there.
        InvalidInputError: the span holds too many events.
    """
    span = to_us(request.start), to_us(request.end)
    lines = read_alarm_history(database, scope, span)
    limits, declared = database.read(lambda tx: (tx.philosophy(scope).get().thresholds, tx.outages(scope).spans(*span)))
    wanted = request.alarm_ids or _nuisances(lines, span, [*outages, *declared], limits)
    raised = (one for one in lines if one.kind == AlarmEventKind.RAISED.value and one.is_annunciation)
    recorded = Counter(one.alarm_id for one in raised if one.at_us >= span[0])

    def read(tx: Transaction) -> Nuisances:
        tx.alarm_performance(scope).check_there(request.alarm_ids)
        places = tx.alarm_performance(scope).places(wanted[: http.MOST_MENDED])
        return Nuisances(
            plant=_read_plant(tx, scope, span),
            cases=[(place, _rule(tx, scope, place.rule_id)) for place in places],
            recorded=recorded,
            left_out=max(0, len(wanted) - http.MOST_MENDED),
            scheduled=frozenset(one.id for one in tx.scheduled_rules(scope).list()),
            limits=limits,
        )

    return database.read(read)


def _read_plant(tx: Transaction, scope: Scope, span: Span) -> Plant:
    return Plant(
        factory=tx.factories.get(scope.factory_id),
        devices=tx.devices(scope).list(),
        parameters=tx.parameters(scope).list(),
        incidents=tx.incidents(scope).within(*span),
        shifts=tx.shifts(scope).schedules(),
    )


def _nuisances(lines: Sequence[HistoryLine], span: Span, outages: Sequence[Span], limits: Thresholds) -> list[str]:
    """Ids of alarms, those that chatter first."""
    happenings, known = numbered(lines)
    figures = measure(happenings, span, outages, limits)
    numbers = [one.alarm for one in figures.chattering] + [one.alarm for one in figures.fleeting]
    return [known[number].alarm_id for number in dict.fromkeys(numbers)]


def _rule(tx: Transaction, scope: Scope, rule_id: str) -> http.Rule | None:
    try:
        return tx.rules(scope).get(rule_id)
    except NotFoundError:
        return None


def carry_out(request: http.MendRequest, nuisances: Nuisances, history: History, tell: Tell) -> http.MendOutcome:
    """Try changes for one alarm after the other, as far as time allows."""
    began = time.monotonic()
    mends: list[http.AlarmMend] = []
    for number, (place, rule) in enumerate(nuisances.cases):

        def reached(share: float, number: int = number, name: str = place.rule_name) -> None:
            tell((number + share) / len(nuisances.cases), f"Trying changes of {name}")
            if time.monotonic() - began > _LONGEST_S:
                raise AbandonedError("The time for this run is over.")

        try:
            mends.append(_mend(request, nuisances, history, place, rule, reached))
        except AbandonedError:
            break
    return http.MendOutcome(
        start=request.start,
        end=request.end,
        mends=mends,
        left_out=nuisances.left_out + len(nuisances.cases) - len(mends),
        took_s=round(time.monotonic() - began, 3),
    )


def _mend(
    request: http.MendRequest, nuisances: Nuisances, history: History, place: AlarmOrigin, rule: http.Rule | None,
    reached: Callable[[float], None],
) -> http.AlarmMend:  # fmt: skip
    """What can be proposed for one alarm, or why nothing can."""
    alarm = _told(nuisances, place, rule)
    if rule is None:
        return http.AlarmMend(alarm=alarm, notes=[_SCHEDULED if place.rule_id in nuisances.scheduled else _OUT_OF_USE])
    known, definition = nuisances.plant.known(rule, place.device_key), rule.content.definition()
    trying = _Trying(known, material_of(known, history, (to_us(request.start), to_us(request.end))), reached)
    compared = nuisances.plant.compared(definition, place.device_key)
    question = Question(trying.material.span, surroundings_of(known).marked(), request.real_after_s, nuisances.limits)
    found = propose(definition, question, trying, trying.facts(compared))
    return http.AlarmMend.of(
        alarm,
        definition,
        found,
        {one.id: one for one in known.incidents},
        unit=compared.unit if compared else "",
        notes=[*_notes(alarm, found), *notes_on(known, trying.material, trying.results[:1], history)],
    )


class _Trying:
    """Tries a rule and its changes on one device.

    Attributes:
        results: of every time it was asked, in order.
    """

    def __init__(self, known: Known, material: Material, reached: Callable[[float], None]) -> None:
        self.material = material
        self.results: list[DeviceResult] = []
        self._known = known
        self._device = known.devices[0].key
        self._reached = reached

    def __call__(self, rules: Sequence[RuleDefinition]) -> list[list[Episode]]:
        """The episodes of each of the rules."""
        in_force = self._known.in_force
        first = msgspec.structs.replace(in_force, rule=msgspec.structs.replace(in_force.rule, definition=rules[0]))
        (result,) = try_rule(first, rules[1:], [self._device], self.material, self._reached, most_shown=0)
        self.results.append(result)
        return [result.episodes(number, self.material.span) for number in range(len(rules))]

    def facts(self, parameter: Parameter | None) -> Facts:
        """What is known of the parameter that a plain limit looks at."""

        def facts_of(episodes: Sequence[Episode]) -> SignalFacts:
            if parameter is None:
                return SignalFacts()
            low, high = parameter.low, parameter.high
            noise, depths = self._movement(parameter.key, episodes)
            return SignalFacts(
                kind=signal_kind(parameter.key, parameter.unit),
                width=high - low if low is not None and high is not None and high > low else None,
                noise=noise,
                depths=depths,
            )

        return facts_of

    def _movement(self, parameter_key: str, episodes: Sequence[Episode]) -> tuple[float, tuple[float, ...]]:
        """Noise of the first samples, and how far the signal came back in each short break."""
        breaks = Breaks(self._known.in_force.rule.definition, episodes)
        first: list[Numbers] = []
        for piece in self.material.feed(SeriesKey(self.material.factory, self._device, parameter_key)).pieces():
            is_number = (piece.flags & _NO_VALUE) == 0
            values = piece.value[is_number]
            breaks.take(piece.time_us[is_number], values)
            if sum(map(len, first)) < _MOST_NOISE_SAMPLES:
                first.append(values)
        return noise_of(np.concatenate(first)) if first else 0.0, breaks.depths()


def _told(nuisances: Nuisances, place: AlarmOrigin, rule: http.Rule | None) -> http.MendedAlarm:
    plant = nuisances.plant
    watched = len(in_scope(rule.content.definition(), plant.devices, plant.parameters)) if rule else 0
    return http.MendedAlarm(
        alarm_id=place.alarm_id, rule_id=place.rule_id, rule_name=rule.content.name if rule else place.rule_name,
        rule_version=rule.version if rule else 0, device_key=place.device_key, device_name=place.device_name,
        area=place.area, priority=Priority(place.priority), recorded=nuisances.recorded.get(place.alarm_id, 0),
        watched=watched,
    )  # fmt: skip


def _notes(alarm: http.MendedAlarm, found: Proposal) -> list[str]:
    """What a person should know before a change is saved."""
    notes: list[str] = []
    if found.before.trial.is_enough:
        notes.append("As the rule is now it would have been no nuisance: nothing needs to be changed.")
    elif found.chosen is None:
        notes.append(
            "Nothing that was tried is enough: look at the limit itself, and at the sensor and its wiring."
            if found.trials
            else "There was nothing to try: its runs are too long to be bridged by a delay."
        )
    if found.before.trial.raises != alarm.recorded:
        notes.append(
            f"It was raised {alarm.recorded:,} times and would now be raised {found.before.trial.raises:,} times: the "
            "rule was another one then, or the alarm was put aside, or not all of its samples are there."
        )
    if alarm.watched > 1:
        notes.append(f"The rule watches {alarm.watched:,} devices: a change holds for all of them.")
    return notes
