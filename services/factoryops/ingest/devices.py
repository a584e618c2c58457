"""Publishers and devices as the hot path needs them: everything looked up once, then found by one dictionary."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MOST_LAYOUTS: Final = 64
"""Different sets of names remembered per device; a device has one or two."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who sends over a connection, and for what it may.

    Attributes:
        label: the user name, or the broker's name, for people.
        factory_id: the only factory it may publish for; None where a broker has already decided that.
        device_key: the only device it may publish for; None for any of the factory, "" for none.
        secret_sha256: hexadecimal SHA-256 of what it logged in with; "" where a broker let it in.
        may_subscribe: whether it may look at its factory's traffic.
    """

    label: str
    factory_id: str | None = None
    device_key: str | None = None
    secret_sha256: str = field(default="", repr=False)
    may_subscribe: bool = False


class Layout(NamedTuple):
    """What a message with a given sequence of names turns into.

    Attributes:
        ids: int64[width], the series ids, as bytes.
        width: how many values are kept.
        keep: the places of the values that are kept; None for all.
        refused: how many values each message of this layout loses, by reason.
    """

    ids: bytes
    width: int
    keep: tuple[int, ...] | None
    refused: dict[str, int]


def layout_of(ids: Iterable[int], keep: list[int], total: int, refused: dict[str, int]) -> Layout:
    """The layout of `total` names of which `keep` are kept under `ids`."""
    packed = array("q", ids)
    return Layout(packed.tobytes(), len(packed), None if len(keep) == total else tuple(keep), refused)


@dataclass(eq=False, slots=True)
class DeviceEntry:
    """A device that may publish.

    Attributes:
        names: the parameters that have a series.
        newest_us: its newest on-time sample.
    """

    factory_id: str
    key: str
    names: set[str]
    newest_us: int = 0
    layouts: dict[tuple[str, ...], Layout] = field(default_factory=dict)

    def remember(self, names: tuple[str, ...], layout: Layout) -> None:
        """Keep what a sequence of names turns into, within bounds."""
        if len(self.layouts) >= MOST_LAYOUTS:
            self.layouts.clear()
        self.layouts[names] = layout
