"""All rules against the stream: the same events however it is cut, and whenever it is interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.rules.evaluator import Evaluator, EvaluatorState, Moved
from factoryops.rules.immediate import Threshold, immediate
from factoryops.rules.threshold import ThresholdMachine
from tests.support.rules import limit_rule

US = 1_000_000
KEYS = [SeriesKey("f1", device, parameter) for device in ("a", "b") for parameter in ("pressure", "flow")]
NAMES = {int(series_id(key)): key for key in KEYS}
SERIES = [*NAMES]


class Sample(NamedTuple):
    series: int
    time_us: int
    value: float
    flags: int


class Seen(NamedTuple):
    rule: str
    device: str
    kind: str
    at_us: int
    value: float | None


def rule(number: int, parameter: str, **fields: Any) -> RuleInForce:
    return limit_rule(f"rule-{number}", parameter_key=parameter, **fields)


def threshold_of(made: RuleInForce) -> Threshold:
    found = immediate(made.rule.definition)
    assert found is not None
    return found


@st.composite
def rules(draw: st.DrawFn) -> list[RuleInForce]:
    return [
        rule(
            number,
            draw(st.sampled_from(["pressure", "flow"])),
            comparison=draw(st.sampled_from([one for one in Comparison if one.is_ordered])),
            limit=draw(st.sampled_from([4.0, 5.0, 6.0])),
            deadband=draw(st.sampled_from([0.0, 0.5])),
            on_delay_s=draw(st.sampled_from([0, 2, 5])),
            off_delay_s=draw(st.sampled_from([0, 3])),
            device_keys=draw(st.sampled_from([frozenset[str](), frozenset({"a"})])),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


@st.composite
def streams(draw: st.DrawFn) -> list[Sample]:
    """On-time samples, in time order for each device, with late ones strewn in."""
    time_us = {"a": 0, "b": 0}
    found: list[Sample] = []
    for _ in range(draw(st.integers(1, 60))):
        series = draw(st.sampled_from(SERIES))
        value = draw(st.sampled_from([3.0, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0]))
        if draw(st.integers(0, 9)) == 0:
            found.append(Sample(series, 0, value, SampleFlag.LATE))
            continue
        device = NAMES[series].device
        time_us[device] += draw(st.integers(0, 4)) * US
        found.append(Sample(series, time_us[device], value, SampleFlag.NONE))
    return found


def columns(samples: Sequence[Sample]) -> SampleColumns:
    made = SampleColumns.of([sample[:3] for sample in samples])
    return SampleColumns(made.series, made.time_us, made.value, np.array([one.flags for one in samples], np.uint8))


def seen(moved: Sequence[Moved]) -> list[Seen]:
    return [
        Seen(one.watching.rule.id, one.watch.key.device, one.move.kind.value, one.move.at_us, one.move.value)
        for one in moved
    ]


def restarted(evaluator: Evaluator) -> Evaluator:
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(evaluator.state), type=EvaluatorState)
    return Evaluator.restored(state, NAMES)


def expected(made: Sequence[RuleInForce], stream: Sequence[Sample], until_us: int) -> list[Seen]:
    found: list[Seen] = []
    for series, key in NAMES.items():
        for one in made:
            threshold = threshold_of(one)
            if threshold.parameter_key != key.parameter or (one.devices and key.device not in one.devices):
                continue
            machine = ThresholdMachine(threshold)
            mine = [sample for sample in stream if sample.series == series and not sample.flags]
            moves = [move for sample in mine for move in machine.sample(sample.time_us, sample.value)]
            moves += machine.tick(until_us)
            found += [Seen(one.rule.id, key.device, move.kind.value, move.at_us, move.value) for move in moves]
    return found


def ordered(found: Sequence[Seen]) -> list[Seen]:
    """By rule and device; within those as they came."""
    return sorted(found, key=lambda one: one[:2])


@given(rules(), streams(), st.data())
def test_any_cutting_any_ticks_and_any_restarts_give_what_each_machine_alone_gives(
    made: list[RuleInForce], stream: list[Sample], data: st.DataObject
) -> None:
    until_us = max(sample.time_us for sample in stream) + 20 * US
    evaluator = Evaluator()
    evaluator.set_rules(made)
    found: list[Seen] = []
    left = list(stream)
    while left:
        count = data.draw(st.integers(1, len(left)))
        batch, left = left[:count], left[count:]
        found += seen(evaluator.feed(columns(batch), 1, NAMES))
        on_time = [sample.time_us for sample in left if not sample.flags]
        latest_us = min(on_time, default=until_us)
        found += seen(evaluator.advance(data.draw(st.integers(0, latest_us))))
        if data.draw(st.booleans()):
            evaluator = restarted(evaluator)
    found += seen(evaluator.advance(until_us))
    assert ordered(found) == ordered(expected(made, stream, until_us))


def test_only_samples_outside_the_quiet_band_are_looked_at() -> None:
    evaluator = Evaluator()
    evaluator.set_rules([rule(number, "pressure", limit=5.0 + number) for number in range(100)])
    series = SERIES[0]
    quiet = [Sample(series, number, 4.0, 0) for number in range(1_000)]
    evaluator.feed(columns([*quiet, Sample(series, 2_000, 5.5, 0)]), 1, NAMES)
    assert (evaluator.evaluated, evaluator.candidates) == (1_001, 1)


def test_a_withdrawn_rule_clears_at_the_watermark_and_a_new_one_is_judged_at_once() -> None:
    evaluator = Evaluator()
    evaluator.set_rules([rule(1, "pressure")])
    evaluator.feed(columns([Sample(SERIES[0], 10, 6.0, 0)]), 1, NAMES)
    evaluator.advance(40)
    moved = evaluator.set_rules([rule(2, "pressure", limit=3.0)])
    assert seen(moved) == [Seen("rule-1", "a", "cleared", 40, 6.0), Seen("rule-2", "a", "raised", 40, 6.0)]
    assert [one.is_withdrawn for one in moved] == [True, False]


def test_a_series_is_watched_from_when_its_name_is_known() -> None:
    evaluator = Evaluator()
    evaluator.set_rules([rule(1, "pressure")])
    assert evaluator.feed(columns([Sample(SERIES[0], 10, 6.0, 0)]), 1, {}) == []
    assert len(evaluator.feed(columns([Sample(SERIES[0], 11, 6.0, 0)]), 1, NAMES)) == 1


def test_rules_of_another_factory_never_see_the_sample() -> None:
    evaluator = Evaluator()
    evaluator.set_rules([rule(1, "pressure", factory="f2")])
    assert evaluator.feed(columns([Sample(SERIES[0], 10, 6.0, 0)]), 1, NAMES) == []


def test_devices_heard_are_told_once() -> None:
    evaluator = Evaluator()
    evaluator.feed(columns([Sample(series, 1, 1.0, 0) for series in SERIES]), 7, NAMES)
    assert {(key.device, moment) for key, moment in evaluator.take_heard().items()} == {("a", 7), ("b", 7)}
    assert evaluator.take_heard() == {}
