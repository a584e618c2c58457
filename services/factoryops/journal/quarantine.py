"""What could not be accepted, for people: grouped by reason and origin, looked at one by one, picked for a replay."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from factoryops.journal.schema import open_for_reading
from factoryops.journal.walk import DAMAGE

MOST_GROUPS: Final = 500
"""Groups told at once, those with the newest messages first."""

_LATEST: Final = 1 << 62
_AT_ONCE: Final = 500
_DIGIT: Final = re.compile(r"\d")
_COLUMNS: Final = "number, received_us, client, reason, detail, topic, payload, device"


class HeldMessage(msgspec.Struct, frozen=True):
    """A message in quarantine; the number and the receive time together name it for good."""

    number: int
    received_us: int
    client: str
    reason: str
    detail: str
    topic: bytes
    payload: bytes
    device: str = ""

    @property
    def origin(self) -> str:
        """What its group is called beside the reason."""
        return origin_of(self.device, self.topic)


@dataclass(slots=True)
class QuarantineGroup:
    """Messages of one reason and one origin.

    Attributes:
        origin: the device's key, or where that is not known the topic with `+` for the levels that vary.
        is_device: which of the two it is.
        count: how many are kept; `replayed` of them were put into the history since.
        newest: the number of the newest, as an example.
    """

    reason: str
    origin: str
    is_device: bool
    first_us: int
    last_us: int
    newest: int
    count: int = 0
    replayed: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are meant; None means any."""

    reason: str | None = None
    origin: str | None = None


def origin_of(device: str, topic: bytes) -> str:
    """The device's key where it is known; else the topic, with `+` for every level that holds a digit."""
    if device:
        return device
    levels = topic.decode("utf-8", "backslashreplace").split("/")
    return "/".join("+" if _DIGIT.search(level) else level for level in levels)


def _origin(*values: Any) -> str:
    device, topic = values
    return origin_of(device, topic)


class QuarantineReader:
    """Reads the quarantine of one journal for one factory. A journal that is not there holds nothing."""

    def __init__(self, path: Path, factory: str) -> None:
        self._factory = factory
        self._connection: apsw.Connection | None = None
        with contextlib.suppress(apsw.CantOpenError):
            self._connection = open_for_reading(path)
            self._connection.create_scalar_function("origin_of", _origin, 2, deterministic=True)

    def groups(self, replayed: Iterable[tuple[int, int]] = ()) -> list[QuarantineGroup]:
        """All groups, the one with the newest message first, at most `MOST_GROUPS`.

        Args:
            replayed: (number, receive time) of messages that were put into the history since.
        """
        done = frozenset(replayed)
        found: dict[tuple[str, str], QuarantineGroup] = {}
        rows = self._rows(
            "SELECT reason, device, topic, received_us, number FROM quarantine WHERE factory = ?", (self._factory,)
        )
        for reason, device, topic, received_us, number in rows:
            origin = origin_of(device, topic)
            group = found.get((reason, origin))
            if group is None:
                group = QuarantineGroup(reason, origin, bool(device), received_us, received_us, number)
                found[reason, origin] = group
            group.count += 1
            group.replayed += (number, received_us) in done
            group.first_us = min(group.first_us, received_us)
            group.last_us = max(group.last_us, received_us)
            group.newest = max(group.newest, number)
        return sorted(found.values(), key=lambda group: -group.newest)[:MOST_GROUPS]

    def messages(
        self, chosen: Filter = Filter(), *, before: int | None = None, most: int = 100
    ) -> list[HeldMessage]:  # fmt: skip
        """The newest messages, newest first; `before` pages on by their number."""
        where, values = ["factory = ?", "number < ?"], [self._factory, _LATEST if before is None else before]
        if chosen.reason is not None:
            where.append("reason = ?")
            values.append(chosen.reason)
        if chosen.origin is not None:
            where.append("origin_of(device, topic) = ?")
            values.append(chosen.origin)
        query = f"SELECT {_COLUMNS} FROM quarantine WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"  # noqa: S608 - constants of this module
        return [HeldMessage(*row) for row in self._rows(query, (*values, most))]

    def numbered(self, numbers: Iterable[int]) -> Iterator[HeldMessage]:
        """The messages of these numbers that are still kept, oldest first, read a portion at a time."""
        wanted = sorted(set(numbers))
        for start in range(0, len(wanted), _AT_ONCE):
            portion = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(portion))
            query = f"SELECT {_COLUMNS} FROM quarantine WHERE factory = ? AND number IN ({marks}) ORDER BY number"  # noqa: S608 - marks only
            yield from (HeldMessage(*row) for row in self._rows(query, (self._factory, *portion)))

    def numbers(self, chosen: Filter) -> list[int]:
        """The numbers of all messages that are meant, oldest first."""
        numbers: list[int] = []
        rows = self._rows(
            "SELECT number, reason, device, topic FROM quarantine WHERE factory = ?", (self._factory,)
        )  # fmt: skip
        for number, reason, device, topic in rows:
            if chosen.reason in (None, reason) and chosen.origin in (None, origin_of(device, topic)):
                numbers.append(number)
        return sorted(numbers)

    def oldest(self) -> int:
        """The oldest number that is kept of any factory; 0 when there is none."""
        rows = self._rows("SELECT min(number) FROM quarantine", ())
        return int(rows[0][0] or 0) if rows else 0

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        with contextlib.suppress(apsw.SQLError, apsw.BusyError, *DAMAGE):
            return self._connection.execute(query, values).fetchall()
        return []

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
