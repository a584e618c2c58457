"""Programs at work: what starts them, what changes under them, and what stops them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from factoryops.domain.conditions.tree import (
    AllOf,
    Held,
    NoData,
)
from factoryops.domain.identity import alarm_id
from factoryops.domain.rule import RuleInForce, RuleScope
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id
from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops.rules.conditions.program import Purpose
from factoryops.rules.conditions.programs import Programs
from factoryops.rules.conditions.state import HeldGap
from factoryops.rules.delays import MachineState
from tests.support.conditions import MONDAY_8_S, Plant, S, high, rule, told


def test_a_whole_factory_rule_takes_up_devices_when_they_have_all_it_looks_at() -> None:
    plant = Plant(rule(AllOf((high(), high(parameter="y")))), at_s=1)
    plant.send("a", 1, 9.0)
    assert len(plant.programs) == 0
    plant.send("a", 2, 9.0, "y")
    plant.send("b", 2, 9.0, "y")
    assert len(plant.programs) == 1
    plant.send("a", 3, 9.0)
    assert plant.pass_to(5) == [("a", "raised", 2.0)]


def test_a_device_that_the_rule_names_is_missed_although_it_never_sent_anything() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("press-4",))), at_s=10)
    assert plant.pass_to(69) == []
    assert plant.pass_to(71) == [("press-4", "raised", 70.0)]
    plant.send("press-4", 75, 1.0)
    assert plant.pass_to(80) == [("press-4", "cleared", 75.0)]


def test_the_end_of_a_recorded_gap_and_any_parameter_are_signs_of_life_late_samples_are_none() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    plant.send("a", 30, 1.0, "anything")
    plant.programs.take_gap(70 * S, 80 * S, "")
    plant.send("a", 100, 1.0, flags=SampleFlag.LATE)
    assert plant.pass_to(139) == []
    assert plant.pass_to(141) == [("a", "raised", 140.0)]


def test_a_device_whose_samples_a_deadband_held_back_is_not_silent() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    plant.send("a", 30, 1.0)
    plant.programs.hear([SeriesKey("f1", "a", "x")], 80 * S)
    assert plant.pass_to(139) == []
    assert plant.pass_to(141) == [("a", "raised", 140.0)]


@pytest.mark.parametrize("marks", [[99], [60, 99], [51, 60, 99]])
@pytest.mark.parametrize("gap_ends_s", [[100, 50], [50, 100]])
def test_gaps_are_signs_of_life_in_whichever_order_they_are_told(gap_ends_s: list[int], marks: list[int]) -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    plant.pass_to(20)
    for end_s in gap_ends_s:
        plant.programs.take_gap(end_s * S - 5 * S, end_s * S, "")
    assert [move for mark in marks for move in plant.pass_to(mark)] == []
    assert plant.pass_to(170) == [("a", "raised", 160.0)]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_outage_of_ours_longer_than_the_time_makes_no_device_silent(restarts: bool) -> None:
    plant = Plant(rule(NoData(300.0)), at_s=1)
    devices = [f"d{number:02}" for number in range(50)]
    for device in devices:
        plant.send(device, 100, 1.0)
    plant.pass_to(101)
    plant.programs.take_gap(101 * S, 1_000 * S, "")
    if restarts:
        plant.restart()
    for device in devices[1:]:
        plant.send(device, 1_003, 1.0)
    assert plant.pass_to(1_006) == []
    assert plant.pass_to(1_301) == [("d00", "raised", 1_300.0)]


def test_what_was_raised_before_a_gap_was_told_stays_until_its_end() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    assert plant.pass_to(100) == [("a", "raised", 70.0)]
    plant.programs.take_gap(50 * S, 200 * S, "")
    assert plant.pass_to(300) == [("a", "cleared", 200.0), ("a", "raised", 260.0)]


def test_a_gap_told_before_any_device_has_appeared_counts_for_those_that_do() -> None:
    plant = Plant(rule(NoData(60.0)), at_s=10)
    plant.programs.take_gap(10 * S, 100 * S, "")
    plant.send("a", 20, 1.0)
    assert plant.pass_to(161) == [("a", "raised", 160.0)]


def test_of_a_gap_that_an_older_service_kept_the_end_counts() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    older = msgspec.msgpack.decode(msgspec.msgpack.encode([50 * S, ""]), type=HeldGap)
    plant.programs = Programs.restored(
        msgspec.structs.replace(plant.programs.state, gaps=[older]), plant.rules, plant.keys
    )
    assert plant.pass_to(111) == [("a", "raised", 110.0)]


def test_a_gap_of_another_factory_is_no_sign_of_life_here() -> None:
    plant = Plant(rule(NoData(60.0), scope=RuleScope(("a",))), at_s=10)
    plant.programs.take_gap(20 * S, 60 * S, "f2")
    assert plant.pass_to(100) == [("a", "raised", 70.0)]


def test_a_value_too_old_or_of_bad_quality_neither_raises_nor_clears() -> None:
    plant = Plant(rule(AllOf((high(maximum_age_s=10.0), high(parameter="y", maximum_age_s=10.0)))), at_s=1)
    plant.send("a", 1, 9.0)
    plant.send("a", 1, 9.0, "y")
    assert plant.pass_to(5) == [("a", "raised", 1.0)]
    plant.send("a", 6, 1.0, flags=SampleFlag.UNCERTAIN)
    assert plant.pass_to(60) == []
    plant.send("a", 61, 1.0)
    assert plant.pass_to(62) == [("a", "cleared", 61.0)]


def test_no_delay_runs_out_while_a_condition_is_unknown_it_is_over_when_it_is_known_again() -> None:
    plant = Plant(rule(AllOf((high(),)), on_delay_s=30.0, off_delay_s=20.0), at_s=1)
    plant.send("a", 2, 9.0)
    for at_s in range(4, 50):
        plant.send("a", at_s, 0.0, flags=SampleFlag.UNCERTAIN)
    assert plant.pass_to(50) == []
    plant.restart()
    plant.send("a", 50, 8.0)
    assert plant.pass_to(52) == [("a", "raised", 50.0)]
    plant.send("a", 60, 1.0)
    plant.send("a", 61, 1.0, flags=SampleFlag.UNCERTAIN)
    assert plant.pass_to(99) == []
    plant.send("a", 100, 7.0)
    assert plant.pass_to(200) == []


def test_a_condition_that_is_unknown_is_not_looked_at_again_and_again_for_its_delay() -> None:
    plant = Plant(rule(AllOf((high(),)), on_delay_s=30.0), at_s=1)
    plant.send("a", 2, 9.0)
    plant.send("a", 4, 0.0, flags=SampleFlag.UNCERTAIN)
    plant.pass_to(10)
    runs = plant.programs.runs
    for at_s in range(11, 100):
        plant.pass_to(at_s)
    assert plant.programs.runs <= runs + 1


def test_outside_its_schedule_a_condition_counts_as_false_on_the_factorys_own_clock() -> None:
    days = Schedule(weekly=(WeeklyWindow("09:30", "17:00"),))
    plant = Plant(rule(high(), schedule=days, zone="Europe/Berlin"), at_s=MONDAY_8_S)
    for hour in range(12):
        plant.send("a", MONDAY_8_S + 3_600 * hour / 2, 9.0)
    at = [(kind, at_s - MONDAY_8_S) for _, kind, at_s in plant.pass_to(MONDAY_8_S + 86_400)]
    assert at == [("raised", 1_800), ("cleared", 28_800)]


def test_a_new_version_goes_on_from_what_was_raised_and_from_running_delays() -> None:
    plant = Plant(rule(AllOf((high(),)), on_delay_s=10), at_s=1)
    plant.send("a", 1, 6.0)
    assert plant.pass_to(5) == []
    assert plant.change(rule(AllOf((high(),)), version=2, on_delay_s=6)) == []
    assert plant.pass_to(9) == [("a", "raised", 7.0)]
    assert plant.change(rule(AllOf((high(8.0, deadband=4.0),)), version=3)) == []
    assert plant.pass_to(10) == []
    plant.change(rule(AllOf((high(8.0, deadband=1.0),)), version=4))
    assert plant.pass_to(11) == [("a", "cleared", 10.0)]


def test_what_is_taken_out_of_use_clears_and_says_so() -> None:
    plant = Plant(rule(AllOf((high(),))), at_s=1)
    plant.send("a", 1, 6.0)
    plant.pass_to(5)
    (gone,) = plant.change()
    assert (gone.is_withdrawn, gone.move.kind.value, gone.move.at_us) == (True, "cleared", 5 * S)


def test_suppression_is_told_apart_from_the_condition() -> None:
    plant = Plant(_suppressed_while_stopped(), at_s=1)
    plant.send("a", 1, 9.0)
    plant.send("a", 2, 1.0, "stopped")
    plant.send("a", 4, 0.0, "stopped")
    moved = plant.programs.advance(9 * S)
    assert told([one for one in moved if one.is_suppression]) == [("a", "raised", 2.0), ("a", "cleared", 4.0)]
    assert told([one for one in moved if not one.is_suppression]) == [("a", "raised", 1.0)]


def _suppressed_while_stopped(**fields: Any) -> RuleInForce:
    return rule(high(), scope=RuleScope(("a",)), suppress_while=high(0.5, "stopped"), **fields)


def test_a_restart_keeps_what_was_raised_and_what_suppresses_it() -> None:
    plant = Plant(_suppressed_while_stopped(off_delay_s=3), at_s=1)
    plant.send("a", 2, 9.0)
    plant.send("a", 3, 1.0, "stopped")
    assert plant.pass_to(5) == [("a", "raised", 2.0), ("a", "raised", 3.0)]
    plant.send("a", 6, 0.0)
    plant.pass_to(8)
    plant.restart()
    plant.send("a", 9, 0.0, "stopped")
    assert plant.pass_to(12) == [("a", "cleared", 9.0), ("a", "cleared", 9.0)]


def test_a_limit_that_an_older_service_judged_by_itself_goes_on_from_where_it_stood() -> None:
    plant = Plant(_suppressed_while_stopped(), at_s=1)
    plant.send("a", 2, 1.0, "stopped")
    plant.pass_to(3)
    plant.keys[int(series_id(SeriesKey("f1", "a", "x")))] = SeriesKey("f1", "a", "x")
    held = plant.programs.state
    older = msgspec.structs.replace(held, programs=[one for one in held.programs if one.purpose is Purpose.SUPPRESSION])
    rule_id = plant.rules[0].rule.id
    stood = {alarm_id("f1", rule_id, "a"): MachineState(is_true=True, is_active=True, since_us=2 * S)}
    plant.programs = Programs.restored(older, plant.rules, plant.keys, stood)
    plant.send("a", 5, 9.0)
    assert plant.pass_to(6) == []
    plant.send("a", 7, 0.0)
    assert plant.pass_to(9) == [("a", "cleared", 7.0)]


def test_of_one_moment_a_suppression_begins_first_and_ends_last() -> None:
    plant = Plant(_suppressed_while_stopped(), at_s=1)
    for at_s, value, stopped in ((2, 9.0, 1.0), (4, 0.0, 0.0)):
        plant.send("a", at_s, value)
        plant.send("a", at_s, stopped, "stopped")
    moved = plant.programs.advance(9 * S)
    assert [(one.purpose, one.move.kind.value) for one in moved] == [
        (Purpose.SUPPRESSION, "raised"),
        (Purpose.CONDITION, "raised"),
        (Purpose.CONDITION, "cleared"),
        (Purpose.SUPPRESSION, "cleared"),
    ]


def test_why_names_the_samples_that_decided_even_when_a_delay_ran_meanwhile() -> None:
    plant = Plant(rule(AllOf((high(), high(2.0, "y", "b"))), on_delay_s=100), at_s=1)
    plant.send("b", 1, 3.0, "y")
    plant.send("a", 2, 9.0)
    for at_s in range(3, 99):
        plant.send("a", at_s, 8.0)
        plant.pass_to(at_s + 1)
    plant.restart()
    (moved,) = plant.programs.advance(110 * S)
    assert (moved.move.at_us, moved.move.since_us, moved.move.value) == (102 * S, 2 * S, 9.0)
    assert moved.why is not None
    assert [[(one.time_us, one.value) for one in said.samples] for said in moved.why.leaves] == [
        [(2 * S, 9.0)], [(1 * S, 3.0)],
    ]  # fmt: skip


def test_quiet_samples_run_no_program() -> None:
    plant = Plant(rule(AllOf((high(), Held(high(7.0), 60.0)))), rule(NoData(60.0), 2), at_s=1)
    for at_s in range(1, 40):
        plant.send("a", at_s, 3.0 + at_s % 2)
        plant.pass_to(at_s + 1)
    assert plant.programs.runs <= 4
