"""Evaluating the scheduled rules that are due, over history, and raising or clearing their alarms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.transitions import Why, WhyLeaf
from factoryops.database.scheduled_rules import Verdict
from factoryops.domain.identity import FactoryId, Role, Scope, device_id, parameter_id
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.scheduled_rules import figure_of, holds, sentence, span_in_words, span_of
from factoryops.domain.schedules import Schedule
from factoryops.domain.summaries import Held
from factoryops.domain.time import US_PER_S, to_us
from factoryops.history.queries import LOOK_BACK_US, History
from factoryops.jobs.expression_figures import held_of_expression
from factoryops.jobs.orders import Done, Order
from factoryops.jobs.slots import DailyRule
from factoryops.jobs.sources import Sources
from factoryops.journal.records import Gap
from factoryops.reports.collect import Tell

_CLOCK: Final = "schedule"


def evaluate_scheduled_rules(order: Order, sources: Sources, tell: Tell) -> Done:
    """Evaluate what is due at the order's end; started by hand, every rule that is switched on.

    Repeating it after a failed attempt raises nothing twice: an alarm moves from what it is to what it should be.
    """
    scope = Scope(FactoryId(order.factory_id), "worker", Role.VIEWER)
    plan = sources.database.read(lambda tx: tx.scheduled_rules(scope).list())
    plant = sources.database.read(
        lambda tx: _Plant(
            scope.factory_id,
            tx.factories.get(scope.factory_id).timezone,
            {one.id: one for one in tx.devices(scope).list()},
            {one.id: one for one in tx.parameters(scope).list()},
            tx.shifts(scope).schedules(),
        )
    )
    rules = [one for one in plan if one.content.is_enabled and _is_due(one, order, plant.timezone)]
    verdicts: list[Verdict] = []
    unknown: list[str] = []
    for number, rule in enumerate(rules):
        tell(number / max(len(rules), 1), f"Evaluating {rule.content.name}")
        decided, undecided = _evaluate(rule, order.end, plant, sources.history)
        verdicts += decided
        unknown += undecided
    moved = sources.database.run(
        lambda tx: tx.scheduled_rules(scope).withdraw_strays(rules) + tx.scheduled_rules(scope).settle(verdicts)
    )
    return _done(rules, verdicts, unknown, moved)


@dataclass(frozen=True, slots=True)
class _Plant:
    """What the rules of a factory name."""

    factory_id: FactoryId
    timezone: str
    devices: Mapping[str, Device]
    parameters: Mapping[str, Parameter]
    shifts: Mapping[str, Schedule]

    def keys_of(self, content: http.ScheduledRuleContent) -> list[str]:
        """The devices a rule is for now: those it names, and those of its kinds and areas that have its parameters."""
        named = set(content.devices)
        covered = {
            one.key
            for one in self.devices.values()
            if content.scope.covers(one.key, one.kind, one.area)
            and all(self.parameter(one.key, own) is not None for own in content.own_parameters)
        }
        return sorted(named | covered)

    def parameter(self, device_key: str, parameter_key: str) -> Parameter | None:
        """A parameter by its names, if it is there."""
        return self.parameters.get(parameter_id(self.factory_id, device_key, parameter_key))


@dataclass(frozen=True, slots=True)
class _Window:
    """The span of history a rule looks at, and the gaps that touch it."""

    history: History
    span: tuple[int, int]
    gaps: Sequence[Gap]


def _is_due(rule: http.ScheduledRule, order: Order, timezone: str) -> bool:
    if order.requested_by != _CLOCK:
        return True
    daily = DailyRule.of(rule.content.local_time, timezone)
    day = daily.local_date(order.end)
    is_its_time = daily.slot_on(day) == order.end and day.isoweekday() in rule.content.days
    return is_its_time and rule.changed_at < order.end


def _evaluate(
    rule: http.ScheduledRule, due: datetime, plant: _Plant, history: History
) -> tuple[list[Verdict], list[str]]:
    """What a rule comes to on each of its devices, and where nothing could be decided."""
    content = rule.content
    keys = plant.keys_of(content)
    if not keys:
        own = " and ".join(content.own_parameters)
        return [], [f"{content.name}: no device it is for {f'has {own}' if own else 'is there'}"]
    span = span_of(content.window, due, plant.timezone, plant.shifts.get(content.shift_id or ""))
    if span is None:
        return [], [f"{content.name} on {key}" for key in keys]
    gaps = history.gaps(plant.factory_id, span[0] - LOOK_BACK_US, span[1])
    judged = {key: _judge(rule, key, to_us(due), plant, _Window(history, span, gaps)) for key in keys}
    decided = [one for one in judged.values() if one is not None]
    return decided, [f"{content.name} on {key}" for key, one in judged.items() if one is None]


def _judge(rule: http.ScheduledRule, device_key: str, due_us: int, plant: _Plant, window: _Window) -> Verdict | None:
    """What the rule comes to on a device; None where too little is known to decide anything."""
    content, span = rule.content, window.span
    device = plant.devices.get(device_id(plant.factory_id, device_key))
    looked_at = _looked_at(content, device_key, plant, window)
    if device is None or looked_at is None:
        return None
    value, known = figure_of(content.aggregate, looked_at.held), looked_at.held.good_us / (span[1] - span[0])
    if math.isnan(value) or known < content.least_known:
        return None
    told = sentence(
        content.aggregate, looked_at.name, (value, content.limit, known), content.comparison,
        span_in_words(span, plant.timezone),
    )  # fmt: skip
    is_true = holds(value, content.comparison, content.limit)
    leaf = WhyLeaf("", told if is_true else f"Not: {told}", str(is_true).lower(), value, content.limit, ())
    return Verdict(
        rule=rule, device_key=device_key, device_name=device.name, area=device.area, unit=looked_at.unit,
        is_true=is_true, at_us=due_us, value=value, message=told, why=Why(due_us, (leaf,)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """What a rule looks at on one device, and what it came to over the window."""

    name: str
    unit: str
    held: Held


def _looked_at(content: http.ScheduledRuleContent, device_key: str, plant: _Plant, window: _Window) -> _LookedAt | None:
    formula, history, factory = content.formula, window.history, plant.factory_id
    if formula is not None:
        series = {
            one: series_id(SeriesKey(factory, one.device or device_key, one.parameter)) for one in formula.references
        }
        age_us = round(content.maximum_age_s * US_PER_S)
        held = held_of_expression(formula, series, window.span, age_us, history, factory)
        return _LookedAt(formula.text, "", held)
    parameter = plant.parameter(device_key, content.subject)
    if parameter is None:
        return None
    return _LookedAt(parameter.name, parameter.unit, history.held(parameter.series_id, window.span, window.gaps))


def _done(rules: list[http.ScheduledRule], verdicts: list[Verdict], unknown: list[str], moved: int) -> Done:
    message = f"{len(rules)} rules evaluated, {sum(one.is_true for one in verdicts)} times true."
    if unknown:
        message += f" Too little is known to decide {len(unknown)} of them: {unknown[0]}."
    result: dict[str, object] = {
        "rules": len(rules),
        "true": sum(one.is_true for one in verdicts),
        "moved": moved,
        "undecided": unknown[:100],
        "figures": [
            {"rule": one.rule.content.name, "device": one.device_key, "value": one.value, "is_true": one.is_true}
            for one in verdicts[:500]
        ],
    }
    return Done(message, result, ())
