"""What a child reads from: the database, the history store and the journals' tails, opened from its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from factoryops.database.database import Database
from factoryops.domain.errors import SetupError
from factoryops.history.queries import History
from factoryops.history.store import HistoryReader
from factoryops.history.tail import Tail
from factoryops.jobs.orders import HistorySource, LocalSource, Order
from factoryops.journal.import_writer import ImportPlace, ImportWriter
from factoryops.journal.reader import JournalReader

if TYPE_CHECKING:
    from factoryops.history.influx.reader import InfluxHistoryReader
    from factoryops.history.local.reader import LocalHistoryReader


@dataclass(frozen=True, slots=True)
class Sources:
    """Open for reading only, apart from the database, in which scheduled rules move their alarms.

    Attributes:
        texts: what text codes stand for that the store may not have been told of yet.
    """

    database: Database
    history: History
    journal: JournalReader | None
    texts: Mapping[int, str]


@contextmanager
def open_sources(order: Order) -> Iterator[Sources]:
    """Everything an order names, closed again afterwards."""
    database = Database.open(order.database_url)
    reader = open_history(order.history)
    journals = {name: Path(path) for name, path in order.journals.items()}
    live = JournalReader(journals["journal"]) if "journal" in journals else None
    try:
        history, texts = history_now(reader, journals)
        yield Sources(database, history, live, texts)
    finally:
        if live is not None:
            live.close()
        reader.close()
        database.close()


def open_import_writer(order: Order) -> ImportWriter:
    """The import journal, to write; close it afterwards.

    Raises:
        UnavailableError: somebody else is importing; the run is tried again later.
        StorageError: the file cannot be written.
    """
    target = order.imports
    if target is None:
        raise SetupError("This worker was not told where imports are written. Update the service.")
    place = ImportPlace(
        journal=Path(target.journal),
        checkpoints_folder=Path(target.checkpoints_folder),
        doorbell_folder=Path(target.doorbell_folder),
        size_limit_bytes=target.size_limit_bytes,
    )
    return ImportWriter(place)


def open_history(source: HistorySource) -> LocalHistoryReader | InfluxHistoryReader:
    """The store's reader."""
    if isinstance(source, LocalSource):
        from factoryops.history.local.reader import LocalHistoryReader  # noqa: PLC0415 - one of the two is needed

        return LocalHistoryReader(Path(source.path))
    from factoryops.history.influx.reader import InfluxHistoryReader  # noqa: PLC0415 - one of the two is needed
    from factoryops.history.influx.tokens import TokenFolder  # noqa: PLC0415 - as above
    from factoryops.history.influx.transport import InfluxConfig  # noqa: PLC0415 - as above

    config = InfluxConfig(
        url=source.url,
        org=source.org,
        tokens=TokenFolder(Path(source.tokens_folder)),
        bucket_prefix=source.bucket_prefix,
        timeout_s=source.timeout_s,
    )
    return InfluxHistoryReader(config, Path(source.state_path))


def history_now(reader: HistoryReader, journals: Mapping[str, Path]) -> tuple[History, dict[int, str]]:
    """What the store and the journals beyond it hold at this moment, and what text codes in them stand for."""
    texts: dict[int, str] = {}
    tails = {name: _read_tail(path, reader.checkpoint(name), texts) for name, path in journals.items()}
    return History(reader, tails), texts


def _read_tail(path: Path, after_seq: int, texts: dict[int, str]) -> Tail:
    """What a journal holds beyond the store's checkpoint, at this moment; texts it names are added to `texts`."""
    tail = Tail()
    reader = JournalReader(path, after_seq=after_seq)
    try:
        while batches := reader.read():
            for batch in batches:
                tail.feed(batch)
        texts.update((code, text) for code, (_, text) in reader.texts.items())
    finally:
        reader.close()
    return tail
