"""The store port: what the historian writes to and queries read from. Both adapters pass one contract suite.

All methods block; callers on an event loop use `asyncio.to_thread`. Spans are [start, end) in microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from factoryops.domain.bins import BinSummaries
from factoryops.domain.errors import AbandonedError
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.history.clock_changes import ClockChange
from factoryops.journal.records import Gap
from factoryops.observability.heartbeat import Problem

NO_TEXTS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """Running totals of the store: what became of every accepted value.

    Attributes:
        stored: samples kept.
        replaced: samples that took the place of one with the same series and time.
        refused: values the store would not take, by reason, each put aside.
        expired: of the stored ones, those that retention has given up since; stored = kept + expired.
        held_back: samples up to the front that wait in the journals for their part of the store.
    """

    stored: int
    replaced: int
    refused: Mapping[str, int]
    held_back: int = 0
    expired: int = 0


Cancelled = Callable[[], bool]
"""Whether nobody waits for the answer any more; asked between the pieces of a query."""


def never() -> bool:
    """Somebody waits."""
    return False


def go_on(cancelled: Cancelled) -> None:
    """Raise AbandonedError when nobody waits any more."""
    if cancelled():
        raise AbandonedError("The query was given up: nobody waits for its answer any more.")


class HistoryReader(Protocol):
    """Queries. Those that take `cancelled` raise AbandonedError soon after it says so."""

    def latest(self, series: Sequence[int]) -> SampleColumns:
        """The newest sample of each of `series` that has one, in no particular order."""
        ...

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, in no particular order."""
        ...

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        ...

    def chunks(
        self, series: int, start_us: int, end_us: int, *, cancelled: Cancelled = never
    ) -> Iterator[SampleColumns]:
        """Every sample of the span in pieces of about a day, one after the other; within each ascending, one per time.

        Only what was received is read, never roll-ups: where retention has given samples up, there is nothing.
        """
        ...

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time."""
        ...

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        """The texts that these codes stand for; unknown ones are left out."""
        ...

    def gaps(self, factory: str, start_us: int, end_us: int) -> list[Gap]:
        """Gaps of this factory, or of all, that touch the span."""
        ...

    def clocks(self, factory: str) -> list[ClockChange]:
        """Every change of a device's clock offset in this factory, in their order."""
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
        texts: Mapping[int, tuple[str, str]] = NO_TEXTS,
        clocks: Sequence[ClockChange] = (),
    ) -> None:
        """Keep `samples`, `gaps` and `clocks`, and move the checkpoints with them; repeating it changes nothing.

        Args:
            samples: any order, duplicates allowed: of the same series and time the last one wins.
            keys: what each series id in `samples` stands for.
            gaps: spans to remember.
            checkpoints: journal name -> last row contained; the fronts move there.
            texts: what each text code in `samples` stands for: factory and text.
            clocks: changes of devices' clock offsets, in their order.

        Raises:
            UnavailableError: the store is away; nothing moved, try again later.
            DamagedFileError: the store had to begin anew; give it everything after its checkpoints again.
            StorageError: the store cannot be written; says why.
        """
        ...

    def tidy(self, *, budget_s: float) -> int:
        """Spend up to `budget_s` on upkeep (compaction, catching up); returns how many pieces of it are left."""
        ...

    def retain(self, plan: RetentionPlan, *, budget_s: float) -> bool:
        """Spend up to `budget_s` on giving up what is older than `plan` keeps; returns whether all of it is done."""
        ...

    def problems(self) -> Sequence[Problem]:
        """What is wrong with parts of the store while the whole goes on."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
