"""The store port: what the historian writes to and queries read from. Both adapters pass one contract suite.

All methods block; callers on an event loop use `asyncio.to_thread`. Spans are [start, end) in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.journal.records import Gap
from factoryops.observability.heartbeat import Problem


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """Running totals of the store: what became of every accepted value.

    Attributes:
        stored: samples kept.
        replaced: samples that took the place of one with the same series and time.
        refused: values the store would not take, by reason, each put aside.
        held_back: samples up to the front that wait in the journals for their part of the store.
    """

    stored: int
    replaced: int
    refused: Mapping[str, int]
    held_back: int = 0


class HistoryReader(Protocol):
    """Queries."""

    def latest(self, series: Sequence[int]) -> SampleColumns:
        """The newest sample of each of `series` that has one, in no particular order."""
        ...

    def raw(self, series: int, start_us: int, end_us: int, *, most: int) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        ...

    def binned(self, series: Sequence[int], start_us: int, end_us: int, width_us: int) -> dict[int, BinnedSeries]:
        """Statistics per bin of each series that has samples in the span; bins are aligned to absolute time."""
        ...

    def gaps(self, factory: str, start_us: int, end_us: int) -> list[Gap]:
        """Gaps of this factory, or of all, that touch the span."""
        ...

    def checkpoint(self, journal: str) -> int:
        """The last row of `journal` ("journal", "derived", "import") whose samples these queries can see."""
        ...

    def front(self, journal: str) -> int:
        """The last row of `journal` the ledger accounts for; ahead of the checkpoint while samples are held back."""
        ...

    def ledger(self) -> StoreLedger:
        """Running totals."""
        ...


class HistoryStore(HistoryReader, Protocol):
    """A store the historian writes to."""

    def append(
        self,
        samples: SampleColumns,
        keys: Mapping[int, SeriesKey],
        *,
        gaps: Sequence[Gap],
        checkpoints: Mapping[str, int],
    ) -> None:
        """Keep `samples` and `gaps`, and move the checkpoints with them; repeating it changes nothing.

        Args:
            samples: any order, duplicates allowed: of the same series and time the last one wins.
            keys: what each series id in `samples` stands for.
            gaps: spans to remember.
            checkpoints: journal name -> last row contained; the fronts move there.

        Raises:
            UnavailableError: the store is away; nothing moved, try again later.
            DamagedFileError: the store had to begin anew; give it everything after its checkpoints again.
            StorageError: the store cannot be written; says why.
        """
        ...

    def tidy(self, *, budget_s: float) -> int:
        """Spend up to `budget_s` on upkeep (compaction, catching up); returns how many pieces of it are left."""
        ...

    def problems(self) -> Sequence[Problem]:
        """What is wrong with parts of the store while the whole goes on."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
