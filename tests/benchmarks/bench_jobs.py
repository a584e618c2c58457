"""How long a day of history and a day's report take."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from factoryops.database.database import Database
from factoryops.domain.identity import FactoryId
from factoryops.domain.time import from_us
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.journal.reader import JournalReader
from factoryops.reports.collect import Request, collect
from factoryops.reports.daily import write_daily_report
from factoryops.reports.scan import scan
from factoryops.simulator.backfill import BackfillResult, backfill
from factoryops.simulator.describe import furnish
from tests.benchmarks.figure import Figure
from tests.support.import_place import import_place


def measure() -> list[Figure]:
    """A simulated day: imported, reported and scanned, each once in a fresh folder."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        database = Database.open(f"sqlite:///{root / 'factoryops.db'}")
        database.migrate()
        factory = database.run(lambda tx: tx.factories.create("riverside", "Riverside Works", "Europe/Berlin"))
        furnish(database, factory.id)
        started = time.perf_counter()
        result = backfill(import_place(root), root / "imported.json", factory.id)
        import_s = time.perf_counter() - started
        _store(root)
        figures = [Figure("A day of history imported", import_s, "s", "seconds", f"{result.samples:,} samples")]
        figures += _documents(root, database, factory.id, result)
        database.close()
        return figures


def _store(root: Path) -> None:
    store, reader = LocalHistory(root / "history.db"), JournalReader(root / "import.db")
    while batches := reader.read():
        for batch in batches:
            keys = {one: reader.series[one] for one in set(batch.samples.series.tolist())}
            store.append(batch.samples, keys, gaps=(), checkpoints={"import": batch.seq})
    reader.close()
    store.close()


def _documents(root: Path, database: Database, factory_id: FactoryId, day: BackfillResult) -> list[Figure]:
    reader = LocalHistoryReader(root / "history.db")
    history = History(reader, {})
    request = Request(factory_id, from_us(day.start_us), from_us(day.end_us))
    started = time.perf_counter()
    figures = collect(request, database, history, lambda _, __: None)
    result = write_daily_report(figures, root / "report.pdf", lambda _, __: None)
    report_s = time.perf_counter() - started
    started = time.perf_counter()
    scan(request, database, history, lambda _, __: None)
    scan_s = time.perf_counter() - started
    reader.close()
    pages = f"{result['pages']} pages, {(root / 'report.pdf').stat().st_size / 1e3:.0f} kB"
    return [
        Figure("Daily report of 13 machines", report_s, "s", "", pages),
        Figure("Anomaly scan of 13 machines, a day", scan_s, "s", "", "moving T² over 98 parameters"),
    ]
