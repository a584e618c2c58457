"""What a child reads from: the database, the history store and the journals' tails, opened from its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from factoryops.database.database import Database
from factoryops.history.queries import History
from factoryops.history.store import HistoryReader
from factoryops.history.tail import Tail
from factoryops.jobs.orders import HistorySource, LocalSource, Order
from factoryops.journal.reader import JournalReader


@dataclass(frozen=True, slots=True)
class Sources:
    """Open for reading only, apart from the database, which a run has no reason to write."""

    database: Database
    history: History
    journal: JournalReader | None


@contextmanager
def open_sources(order: Order) -> Iterator[Sources]:
    """Everything an order names, closed again afterwards."""
    database = Database.open(order.database_url)
    reader = open_history(order.history)
    journals = {name: Path(path) for name, path in order.journals.items()}
    live = JournalReader(journals["journal"]) if "journal" in journals else None
    try:
        tails = {name: read_tail(path, reader.checkpoint(name)) for name, path in journals.items()}
        yield Sources(database, History(reader, tails), live)
    finally:
        if live is not None:
            live.close()
        database.close()


def open_history(source: HistorySource) -> HistoryReader:
    """The store's reader."""
    if isinstance(source, LocalSource):
        from factoryops.history.local.reader import LocalHistoryReader  # noqa: PLC0415 - one of the two is needed

        return LocalHistoryReader(Path(source.path))
    from factoryops.history.influx.reader import InfluxHistoryReader  # noqa: PLC0415 - one of the two is needed

    raise NotImplementedError(InfluxHistoryReader)


def read_tail(path: Path, after_seq: int) -> Tail:
    """What a journal holds beyond the store's checkpoint, at this moment."""
    tail = Tail()
    reader = JournalReader(path, after_seq=after_seq)
    try:
        while batches := reader.read():
            for batch in batches:
                tail.feed(batch)
    finally:
        reader.close()
    return tail
