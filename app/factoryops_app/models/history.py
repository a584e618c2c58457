"""Asking for the history of a chart: by pieces, each only as long as it is still wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.client.port import PlantClient
from factoryops.contracts import http
from factoryops.domain.bins import BinnedSeries
from factoryops.domain.time import US_PER_S

RAW_SPAN_US: Final = 15 * 60 * US_PER_S
"""Up to this span a chart shows every sample."""
MOST_RAW: Final = 20_000
MOST_BINS: Final = 1_000
_PER_QUESTION: Final = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """History of one pen: bins, or every sample where the span is short.

    Attributes:
        bins: None where `time_us` and `value` hold the samples themselves.
        texts: what values stand for, where they are texts.
    """

    parameter_id: str
    bins: BinnedSeries | None
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    texts: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for some pens.

    Attributes:
        pending_from_us: newer samples are still to come; None when all are there.
    """

    start_us: int
    end_us: int
    pieces: tuple[Piece, ...]
    gaps: tuple[http.GapSpan, ...]
    pending_from_us: int | None


class HistoryQueries:
    """The questions of one chart; a new question makes all older answers stale.

    Args:
        client: whom to ask.
        on_answer: called with each answer that is still wanted.
    """

    def __init__(self, client: PlantClient, on_answer: Callable[[Answer], object]) -> None:
        self._client = client
        self._on_answer = on_answer
        self._turn = 0

    def drop(self) -> None:
        """Nothing that was asked is wanted any more."""
        self._turn += 1

    async def ask(self, parameter_ids: Sequence[str], start_us: int, end_us: int) -> None:
        """Ask for a span; raises what the client raises when the answer is still wanted."""
        self._turn += 1
        turn = self._turn
        is_raw = end_us - start_us <= RAW_SPAN_US
        size = 1 if is_raw else _PER_QUESTION
        groups = [parameter_ids[at : at + size] for at in range(0, len(parameter_ids), size)]
        limit = asyncio.Semaphore(4)

        async def fetch(ids: Sequence[str]) -> None:
            async with limit:
                if turn != self._turn:
                    return
                answer = await (self._raw(ids[0], start_us, end_us) if is_raw else self._binned(ids, start_us, end_us))
            if turn == self._turn:
                self._on_answer(answer)

        outcomes = await asyncio.gather(*(fetch(ids) for ids in groups), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and turn == self._turn:
                raise outcome

    async def _binned(self, ids: Sequence[str], start_us: int, end_us: int) -> Answer:
        answer = await self._client.binned(ids, start_us, end_us, most_bins=MOST_BINS)
        pieces = await asyncio.to_thread(lambda: tuple(_binned_piece(columns) for columns in answer.columns))
        return Answer(start_us, end_us, pieces, tuple(answer.gaps), answer.pending_from_us)

    async def _raw(self, parameter_id: str, start_us: int, end_us: int) -> Answer:
        columns = await self._client.raw(parameter_id, start_us, end_us, most_samples=MOST_RAW)
        if columns.next_start_us is not None:
            return await self._binned([parameter_id], start_us, end_us)
        piece = await asyncio.to_thread(_raw_piece, columns)
        return Answer(start_us, end_us, (piece,), tuple(columns.gaps), columns.pending_from_us)


def _binned_piece(columns: http.BinnedColumns) -> Piece:
    bins = BinnedSeries(
        columns.bin_us,
        np.array(columns.start_us, np.int64),
        np.array(columns.count, np.int64),
        np.array(columns.minimum, np.float64),
        np.array(columns.maximum, np.float64),
        np.array(columns.mean, np.float64),
    )
    return Piece(columns.parameter_id, bins, bins.start_us + columns.bin_us // 2, bins.mean)


def _raw_piece(columns: http.RawColumns) -> Piece:
    times, values = np.array(columns.time_us, np.int64), np.array(columns.value, np.float64)
    return Piece(columns.parameter_id, None, times, values, columns.texts)
