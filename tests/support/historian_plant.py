"""A data folder with the three journals, written by the test as ingest, engine and worker would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import now_us
from factoryops.history.historian import Historian, HistorianConfig
from factoryops.history.store import HistoryReader, HistoryStore
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Entry, Gap, MessageLedger
from factoryops.journal.writer import JournalWriter
from factoryops.observability.heartbeat import Heartbeat, read_heartbeats
from tests.support.history_model import FACTORY

JOURNALS = ("journal", "derived", "import")
KEYS = [SeriesKey(FACTORY, f"press {number}", "force") for number in range(4)]
SERIES = [int(series_id(key)) for key in KEYS]


class HistorianPlant:
    """The folder, its writers and what was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = list(KEYS)
        self.paths = {name: folder / f"{name}.db" for name in JOURNALS}
        self.writers = {name: JournalWriter(path) for name, path in self.paths.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self.writers.values():
            writer.close()

    def config(self, *, seal_every_s: float = 0.1, seal_at_samples: int = 200_000) -> HistorianConfig:
        return HistorianConfig(
            journals=self.paths,
            checkpoints_folder=self.folder / "run" / "checkpoints",
            doorbell_folder=self.folder / "run" / "doorbell",
            heartbeat_folder=self.folder / "run" / "heartbeat",
            seal_every_s=seal_every_s,
            seal_at_samples=seal_at_samples,
        )

    def write(
        self,
        rows: Sequence[tuple[int, int, float]],
        *,
        journal: str = "journal",
        gaps: Sequence[Gap] = (),
        received_us: int | None = None,
    ) -> int:
        """Append one row to a journal; returns its sequence number."""
        writer = self.writers[journal]
        samples = SampleColumns.of(rows)
        old = writer.ledger
        ledger = MessageLedger(
            received=old.received + 1,
            accepted=old.accepted + 1,
            values_accepted=old.values_accepted + len(samples),
        )
        moment = now_us() if received_us is None else received_us
        return writer.append(Entry(moment, ledger, samples, gaps=tuple(gaps)), self.keys)

    def is_contained(self, reader: HistoryReader) -> bool:
        """Whether everything written is in the store."""
        return all(
            reader.checkpoint(name) == writer.last_seq
            for name, writer in self.writers.items()
            if writer.ledger.values_accepted
        )

    def balance(self, reader: HistoryReader) -> tuple[int, int]:
        """Values accepted, and values accounted for: equal at all times."""
        accepted = sum(writer.ledger.values_accepted for writer in self.writers.values())
        ledger = reader.ledger()
        waiting = ledger.held_back
        for name, path in self.paths.items():
            journal = JournalReader(path)
            waiting += journal.count_samples(after_seq=reader.front(name))
            journal.close()
        return accepted, ledger.stored + ledger.replaced + sum(ledger.refused.values()) + waiting

    def heartbeat(self) -> Heartbeat | None:
        """The historian's newest heartbeat."""
        return read_heartbeats(self.folder / "run" / "heartbeat").get("historian")

    def problems(self) -> list[str]:
        """The codes of the problems it shows, without what they name."""
        beat = self.heartbeat()
        return [problem.code.partition(":")[0] for problem in beat.problems] if beat else []

    @asynccontextmanager
    async def running(self, store: HistoryStore, config: HistorianConfig | None = None) -> AsyncIterator[None]:
        """A historian at work; stopped in an orderly way at the end."""
        stop = asyncio.Event()
        task = asyncio.create_task(Historian(config or self.config(), store).run(stop))
        try:
            yield
        finally:
            stop.set()
            await task
