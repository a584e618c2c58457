"""The last hour of a parameter as a small picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image, ImageDraw

from factoryops.database.notification_rows import AlarmFacts
from factoryops.domain.bins import BinSummaries
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import US_PER_S, from_us
from factoryops.history.store import HistoryReader

SPAN_US: Final = 3_600 * US_PER_S
_BIN_US: Final = 10 * US_PER_S
_WIDTH, _HEIGHT, _EDGE = 640, 220, 36
_INK, _GRID, _LINE, _MARK = "#303030", "#d8d8d8", "#1f5f9f", "#c02020"


def trend(reader: HistoryReader, facts: AlarmFacts, timezone: str) -> bytes:
    """A PNG of the hour before an alarm was raised, with its limit and the value that raised it.

    Raises:
        UnavailableError: the store is away.
        InvalidInputError: the values have no room in one picture.
    """
    limit, value = (one if one is None or math.isfinite(one) else None for one in (facts.limit, facts.value))
    end_us = facts.raised_us
    found = reader.binned([facts.series_id], end_us - SPAN_US, end_us, _BIN_US).get(facts.series_id)
    times, values = _points(found, end_us, value)
    title = f"{facts.device_name} {facts.parameter_key} {facts.unit}".rstrip()
    canvas = _Canvas(end_us, [*values, *(() if limit is None else (limit,))])
    canvas.grid(f"{title}  ({timezone})", ZoneInfo(timezone))
    if limit is not None:
        canvas.level(limit)
    canvas.line(times, values)
    if value is not None:
        canvas.mark(value)
    return canvas.png()


def _points(found: BinSummaries | None, end_us: int, value: float | None) -> tuple[list[int], list[float]]:
    times = [] if found is None else [int(one) for one in found.start_us]
    values = [] if found is None else [float(one) for one in found.mean]
    if value is not None:
        times.append(end_us)
        values.append(value)
    kept = [(time, number) for time, number in zip(times, values, strict=True) if np.isfinite(number)]
    return [time for time, _ in kept], [number for _, number in kept]


class _Canvas:
    """An hour that ends at `end_us`, in which all of `values` has room."""

    def __init__(self, end_us: int, values: Sequence[float]) -> None:
        self._image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._end_us = end_us
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        if not math.isfinite(2 * (high - low)):
            raise InvalidInputError("The values of the last hour are too far apart for a picture.")
        self._room = (high - low) * 0.1 or max(abs(high), 1.0) * 0.1
        self._low, self._high = low - self._room, high + self._room

    def _place(self, time_us: int, number: float) -> tuple[float, float]:
        across = 1 - (self._end_us - time_us) / SPAN_US
        up = (number - self._low) / (self._high - self._low)
        return _EDGE + across * (_WIDTH - 2 * _EDGE), _HEIGHT - _EDGE - up * (_HEIGHT - 2 * _EDGE)

    def grid(self, title: str, zone: ZoneInfo) -> None:
        """Quarters of the hour on the zone's clock, the smallest and the largest value, and what it is."""
        for part in range(5):
            moment = self._end_us - SPAN_US + SPAN_US * part // 4
            x, _ = self._place(moment, self._low)
            self._draw.line((x, _EDGE, x, _HEIGHT - _EDGE), fill=_GRID)
            clock = from_us(moment).astimezone(zone).strftime("%H:%M")
            self._draw.text((x - 14, _HEIGHT - _EDGE + 6), clock, fill=_INK)
        for number in (self._low + self._room, self._high - self._room):
            _, y = self._place(self._end_us, number)
            self._draw.line((_EDGE, y, _WIDTH - _EDGE, y), fill=_GRID)
            self._draw.text((2, y - 6), f"{number:.4g}", fill=_INK)
        self._draw.text((_EDGE, 8), _latin(title), fill=_INK)

    def level(self, number: float) -> None:
        """The limit, broken."""
        _, y = self._place(self._end_us, number)
        for x in range(_EDGE, _WIDTH - _EDGE, 10):
            self._draw.line((x, y, x + 5, y), fill=_MARK)

    def line(self, times: Sequence[int], values: Sequence[float]) -> None:
        """What was measured."""
        if len(times) > 1:
            self._draw.line([self._place(*one) for one in zip(times, values, strict=True)], fill=_LINE, width=2)

    def mark(self, number: float) -> None:
        """The value that raised the alarm."""
        x, y = self._place(self._end_us, number)
        self._draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_MARK)

    def png(self) -> bytes:
        """The picture."""
        kept = io.BytesIO()
        self._image.save(kept, "PNG")
        return kept.getvalue()


def _latin(text: str) -> str:
    """What the small built-in font can draw."""
    return text.encode("latin-1", "replace").decode("latin-1")
