"""Fetching everything a session shows: at its start, and after the link was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from factoryops.contracts import http
from factoryops.domain.time import US_PER_S

if TYPE_CHECKING:
    from factoryops_app.models.session import Session

SPARK_US: Final = 3_600 * US_PER_S
SPARK_BINS: Final = 180
_PER_QUESTION: Final = 20
"""Parameters per question: an answer is read in few milliseconds, and nobody waits long behind it."""


async def fetch_picture(session: Session) -> None:
    """Devices, rules, latest values, alarms, floods and runs, asked for side by side."""
    client = session.client
    turn = session.alarms.begin_picture()
    devices, rules, latest, alarms, runs = await asyncio.gather(
        client.devices(), client.rules(), client.latest(), client.alarm_list(), client.runs()
    )
    session.samples.expect(sum(len(device.parameters) for device in devices))
    take_latest(session, latest)
    session.alarms.replace(alarms.alarms, turn, alarms.floods)
    session.runs.replace(runs)
    session.plant.replace(devices, rules)


def take_latest(session: Session, latest: Sequence[http.LatestValue]) -> None:
    """Show the newest values, texts as such."""
    session.samples.lacks_texts = False
    for value in latest:
        session.samples.add_latest(value.series_id, value.time_us, value.value, value.flags, value.text)


async def fill_rings(session: Session, now: int, lost_us: int | None) -> None:
    """Fill the small trends with the last hour, or with what happened while the link was lost."""
    start_us = now - SPARK_US if lost_us is None else max(lost_us - 60 * US_PER_S, now - SPARK_US)
    series = {one.parameter.id: one.parameter.series_id for one in session.plant.parameters}
    for ids in _pieces(list(series)):
        answer = await session.client.binned(ids, start_us, now, most_bins=SPARK_BINS)
        for columns in answer.columns:
            _fill(session, series[columns.parameter_id], columns)


def _fill(session: Session, series: int, columns: http.BinnedColumns) -> None:
    """Bins end before the first sample that came live, so that no mean stands among samples."""
    time_us = np.array(columns.start_us, np.int64) + columns.bin_us // 2
    value = np.array(columns.mean, np.float64)
    held = session.samples.view(series)
    if held is not None and len(held):
        recent = held.time_us
        is_new = (time_us + columns.bin_us // 2 < recent[0]) | _in_gaps(time_us, recent, columns.bin_us)
        time_us, value = time_us[is_new], value[is_new]
    session.samples.add_history(series, time_us, value)


def _in_gaps(time_us: np.ndarray[tuple[int], np.dtype[np.int64]], held_us: np.ndarray[tuple[int], np.dtype[np.int64]],
             bin_us: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:  # fmt: skip
    """bool[n]: which moments lie in a hole of what is held, at least a bin away from its edges."""
    after = np.searchsorted(held_us, time_us)
    is_inside = (after > 0) & (after < len(held_us))
    before_us = held_us[np.maximum(after - 1, 0)]
    next_us = held_us[np.minimum(after, len(held_us) - 1)]
    return is_inside & (time_us - before_us >= bin_us // 2) & (next_us - time_us >= bin_us // 2)


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PER_QUESTION):
        yield ids[start : start + _PER_QUESTION]
