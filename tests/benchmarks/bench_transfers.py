"""How fast tables become history, and history tables; on one core, by processor time."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from factoryops.contracts.http import ExportPlan, ImportPlan
from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import Factory
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.time import from_us
from factoryops.history.transfer.exporting import ExportJob, run_export
from factoryops.history.transfer.frames import OutSeries
from factoryops.history.transfer.importing import ImportResult, run_import
from factoryops.journal.import_writer import ImportWriter
from tests.benchmarks.figure import Figure
from tests.support.tables import FACTORY, ImportSite, silent

_BEGIN_US = 1_700_000_000_000_000
_ROWS = 200_000
_PARAMETERS = 10


def measure() -> list[Figure]:
    """Two million values wide, one million long, and the wide ones exported again."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        times = np.datetime_as_string((np.arange(_ROWS) * 1_000_000 + _BEGIN_US).astype("datetime64[us]")).tolist()
        steps = np.random.default_rng(1).normal(size=(_ROWS, _PARAMETERS))
        values = np.round(np.cumsum(steps, axis=0), 2).tolist()
        wide, long = root / "wide.csv", root / "long.csv"
        with wide.open("w", encoding="utf-8") as file:
            file.write("time," + ",".join(f"p{number}" for number in range(_PARAMETERS)) + "\n")
            file.writelines(f"{at}Z,{','.join(map(str, row))}\n" for at, row in zip(times, values, strict=True))
        with long.open("w", encoding="utf-8") as file:
            file.write("time,device,parameter,value\n")
            for at, row in zip(times[: _ROWS // 2], values, strict=False):
                file.writelines(f"{at}Z,device-{number},temperature,{value}\n" for number, value in enumerate(row))
        site = ImportSite(root / "site")
        figures = [
            _import(site, wide, ImportPlan(device="press-1"), "wide"),
            _import(site, long, ImportPlan(), "long"),
        ]
        site.seal()
        figures.append(_export(site, root / "out.csv"))
        site.close()
        return figures


def _import(site: ImportSite, file: Path, plan: ImportPlan, name: str) -> Figure:
    with ImportWriter(site.place) as writer:
        began = time.process_time()
        result: ImportResult = run_import(site.job(file, plan, name), site.history, writer, silent)
        seconds = time.process_time() - began
    note = f"{result.tally.samples:,} samples, journal included"
    return Figure(f"CSV imported, {name}", result.tally.samples / seconds, "samples/s", "at least 500,000", note)


def _export(site: ImportSite, target: Path) -> Figure:
    keys = [SeriesKey(FACTORY, "press-1", f"p{number}") for number in range(_PARAMETERS)]
    series = tuple(OutSeries(int(series_id(key)), key.device, key.parameter, "") for key in keys)
    start = from_us(_BEGIN_US)
    plan = ExportPlan(start=start, end=start + timedelta(seconds=_ROWS))
    factory = Factory(FactoryId(FACTORY), "works", "Works", "UTC")
    began = time.process_time()
    result = run_export(
        ExportJob(plan, factory, series, "bench", "0", site.history.texts), site.history, target, silent
    )
    seconds = time.process_time() - began
    note = f"{result.rows:,} rows, {target.stat().st_size / 1e6:.0f} MB"
    return Figure("History exported as CSV", result.rows / seconds, "rows/s", "", note)
