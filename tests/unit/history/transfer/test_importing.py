"""Import: whatever a table looks like, every usable cell becomes a sample, and everything else is counted and shown."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from factoryops.contracts.http import ImportColumn, ImportPlan, Layout
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.history.transfer import csv_table, import_state, importing, names, stored
from factoryops.history.transfer.importing import preview, run_import
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.reader import JournalReader
from tests.support.tables import FACTORY, ImportSite, silent, write

AT = 1_772_344_800_000_000
WIDE = "time,temperature,pressure\n2026-03-01T06:00:00Z,71.25,5\n2026-03-01T06:00:01Z,71.5,\n"
PRESS = ImportPlan(device="press-1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ImportSite]:
    made = ImportSite(tmp_path / "data")
    yield made
    made.close()


def test_a_wide_table_becomes_one_series_per_column(site: ImportSite, tmp_path: Path) -> None:
    result = site.take(write(tmp_path / "a.csv", WIDE), PRESS)
    temperature = site.stored("press-1", "temperature")
    assert temperature.time_us.tolist() == [AT, AT + 1_000_000]
    assert temperature.value.tolist() == [71.25, 71.5]
    assert set(temperature.flags.tolist()) == {int(SampleFlag.IMPORTED)}
    assert site.stored("press-1", "pressure").value.tolist() == [5.0]
    tally = result.tally
    assert (tally.rows, tally.samples, tally.new_series, tally.refused) == (2, 3, 2, {})
    assert (tally.first_us, tally.last_us) == (AT, AT + 1_000_000)


def test_a_long_table_names_device_and_parameter_in_each_row(site: ImportSite, tmp_path: Path) -> None:
    text = (
        "Gerät;Messgröße;Zeit;Wert\npress-1;temperature;01.03.2026 07:00:00;71,25\npump 2;flow;01.03.2026 07:00:01;3\n"
    )
    result = site.take(write(tmp_path / "a.csv", text, "windows-1252"), ImportPlan(timezone="Europe/Berlin"))
    assert result.plan.layout is Layout.LONG
    assert (result.plan.delimiter, result.plan.decimal, result.plan.encoding) == (";", ",", "windows-1252")
    assert site.stored("press-1", "temperature").time_us.tolist() == [AT]
    assert site.stored("press-1", "temperature").value.tolist() == [71.25]
    assert site.stored("pump 2", "flow").value.tolist() == [3.0]


def test_columns_are_scaled_and_named_as_the_plan_says(site: ImportSite, tmp_path: Path) -> None:
    columns = [
        ImportColumn(column="temperature", parameter="temp_f", scale=1.8, offset=32, unit="°F"),
        ImportColumn(column="pressure", parameter="p", device="pump-1"),
    ]
    site.take(write(tmp_path / "a.csv", WIDE), PRESS.model_copy(update={"columns": columns}))
    assert site.stored("press-1", "temp_f").value.tolist() == [71.25 * 1.8 + 32, 71.5 * 1.8 + 32]
    assert site.stored("pump-1", "p").value.tolist() == [5.0]


def test_truths_and_texts_keep_what_they_are(site: ImportSite, tmp_path: Path) -> None:
    text = "time,is_on,state\n1772344800,true,running\n1772344801,false,idle\n1772344802,,running\n"
    file = write(tmp_path / "a.csv", text)
    refused = site.look(file, PRESS).tally
    assert (refused.samples, refused.booleans, refused.refused) == (2, 2, {"not_a_number": 3})
    result = site.take(file, PRESS.model_copy(update={"has_texts": True}))
    assert (result.tally.samples, result.tally.texts, result.tally.refused) == (5, 3, {})
    on, state = site.stored("press-1", "is_on"), site.stored("press-1", "state")
    assert on.value.tolist() == [1.0, 0.0]
    assert set(on.flags.tolist()) == {SampleFlag.BOOLEAN | SampleFlag.IMPORTED}
    words = site.history.texts([int(code) for code in state.value])
    assert [words[int(code)] for code in state.value] == ["running", "idle", "running"]


def test_bad_cells_are_counted_by_reason_with_the_first_examples(site: ImportSite, tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01T06:00:{n:02}Z,broken,1\n" for n in range(30))
    odd = ["no time,1,2", "1960-01-01T00:00:00Z,1,2", "2190-01-01T00:00:00Z,1,2", "2026-03-01T07:00:00Z,inf,1", "1,2"]
    text = "time,a,b\n" + rows + "\n".join(odd) + "\n"
    tally = site.look(write(tmp_path / "a.csv", text), PRESS).tally
    assert tally.refused == {
        "wrong_number_of_cells": 1, "invalid_timestamp": 1, "before_1970": 1, "future_time": 1, "not_a_number": 30,
        "not_finite": 1,
    }  # fmt: skip
    assert tally.samples == 31
    examples = [one for one in tally.examples if one.reason == "not_a_number"]
    assert [(one.row, one.column, one.cell) for one in examples] == [(n + 2, "a", "broken") for n in range(5)]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(site: ImportSite, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", WIDE)
    looked = site.look(file, PRESS)
    assert not site.place.journal.exists()
    taken = site.take(file, PRESS)
    assert looked.tally == taken.tally
    site.known = list(taken.series)
    again = site.look(file, PRESS).tally
    assert (again.new_series, again.known_series, again.replacing, again.samples) == (0, 2, 3, 3)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_a_devices_own_sample_wins_over_an_imported_one_sealed_later(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(stored, "_AT_ONCE", at_once)
    key = SeriesKey(FACTORY, "press-1", "temperature")
    own = SampleColumns.of([(series_id(key), AT + n * 250_000, 99.0) for n in range(4)])
    site.store.append(own, {int(series_id(key)): key}, texts={}, gaps=(), checkpoints={"journal": 5})
    site.known = [key]
    result = site.take(write(tmp_path / "a.csv", WIDE), PRESS)
    assert (result.tally.device_wins, result.tally.samples) == (1, 2)
    assert site.stored("press-1", "temperature").value.tolist() == [99.0] * 4 + [71.5]


def test_importing_the_same_file_again_changes_nothing(site: ImportSite, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", WIDE)
    site.take(file, PRESS)
    before = site.stored("press-1", "temperature")
    site.take(file, PRESS, token="run-2")
    after = site.stored("press-1", "temperature")
    assert before.time_us.tolist() == after.time_us.tolist()
    assert before.value.tolist() == after.value.tolist()
    ledger = site.store.ledger()
    assert (ledger.stored, ledger.replaced) == (3, 3)


@pytest.mark.parametrize("killed_at", [1, 2, 5])
def test_an_import_that_was_killed_goes_on_where_it_stopped(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    monkeypatch.setattr(csv_table, "BLOCK_BYTES", 2_000)
    rows = "".join(f"{1_772_344_800 + n},{n}\n" for n in range(1_000))
    file = write(tmp_path / "a.csv", "time,a\n" + rows)
    real, calls = import_state.write_state, []

    def killed(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(importing, "write_state", killed)
    with pytest.raises(KeyboardInterrupt):
        site.take(file, PRESS)
    monkeypatch.setattr(importing, "write_state", real)
    result = site.take(file, PRESS)
    found = site.stored("press-1", "a")
    assert found.value.tolist() == [float(n) for n in range(1_000)]
    assert (result.tally.rows, result.tally.samples, result.tally.new_series) == (1_000, 1_000, 1)
    assert site.store.ledger().replaced <= 200


def test_an_import_that_was_killed_still_names_what_it_had_read_before(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "BLOCK_BYTES", 200)
    rows = "".join(f"{1_772_344_800 + n},press-{n // 50},p,{n}\n" for n in range(100))
    file = write(tmp_path / "a.csv", "time,device,parameter,value\n" + rows)
    real, calls = import_state.write_state, []

    def killed(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]  # passed through
        calls.append(arguments)
        if len(calls) == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(importing, "write_state", killed)
    with pytest.raises(KeyboardInterrupt):
        site.take(file)
    monkeypatch.setattr(importing, "write_state", real)
    result = site.take(file)
    assert {key.device for key in result.series} == {"press-0", "press-1"}
    assert (result.tally.rows, result.tally.new_series) == (100, 2)


def test_names_stay_within_their_budgets(site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "NAMES_PER_DEVICE", 3)
    rows = "".join(f"{1_772_344_800 + n},d,p{n},1\n" for n in range(10))
    tally = site.look(write(tmp_path / "a.csv", "time,device,parameter,value\n" + rows)).tally
    assert (tally.samples, tally.refused, tally.new_series) == (3, {"too_many_parameters": 7}, 3)


def test_names_that_cannot_be_are_refused(site: ImportSite, tmp_path: Path) -> None:
    devices = ["d\0", "", "d" * 101, "d"]
    text = "time,device,parameter,value\n" + "".join(f"1772344800,{device},p,1\n" for device in devices)
    tally = site.look(write(tmp_path / "a.csv", text)).tally
    assert (tally.samples, tally.refused) == (1, {"invalid_name": 3})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_usual_encoding_is_found_out(site: ImportSite, tmp_path: Path, encoding: str, ending: str) -> None:
    text = "Zeit\tÖldruck\n" + "".join(f"2026-03-01 06:00:{n:02}\t{n}.5\n" for n in range(60))
    file = write(tmp_path / "a.csv", text.replace("\n", ending), encoding)
    result = site.take(file, PRESS)
    assert result.plan.delimiter == "\t"
    assert site.stored("press-1", "Öldruck").value.tolist() == [n + 0.5 for n in range(60)]


def test_quoted_cells_and_comments_are_understood(site: ImportSite, tmp_path: Path) -> None:
    text = '# made by: somebody\n#\n"time";"a;b"\n"2026-03-01T06:00:00Z";"1"\n\n'
    site.take(write(tmp_path / "a.csv", text), PRESS)
    assert site.stored("press-1", "a;b").value.tolist() == [1.0]


def test_a_preview_shows_rows_and_says_what_is_missing(tmp_path: Path) -> None:
    seen = preview(write(tmp_path / "a.csv", WIDE), ImportPlan())
    assert seen.header == ["time", "temperature", "pressure"]
    assert seen.rows[0] == ["2026-03-01T06:00:00Z", "71.25", "5"]
    assert "which device" in seen.problem
    assert [one.parameter for one in seen.plan.columns] == ["temperature", "pressure"]
    assert preview(tmp_path / "a.csv", PRESS).problem == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\0\1\2\3" * 5_000, "binary"),
        (b"justonecolumn\n1\n", "one column"),
        (b"time,a,a\n1,2,3\n", "Two columns"),
        (b"# only\n# comments\n", "no header"),
        (b"a" * 300_000, "KiB"),
        (b"time," + b",".join(b"p%d" % n for n in range(100_000)) + b"\n", "KiB"),
        (b"time," + b",".join(b"p%d" % n for n in range(5_000)) + b"\n1\n", "columns"),
        (b"time,a\n1772344800,1\n" + b"x" * 9_000_000, "more than 1 MiB"),
        (b"x,y\na,b\n", "holds times"),
    ],
)
def test_a_hostile_file_is_refused_in_one_sentence(
    site: ImportSite, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match=message):
        site.look(file, PRESS)


def test_hostile_rows_cost_themselves_and_no_more(site: ImportSite, tmp_path: Path) -> None:
    text = 'time,a\n1772344800,1\n1772344801,"never closed\n1772344802,\0\0\n' + "1772344803," + "9" * 200_000 + "\n"
    tally = site.look(write(tmp_path / "a.csv", text + "1772344804,5\n"), PRESS).tally
    assert tally.samples >= 1
    assert sum(tally.refused.values()) >= 1


def test_a_small_parquet_file_of_huge_rows_takes_little_memory(tmp_path: Path) -> None:
    """One long text, repeated, is a few hundred kilobytes on disk and gigabytes in memory."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file, count = tmp_path / "a.parquet", 70_000
    for size, message in ((20_000, "which device"), (200_000, "more than 64 KiB")):
        text = arrow.DictionaryArray.from_arrays(arrow.array([0] * count, arrow.int32()), arrow.array(["x" * size]))
        parquet.write_table(arrow.table({"time": arrow.array(range(count)), "a": text}), file, store_schema=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            assert message in preview(file, ImportPlan()).problem
        except InvalidInputError as error:
            assert message in str(error)  # noqa: PT017 - one of the two says it
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_large_file_takes_little_memory(site: ImportSite, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("time,a,b,c\n")
        for first in range(0, 600_000, 10_000):
            out.write("".join(f"{1_700_000_000 + n},{n},1.5,2.5\n" for n in range(first, first + 10_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert site.look(file, PRESS).tally.samples == 1_800_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_an_import_ends_before_it_takes_the_room_that_receiving_needs_and_goes_on_later(
    site: ImportSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.csv", WIDE)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=40 * 10**9))
        with pytest.raises(StorageError, match=r"40\.0 GB left"):
            site.take(file, PRESS)
    assert len(site.stored("press-1", "temperature")) == 0
    site.take(file, PRESS)
    assert len(site.stored("press-1", "temperature")) == 2


def test_progress_ends_at_one(site: ImportSite, tmp_path: Path) -> None:
    heard: list[tuple[float, str]] = []
    site.take(write(tmp_path / "a.csv", WIDE), PRESS, tell=lambda share, text: heard.append((share, text)))
    assert heard[-1][0] == 1.0
    assert "2 rows" in heard[-1][1]


def test_imported_samples_never_reach_the_journal_of_the_devices(site: ImportSite, tmp_path: Path) -> None:
    with ImportWriter(site.place) as writer:
        run_import(site.job(write(tmp_path / "a.csv", WIDE), PRESS), site.history, writer, silent)
    assert not (site.root / "journal.db").exists()
    reader = JournalReader(site.place.journal)
    (batch,) = reader.read()
    assert batch.entry.watermark_us == 0
    reader.close()
