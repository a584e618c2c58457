"""What becomes of an upload under every fault of the server: retried, paused, halved or put aside, never dropped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.domain.time import now_us
from factoryops.history.influx.store import InfluxHistory
from tests.support.history_model import FACTORY, START_US, Row, columns, plain_keys, rows_of
from tests.support.influx_server import InfluxServer, stub_config
from tests.support.influx_stub import STUB_ORG, STUB_TOKEN, InfluxStub

KEYS = plain_keys(4)
SERIES = list(KEYS)
A = SERIES[0]
ALL = (0, 1 << 60)


@pytest.fixture
def stub() -> Iterator[InfluxStub]:
    with InfluxStub() as stub:
        yield stub


@pytest.fixture
def store(stub: InfluxStub, tmp_path: Path) -> Iterator[InfluxHistory]:
    with closing(InfluxHistory(stub_config(stub), tmp_path / "state.db", {})) as store:
        yield store


def _append(store: InfluxHistory, rows: list[Row], seq: int = 1) -> None:
    store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": seq})


ROWS: list[Row] = [(A, START_US + n, float(n), 0) for n in range(6)]


BEFORE: list[Row] = [(A, START_US - 1, 0.0, 0)]
"""Uploaded first, so that the bucket has been looked at."""

FIRST_MIDDLE_LAST = pytest.mark.parametrize("after", [0, 1, 2])


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@FIRST_MIDDLE_LAST
def test_rows_14_and_15_a_refused_batch_moves_nothing_and_goes_through_later(
    stub: InfluxStub, tmp_path: Path, status: int, after: int
) -> None:
    with closing(InfluxHistory(stub_config(stub, most_lines=4), tmp_path / "state.db", {})) as store:
        _append(store, BEFORE)
        stub.fail(status, after=after)
        with pytest.raises(UnavailableError):
            _append(store, ROWS, 2)
        assert store.checkpoint("journal") == 1
        assert store.ledger().stored == 1
        _append(store, ROWS, 2)
        assert rows_of(store.raw(A, *ALL, most=10)) == BEFORE + ROWS
        assert (store.ledger().stored, store.ledger().replaced) == (7, 0)


@pytest.mark.parametrize("status", [400, 413, 422])
@FIRST_MIDDLE_LAST
def test_row_17_a_refusal_without_a_reason_loses_nothing(
    stub: InfluxStub, tmp_path: Path, status: int, after: int
) -> None:
    with closing(InfluxHistory(stub_config(stub, most_lines=2), tmp_path / "state.db", {})) as store:
        _append(store, BEFORE)
        stub.fail(status, after=after)
        _append(store, ROWS, 2)
        assert rows_of(store.raw(A, *ALL, most=10)) == BEFORE + ROWS
        assert (store.ledger().stored, store.ledger().replaced) == (7, 0)
        assert store.ledger().refused.get("refused_by_store", 0) == 0


@pytest.mark.parametrize(
    ("status", "asked", "expected"), [(503, "7", 7), (429, "9", 9), (503, "86400", 300), (500, None, 1)]
)
def test_row_14_the_server_s_wish_to_wait_is_obeyed_within_reason(
    stub: InfluxStub, store: InfluxHistory, status: int, asked: str | None, expected: int
) -> None:
    stub.fail(status, retry_after=asked)
    with pytest.raises(UnavailableError) as raised:
        _append(store, ROWS)
    assert raised.value.retry_after_s == expected


def test_row_12_a_broken_connection_moves_nothing(stub: InfluxStub, store: InfluxHistory) -> None:
    _append(store, ROWS[:1])
    stub.break_connection()
    with pytest.raises(UnavailableError, match="does not answer"):
        _append(store, ROWS[1:], 2)
    assert store.checkpoint("journal") == 1
    _append(store, ROWS[1:], 2)
    assert rows_of(store.raw(A, *ALL, most=10)) == ROWS


def test_row_12_a_server_that_is_not_there_is_named_in_one_sentence(tmp_path: Path) -> None:
    config = InfluxServer("http://127.0.0.1:9", STUB_ORG, STUB_TOKEN).config("factoryops-")
    with (
        closing(InfluxHistory(config, tmp_path / "state.db", {})) as store,
        pytest.raises(UnavailableError, match=r"InfluxDB at http://127.0.0.1:9 does not answer"),
    ):
        _append(store, ROWS)


def test_row_13_a_server_that_hangs_is_given_up_and_asked_with_fewer_lines(stub: InfluxStub, tmp_path: Path) -> None:
    rows: list[Row] = [(A, START_US + n, float(n), 0) for n in range(1_000)]
    config = stub_config(stub, timeout_s=0.2, most_lines=800)
    with closing(InfluxHistory(config, tmp_path / "state.db", {})) as store:
        _append(store, BEFORE)
        stub.hang(times=3)
        with pytest.raises(UnavailableError):
            _append(store, rows, 2)
        assert store._upload.lines_at_once == 100
        _append(store, rows, 2)
        assert len(store.raw(A, *ALL, most=10_000)) == 1_001


def test_row_13_one_slow_answer_is_borne_with_fewer_lines(stub: InfluxStub, tmp_path: Path) -> None:
    rows: list[Row] = [(A, START_US + n, float(n), 0) for n in range(1_000)]
    config = stub_config(stub, timeout_s=0.2, most_lines=800)
    with closing(InfluxHistory(config, tmp_path / "state.db", {})) as store:
        _append(store, BEFORE)
        stub.hang(times=2)
        _append(store, rows, 2)
        assert len(store.raw(A, *ALL, most=10_000)) == 1_001
        assert (store.ledger().stored, store.ledger().replaced) == (1_001, 0)


def test_row_17_seven_bad_lines_of_a_thousand_are_put_aside_with_the_server_s_words(
    stub: InfluxStub, store: InfluxHistory, tmp_path: Path
) -> None:
    bad = {START_US + n for n in random.Random(3).sample(range(1_000), 7)}
    stub.is_bad = lambda line: line.startswith("samples") and int(line.rsplit(" ", 1)[1]) in bad
    rows: list[Row] = [(A, START_US + n, float(n), 0) for n in range(1_000)]
    store._lane(FACTORY).may_repeat = False
    _append(store, rows)
    assert [row[1] for row in rows_of(store.raw(A, *ALL, most=2_000))] == [row[1] for row in rows if row[1] not in bad]
    assert len(stub.requests) <= 100
    assert store.ledger().stored == 993
    assert {why: n for why, n in store.ledger().refused.items() if n} == {"refused_by_store": 7}
    connection = apsw.Connection(str(tmp_path / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)
    words = [row[0] for row in connection.execute("SELECT words FROM refused_value")]
    connection.close()
    assert len(words) == 7
    assert all("refused by order" in one for one in words)
    assert store.checkpoint("journal") == 1


def test_row_18_only_the_bad_field_of_a_wide_line_is_put_aside(stub: InfluxStub, store: InfluxHistory) -> None:
    stub.buckets[f"factoryops-{FACTORY}"].points[("samples", "machine 0", "parameter 2")] = {START_US - 1: 7}
    _append(store, [(series, START_US, 1.5, 0) for series in SERIES])
    found = {series for series in SERIES if len(store.raw(series, START_US, START_US + 1, most=10))}
    assert found == {SERIES[0], SERIES[1], SERIES[3]}
    assert (store.ledger().stored, store.ledger().refused["refused_by_store"]) == (3, 1)
    assert {row[0] for row in rows_of(store.latest(SERIES))} == found


def test_row_17_too_much_at_once_is_sent_in_smaller_pieces(stub: InfluxStub, store: InfluxHistory) -> None:
    stub.most_bytes = 2_000
    rows: list[Row] = [(A, START_US + n, float(n), 0) for n in range(500)]
    _append(store, rows)
    assert len(store.raw(A, *ALL, most=1_000)) == 500
    assert store.ledger().stored == 500


def test_row_17_what_is_older_than_the_bucket_keeps_is_put_aside_without_a_search(
    stub: InfluxStub, tmp_path: Path
) -> None:
    config = stub_config(stub)
    stub.buckets[config.bucket(FACTORY)].keep_s = 86_400
    fresh_us = now_us()
    rows: list[Row] = [(A, START_US + n, float(n), 0) for n in range(400)]
    rows += [(A, fresh_us + n, float(n), 0) for n in range(400)]
    with closing(InfluxHistory(config, tmp_path / "state.db", {})) as store:
        _append(store, rows)
        assert len(store.raw(A, *ALL, most=10_000)) == 400
        assert (store.ledger().stored, store.ledger().refused["refused_by_store"]) == (400, 400)
    assert len(stub.requests) < 10


def test_a_state_file_of_a_newer_program_stops_the_start(stub: InfluxStub, tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "state.db"))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(SetupError, match="newer FactoryOps"):
        InfluxHistory(stub_config(stub), tmp_path / "state.db", {})


def test_a_token_never_shows_in_a_printed_configuration(stub: InfluxStub) -> None:
    assert STUB_TOKEN not in repr(stub_config(stub))
