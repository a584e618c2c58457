"""Tables on disk, and a history in memory to import them into."""

from __future__ import annotations

from pathlib import Path

from factoryops.contracts.http import ImportPlan
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.history.transfer.importing import ImportJob, ImportResult, Tell, run_import
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.reader import JournalReader
from tests.support.import_place import import_place

FACTORY = "f" * 32


def silent(share: float, message: str) -> None:
    """Nobody listens."""


class ImportSite:
    """A folder with an import journal and a local history, and what an import needs around it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = import_place(root)
        self.store = LocalHistory(root / "history.db")
        self.history = History(self.store, {})
        self.known: list[SeriesKey] = []

    def job(self, file: Path, plan: ImportPlan, token: str = "run-1") -> ImportJob:
        return ImportJob(file, plan, FACTORY, tuple(self.known), token, self.root / "state.json")

    def look(self, file: Path, plan: ImportPlan | None = None) -> ImportResult:
        """A dry run."""
        return run_import(self.job(file, plan or ImportPlan()), self.history, None, silent)

    def take(
        self, file: Path, plan: ImportPlan | None = None, tell: Tell = silent, token: str = "run-1"
    ) -> ImportResult:
        """Import, and have the store take it up."""
        with ImportWriter(self.place) as writer:
            result = run_import(self.job(file, plan or ImportPlan(), token), self.history, writer, tell)
        self.seal()
        return result

    def seal(self) -> None:
        """The historian's part."""
        reader = JournalReader(self.place.journal, after_seq=self.store.checkpoint("import"))
        while batches := reader.read():
            for batch in batches:
                keys = {one: reader.series[one] for one in set(batch.samples.series.tolist())}
                texts = {code: reader.texts[code] for code in reader.texts}
                self.store.append(batch.samples, keys, texts=texts, gaps=(), checkpoints={"import": batch.seq})
        reader.close()

    def stored(self, device: str, parameter: str) -> SampleColumns:
        """All samples of a series."""
        return self.history.raw(series_id(SeriesKey(FACTORY, device, parameter)), 0, 1 << 62, most=1 << 62)

    def close(self) -> None:
        self.store.close()


def write(file: Path, text: str, encoding: str = "utf-8") -> Path:
    """A text file with the line ends given."""
    file.write_bytes(text.encode(encoding))
    return file
