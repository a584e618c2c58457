"""Rules that do harm are stopped, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from factoryops.domain.conditions.checking import check
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Constant,
    Deviation,
    Expression,
    Frozen,
    NoData,
    Parameter,
)
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.work import Work
from factoryops.domain.identity import RuleId
from factoryops.domain.rule import RuleInForce
from factoryops.rules.conditions import load
from factoryops.rules.conditions.parts import Part
from factoryops.rules.conditions.signal import Signal
from factoryops.rules.conditions.step import Step
from tests.support.conditions import Plant, S, high, rule


class Hostile(Part):
    """A part of a condition that does harm."""

    def _evaluate(self, step: Step) -> Signal:
        raise ValueError("it cannot be evaluated")


def costly(compares: int, windows: int) -> AnyOf:
    """A condition as large as an older service still took it, which looks back in `compares` x `windows` places."""
    sums = [
        "+".join(f"max(x, {18_000 - one - windows * number} s)" for one in range(windows)) for number in range(compares)
    ]
    return AnyOf(tuple(Compare(Expression(text), Comparison.ABOVE, Constant(1e9)) for text in sums))


@pytest.fixture
def rules_with_hostile_ones(monkeypatch: pytest.MonkeyPatch) -> list[RuleInForce]:
    """A hundred rules of which ten do harm, each in its way."""
    made = [rule(AllOf((high(number % 7),)), number) for number in range(90)]
    made += [rule(AllOf((Frozen(Parameter("x"), 30.0 + number), high())), 90 + number) for number in range(4)]
    made += [rule(Deviation(Parameter("x"), 0.5, 86_400.0), 94 + number) for number in range(5)]
    made.append(rule(costly(95, 49), 99))
    monkeypatch.setattr("factoryops.rules.conditions.quantity.MOST_HELD", 50)
    monkeypatch.setattr("factoryops.rules.conditions.leaves.Unmoved._evaluate", Hostile._evaluate)
    return made


def test_ten_hostile_rules_of_a_hundred_are_stopped_and_the_others_fire_on_every_sample(
    rules_with_hostile_ones: list[RuleInForce],
) -> None:
    plant = Plant(*rules_with_hostile_ones, at_s=1)
    found: dict[str, list[int]] = {}
    took_s: list[float] = []
    for number in range(1_000):
        plant.send("a", 1 + number, 9.0 if number % 2 else -1.0)
        began = time.thread_time()
        for one in plant.programs.advance((2 + number) * S):
            found.setdefault(one.in_force.rule.id, []).append(one.move.at_us)
        took_s.append(time.thread_time() - began)
    assert max(took_s) < 2.0
    assert sorted(took_s)[-10] < 0.5
    stopped = {rule_id for rule_id, _ in plant.programs.faults}
    assert stopped == {RuleId(f"rule-{number:04}") for number in range(90, 100)}
    expected = [(1 + number) * S for number in range(1, 1_000)]
    assert {rule_id: at for rule_id, at in found.items() if rule_id not in stopped} == {
        f"rule-{number:04}": expected for number in range(90)
    }
    assert all("It is stopped" in fault for fault in plant.programs.faults.values())


def test_a_rule_that_takes_too_much_work_is_stopped_in_the_middle_of_its_first_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    take = Work.look_back

    def counted(work: Work, rows: int) -> None:
        nonlocal looks
        looks += 1
        take(work, rows)

    monkeypatch.setattr(Work, "look_back", counted)
    plant = Plant(rule(costly(95, 49)), at_s=1)
    plant.send("a", 1, 9.0)
    plant.pass_to(3)
    ((_, fault),) = plant.programs.faults.items()
    assert fault.startswith("Evaluating it once takes too much work")
    assert 1_000 < looks < 3_000


def test_a_costly_rule_is_one_that_nobody_can_save_any_more() -> None:
    with pytest.raises(InvalidInputError, match="more than 1,000 parts together"):
        check(costly(95, 49))
    with pytest.raises(InvalidInputError, match="looks at earlier values in 60 places; 50 are allowed"):
        check(costly(2, 30))
    check(costly(2, 25))


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how much processor time goes by between two looks at it."""

    def set_pace(each_s: float) -> None:
        at_s = 0.0

        def passing() -> Iterator[float]:
            nonlocal at_s
            while True:
                at_s += each_s
                yield at_s

        clock = passing()
        monkeypatch.setattr("factoryops.rules.conditions.load.time.thread_time", lambda: next(clock))

    return set_pace


def test_one_run_far_beyond_what_a_rule_may_take_is_the_last(ticking: Callable[[float], None]) -> None:
    ticking(1.5)
    plant = Plant(rule(AllOf((high(),))), at_s=1)
    plant.send("a", 1, 9.0)
    assert plant.pass_to(2) == [("a", "raised", 1.0)]
    ((_, fault),) = plant.programs.faults.items()
    assert fault.startswith("Evaluating it once took 1.5 s")


def test_a_rule_that_takes_too_long_for_all_its_devices_is_not_finished(ticking: Callable[[float], None]) -> None:
    ticking(0.15)
    plant = Plant(rule(AllOf((high(),))), at_s=1)
    for number in range(100):
        plant.send(f"d{number:03}", 1, 9.0)
    assert len(plant.pass_to(2)) == 34
    ((_, fault),) = plant.programs.faults.items()
    assert fault.startswith("Evaluating it once for all its devices takes more than 5 s")


def test_a_slow_rule_is_stopped_after_five_runs_and_a_new_version_starts_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "SLOW_S", -1.0)
    plant = Plant(rule(Compare(Expression("x + 1"), Comparison.ABOVE, Constant(5.0))), at_s=1)
    for number in range(10):
        plant.send("a", 1 + number, 9.0)
        plant.pass_to(2 + number)
    assert [*plant.programs.faults] == [(RuleId("rule-0001"), 1)]
    plant.restart()
    assert [*plant.programs.faults] == [(RuleId("rule-0001"), 1)]
    monkeypatch.setattr(load, "SLOW_S", 10.0)
    plant.change(rule(Compare(Expression("x + 1"), Comparison.ABOVE, Constant(5.0)), version=2))
    assert not plant.programs.faults
    plant.send("a", 20, 1.0)
    assert plant.pass_to(21) == [("a", "cleared", 20.0)]


def test_a_factory_that_takes_too_much_pays_with_its_own_dearest_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_TOGETHER_S", -1.0)
    plant = Plant(rule(AllOf((high(),))), rule(Deviation(Parameter("x"), 0.5, 60.0), 2), at_s=1)
    for number in range(load.MOST_OVERLOADS):
        plant.send("a", 1 + number, float(number % 2) * 9)
        plant.pass_to(2 + number)
    assert len(plant.programs.faults) == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_of_too_many_the_rule_that_was_saved_last_is_stopped_and_what_worked_goes_on(
    monkeypatch: pytest.MonkeyPatch, restarts: bool
) -> None:
    monkeypatch.setattr(load, "MOST_PROGRAMS", 100)
    old = [rule(NoData(60.0), number, changed_us=number + 1) for number in range(4)]
    plant = Plant(*old, at_s=1)
    for number in range(25):
        plant.send(f"d{number:02}", 2, 1.0)
    plant.pass_to(3)
    assert not plant.programs.faults
    plant.change(*old, rule(AllOf((high(),)), 9, changed_us=90))
    if restarts:
        plant.restart()
    assert [rule_id for rule_id, _ in plant.programs.faults] == [RuleId("rule-0009")]
    assert "was changed last" in next(iter(plant.programs.faults.values()))
    assert len(plant.pass_to(70)) == 100
