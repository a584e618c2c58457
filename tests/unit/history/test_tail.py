"""The tail holds what the store has not got yet, and never more memory than it was given."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.history.tail import Tail
from factoryops.journal.records import Batch, Entry, MessageLedger
from tests.support.history_model import ModelHistory, Row, columns, rows_of

EVER = (-(1 << 60), 1 << 60)


def batch(seq: int, rows: list[Row]) -> Batch:
    return Batch(seq, Entry(0, MessageLedger(), columns(rows)))


_rows = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 30), st.integers(0, 9).map(float), st.sampled_from([0, 1])), max_size=12
)


@given(
    batches=st.lists(_rows, max_size=10), forget=st.integers(0, 10), start=st.integers(0, 30), length=st.integers(0, 30)
)
@settings(max_examples=200, deadline=None)
def test_it_gives_back_the_last_of_each_time_after_what_was_forgotten(
    batches: list[list[Row]], forget: int, start: int, length: int
) -> None:
    tail, model = Tail(), ModelHistory()
    for seq, rows in enumerate(batches, 1):
        tail.feed(batch(seq, rows))
        if seq > forget:
            model.append(rows)
    tail.forget_through(forget)
    for series in (1, 2, 3, 4):
        assert rows_of(tail.select([series], start, start + length)) == model.raw(series, start, start + length)
        latest = [row for row in rows_of(tail.latest()) if row[0] == series]
        assert latest == ([model.latest(series)] if model.latest(series) else [])
        assert rows_of(tail.latest([series])) == latest
    assert len(tail.select([1, 2, 3, 4, 99], *EVER)) == len(model.samples)


def test_rows_gathered_into_chunks_are_forgotten_chunk_by_chunk() -> None:
    tail = Tail()
    for seq in range(1, 2_001):
        tail.feed(batch(seq, [(1, seq, float(seq), 0)]))
    tail.forget_through(1_500)
    times = tail.select([1], *EVER).time_us.tolist()
    assert times[-500:] == list(range(1_501, 2_001))
    tail.forget_through(2_000)
    assert len(tail) == 0


def test_beyond_its_bytes_it_drops_the_oldest_and_says_from_when_samples_are_pending() -> None:
    tail = Tail(most_bytes=25 * 100)
    for seq in range(1, 301):
        tail.feed(batch(seq, [(1, 1_000 + seq, float(seq), 0)]))
        assert len(tail) <= 100
    assert tail.pending_from_us == 1_001
    assert tail.select([1], *EVER).time_us.max() == 1_300
    tail.forget_through(300)
    assert tail.pending_from_us is None


def test_rows_without_samples_cost_nothing() -> None:
    tail = Tail()
    tail.feed(batch(1, []))
    assert len(tail) == 0
    assert len(tail.latest()) == 0
