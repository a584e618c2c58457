"""What every history store promises, checked for both adapters against a plain-dict model."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factoryops.domain.errors import AbandonedError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, text_code
from factoryops.history.clock_changes import ClockChange
from factoryops.history.store import HistoryReader
from factoryops.journal.records import NEVER_TOLD, Gap
from tests.support.history_model import (
    FACTORY,
    OTHER_FACTORY,
    START_US,
    ModelHistory,
    Row,
    assert_bins,
    columns,
    keys_of,
    plain_keys,
    rows_of,
)

if TYPE_CHECKING:
    from tests.contract.history.conftest import Place

KEYS = {**plain_keys(3), **plain_keys(1, factory=OTHER_FACTORY)}
SERIES = list(KEYS)
A, B = SERIES[:2]
SPAN_US = (START_US - 10**9, START_US + 10**12)

_time = st.one_of(
    st.integers(0, 200).map(lambda tick: START_US + tick * 100_000),
    st.integers(-(10**8), 10**11).map(lambda offset: START_US + offset),
)
_value = st.one_of(
    st.integers(-10_000, 10_000).map(lambda number: number / 100),
    st.floats(-1e300, 1e300, allow_subnormal=False),
)
_flags = st.sampled_from([0, 0, 0, 1, 2, 7, SampleFlag.UNCERTAIN, SampleFlag.TEXT, SampleFlag.TEXT | SampleFlag.LATE])
_row = st.tuples(st.sampled_from(SERIES), _time, _value, _flags)
_rows = st.lists(_row, max_size=40)


def _assert_equal(reader: HistoryReader, model: ModelHistory, span: tuple[int, int], width_us: int) -> None:
    binned = reader.binned(SERIES, *span, width_us)
    latest = {row[0]: row for row in rows_of(reader.latest(SERIES))}
    newest = {row[0]: row for row in rows_of(reader.newest(SERIES, *span))}
    for series in SERIES:
        assert rows_of(reader.raw(series, *span, most=10_000)) == model.raw(series, *span)
        assert [row for part in reader.chunks(series, *span) for row in rows_of(part)] == model.raw(series, *span)
        assert_bins(binned.get(series), model.binned(series, *span, width_us))
        assert newest.get(series) == model.newest(series, *span)
        assert latest.get(series) == model.latest(series)


@given(
    appends=st.lists(_rows, min_size=1, max_size=4),
    reopen_after=st.integers(0, 3),
    span=st.tuples(_time, _time).map(lambda two: (min(two), max(two) + 1)),
    width_us=st.sampled_from([1_000_000, 10_000_000, 60_000_000, 86_400_000_000, 604_800_000_000]),
)
@example(
    appends=[[(A, START_US, 1e300, 0), (A, START_US + 179_769_314, 0.0, 0)]],
    reopen_after=3,
    span=SPAN_US,
    width_us=86_400_000_000,
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_samples_in_any_order_are_read_back_as_the_model_has_them(
    place: Place, appends: list[list[Row]], reopen_after: int, span: tuple[int, int], width_us: int
) -> None:
    model, home = ModelHistory(), place.fresh()
    store = home.open()
    for number, rows in enumerate(appends):
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": number + 1})
        model.append(rows)
        if number == reopen_after:
            store.close()
            store = home.open()
    with closing(store):
        ledger = store.ledger()
        assert ledger.stored == len(model.samples)
        assert ledger.stored + ledger.replaced == model.given
        _assert_equal(store, model, SPAN_US, width_us)
        _assert_equal(store, model, span, width_us)
        store.tidy(budget_s=2.0)
        _assert_equal(store, model, SPAN_US, width_us)
        _assert_equal(store, model, span, width_us)


def test_another_process_s_reader_sees_what_was_appended(place: Place) -> None:
    home = place.fresh()
    reader = home.reader()
    assert reader.checkpoint("journal") == 0
    assert len(reader.latest(SERIES)) == 0
    with closing(home.open()) as store:
        store.append(columns([(A, START_US, 1.5, 0)]), KEYS, gaps=(), checkpoints={"journal": 12})
        assert rows_of(reader.raw(A, *SPAN_US, most=10)) == [(A, START_US, 1.5, 0)]
        assert rows_of(reader.latest([A, B])) == [(A, START_US, 1.5, 0)]
        assert reader.checkpoint("journal") == 12
        assert reader.ledger().stored == 1


def test_a_reader_answers_several_threads(place: Place) -> None:
    home = place.fresh()
    reader = home.reader()
    with closing(home.open()) as store:
        store.append(
            columns([(A, START_US + n * 1_000_000, float(n), 0) for n in range(500)]),
            KEYS,
            gaps=(),
            checkpoints={"journal": 1},
        )
        lengths: list[int] = []
        threads = [
            threading.Thread(target=lambda: lengths.append(len(reader.raw(A, *SPAN_US, most=1_000)))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lengths == [500] * 6


def test_checkpoints_survive_and_name_each_journal(place: Place) -> None:
    home = place.fresh()
    with closing(home.open()) as store:
        store.append(SampleColumns.empty(), {}, gaps=(), checkpoints={"journal": 5, "import": 9})
        store.append(SampleColumns.empty(), {}, gaps=(), checkpoints={"journal": 6})
    with closing(home.open()) as store:
        assert [store.checkpoint(name) for name in ("journal", "import", "derived")] == [6, 9, 0]


def test_the_same_append_again_changes_nothing(place: Place) -> None:
    home = place.fresh()
    rows: list[Row] = [(A, START_US, 1.0, 0), (B, START_US, 2.0, 0)]
    for _ in range(2):
        with closing(home.open()) as store:
            store.append(columns(rows), KEYS, gaps=(Gap(1, 2, "lost"),), checkpoints={"journal": 3})
            assert (store.ledger().stored, store.ledger().replaced) == (2, 0)
            assert len(store.gaps(FACTORY, 0, 10)) == 1


def test_row_37_a_redelivered_sample_is_replaced_not_doubled(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        store.append(columns([(A, START_US, 1.0, 0)]), KEYS, gaps=(), checkpoints={"journal": 1})
        again: list[Row] = [(A, START_US, 2.0, 1), (A, START_US + 1, 3.0, 0)]
        store.append(columns(again), KEYS, gaps=(), checkpoints={"journal": 2})
        assert rows_of(store.raw(A, *SPAN_US, most=10)) == again
        assert (store.ledger().stored, store.ledger().replaced) == (2, 1)


def test_a_flag_goes_away_with_the_sample_that_bore_it(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        store.append(columns([(A, START_US, 1.0, SampleFlag.LATE)]), KEYS, gaps=(), checkpoints={"journal": 1})
        store.append(columns([(A, START_US, 1.0, 0)]), KEYS, gaps=(), checkpoints={"journal": 2})
        assert rows_of(store.raw(A, *SPAN_US, most=10)) == [(A, START_US, 1.0, 0)]


def test_a_late_sample_never_moves_the_latest_value_back(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        store.append(columns([(A, START_US + 10, 2.0, 0)]), KEYS, gaps=(), checkpoints={"journal": 1})
        store.append(columns([(A, START_US, 1.0, SampleFlag.LATE)]), KEYS, gaps=(), checkpoints={"journal": 2})
        assert rows_of(store.latest([A])) == [(A, START_US + 10, 2.0, 0)]
        assert (store.ledger().stored, store.ledger().replaced) == (2, 0)


def test_raw_gives_the_first_samples_of_the_span_and_no_more_than_asked(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        rows: list[Row] = [(A, START_US + n, float(n), n % 2) for n in range(20)]
        store.append(columns(rows[::-1]), KEYS, gaps=(), checkpoints={"journal": 1})
        assert rows_of(store.raw(A, START_US + 3, START_US + 15, most=5)) == rows[3:8]
        assert rows_of(store.raw(A, START_US + 3, START_US + 5, most=5)) == rows[3:5]
        assert len(store.raw(A, START_US + 5, START_US + 5, most=5)) == 0


def test_gaps_are_kept_once_and_shown_to_whom_they_concern(place: Place) -> None:
    home = place.fresh()
    mine, every, other = Gap(10, 20, "broker", FACTORY), Gap(15, 30, "machine"), Gap(10, 20, "x", OTHER_FACTORY)
    with closing(home.open()) as store:
        store.append(SampleColumns.empty(), {}, gaps=[mine, every], checkpoints={"journal": 1})
        store.append(SampleColumns.empty(), {}, gaps=[other, every], checkpoints={"journal": 2})
    with closing(home.open()) as store:
        assert store.gaps(FACTORY, 0, 100) == [mine, every]
        assert store.gaps(FACTORY, 25, 100) == [every]
        assert store.gaps(FACTORY, 31, 100) == []


def test_a_gap_keeps_when_conditions_were_first_told_of_it(place: Place) -> None:
    home = place.fresh()
    told, again = (Gap(10, 20, "broker", FACTORY, told_us=at_us) for at_us in (15, 19))
    untold = Gap(12, 30, "file", told_us=NEVER_TOLD)
    with closing(home.open()) as store:
        store.append(SampleColumns.empty(), {}, gaps=[told, untold], checkpoints={"journal": 1})
        store.append(SampleColumns.empty(), {}, gaps=[again], checkpoints={"journal": 2})
        assert store.gaps(FACTORY, 0, 100) == [told, untold]


def test_changes_of_clocks_are_kept_once_in_their_order_and_for_their_factory(place: Place) -> None:
    home = place.fresh()
    set_back = ClockChange(FACTORY, "press", START_US, 3_600_000_000, START_US + 7)
    put_right = ClockChange(FACTORY, "press", START_US - 5, 0, START_US + 8)
    other = ClockChange(OTHER_FACTORY, "press", START_US, 1, START_US)
    assert home.reader().clocks(FACTORY) == []
    with closing(home.open()) as store:
        store.append(SampleColumns.empty(), {}, gaps=(), checkpoints={"journal": 1}, clocks=(set_back, other))
        store.append(SampleColumns.empty(), {}, gaps=(), checkpoints={"journal": 2}, clocks=(set_back, put_right))
        store.append(SampleColumns.empty(), {}, gaps=(), checkpoints={"journal": 2}, clocks=(other,))
    assert home.reader().clocks(FACTORY) == [set_back, put_right]
    assert home.reader().clocks(OTHER_FACTORY) == [other]


NAMES = [
    "with space", "comma,", "a=b", 'quo"te', "back\\", "back\\ slash\\,", "🌡 Größe", "#hash", "_field", "time", "_time",
    "${x}", "100 %41", "value", "%", " ", "'", "\u00e9", "e\u0301", "a" * 100, "\U0001f9ea" * 100,
]  # fmt: skip


def test_every_name_finds_exactly_its_own_series(place: Place) -> None:
    keys = keys_of(*(SeriesKey(FACTORY, name, name) for name in NAMES))
    with closing(place.fresh().open()) as store:
        rows: list[Row] = [(series, START_US, float(n), 0) for n, series in enumerate(keys)]
        store.append(columns(rows), keys, gaps=(), checkpoints={"journal": 1})
        assert store.ledger().refused == {}
        for row in rows:
            assert rows_of(store.raw(row[0], *SPAN_US, most=10)) == [row]
        binned = store.binned(list(keys), *SPAN_US, 1_000_000)
        assert {series: one.mean.tolist() for series, one in binned.items()} == {row[0]: [row[2]] for row in rows}


_key = st.text(min_size=1, max_size=30).filter(lambda text: all(not 0xD800 <= ord(one) <= 0xDFFF for one in text))


@given(names=st.lists(st.tuples(_key, _key), min_size=1, max_size=30, unique=True))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_as_a_name_finds_exactly_its_own_series(place: Place, names: list[tuple[str, str]]) -> None:
    keys = keys_of(*(SeriesKey(FACTORY, *name) for name in names))
    home = place.fresh()
    with closing(home.open()) as store:
        rows: list[Row] = [(series, START_US, float(n), 0) for n, series in enumerate(keys)]
        store.append(columns(rows), keys, gaps=(), checkpoints={"journal": 1})
        binned = home.reader().binned(list(keys), *SPAN_US, 1_000_000)
        assert {series: one.mean.tolist() for series, one in binned.items()} == {row[0]: [row[2]] for row in rows}
        assert rows_of(store.raw(rows[-1][0], *SPAN_US, most=5)) == rows[-1:]


def test_a_value_that_is_not_finite_is_refused_alone(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        rows: list[Row] = [
            (A, START_US, float("nan"), 0),
            (A, START_US + 1, float("inf"), 0),
            (A, START_US + 2, 1.0, 0),
        ]
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        assert rows_of(store.raw(A, *SPAN_US, most=10)) == [rows[2]]
        assert (store.ledger().stored, dict(store.ledger().refused)) == (1, {"not_finite": 2})


def test_what_a_text_code_stands_for_is_kept(place: Place) -> None:
    home = place.fresh()
    texts = {text_code(FACTORY, one): (FACTORY, one) for one in ("running", "stopped; door open", "läuft 🙂")}
    codes = list(texts)
    with closing(home.open()) as store:
        rows: list[Row] = [(A, START_US + n, float(code), SampleFlag.TEXT) for n, code in enumerate(codes)]
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1}, texts=texts)
        assert store.texts([*codes, 5]) == {code: text for code, (_, text) in texts.items()}
    reader = home.reader()
    assert reader.texts(codes) == {code: text for code, (_, text) in texts.items()}
    assert rows_of(reader.raw(A, *SPAN_US, most=10)) == rows


def test_texts_have_a_count_a_first_and_a_last_but_no_mean(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        codes = [float(text_code(FACTORY, one)) for one in ("running", "stopped")]
        rows: list[Row] = [(A, START_US + n, code, SampleFlag.TEXT) for n, code in enumerate(codes)]
        store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": 1})
        bins = store.binned([A], *SPAN_US, 60_000_000)[A]
        assert (bins.count.tolist(), bins.first.tolist(), bins.last.tolist()) == ([2], codes[:1], codes[1:])
        assert np.isnan([bins.minimum[0], bins.maximum[0], bins.mean[0]]).all()
        assert (bins.inner_us[0], bins.inner[0]) == (0, 0.0)


def test_a_query_nobody_waits_for_is_given_up(place: Place) -> None:
    with closing(place.fresh().open()) as store:
        store.append(columns([(A, START_US, 1.0, 0)]), KEYS, gaps=(), checkpoints={"journal": 1})
        with pytest.raises(AbandonedError):
            store.raw(A, *SPAN_US, most=10, cancelled=lambda: True)
        with pytest.raises(AbandonedError):
            store.binned([A], *SPAN_US, 1_000_000, cancelled=lambda: True)
        with pytest.raises(AbandonedError):
            list(store.chunks(A, *SPAN_US, cancelled=lambda: True))


@given(names=st.lists(st.tuples(_key, _key), min_size=100, max_size=100, unique=True))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@pytest.mark.long
def test_five_thousand_texts_as_names_find_exactly_their_own_series(place: Place, names: list[tuple[str, str]]) -> None:
    keys = keys_of(*(SeriesKey(FACTORY, *name) for name in names))
    with closing(place.fresh().open()) as store:
        rows: list[Row] = [(series, START_US, float(n), 0) for n, series in enumerate(keys)]
        store.append(columns(rows), keys, gaps=(), checkpoints={"journal": 1})
        assert sorted(rows_of(store.newest(list(keys), *SPAN_US))) == sorted(rows)
