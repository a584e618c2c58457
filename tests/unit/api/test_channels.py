from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.api.channels import Channels, key_of
from factoryops.api.presence import PresenceBook, SeriesIndex
from factoryops.contracts import live
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from tests.support.waiting import until

_A, _B = FactoryId("a" * 32), FactoryId("b" * 32)


class _Member:
    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def offer(self, frame: bytes) -> None:
        self.frames.append(frame)

    def samples(self) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = []
        for frame in self.frames:
            message = live.decode_frame(frame)
            assert isinstance(message, live.Samples)
            columns = message.columns()
            found += zip(columns.series.tolist(), columns.value.tolist(), strict=True)
        return found


async def test_those_who_ask_for_the_same_share_one_frame() -> None:
    channels = Channels(lambda: 0)
    members = [_Member() for _ in range(3)]
    for member in members:
        channels.subscribe(member, key_of(_A, live.Subscribe(series=[1, 2])))
    assert len(channels) == 1
    channels.take([(_A, SampleColumns.of([(1, 10, 1.0), (3, 10, 3.0)]))], 10)
    await until(lambda: all(member.frames for member in members))
    assert members[0].samples() == [(1, 1.0)]
    assert members[0].frames[0] is members[1].frames[0] is members[2].frames[0]


async def test_a_new_subscription_replaces_the_old_one() -> None:
    channels = Channels(lambda: 0)
    member, witness = _Member(), _Member()
    channels.subscribe(member, key_of(_A, live.Subscribe(is_all=True)))
    channels.subscribe(member, key_of(_A, live.Subscribe(series=[2])))
    channels.subscribe(witness, key_of(_A, live.Subscribe(is_all=True)))
    channels.take([(_A, SampleColumns.of([(1, 10, 1.0)])), (_B, SampleColumns.of([(2, 10, 2.0)]))], 10)
    await until(lambda: witness.frames)
    assert member.frames == []
    channels.leave(member)
    channels.leave(witness)
    assert len(channels) == 0


async def test_a_very_large_batch_goes_in_several_frames() -> None:
    channels = Channels(lambda: 0)
    member = _Member()
    channels.subscribe(member, key_of(_A, live.Subscribe(is_all=True)))
    channels.take([(_A, SampleColumns.of([(1, n, float(n)) for n in range(100_000)]))], 10)
    await until(lambda: len(member.samples()) == 100_000)
    assert max(map(len, member.frames)) < 1 << 20
    assert [value for _, value in member.samples()] == [float(n) for n in range(100_000)]


@pytest.mark.parametrize(("asked", "given_rate"), [(-1.0, 0.1), (0.0, 0.1), (10.0, 10.0), (1e9, 60.0)])
def test_the_frame_rate_stays_in_its_bounds(asked: float, given_rate: float) -> None:
    assert key_of(_A, live.Subscribe(most_frames_per_s=asked)).frames_per_s == given_rate


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), max_size=60))
def test_samples_are_split_by_factory_and_none_is_lost_or_mixed(rows: list[tuple[int, int]]) -> None:
    keys = {number: SeriesKey(_A if number % 2 else _B, "d", f"p{number}") for number in range(1, 8)}
    index = SeriesIndex()
    index.learn(keys)
    samples = SampleColumns.of([(series, time_us, float(time_us)) for series, time_us in rows])
    found = {factory: part.series.tolist() for factory, part in index.split(samples)}
    for factory in (_A, _B):
        assert found.get(factory, []) == [one for one, _ in rows if one in keys and keys[one].factory == factory]


def test_the_share_of_late_samples_is_counted_per_device_and_hour() -> None:
    index, book = SeriesIndex(), PresenceBook()
    index.learn({1: SeriesKey(_A, "pump", "p"), 2: SeriesKey(_A, "press", "p"), 3: SeriesKey(_B, "pump", "p")})
    hour = 3_600_000_000
    book.note(index, SampleColumns.of([(1, 1, 1.0)] * 3, flags=SampleFlag.LATE), 10 * hour)
    book.note(index, SampleColumns.of([(1, 1, 1.0), (2, 1, 1.0)]), 10 * hour + 5)
    pump, press = book.of(_A, "pump"), book.of(_A, "press")
    assert pump is not None
    assert press is not None
    assert (pump.late_share, pump.received_us) == (0.75, 10 * hour + 5)
    assert press.late_share == 0.0
    assert book.of(_B, "pump") is None
    book.hear(index, np.array([3, 99], np.int64).tobytes(), 10 * hour + 9)
    heard = book.of(_B, "pump")
    assert heard is not None
    assert (heard.late_share, heard.received_us) == (0.0, 10 * hour + 9)
    book.note(index, SampleColumns.of([(1, 1, 1.0)]), 12 * hour)
    pump = book.of(_A, "pump")
    assert pump is not None
    assert pump.late_share == 0.0


async def test_nothing_is_sent_after_everybody_left() -> None:
    channels = Channels(lambda: 0)
    member = _Member()
    channels.subscribe(member, key_of(_A, live.Subscribe(is_all=True)))
    channels.take([(_A, SampleColumns.of([(1, 10, 1.0)]))], 10)
    channels.leave(member)
    await asyncio.sleep(0.01)
    assert member.frames == []
