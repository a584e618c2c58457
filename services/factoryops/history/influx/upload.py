"""Sends lines, a limited number at a time, and isolates the values the server refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import numpy as np

from factoryops.domain.errors import UnavailableError
from factoryops.history.influx.lines import Lines
from factoryops.history.influx.transport import Refusal, Transport, is_timeout

_FEWEST_LINES: Final = 100
_TIMEOUTS_BORNE: Final = 3
_TOO_OLD: Final = re.compile(r"beyond retention policy.*dropped=(\d+)")


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """One value the server would not take.

    Attributes:
        place: where it lies in the samples its line was made of.
        line: a line with this value alone.
        words: the server's reason.
    """

    place: int
    line: str
    words: str


class Upload:
    """Sends to the buckets of one server."""

    def __init__(self, transport: Transport, *, most_lines: int) -> None:
        self._transport = transport
        self._most_lines = most_lines
        self._lines_at_once = most_lines

    @property
    def lines_at_once(self) -> int:
        """How many lines the next request holds; fewer after time-outs."""
        return self._lines_at_once

    def send(self, factory: str, lines: Lines, *, bucket: str | None = None) -> list[RefusedValue]:
        """Send all of `lines` to the factory's bucket, or to `bucket`; returns what was refused for good.

        Raises:
            UnavailableError: not all have been confirmed; send all of them again later.
        """

        def write(low: int, high: int) -> Refusal | None:
            return self._transport.write(factory, lines.body(low, high), bucket=bucket)

        refused: list[RefusedValue] = []
        edges = [*lines.starts.tolist(), len(lines.order)]
        first, borne = 0, 0
        while first < len(lines):
            last = min(len(lines), first + self._lines_at_once)
            span = (edges[first], edges[last])
            try:
                answer = write(*span)
            except UnavailableError as error:
                borne += 1
                self._note(error)
                if not is_timeout(error) or borne == _TIMEOUTS_BORNE:
                    raise
                continue
            if answer is not None:
                refused += _isolate(write, lines, span, answer)
            first, borne = last, 0
            self._lines_at_once = min(self._most_lines, self._lines_at_once * 2)
        return refused

    def _note(self, error: UnavailableError) -> None:
        if is_timeout(error):
            self._lines_at_once = max(_FEWEST_LINES, self._lines_at_once // 2)


def _isolate(
    write: Callable[[int, int], Refusal | None], lines: Lines, span: tuple[int, int], refusal: Refusal
) -> list[RefusedValue]:
    """Halve what the server refused as a whole until the bad values stand alone; the good ones get in."""
    low, high = span
    if (too_old := _TOO_OLD.search(refusal.words)) is not None:
        return _oldest(lines, span, int(too_old[1]), refusal.words)
    if high - low == 1:
        return [_refused(lines, low, refusal.words)]
    middle = (low + high) // 2
    refused: list[RefusedValue] = []
    first = write(low, middle)
    if first is not None:
        refused += _isolate(write, lines, (low, middle), first)
    if first is None and high - middle > 1 and refusal.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        # The bad ones are all in here: halve it without asking first. A single value is always asked about.
        return refused + _isolate(write, lines, (middle, high), refusal)
    second = write(middle, high)
    if second is not None:
        refused += _isolate(write, lines, (middle, high), second)
    return refused


def _refused(lines: Lines, place: int, words: str) -> RefusedValue:
    return RefusedValue(int(lines.order[place]), lines.body(place, place + 1).decode().rstrip("\n"), words)


def _oldest(lines: Lines, span: tuple[int, int], count: int, words: str) -> list[RefusedValue]:
    """The values of the `count` oldest lines: the server has stored the others and dropped these."""
    first, last = np.searchsorted(lines.starts, span).tolist()
    by_age = first + np.argsort(lines.time_us[first:last], kind="stable")[:count]
    edges = np.append(lines.starts, len(lines.order))
    places = [place for line in by_age.tolist() for place in range(edges[line], edges[line + 1])]
    return [_refused(lines, place, words) for place in places]
