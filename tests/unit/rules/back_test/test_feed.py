"""A feed gives back what conditions saw: on-time samples at our time."""

from __future__ import annotations

from factoryops.domain.samples import SampleFlag
from factoryops.history.clock_changes import ClockChange
from factoryops.rules.back_test.feed import Feed, Offsets, Tally
from tests.support.history_model import FACTORY, START_US, Row, columns, rows_of

S = 1_000_000
A = 7
SLOW = ClockChange(FACTORY, "press", START_US + 10 * S, 60 * S, START_US + 70 * S)
RIGHT = ClockChange(FACTORY, "press", START_US + 100 * S, 0, START_US + 101 * S)


def _feed(rows: list[Row], span: tuple[int, int], *changes: ClockChange, piece: int = 100) -> Feed:
    pieces = [columns(rows[first : first + piece]) for first in range(0, len(rows), piece)]
    return Feed(A, span, lambda _series, _start, _end: pieces, Offsets(changes))


def _times(feed: Feed) -> list[int]:
    return [(row[1] - START_US) // S for piece in feed.pieces() for row in rows_of(piece)]


def test_what_was_late_or_imported_is_counted_and_passed_over() -> None:
    rows: list[Row] = [
        (A, START_US, 1.0, 0),
        (A, START_US + S, 2.0, SampleFlag.LATE),
        (A, START_US + 2 * S, 3.0, SampleFlag.IMPORTED),
        (A, START_US + 3 * S, 4.0, SampleFlag.UNCERTAIN),
    ]
    feed = _feed(rows, (START_US, START_US + 10 * S))
    assert _times(feed) == [0, 3]
    assert feed.tally == Tally(on_time=2, late=1, imported=1)
    assert feed.read.stored == 4


def test_a_device_s_time_is_corrected_by_the_offset_that_was_in_force() -> None:
    rows: list[Row] = [(A, START_US + second * S, 1.0, 0) for second in (0, 5, 12, 20, 100, 130)]
    feed = _feed(rows, (START_US, START_US + 1_000 * S), SLOW, RIGHT)
    assert _times(feed) == [0, 5, 72, 80, 100, 130]
    assert feed.read.span == (START_US - 60 * S, START_US + 1_000 * S)


def test_receive_times_and_calculated_samples_are_at_our_time_already() -> None:
    rows: list[Row] = [
        (A, START_US + 20 * S, 1.0, SampleFlag.RECEIVE_TIME),
        (A, START_US + 21 * S, 1.0, SampleFlag.CALCULATED),
        (A, START_US + 22 * S, 1.0, 0),
    ]
    assert _times(_feed(rows, (START_US, START_US + 1_000 * S), SLOW)) == [20, 21, 82]


def test_only_the_span_of_our_time_is_given() -> None:
    rows: list[Row] = [(A, START_US + second * S, 1.0, 0) for second in (11, 12, 13)]
    assert _times(_feed(rows, (START_US + 72 * S, START_US + 73 * S), SLOW)) == [72]


def test_steps_of_any_length_give_every_sample_once() -> None:
    rows: list[Row] = [(A, START_US + second * S, float(second), 0) for second in range(50)]
    feed = _feed(rows, (START_US, START_US + 50 * S), piece=7)
    found: list[float] = []
    for until in (3, 3, 20, 21, 50, 60):
        part = feed.until(START_US + until * S)
        assert all(moment < START_US + until * S for moment in part.time_us.tolist())
        found += part.value.tolist()
    assert found == [float(second) for second in range(50)]
