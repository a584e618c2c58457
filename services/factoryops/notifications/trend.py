"""The last hour of a parameter as a small picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image, ImageDraw

from factoryops.domain.bins import BinSummaries
from factoryops.domain.time import US_PER_S, from_us
from factoryops.history.store import HistoryReader

SPAN_US: Final = 3_600 * US_PER_S
_BIN_US: Final = 10 * US_PER_S
_WIDTH, _HEIGHT, _EDGE = 640, 220, 36
_INK, _GRID, _LINE, _MARK = "#303030", "#d8d8d8", "#1f5f9f", "#c02020"


def trend(reader: HistoryReader, series: int, end_us: int, value: float | None, title: str, timezone: str) -> bytes:
    """A PNG of the hour before `end_us`; the value that raised the alarm is marked.

    Raises:
        UnavailableError: the store is away.
    """
    start_us = end_us - SPAN_US
    found = reader.binned([series], start_us, end_us, _BIN_US).get(series)
    times, values = _points(found, end_us, value)
    return _drawn(times, values, (start_us, end_us), value, (title, timezone))


def _points(found: BinSummaries | None, end_us: int, value: float | None) -> tuple[list[int], list[float]]:
    times = [] if found is None else [int(one) for one in found.start_us]
    values = [] if found is None else [float(one) for one in found.mean]
    if value is not None:
        times.append(end_us)
        values.append(value)
    kept = [(time, number) for time, number in zip(times, values, strict=True) if np.isfinite(number)]
    return [time for time, _ in kept], [number for _, number in kept]


def _drawn(
    times: Sequence[int], values: Sequence[float], span: tuple[int, int], mark: float | None, words: tuple[str, str]
) -> bytes:
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = (high - low) * 0.1 or max(abs(high), 1.0) * 0.1
    low, high = low - room, high + room

    def place(time_us: int, number: float) -> tuple[float, float]:
        across = (time_us - span[0]) / (span[1] - span[0])
        up = (number - low) / (high - low)
        return _EDGE + across * (_WIDTH - 2 * _EDGE), _HEIGHT - _EDGE - up * (_HEIGHT - 2 * _EDGE)

    zone = ZoneInfo(words[1])
    for part in range(5):
        moment = span[0] + (span[1] - span[0]) * part // 4
        x, _ = place(moment, low)
        draw.line((x, _EDGE, x, _HEIGHT - _EDGE), fill=_GRID)
        draw.text((x - 14, _HEIGHT - _EDGE + 6), from_us(moment).astimezone(zone).strftime("%H:%M"), fill=_INK)
    for number in (low + room, high - room):
        _, y = place(span[0], number)
        draw.line((_EDGE, y, _WIDTH - _EDGE, y), fill=_GRID)
        draw.text((2, y - 6), f"{number:.4g}", fill=_INK)
    if len(times) > 1:
        draw.line([place(*point) for point in zip(times, values, strict=True)], fill=_LINE, width=2)
    if mark is not None:
        x, y = place(span[1], mark)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_MARK)
    draw.text((_EDGE, 8), _latin(f"{words[0]}  ({words[1]})"), fill=_INK)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def _latin(text: str) -> str:
    """What the small built-in font can draw."""
    return text.encode("latin-1", "replace").decode("latin-1")
