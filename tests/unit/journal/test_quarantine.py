from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.journal.quarantine import Filter, QuarantineReader, origin_of
from factoryops.journal.records import Entry, MessageLedger, QuarantinedMessage
from factoryops.journal.writer import JournalWriter


def _message(number: int, reason: str, topic: bytes, device: str = "", factory: str = "f") -> QuarantinedMessage:
    return QuarantinedMessage(1_000 + number, topic, b"p%d" % number, reason, "why", factory, "gateway", device)


MESSAGES = (
    _message(1, "invalid_json", b"factories/x/devices/pump-1/telemetry", "pump-1"),
    _message(2, "invalid_topic", b"plant/line-3/press-07/state"),
    _message(3, "invalid_topic", b"plant/line-4/press-08/state"),
    _message(4, "invalid_json", b"factories/x/devices/pump-1/telemetry", "pump-1"),
    _message(5, "invalid_topic", b"\xff\xfe/9"),
    _message(6, "invalid_json", b"factories/x/devices/pump-1/telemetry", "pump-1", factory="other"),
)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[QuarantineReader]:
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer.append(Entry(1, MessageLedger(6, 0, 6), quarantined=MESSAGES))
        opened = QuarantineReader(tmp_path / "journal.db", "f")
        yield opened
        opened.close()


def test_messages_of_one_reason_and_one_kind_of_topic_are_one_group(reader: QuarantineReader) -> None:
    groups = reader.groups(replayed=[(1, 1_001), (2, 999)])
    assert [(one.reason, one.origin, one.is_device, one.count, one.replayed) for one in groups] == [
        ("invalid_topic", "\\xff\\xfe/+", False, 1, 0),
        ("invalid_json", "pump-1", True, 2, 1),
        ("invalid_topic", "plant/+/+/state", False, 2, 0),
    ]
    assert (groups[1].first_us, groups[1].last_us, groups[1].newest) == (1_001, 1_004, 4)


def test_a_group_leads_to_its_messages_and_no_other_factorys(reader: QuarantineReader) -> None:
    for group in reader.groups():
        chosen = Filter(group.reason, group.origin)
        messages = reader.messages(chosen)
        assert [one.number for one in messages] == sorted(reader.numbers(chosen), reverse=True)
        assert len(messages) == group.count
        assert {one.origin for one in messages} == {group.origin}
    assert [one.number for one in reader.messages(before=4, most=2)] == [3, 2]
    assert [one.payload for one in reader.numbered([6, 4, 1, 77])] == [b"p1", b"p4"]
    assert reader.oldest() == 1


def test_a_journal_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    reader = QuarantineReader(tmp_path / "none.db", "f")
    assert reader.groups() == []
    assert reader.messages() == []
    assert reader.oldest() == 0
    reader.close()


def test_the_device_names_the_origin_where_it_is_known() -> None:
    assert origin_of("pump-1", b"a/b") == "pump-1"
    assert origin_of("", b"a/b2/c") == "a/+/c"


def test_the_longest_topic_is_grouped_at_once() -> None:
    began = time.process_time()
    assert origin_of("", b"a" * 65_535) == "a" * 65_535
    assert origin_of("", b"a" * 60_000 + b"7/" + b"b" * 5_000) == "+/" + "b" * 5_000
    assert time.process_time() - began < 0.5
