"""What a broker says of itself: what it threw away, with count and times, and a warning before it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from factoryops.ingest.broker_memory import ON_THE_WAY_US, BrokerMemory
from factoryops.ingest.broker_watch import SYS_TOPICS, UPTIME, BrokerWatch
from factoryops.ingest.config import BrokerConfig
from factoryops.journal.records import Gap

DROPPED, HELD, HELD_BYTES, MEMORY = SYS_TOPICS


@pytest.fixture
def watch(tmp_path: Path) -> BrokerWatch:
    return BrokerWatch(BrokerConfig("hall-1", "127.0.0.1"), BrokerMemory(tmp_path / "broker.hall-1"))


def test_what_was_thrown_away_is_a_gap_and_a_problem_with_count_and_times(
    watch: BrokerWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment_us = 1_700_000_000_000_000
    monkeypatch.setattr("factoryops.ingest.broker_watch.now_us", lambda: moment_us)
    assert watch.take(DROPPED, b"100") is None  # what was lost before we looked is not ours to date
    moment_us += 10_000_000
    assert watch.take(DROPPED, b"100") is None
    moment_us += 10_000_000
    gap = watch.take(DROPPED, b"107")
    assert gap is not None
    assert gap.end_us - gap.start_us == 10_000_000
    moment_us += 10_000_000
    watch.take(DROPPED, b"110")
    message = watch.problems()["broker_dropped"]
    assert "10 messages between 2023-11-14 22:13:30 UTC and 2023-11-14 22:13:50 UTC" in message


def test_a_restarted_brokers_counter_begins_anew(watch: BrokerWatch) -> None:
    watch.take(DROPPED, b"100")
    assert watch.take(DROPPED, b"0") is None
    assert watch.take(DROPPED, b"4") is not None
    assert watch.take(DROPPED, b"3") is not None
    assert "thrown away 7 messages" in watch.problems()["broker_dropped"]


def test_a_lost_session_is_a_problem_for_an_hour_that_says_what_may_be_missing(
    watch: BrokerWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment_s = 0.0
    monkeypatch.setattr("factoryops.ingest.broker_watch.time.monotonic", lambda: moment_s)
    watch.note_lost_session(Gap(1_700_000_000_000_000, 1_700_000_020_000_000, "It lost it."))
    message = watch.problems()["broker_session_lost"]
    assert "between 2023-11-14 22:13:20 UTC and 2023-11-14 22:13:40 UTC" in message
    moment_s += 3_601
    assert watch.problems() == {}


def test_a_broker_that_was_started_while_we_were_apart_leaves_a_gap_and_one_that_ran_on_does_not(
    watch: BrokerWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard_us = 1_700_000_000_000_000
    moment_us = heard_us + 20_000_000
    monkeypatch.setattr("factoryops.ingest.broker_watch.now_us", lambda: moment_us)
    assert watch.take(UPTIME, b"3 seconds") is None  # the first meeting
    watch.note_kept_session(heard_us)
    assert watch.take(UPTIME, b"86400 seconds") is None
    watch.note_kept_session(heard_us)
    assert watch.take(UPTIME, b"0 seconds", is_retained=True) is None
    watch.note_kept_session(heard_us + 1_000_000)  # lost once more before it said how long it runs
    gap = watch.take(UPTIME, b"15 seconds")
    assert gap is not None
    assert (gap.start_us, gap.end_us) == (heard_us - ON_THE_WAY_US, heard_us + 5_000_000)
    assert watch.take(UPTIME, b"25 seconds") is None


@pytest.mark.parametrize(
    ("topic", "half", "unit"),
    [(HELD, 500_000, "messages"), (HELD_BYTES, 1 << 30, "bytes of messages"), (MEMORY, 2 << 30, "bytes of memory")],
)
def test_half_full_is_a_warning_until_it_is_less(watch: BrokerWatch, topic: str, half: int, unit: str) -> None:
    watch.take(topic, str(half - 1).encode())
    assert watch.problems() == {}
    watch.take(topic, str(half).encode())
    assert unit in watch.problems()["broker_filling"]
    watch.take(topic, b"0")
    assert watch.problems() == {}


@pytest.mark.parametrize("payload", [b"", b"-1", b"12 minutes", b"9" * 19, "٣".encode(), b"\xff"])
def test_what_is_no_number_is_passed_over(watch: BrokerWatch, payload: bytes) -> None:
    watch.note_kept_session(1)
    for topic in (*SYS_TOPICS, UPTIME):
        assert watch.take(topic, payload) is None
    assert watch.problems() == {}
    assert watch.figures() == {}
