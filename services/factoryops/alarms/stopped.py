"""What the engine had to stop, as problems of the factories concerned."""

from __future__ import annotations

from collections.abc import Iterator

from factoryops.alarms.engine import AlarmEngine
from factoryops.observability.heartbeat import Problem


def stopped_problems(engine: AlarmEngine, now_us: int) -> Iterator[Problem]:
    """Calculations and rules that are stopped, each a problem of its own factory since `now_us`."""
    for (identity, _), fault in engine.calculator.faults.items():
        stopped = engine.calculator.calculations[identity]
        message = f"The calculated parameter {stopped.device_key}.{stopped.parameter_key} is not calculated: {fault}"
        yield Problem(f"calculation_stopped:{identity}", message, now_us, stopped.factory_id)
    for (rule_id, _), fault in engine.programs.faults.items():
        rule = engine.rules[rule_id].rule
        message = f"The rule {rule.definition.name!r} is not evaluated: {fault}"
        yield Problem(f"rule_stopped:{rule_id}", message, now_us, rule.factory_id)
