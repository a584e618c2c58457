"""Sends lines, a limited number at a time, and isolates those the server refuses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from factoryops.domain.errors import UnavailableError
from factoryops.history.influx.lines import Line
from factoryops.history.influx.transport import Refusal, Transport, is_timeout

logger = logging.getLogger(__name__)

_FEWEST_LINES: Final = 100
_PROBE_S: Final = 60


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """One value the server would not take.

    Attributes:
        line: a line with this value alone.
        words: the server's reason.
    """

    bucket: str
    line: Line
    words: str


class Upload:
    """Sends to the buckets of one server.

    Args:
        buckets: names of those known to exist; added to as they are found or made.
    """

    def __init__(self, transport: Transport, buckets: set[str], *, most_lines: int) -> None:
        self._transport = transport
        self._buckets = buckets
        self._most_lines = most_lines
        self._lines_at_once = most_lines

    def send(self, bucket: str, lines: Sequence[Line]) -> list[RefusedValue]:
        """Send all of `lines`; returns what was refused for good.

        Raises:
            UnavailableError: not all have been confirmed; send all of them again later.
        """
        refused: list[RefusedValue] = []
        first = 0
        while first < len(lines):
            part = lines[first : first + self._lines_at_once]
            answer = self._write(bucket, part)
            if answer is not None:
                refused += self._isolate(bucket, part, answer)
            first += len(part)
            self._lines_at_once = min(self._most_lines, self._lines_at_once * 2)
        return refused

    def _write(self, bucket: str, lines: Sequence[Line]) -> Refusal | None:
        body = "\n".join(line.text for line in lines).encode()
        try:
            answer = self._transport.write(bucket, body)
            if answer is not None and answer.status == HTTPStatus.NOT_FOUND:
                self._find_or_make(bucket)
                answer = self._transport.write(bucket, body)
        except UnavailableError as error:
            if is_timeout(error):
                self._lines_at_once = max(_FEWEST_LINES, self._lines_at_once // 2)
            raise
        if answer is not None and answer.status == HTTPStatus.NOT_FOUND:
            raise UnavailableError(
                f"InfluxDB says: {answer.words}. Samples wait in the journal.", retry_after_s=_PROBE_S
            )
        if answer is None:
            self._buckets.add(bucket)
        return answer

    def _find_or_make(self, bucket: str) -> None:
        if bucket in self._buckets:
            raise UnavailableError(
                f"The bucket {bucket} was there and is gone from InfluxDB, and its history with it. Samples wait in "
                "the journal; restore the bucket, or create it anew to go on without the old history.",
                retry_after_s=_PROBE_S,
            )
        self._transport.create_bucket(bucket)
        self._buckets.add(bucket)
        logger.info("Created the bucket %s.", bucket)

    def _isolate(self, bucket: str, lines: Sequence[Line], refusal: Refusal) -> list[RefusedValue]:
        """Halve lines the server refused as a whole until the bad values stand alone; the good ones get in."""
        if len(lines) == 1 and len(lines[0].fields) == 1:
            return [RefusedValue(bucket, lines[0], refusal.words)]
        if len(lines) == 1:
            lines = lines[0].split()
        middle = len(lines) // 2
        refused: list[RefusedValue] = []
        first = self._write(bucket, lines[:middle])
        if first is not None:
            refused += self._isolate(bucket, lines[:middle], first)
        if first is None and len(lines) - middle > 1 and refusal.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            # The bad ones are all in here: halve it without asking first. A single value is always asked about.
            return refused + self._isolate(bucket, lines[middle:], refusal)
        second = self._write(bucket, lines[middle:])
        if second is not None:
            refused += self._isolate(bucket, lines[middle:], second)
        return refused
