"""Charts of long spans read rows of minutes and hours, and see exactly what the samples say, late ones included."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from factoryops.domain.samples import SampleFlag
from factoryops.history.influx.rollups import HOUR_US, MINUTE_US, Piece, pieces
from factoryops.history.influx.store import InfluxHistory
from tests.support.history_model import FACTORY, START_US, ModelHistory, Row, assert_bins, columns, plain_keys
from tests.support.influx_server import stub_config
from tests.support.influx_stub import InfluxStub

KEYS = plain_keys(5)
SERIES = list(KEYS)
A = SERIES[0]
DAY_US = 24 * HOUR_US
SPAN = (START_US - START_US % DAY_US, START_US - START_US % DAY_US + DAY_US)


@pytest.fixture
def stub() -> Iterator[InfluxStub]:
    with InfluxStub() as stub:
        yield stub


@pytest.fixture
def store(stub: InfluxStub, tmp_path: Path) -> Iterator[InfluxHistory]:
    with closing(InfluxHistory(stub_config(stub), tmp_path / "state.db", {})) as store:
        yield store


def _rows(chance: random.Random, count: int) -> list[Row]:
    flags = (0, 0, 0, 0, SampleFlag.LATE, SampleFlag.UNCERTAIN, SampleFlag.TEXT)
    return [
        (chance.choice(SERIES), chance.randrange(*SPAN), round(chance.gauss(0, 9), 2), chance.choice(flags))
        for _ in range(count)
    ]


def _append(store: InfluxHistory, model: ModelHistory, rows: list[Row], seq: int) -> None:
    store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": seq})
    model.append(rows)


def _assert_same(store: InfluxHistory, model: ModelHistory, span: tuple[int, int], width_us: int) -> None:
    found = store.binned(SERIES, *span, width_us)
    for one in SERIES:
        assert_bins(found.get(one), model.binned(one, *span, width_us))


@pytest.mark.parametrize("seed", range(2))
def test_rows_say_what_the_samples_say(store: InfluxHistory, seed: int) -> None:
    chance, model = random.Random(seed), ModelHistory()
    for turn in range(1, 4):
        _append(store, model, _rows(chance, 200), turn)
        if turn % 2:
            store.tidy(budget_s=20)
        for width_us in (MINUTE_US, 5 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US):
            start_us = chance.randrange(SPAN[0], SPAN[1] - 3 * HOUR_US)
            _assert_same(store, model, (start_us, chance.randrange(start_us, SPAN[1])), width_us)
            _assert_same(store, model, SPAN, width_us)


def test_a_long_span_reads_rows_and_not_samples(stub: InfluxStub, store: InfluxHistory) -> None:
    model = ModelHistory()
    _append(store, model, [(A, SPAN[0] + n * 1_000_000, float(n % 50), 0) for n in range(0, 86_400, 10)], 1)
    store.tidy(budget_s=20)
    samples = stub.buckets[f"factoryops-{FACTORY}"].points
    kept = dict(samples)
    samples.clear()
    _assert_same(store, model, SPAN, HOUR_US)
    _assert_same(store, model, SPAN, 2 * MINUTE_US)
    samples.update(kept)
    _append(store, model, [(A, SPAN[0] + 5 * HOUR_US + 1, 1_000.0, SampleFlag.LATE)], 2)
    _assert_same(store, model, SPAN, HOUR_US)
    store.tidy(budget_s=20)
    samples.clear()
    _assert_same(store, model, SPAN, HOUR_US)


def test_what_no_row_can_hold_is_read_from_the_samples(store: InfluxHistory) -> None:
    model = ModelHistory()
    _append(store, model, [(A, SPAN[0] + n * 1_000_000, 1.7e308, 0) for n in range(20)], 1)
    store.tidy(budget_s=20)
    assert store.binned([A], *SPAN, HOUR_US)[A].maximum.tolist() == [1.7e308]


def test_without_the_buckets_of_rows_the_samples_are_read(stub: InfluxStub, store: InfluxHistory) -> None:
    model = ModelHistory()
    for form in ("minute", "hour"):
        del stub.buckets[f"factoryops-{FACTORY}-{form}"]
    _append(store, model, [(A, SPAN[0] + n * 1_000_000, float(n), 0) for n in range(500)], 1)
    store.tidy(budget_s=5)
    _assert_same(store, model, SPAN, HOUR_US)


def test_a_bucket_of_rows_that_was_made_anew_is_not_taken_for_all_there_was(
    stub: InfluxStub, store: InfluxHistory
) -> None:
    model, name = ModelHistory(), f"factoryops-{FACTORY}-hour"
    _append(store, model, [(A, SPAN[0] + n * 60_000_000, float(n), 0) for n in range(600)], 1)
    store.tidy(budget_s=5)
    del stub.buckets[name]
    _append(store, model, [(A, SPAN[0] + 1, 7.0, SampleFlag.LATE)], 2)
    store.tidy(budget_s=5)
    stub.add_bucket(name)
    _assert_same(store, model, SPAN, HOUR_US)


def test_after_a_damaged_state_file_rows_are_not_trusted(stub: InfluxStub, tmp_path: Path) -> None:
    model, path = ModelHistory(), tmp_path / "state.db"
    with closing(InfluxHistory(stub_config(stub), path, {})) as store:
        _append(store, model, [(A, SPAN[0] + n * 60_000_000, float(n), 0) for n in range(1_000)], 1)
    path.write_bytes(b"damaged " * 1_000)
    for companion in tmp_path.glob("state.db-*"):
        companion.unlink()
    with closing(InfluxHistory(stub_config(stub), path, {})) as store:
        _append(store, model, [(A, SPAN[0] + DAY_US - 1, 5.0, 0)], 2)
        store.tidy(budget_s=5)
        _assert_same(store, model, SPAN, HOUR_US)


def test_a_span_is_divided_so_that_every_moment_is_read_once() -> None:
    hours = [3 * HOUR_US, 4 * HOUR_US, 7 * HOUR_US]
    found = pieces((HOUR_US // 2, 9 * HOUR_US + 5), HOUR_US, 0, hours)
    assert found == [
        Piece((HOUR_US, 9 * HOUR_US), HOUR_US, tuple(hours)),
        Piece((HOUR_US // 2, HOUR_US), 0),
        Piece((3 * HOUR_US, 5 * HOUR_US), 0),
        Piece((7 * HOUR_US, 8 * HOUR_US), 0),
        Piece((9 * HOUR_US, 9 * HOUR_US + 5), 0),
    ]
    assert pieces((0, 9 * HOUR_US), HOUR_US, 10 * HOUR_US, []) == [Piece((0, 9 * HOUR_US), 0)]
