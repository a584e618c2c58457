"""Bins from roll-ups where they say all there is to say, from samples everywhere else.

A block's roll-ups speak of its own samples alone. They are used when nothing else of the series lies in the block's
time: no other block, no sample that waits in a shared one. The rest, usually the newest minutes and the edges of the
span, is read sample by sample; both join exactly.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import apsw
import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries, summarise
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import combine, take_bins
from factoryops.history.local.blocks import (
    BlockHead,
    Piece,
    SharedBlocks,
    clip,
    find_blocks,
    merge_pieces,
    piece_of,
    pieces_of,
    read_block,
)
from factoryops.history.local.rollups import HOUR_US, MINUTE_US, decode_rows, find_rollups

logger = logging.getLogger(__name__)

_LEVELS_US: Final = (HOUR_US, MINUTE_US)


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series as a read transaction of `connection` sees it."""

    connection: apsw.Connection
    shared: SharedBlocks
    series: int
    generation: int

    def waiting(self, span: tuple[int, int]) -> list[Piece]:
        """What shared blocks hold of it in the span."""
        pieces = pieces_of(self.connection, self.shared, self.series, span, self.generation)
        clipped = [Piece(piece.order, clip(piece.samples, *span)) for piece in pieces]
        return [piece for piece in clipped if len(piece.samples)]

    def own(self, span: tuple[int, int]) -> list[BlockHead]:
        """Its own blocks that touch the span, in order of time."""
        heads = find_blocks(self.connection, self.series, *span)
        return sorted(heads, key=lambda head: (head.first_us, head.number))

    def pieces(self, heads: Sequence[BlockHead]) -> list[Piece]:
        """The samples of own blocks."""
        return [piece_of(head, read_block(self.connection, head), self.series) for head in heads]


def binned_view(view: SeriesView, span: tuple[int, int], width_us: int) -> BinSummaries | None:
    """All of a span [start, end) as bins of `width_us`; None when there is nothing."""
    waiting, heads = view.waiting(span), view.own(span)
    level_us = next((one for one in _LEVELS_US if width_us % one == 0), 0)
    rolled = find_rollups(view.connection, view.series, span, level_us or MINUTE_US)
    chosen = [head for head in _alone(heads, waiting) if _serves(head, rolled, span, level_us)]
    whole = _rows_of([rolled[head.number][2] for head in chosen], span, level_us or MINUTE_US, view.series)
    if whole is None:
        chosen = []
    numbers = {head.number for head in chosen}
    rest = merge_pieces([*waiting, *view.pieces([head for head in heads if head.number not in numbers])])
    expired = _expired_rows(view, set(rolled) - {head.number for head in heads}, span, width_us)
    begin = np.array([head.first_us for head in chosen], np.int64)
    cuts = np.sort(np.concatenate([begin, *(rows.first_us for rows in expired)]))
    found = (whole, _between(clip(rest, *span), cuts, width_us), *expired)
    parts = [part for part in found if part is not None and len(part)]
    return combine(parts, width_us) if parts else None


def _expired_rows(
    view: SeriesView, numbers: Collection[int], span: tuple[int, int], width_us: int
) -> list[BinSummaries]:
    """What is left of samples that have expired; says so when it is coarser than the bins asked for."""
    parts: list[BinSummaries] = []
    for number in sorted(numbers):
        hours, minutes = view.connection.execute("SELECT hours, minutes FROM rollup WHERE number = ?", (number,)).get
        is_fine = bool(minutes) and width_us % HOUR_US != 0
        rows = _decoded([minutes if is_fine else hours], MINUTE_US if is_fine else HOUR_US, view.series)
        if rows is not None:
            resolution_us = 0 if width_us % rows.width_us == 0 else rows.width_us
            inside = (rows.start_us >= span[0]) & (rows.start_us < span[1])
            parts.append(replace(take_bins(rows, inside), resolution_us=resolution_us))
    return parts


def _alone(heads: Sequence[BlockHead], waiting: Sequence[Piece]) -> list[BlockHead]:
    """The blocks in whose time nothing else of the series lies."""
    if not heads:
        return []
    first_us, last_us = (np.array([getattr(head, name) for head in heads]) for name in ("first_us", "last_us"))
    is_alone = np.ones(len(heads), np.bool_)
    overlaps = first_us[1:] <= np.maximum.accumulate(last_us)[:-1]
    is_alone[1:] &= ~overlaps
    is_alone[:-1] &= last_us[:-1] < np.minimum.accumulate(first_us[::-1])[::-1][1:]
    for piece in waiting:
        times = piece.samples.time_us
        is_alone &= np.searchsorted(times, first_us) == np.searchsorted(times, last_us, "right")
    return [head for head, alone in zip(heads, is_alone.tolist(), strict=True) if alone]


def _serves(head: BlockHead, rolled: dict[int, tuple[int, int, bytes]], span: tuple[int, int], level_us: int) -> bool:
    """Whether a block's roll-up answers for what the block holds of the span."""
    if not level_us or head.number not in rolled or not rolled[head.number][2]:
        return False
    is_cut = (head.first_us < span[0] and span[0] % level_us) or (head.last_us >= span[1] and span[1] % level_us)
    return not is_cut


def _rows_of(blobs: Sequence[bytes], span: tuple[int, int], level_us: int, series: int) -> BinSummaries | None:
    """The rows of roll-ups that lie in the span; None when there are none, or one is damaged."""
    rows = _decoded(blobs, level_us, series) if blobs else None
    if rows is None:
        return None
    inside = (rows.first_us >= span[0]) & (rows.last_us < span[1])
    return rows if inside.all() else take_bins(rows, inside)


def _decoded(blobs: Sequence[bytes], level_us: int, series: int) -> BinSummaries | None:
    try:
        return decode_rows(blobs, level_us)
    except DamagedFileError as error:
        logger.warning("A roll-up of series %s is unreadable: %s", series, error)
        return None


def _between(samples: SampleColumns, cuts: npt.NDArray[np.int64], width_us: int) -> BinSummaries | None:
    """Samples as bins that are cut at `cuts`, which ascend: there begins what roll-ups speak of."""
    if not len(samples):
        return None
    bin_of = samples.time_us // width_us
    stretch = np.searchsorted(cuts, samples.time_us)
    is_first = np.ones(len(samples), np.bool_)
    is_first[1:] = (bin_of[1:] != bin_of[:-1]) | (stretch[1:] != stretch[:-1])
    start = np.flatnonzero(is_first)
    return summarise(samples.time_us, samples.value, samples.flags, start, width_us, bin_of[start] * width_us)
