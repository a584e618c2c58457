"""Row 35 and P17: no sample is shifted or dropped silently, whatever a device's clock says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.alarms.engine import AlarmEngine
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S
from factoryops.ingest.clocks import wrong_clocks
from factoryops.ingest.problems import ProblemList
from factoryops.journal.records import Batch, ClockOffset, Entry, MessageLedger
from tests.support.admitting import NOW_US, Admitting
from tests.support.ingest_folder import PLANT
from tests.support.rules import limit_rule

HOUR_S = 3_600.0
PUMP = SeriesKey(PLANT.id, "pump-1", "a")
TOPIC = "factories/riverside/devices/pump-1/telemetry"
LATE = int(SampleFlag.LATE)
UNIX_S = NOW_US // US_PER_S


def message(time_us: int, value: float = 1.0) -> dict[str, object]:
    return {"timestamp": f"{time_us // US_PER_S}.{time_us % US_PER_S:06d}", "metrics": {"a": value}}


def run(plant: Admitting, *, skew_s: float, count: int = 90, every_s: float = 1.0, jitter_s: float = 0.05) -> None:
    """Live messages of a device whose clock is `skew_s` ahead of ours (behind, when negative)."""
    chance = random.Random(count)
    for _ in range(count):
        delay_us = round(chance.uniform(0, jitter_s) * US_PER_S)
        plant.send(TOPIC, message(plant.now_us + round((skew_s + every_s) * US_PER_S) - delay_us), after_s=every_s)


NOTHING, KEPT, KEPT_LATE = "quarantined", "kept", "late"

THIRTY_CASES: dict[str, tuple[object, str, int | None]] = {
    # what is sent as the time; what becomes of it; the time it is kept under, relative to now in seconds
    "now": (UNIX_S, KEPT, 0),
    "a second ahead": (UNIX_S + 1, KEPT, 1),
    "ten minutes ahead": (UNIX_S + 600, KEPT, 600),
    "more than ten minutes ahead": (UNIX_S + 601, NOTHING, None),
    "an hour ahead: a zone mistaken": (UNIX_S + 3_600, NOTHING, None),
    "two seconds behind": (UNIX_S - 2, KEPT, -2),
    "three seconds behind": (UNIX_S - 3, KEPT_LATE, -3),
    "an hour behind": (UNIX_S - 3_600, KEPT_LATE, -3_600),
    "row 38: seven days behind": (UNIX_S - 7 * 86_400, KEPT_LATE, -7 * 86_400),
    "a year behind": (UNIX_S - 365 * 86_400, KEPT_LATE, -365 * 86_400),
    "the clock never set: 1970": (0, KEPT_LATE, -UNIX_S),
    "1970, counting since start": (57, KEPT_LATE, 57 - UNIX_S),
    "before 1970": (-1, NOTHING, None),
    "2038, one second beyond 32 bits": (2_147_483_648, NOTHING, None),
    "2262, the end of nanoseconds": ("2262-04-11T23:47:16Z", NOTHING, None),
    "milliseconds": (NOW_US // 1_000, KEPT, 0),
    "milliseconds as text": (str(NOW_US // 1_000), KEPT, 0),
    "microseconds for milliseconds": (NOW_US, NOTHING, None),
    "nanoseconds for milliseconds": (NOW_US * 1_000, NOTHING, None),
    "seconds with a fraction": (UNIX_S - 0.5, KEPT, None),
    "missing": (None, KEPT, 0),
    "an empty string": ("", NOTHING, None),
    "words": ("this morning", NOTHING, None),
    "true": (True, NOTHING, None),
    "ISO with Z": ("2027-01-15T08:00:00Z", KEPT, 0),
    "ISO with an offset": ("2027-01-15T09:00:00+01:00", KEPT, 0),
    "ISO of a plant's wall clock taken as UTC": ("2027-01-15T09:00:00", NOTHING, None),
    "ISO the other side of the spring hour": ("2026-03-29T03:00:00+02:00", KEPT_LATE, 1_774_746_000 - UNIX_S),
    "ISO in the hour that exists twice, second time": (
        "2026-10-25T02:30:00+01:00", KEPT_LATE, 1_792_891_800 - UNIX_S,
    ),
    "a leap second": ("2016-12-31T23:59:60Z", KEPT_LATE, 1_483_228_800 - UNIX_S),
}  # fmt: skip


def test_there_are_thirty_cases() -> None:
    assert len(THIRTY_CASES) == 30


@pytest.mark.parametrize(("sent", "outcome", "kept_s"), THIRTY_CASES.values(), ids=THIRTY_CASES.keys())
def test_p17_a_time_is_kept_as_it_is_or_the_message_is_quarantined(
    sent: object, outcome: str, kept_s: int | None
) -> None:
    plant = Admitting()
    plant.send(TOPIC, {"timestamp": sent, "metrics": {"a": 1}})
    assert (plant.reasons != []) is (outcome == NOTHING)
    for _, _, time_us, _, flags in plant.take():
        assert bool(flags & LATE) is (outcome == KEPT_LATE)
        assert kept_s is None or time_us == NOW_US + kept_s * US_PER_S


# --- finding the offset ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [-HOUR_S, -3.0, -30 * 365 * 86_400.0, 5.0, 500.0, HOUR_S, 14 * HOUR_S])
def test_row_35_a_clock_that_is_wrong_is_found_out_and_its_samples_are_on_time_again(skew_s: float) -> None:
    plant = Admitting()
    run(plant, skew_s=skew_s)
    assert len(plant.clocks) == 1
    assert plant.clocks[0].offset_us == pytest.approx(-skew_s * US_PER_S, abs=0.1 * US_PER_S)
    plant.take()
    run(plant, skew_s=skew_s, count=20)
    samples = plant.take()
    assert len(samples) == 20
    assert not any(flags & LATE for *_, flags in samples)
    assert samples[-1][2] == pytest.approx(plant.now_us + skew_s * US_PER_S, abs=0.1 * US_PER_S)


@pytest.mark.parametrize("skew_s", [-1.5, -0.5, 0.0, 0.5])
def test_a_good_clock_is_left_alone(skew_s: float) -> None:
    plant = Admitting()
    run(plant, skew_s=skew_s)
    assert plant.clocks == []


def test_a_clock_that_is_further_ahead_than_a_day_is_not_followed_there() -> None:
    plant = Admitting()
    run(plant, skew_s=30 * 86_400)
    assert plant.clocks == []
    assert set(plant.reasons) == {"future_time"}


def test_a_slow_device_is_found_out_as_well() -> None:
    plant = Admitting()
    run(plant, skew_s=-HOUR_S, count=12, every_s=60)
    assert len(plant.clocks) == 1


@pytest.mark.parametrize("speed", [1.05, 2.0, 10.0, 1_000.0])
def test_a_buffer_that_is_sent_after_a_break_is_no_clock(speed: float) -> None:
    """An hour of samples, one a second, comes `speed` times as fast as it was measured."""
    plant = Admitting()
    start_us = plant.now_us - round(HOUR_S * US_PER_S)
    for number in range(2_000):
        plant.send(TOPIC, message(start_us + number * US_PER_S), after_s=1 / speed)
    assert plant.clocks == []


def test_live_samples_beside_a_buffer_say_that_the_clock_is_good() -> None:
    plant = Admitting()
    for _ in range(300):
        plant.send(TOPIC, message(plant.now_us + US_PER_S), after_s=1)
        plant.send(TOPIC, message(plant.now_us - 3_600 * US_PER_S))
    assert plant.clocks == []


def test_a_clock_that_has_stopped_or_jumps_about_has_no_offset() -> None:
    plant = Admitting()
    stopped_us = plant.now_us - 60 * US_PER_S
    for _ in range(200):
        plant.send(TOPIC, message(stopped_us), after_s=1)
    chance = random.Random(7)
    for _ in range(200):
        plant.send(TOPIC, message(plant.now_us - chance.randrange(10, 3_600) * US_PER_S), after_s=1)
    assert plant.clocks == []


def test_a_clock_that_is_set_right_counts_at_once() -> None:
    plant = Admitting()
    run(plant, skew_s=-HOUR_S)
    plant.take()
    run(plant, skew_s=0, count=5)
    assert [one.offset_us for one in plant.clocks][1:] == [0]
    assert plant.reasons == []
    assert not any(flags & LATE for *_, flags in plant.take())


def test_a_clock_that_drifts_on_is_followed() -> None:
    plant = Admitting()
    for skew_s in (-10.0, -13.0, -16.0):
        run(plant, skew_s=skew_s)
    assert [round(one.offset_us / US_PER_S) for one in plant.clocks] == [10, 13, 16]


@pytest.mark.parametrize("skew_s", [-1_800.0, 57.0 - UNIX_S], ids=["half an hour", "to 1970, by a power cut"])
def test_a_clock_that_is_set_back_is_followed_within_a_minute(skew_s: float) -> None:
    plant = Admitting()
    run(plant, skew_s=0, count=30)
    run(plant, skew_s=skew_s, count=70)
    assert [round(one.offset_us / US_PER_S) for one in plant.clocks] == [-round(skew_s)]
    plant.take()
    run(plant, skew_s=skew_s, count=5)
    assert [flags for *_, flags in plant.take()] == [0] * 5


def test_a_message_without_a_time_is_not_shifted() -> None:
    plant = Admitting()
    run(plant, skew_s=-HOUR_S)
    plant.take()
    plant.send(TOPIC, {"metrics": {"a": 1}}, after_s=1)
    assert plant.take() == [("pump-1", "a", plant.now_us, 1.0, int(SampleFlag.RECEIVE_TIME))]


def test_an_offset_holds_across_a_restart() -> None:
    plant = Admitting()
    run(plant, skew_s=-HOUR_S)
    offsets = {(one.factory, one.device): one.offset_us for one in plant.clocks}
    again = Admitting()
    again.now_us = plant.now_us
    again.guard.recall({PUMP[:2]: plant.samples[-1][2]}, offsets, plant.now_us)
    run(again, skew_s=-HOUR_S, count=5)
    assert [flags for *_, flags in again.take()] == [0] * 5


def test_each_factory_is_told_of_its_own_wrong_clocks() -> None:
    assert wrong_clocks({("f", "a"): 59 * US_PER_S}) == {}
    offsets = {("f", f"pump-{n}"): -3_600 * US_PER_S for n in range(8)} | {("g", "press"): 61 * US_PER_S}
    told = wrong_clocks(offsets)
    assert "pump-0, pump-1, pump-2, pump-3, pump-4 and 3 more" in told["f"]
    assert "press" in told["g"]
    problems = ProblemList()
    problems.put_by_factory("device_clocks", told)
    assert {(one.code, one.factory) for one in problems.all()} == {("device_clocks", "f"), ("device_clocks", "g")}
    problems.put_by_factory("device_clocks", {"g": told["g"]})
    assert [one.factory for one in problems.all()] == ["g"]


# --- what conditions see ---------------------------------------------------------------------------------------------

RULE = limit_rule("1" * 32, PLANT.id, parameter_key="a", device_keys=["pump-1"], limit=50.0, on_delay_s=10.0)
NAMES: dict[int, SeriesKey] = {series_id(PUMP): PUMP}


def rows(skew_s: int) -> Iterator[Entry]:
    """A minute in which the value is high from the 20th to the 40th second, by a clock that is `skew_s` ahead."""
    for second in range(60):
        moment_us = NOW_US + second * US_PER_S
        value = 60.0 if 20 <= second < 40 else 40.0
        samples = SampleColumns.of([(series_id(PUMP), moment_us + skew_s * US_PER_S, value)])
        yield Entry(moment_us, MessageLedger(), samples, watermark_us=moment_us - 2 * US_PER_S)


def transitions(skew_s: int, offset_us: int, *, restart_at: int = -1) -> list[tuple[str, int]]:
    engine = AlarmEngine()
    engine.set_rules([RULE])
    clock = (ClockOffset(PUMP.factory, PUMP.device, offset_us),) if offset_us else ()
    engine.feed(Batch(1, Entry(NOW_US, MessageLedger(), clocks=clock)), NAMES)
    told = []
    for number, entry in enumerate(rows(skew_s)):
        if number == restart_at:
            engine = AlarmEngine.restored(engine.dump(), engine.seq, NAMES)
        told += engine.feed(Batch(number + 2, entry), NAMES)
    return [(one.kind, (one.at_us - NOW_US) // US_PER_S) for one in told]


RIGHT = [(AlarmEventKind.RAISED.value, 30), (AlarmEventKind.CLEARED.value, 40)]


@pytest.mark.parametrize("skew_s", [0, -3_600, 300, -86_400 * 365])
def test_a_device_whose_offset_is_known_alarms_as_if_its_clock_were_right(skew_s: int) -> None:
    assert transitions(skew_s, -skew_s * US_PER_S) == RIGHT


def test_the_offset_survives_a_restart_of_the_engine() -> None:
    assert transitions(-3_600, 3_600 * US_PER_S, restart_at=25) == RIGHT


def test_nothing_is_dated_later_than_it_was_received() -> None:
    assert transitions(300, 0) == RIGHT


OFFSETS = st.sampled_from([0, 3_600 * US_PER_S, -300 * US_PER_S])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([40.0, 60.0]), OFFSETS | st.none()), min_size=2, max_size=60), st.data())
def test_running_the_same_rows_again_says_the_same_wherever_the_engine_was_restarted(
    rows_and_offsets: list[tuple[float, int | None]], data: st.DataObject
) -> None:
    """The clock jumps about, offsets are recorded in between, the engine restarts anywhere: law 4 of the corridor."""
    entries = []
    skew_us = 0
    for second, (value, offset_us) in enumerate(rows_and_offsets):
        moment_us = NOW_US + second * US_PER_S
        samples = SampleColumns.of([(series_id(PUMP), moment_us - skew_us, value)])
        clocks = () if offset_us is None else (ClockOffset(PUMP.factory, PUMP.device, offset_us),)
        skew_us = skew_us if offset_us is None else offset_us
        entries.append(Entry(moment_us, MessageLedger(), samples, moment_us - 2 * US_PER_S, clocks=clocks))
    restart_at = data.draw(st.integers(0, len(entries) - 1))
    told: list[list[tuple[str, int, int]]] = []
    for is_restarted in (False, True):
        engine, found = AlarmEngine(), []
        engine.set_rules([RULE])
        for number, entry in enumerate(entries):
            if is_restarted and number == restart_at:
                engine = AlarmEngine.restored(engine.dump(), engine.seq, NAMES)
            found += [(one.kind, one.at_us, one.seq) for one in engine.feed(Batch(number + 1, entry), NAMES)]
        told.append(found)
        assert engine.clock_offsets == engine.restored(engine.dump(), engine.seq, NAMES).clock_offsets
    assert told[0] == told[1]
