"""From what a rule found to what operators, the database and the live side are told."""

from __future__ import annotations

from dataclasses import dataclass

from factoryops.alarms.directory import Directory
from factoryops.alarms.why import describing, why_of_limit, why_of_program
from factoryops.alarms.wording import message_of, message_of_program
from factoryops.contracts.transitions import AlarmTransition, Why
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.identity import AlarmId, device_id
from factoryops.domain.rule import Rule, RuleMode
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.rules.conditions.program import ProgramMoved, Purpose
from factoryops.rules.evaluator import Moved


@dataclass(frozen=True, slots=True)
class Finding:
    """A raise or clear, whichever way its rule is evaluated.

    Attributes:
        key: the series that comes first; its parameter is "" when the condition names none of its own device.
        value: None when no one value moved it.
    """

    rule: Rule
    alarm_id: AlarmId
    key: SeriesKey
    kind: AlarmEventKind
    at_us: int
    value: float | None
    message: str
    why: Why | None


def finding(moved: Moved | ProgramMoved, directory: Directory) -> Finding:
    """What is told of a condition that turned."""
    if isinstance(moved, Moved):
        return _of_limit(moved, directory)
    return _of_program(moved, directory)


def _of_limit(moved: Moved, directory: Directory) -> Finding:
    watch, move = moved.watch, moved.move
    told = directory.describe(watch.key)
    why = why_of_limit(moved, describing(directory, watch.key.factory, watch.key.device))
    message = message_of(moved, told)
    return Finding(moved.watching.rule, watch.alarm_id, watch.key, move.kind, move.at_us, move.value, message, why)


def _of_program(moved: ProgramMoved, directory: Directory) -> Finding:
    move, describe = moved.move, describing(directory, moved.key.factory, moved.key.device)
    kind = move.kind
    if moved.purpose is Purpose.SUPPRESSION:
        is_begin = kind is AlarmEventKind.RAISED
        kind = AlarmEventKind.SUPPRESSED if is_begin else AlarmEventKind.UNSUPPRESSED
    return Finding(
        rule=moved.in_force.rule,
        alarm_id=moved.alarm_id,
        key=moved.key,
        kind=kind,
        at_us=move.at_us,
        value=move.value,
        message=message_of_program(moved, describe),
        why=why_of_program(moved, describe),
    )


def transition(found: Finding, directory: Directory, annunciation: int, seq: int) -> AlarmTransition:
    """A finding as it is told.

    Args:
        found: what a rule found.
        directory: what everything is called.
        annunciation: how often the alarm was raised, this time included.
        seq: the journal row the engine has reached.
    """
    key, definition = found.key, found.rule.definition
    told = directory.describe(key)
    return AlarmTransition(
        factory_id=key.factory,
        alarm_id=found.alarm_id,
        rule_id=found.rule.id,
        rule_version=found.rule.version,
        rule_name=definition.name,
        device_id=device_id(key.factory, key.device),
        device_key=key.device,
        device_name=told.device_name,
        area=told.area,
        parameter_key=key.parameter,
        series_id=series_id(key) if key.parameter else 0,
        unit=told.unit if key.parameter else "",
        priority=int(definition.priority),
        kind=found.kind.value,
        annunciation=annunciation,
        at_us=found.at_us,
        value=found.value,
        message=found.message,
        response=definition.record.action,
        seq=seq,
        is_recorded=True,
        why=found.why,
        line=told.line,
        is_latching=definition.is_latching,
        re_alarm_s=definition.re_alarm_s,
        alarm_class=definition.alarm_class,
        is_shadow=definition.mode is RuleMode.SHADOW,
    )
