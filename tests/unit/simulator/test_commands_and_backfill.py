from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.reader import JournalReader
from factoryops.simulator import backfill as backfill_module
from factoryops.simulator.backfill import BackfillResult, backfill
from factoryops.simulator.commands import FaultFile
from factoryops.simulator.plant import MACHINES, Plant
from tests.support.import_place import import_place

FACTORY = FactoryId("f" * 32)
HOURS_3 = 3 * 3_600


def imported(path: Path) -> SampleColumns:
    reader = JournalReader(path)
    parts: list[SampleColumns] = []
    while batches := reader.read():
        parts += [batch.samples for batch in batches]
    reader.close()
    return SampleColumns.joined(parts)


def run(folder: Path) -> BackfillResult:
    return backfill(import_place(folder), folder / "imported.json", FACTORY, span_s=HOURS_3)


def test_the_past_is_imported_once_and_ends_now(tmp_path: Path) -> None:
    result = run(tmp_path)
    samples = imported(tmp_path / "import.db")
    assert len(samples) == result.samples > 100_000
    assert len(samples.sorted_unique()) == len(samples)
    assert set(samples.series.tolist()) == {
        series_id(SeriesKey(FACTORY, machine.key, one.key)) for machine in MACHINES for one in machine.quantities
    }
    assert set(samples.flags.tolist()) == {int(SampleFlag.IMPORTED)}
    assert result.end_us - result.start_us == HOURS_3 * US_PER_S
    assert 0 <= now_us() - int(samples.time_us.max()) < 60 * US_PER_S
    again = run(tmp_path)
    assert again == BackfillResult(0, result.start_us, result.end_us)
    assert len(imported(tmp_path / "import.db")) == len(samples)


def test_an_import_that_was_killed_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def killed(file: Path, state: object) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise KeyboardInterrupt
        real(file, state)  # type: ignore[arg-type]  # the state is passed through

    real = backfill_module._write_state
    monkeypatch.setattr(backfill_module, "_write_state", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    monkeypatch.undo()
    run(tmp_path)
    samples = imported(tmp_path / "import.db").sorted_unique()
    mine = samples.take(samples.series == series_id(SeriesKey(FACTORY, "pump-1", "flow")))
    assert len(mine) == HOURS_3 // 5
    assert set(np.diff(mine.time_us).tolist()) == {5 * US_PER_S}
    expected = Plant().signals("pump-1", mine.time_us)["flow"]
    assert np.array_equal(mine.value, expected)


def test_a_state_file_nobody_can_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "imported.json").write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="Delete it"):
        run(tmp_path)


def test_faults_begin_and_end_by_command_and_stay_on_record(tmp_path: Path) -> None:
    control, simulator = FaultFile(tmp_path / "run" / "faults.json"), FaultFile(tmp_path / "run" / "faults.json")
    assert simulator.faults() == ()
    control.begin(["pump-1:cavitation", "boiler-1:OFFLINE"])
    assert [(one.device, one.kind, one.ended_us) for one in simulator.faults()] == [
        ("pump-1", "cavitation", None),
        ("boiler-1", "offline", None),
    ]
    assert control.end("pump-1") == 1
    assert control.end("pump-1") == 0
    assert [one.ended_us is None for one in simulator.faults()] == [False, True]
    assert control.end() == 1


@pytest.mark.parametrize("text", ["pump-9:cavitation", "pump-1:tsunami"])
def test_a_fault_that_does_not_exist_changes_nothing(tmp_path: Path, text: str) -> None:
    control = FaultFile(tmp_path / "faults.json")
    with pytest.raises(InvalidInputError):
        control.begin(["pump-1:cavitation", text])
    assert control.faults() == ()


def test_a_damaged_control_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text("[{", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="Delete it"):
        FaultFile(tmp_path / "faults.json").faults()
