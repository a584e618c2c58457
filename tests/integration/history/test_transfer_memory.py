"""Large transfers take little memory: measured in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.local.store import LocalHistory
from tests.support.tables import FACTORY

_EXPORT = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from factoryops.contracts.http import ExportPlan
from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import Factory
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.queries import History
from factoryops.history.transfer.exporting import ExportJob, run_export
from factoryops.history.transfer.frames import OutSeries
root, count, form = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
reader = LocalHistoryReader(root / "history.db")
factory = "f" * 32
series = tuple(
    OutSeries(int(series_id(SeriesKey(factory, f"d{n}", "p"))), f"d{n}", "p", "") for n in range(count)
)
start = datetime(2026, 1, 1, tzinfo=UTC)
plan = ExportPlan.model_validate({"start": start, "end": start + timedelta(days=40), "layout": form})
plant = Factory(FactoryId(factory), "works", "Works", "UTC")
job = ExportJob(plan, plant, series, "anna", "0.1.0", lambda codes: {})
result = run_export(job, History(reader, {}), root / "out.csv", lambda share, message: None)
# Not ru_maxrss: a process begins with the peak of the one that started it.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(result.rows, status["VmHWM"].split()[0])
"""
START_US = 1_767_225_600_000_000


@pytest.mark.long
@pytest.mark.parametrize(("layout", "rows"), [("long", 10_000_000), ("wide", 2_500_000)])
def test_ten_million_samples_are_exported_in_less_than_300_mb(tmp_path: Path, layout: str, rows: int) -> None:
    store = LocalHistory(tmp_path / "history.db")
    for number in range(4):
        key = SeriesKey(FACTORY, f"d{number}", "p")
        identity = series_id(key)
        for first in range(0, 2_500_000, 500_000):
            times = START_US + np.arange(first, first + 500_000, dtype=np.int64) * 1_000_000
            values = np.round(np.sin(times / 1e9) * 100, 2)
            samples = SampleColumns(np.full(500_000, identity, np.int64), times, values, np.zeros(500_000, np.uint8))
            seq = number * 10_000_000 + first + 1
            store.append(samples, {int(identity): key}, texts={}, gaps=(), checkpoints={"import": seq})
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT, str(tmp_path), "4", layout], capture_output=True, text=True, check=True
    )
    written, peak_kib = map(int, done.stdout.split())
    assert written == rows, layout
    assert peak_kib < 300 * 1_024, f"{peak_kib / 1024:.0f} MB"
