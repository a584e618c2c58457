"""Export: every sample or a regular picture of it, safe to open, and the same again after an import."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.contracts.http import ExportForm, ExportPlan, ImportPlan, Interpolation, Layout, TableFormat
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import Factory
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id, text_code
from factoryops.history.transfer import chunks, exporting
from factoryops.history.transfer.csv_out import meant_text, safe_text
from factoryops.history.transfer.exporting import ExportJob, estimate, run_export
from factoryops.history.transfer.frames import OutSeries
from factoryops.history.transfer.grid import grid_of, on_grid
from factoryops.journal.records import Gap
from tests.support.tables import FACTORY, ImportSite, silent

START = datetime(2026, 3, 1, tzinfo=UTC)
START_US = 1_772_323_200_000_000
PLANT = Factory(FactoryId(FACTORY), "riverside", "Riverside Works", "Europe/Berlin")
S = 1_000_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ImportSite]:
    made = ImportSite(tmp_path / "data")
    yield made
    made.close()


def out(device: str, parameter: str, unit: str = "") -> OutSeries:
    return OutSeries(int(series_id(SeriesKey(FACTORY, device, parameter))), device, parameter, unit)


def put(site: ImportSite, series: OutSeries, rows: list[tuple[int, float]], flags: int = 0, seq: int = 1) -> None:
    key = SeriesKey(FACTORY, series.device, series.parameter)
    samples = SampleColumns.of([(series.identity, START_US + at, value) for at, value in rows], flags=flags)
    seq += site.store.checkpoint("journal")
    site.store.append(samples, {series.identity: key}, texts={}, gaps=(), checkpoints={"journal": seq})


def export(site: ImportSite, target: Path, series: list[OutSeries], **fields: object) -> list[dict[str, str]]:
    """The rows of a CSV export."""
    wanted: dict[str, object] = {"start": START, "end": START + timedelta(hours=1), **fields}
    job = ExportJob(ExportPlan.model_validate(wanted), PLANT, tuple(series), "anna", "0.1.0", site.history.texts)
    run_export(job, site.history, target, silent)
    if target.suffix != ".csv":
        return []
    text = target.read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter=str(fields.get("delimiter", ","))))


TEMPERATURE, PRESSURE = out("press-1", "temperature", "°C"), out("press-1", "pressure")


def test_raw_samples_come_out_with_unit_and_quality(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(0, 71.25), (S, 71.5)])
    put(site, PRESSURE, [(500_000, 5.0)], flags=SampleFlag.LATE | SampleFlag.UNCERTAIN)
    rows = export(site, tmp_path / "a.csv", [TEMPERATURE, PRESSURE])
    assert rows[0] == {
        "time": "2026-03-01T00:00:00Z", "device": "press-1", "parameter": "temperature", "value": "71.25",
        "unit": "°C", "quality": "",
    }  # fmt: skip
    assert (rows[2]["time"], rows[2]["quality"]) == ("2026-03-01T00:00:00.500000Z", "late uncertain")
    assert len(rows) == 3
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert "# factory: Riverside Works (riverside)" in text
    assert "# units press-1/temperature: °C" in text


def test_a_wide_table_has_a_column_per_parameter(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(0, 71.25), (2 * S, 71.5)])
    put(site, PRESSURE, [(S, 5.0), (2 * S, 6.0)])
    rows = export(site, tmp_path / "a.csv", [TEMPERATURE, PRESSURE], layout=Layout.WIDE, has_quality=False)
    assert [(row["press-1/temperature"], row["press-1/pressure"]) for row in rows] == [
        ("71.25", ""), ("", "5.0"), ("71.5", "6.0"),
    ]  # fmt: skip


def test_long_spans_come_in_pieces_without_a_seam(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS_AT_ONCE", 100)
    put(site, TEMPERATURE, [(n * S, float(n)) for n in range(3_600)])
    for layout in Layout:
        column = "value" if layout is Layout.LONG else "press-1/temperature"
        rows = export(site, tmp_path / "a.csv", [TEMPERATURE], layout=layout)
        assert [float(row[column]) for row in rows] == [float(n) for n in range(3_600)]
        rows = export(site, tmp_path / "a.csv", [TEMPERATURE], layout=layout, form=ExportForm.BINNED, width_s=1)
        assert len(rows) == 3_600


def test_a_wide_export_reads_little_at_once_where_empty_weeks_end(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS_AT_ONCE", 500)
    day = 86_400 * S
    put(site, TEMPERATURE, [(40 * day + n * S, float(n)) for n in range(5_000)])
    put(site, PRESSURE, [(40 * day + n * S, float(n)) for n in range(5_000)])
    raw, most = site.history.raw, [0]

    def watched(series: int, start_us: int, end_us: int, **limits: int) -> SampleColumns:
        found = raw(series, start_us, end_us, most=limits["most"])
        most.append(len(found))
        return found

    monkeypatch.setattr(site.history, "raw", watched)
    rows = export(site, tmp_path / "a.csv", [TEMPERATURE, PRESSURE], layout=Layout.WIDE, end=START + timedelta(days=60))
    assert [float(row["press-1/temperature"]) for row in rows] == [float(n) for n in range(5_000)]
    assert [float(row["press-1/pressure"]) for row in rows] == [float(n) for n in range(5_000)]
    assert max(most) <= 501


def test_bins_have_their_statistics(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(n * S, float(n)) for n in range(120)])
    rows = export(site, tmp_path / "a.csv", [TEMPERATURE], form=ExportForm.BINNED, width_s=60)
    assert [(row["count"], row["minimum"], row["mean"], row["maximum"]) for row in rows] == [
        ("60", "0.0", "29.5", "59.0"), ("60", "60.0", "89.5", "119.0"),
    ]  # fmt: skip
    wide = export(
        site, tmp_path / "a.csv", [TEMPERATURE, PRESSURE], form=ExportForm.BINNED, width_s=60, layout=Layout.WIDE
    )
    assert wide[0]["press-1/temperature count"] == "60"
    assert wide[0]["press-1/pressure count"] == ""
    with pytest.raises(InvalidInputError, match="widths"):
        export(site, tmp_path / "a.csv", [TEMPERATURE], form=ExportForm.BINNED, width_s=7)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Interpolation.STEP, [1.0, 1.0, 3.0, 3.0, np.nan, np.nan, 9.0]),
        (Interpolation.LINEAR, [1.0, 2.0, 3.0, np.nan, np.nan, np.nan, 9.0]),
    ],
)
def test_a_grid_is_filled_by_steps_or_lines_and_gaps_stay_empty(how: Interpolation, expected: list[float]) -> None:
    samples = SampleColumns.of([(1, 0, 1.0), (1, 2 * S, 3.0), (1, 6 * S, 9.0)])
    values = on_grid(samples, grid_of(0, 7 * S, S), how, longest_us=2 * S, gaps=[Gap(4 * S, 6 * S, "lost")])
    assert np.array_equal(values, expected, equal_nan=True)
    assert np.isnan(on_grid(samples, grid_of(-S, 0, S), how, longest_us=2 * S)).all()


def test_an_interpolated_export_is_even(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(-S, 1.0), (1_500_000, 2.0)])
    rows = export(
        site,
        tmp_path / "a.csv",
        [TEMPERATURE],
        form=ExportForm.INTERPOLATED,
        width_s=1,
        end=START + timedelta(seconds=4),
    )
    assert [row["value"] for row in rows] == ["1.0", "1.0", "2.0", "2.0"]


FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", ";=1", '"=1', " =cmd|' /C calc'!A0", "＝1+1", "＠x"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_spreadsheet_calculates_a_name(text: str) -> None:
    assert safe_text(text) == "'" + text
    assert meant_text(safe_text(text)) == text


@pytest.mark.parametrize("text", ["-5", "+1.5e3", "press-1", "a=b", "'quoted'", "O'Brien", ""])
def test_numbers_and_plain_names_stay_as_they_are(text: str) -> None:
    assert safe_text(text) == text
    assert meant_text(text) == text


def test_a_decimal_comma_and_a_mark_help_spreadsheets(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(0, -71.25)])
    rows = export(site, tmp_path / "a.csv", [TEMPERATURE], decimal=",", delimiter=";", has_bom=True, has_origin=False)
    assert rows[0]["value"] == "-71,25"
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbftime;")
    with pytest.raises(InvalidInputError, match="separator"):
        export(site, tmp_path / "a.csv", [TEMPERATURE], decimal=",", delimiter=",")


def test_an_estimate_is_near_what_comes_out(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(n * S, float(n)) for n in range(3_600)])
    plan = ExportPlan(start=START, end=START + timedelta(hours=1))
    guess = estimate(plan, [TEMPERATURE], site.history)
    assert 1_800 <= guess.rows <= 7_200
    export(site, tmp_path / "a.csv", [TEMPERATURE])
    assert guess.size_bytes / 2 < (tmp_path / "a.csv").stat().st_size < guess.size_bytes * 2


def test_of_many_parameters_an_estimate_looks_at_some(site: ImportSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.history.transfer.exporting._JUDGED_SERIES", 3)
    series = [out("press-1", f"p{number}") for number in range(10)]
    for one in series:
        put(site, one, [(n * S, float(n)) for n in range(3_600)])
    asked: list[int] = []
    binned = site.history.binned

    def counted(wanted: list[int], *rest: int) -> object:
        asked.extend(wanted)
        return binned(wanted, *rest)

    monkeypatch.setattr(site.history, "binned", counted)
    guess = estimate(ExportPlan(start=START, end=START + timedelta(hours=1)), series, site.history)
    assert guess.parameters == 10
    assert 18_000 <= guess.rows <= 72_000
    assert len(set(asked)) <= 3
    assert estimate(ExportPlan(start=START, end=START + timedelta(hours=1)), [], site.history).rows == 0


NAMES = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Cf", "Co", "Cn", "Zs"]), min_size=1, max_size=12
)
ROWS = st.dictionaries(
    st.integers(0, 3_599_999_999), st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20
)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(NAMES, NAMES, ROWS), min_size=1, max_size=3, unique_by=lambda one: one[:2]),
    st.sampled_from(list(TableFormat)),
    st.sampled_from([(".", ","), (",", ";"), (".", "\t")]),
)
def test_what_was_exported_is_the_same_after_an_import(
    plant: list[tuple[str, str, dict[int, float]]], form: TableFormat, signs: tuple[str, str]
) -> None:
    with TemporaryDirectory() as folder:
        old, new = ImportSite(Path(folder) / "old"), ImportSite(Path(folder) / "new")
        series = [out(device, parameter) for device, parameter, _ in plant]
        for one, (_, _, rows) in zip(series, plant, strict=True):
            put(old, one, sorted(rows.items()))
        target = Path(folder) / f"export.{form.value}"
        export(old, target, series, format=form, decimal=signs[0], delimiter=signs[1])
        result = new.take(target, ImportPlan())
        assert result.tally.refused == {}
        for one, (device, parameter, rows) in zip(series, plant, strict=True):
            stored = new.stored(device, parameter)
            assert dict(zip((stored.time_us - START_US).tolist(), stored.value.tolist(), strict=True)) == rows, one
        old.close()
        new.close()


@pytest.mark.parametrize("form", list(TableFormat))
@pytest.mark.parametrize("text", ["=running, slowly", "'=running"])
@pytest.mark.parametrize("parameter", ["state", "'=state", "=state"])
def test_truths_and_texts_come_back_as_what_they_were(
    site: ImportSite, tmp_path: Path, form: TableFormat, text: str, parameter: str
) -> None:
    state, is_on = out("press-1", parameter), out("press-1", "is_on")
    put(site, is_on, [(0, 1.0), (S, 0.0)], flags=SampleFlag.BOOLEAN)
    code = text_code(FACTORY, text)
    samples = SampleColumns.of([(state.identity, START_US, float(code))], flags=SampleFlag.TEXT)
    key = SeriesKey(FACTORY, "press-1", parameter)
    site.store.append(
        samples, {state.identity: key}, texts={code: (FACTORY, text)}, gaps=(), checkpoints={"journal": 9}
    )
    target = tmp_path / f"a.{form.value}"
    export(site, target, [state, is_on], format=form)
    again = ImportSite(tmp_path / "again")
    again.take(target, ImportPlan(has_texts=True))
    assert set(again.stored("press-1", "is_on").flags.tolist()) == {SampleFlag.BOOLEAN | SampleFlag.IMPORTED}
    stored = again.stored("press-1", parameter)
    assert again.history.texts([int(stored.value[0])]) == {code: text}
    again.close()


def test_wide_parquet_has_a_column_of_texts_beside_each(site: ImportSite, tmp_path: Path) -> None:
    put(site, TEMPERATURE, [(0, 71.25)])
    export(site, tmp_path / "a.parquet", [TEMPERATURE], format=TableFormat.PARQUET, layout=Layout.WIDE)
    again = ImportSite(tmp_path / "again")
    result = again.take(tmp_path / "a.parquet")
    assert again.stored("press-1", "temperature").value.tolist() == [71.25]
    assert result.tally.new_series == 1
    again.close()


def test_an_export_ends_before_it_takes_the_room_that_receiving_needs(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site, TEMPERATURE, [(0, 71.25)])
    monkeypatch.setattr(exporting, "_TELL_EVERY_S", -1.0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=40 * 10**9))
    for form in TableFormat:
        with pytest.raises(StorageError, match=r"40\.0 GB left"):
            export(site, tmp_path / f"a.{form.value}", [TEMPERATURE], format=form)
