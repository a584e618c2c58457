"""Live frames and the signed snapshot survive the way there and back, and nothing else does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts import live
from factoryops.contracts.snapshot import (
    Snapshot,
    SnapshotCredential,
    SnapshotFactory,
    open_snapshot,
    seal_snapshot,
)
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns


def test_a_sample_frame_gives_back_its_columns() -> None:
    samples = SampleColumns.of([(2**52 + 1, 1_700_000_000_000_001, 1.5), (7, -3, -0.0)], flags=5)
    frame = live.encode_frame(live.Samples.of(samples, received_us=1, watermark_us=2, sent_us=3))
    decoded = live.decode_frame(frame)
    assert isinstance(decoded, live.Samples)
    columns = decoded.columns()
    assert columns.series.tolist() == samples.series.tolist()
    assert columns.time_us.tolist() == samples.time_us.tolist()
    assert columns.value.tolist() == samples.value.tolist()
    assert columns.flags.tolist() == [5, 5]


@pytest.mark.parametrize(
    "message",
    [
        live.Welcome(1, 2, 1.0),
        live.AlarmChanged(b"{}"),
        live.FloodsChanged(b"{}"),
        live.RunChanged(b"{}"),
        live.PlantChanged(),
        live.Beat(1, 2, "ok", ["a"]),
    ],
)
def test_every_service_message_keeps_its_kind(message: live.ServiceMessage) -> None:
    assert live.decode_frame(live.encode_frame(message)) == message


@pytest.mark.parametrize("text", ["", "{}", '{"type":"hello"}', '{"type":"hello","token":1}', "[1]", "\x00"])
def test_a_client_message_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        live.decode_client_message(text)


def test_a_client_message_is_told_apart_by_its_type() -> None:
    assert live.decode_client_message('{"type":"hello","token":"t"}') == live.Hello("t")
    assert live.decode_client_message('{"type":"subscribe","is_all":true}') == live.Subscribe(is_all=True)


SNAPSHOT = Snapshot([SnapshotFactory("f", "works", True, ["a"])], [SnapshotCredential("u", "00", "f", None)])


def test_a_sealed_snapshot_opens_with_its_key() -> None:
    assert open_snapshot(seal_snapshot(SNAPSHOT, b"k" * 32), b"k" * 32) == SNAPSHOT


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_snapshot_changed_in_any_byte_is_refused(position: int, change: int) -> None:
    sealed = bytearray(seal_snapshot(SNAPSHOT, b"k" * 32))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(DamagedFileError):
        open_snapshot(bytes(sealed), b"k" * 32)
