"""Publishers and devices as the hot path needs them: everything looked up once, then found by one dictionary."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MOST_LAYOUTS: Final = 64
"""Different sets of names remembered per device; a device has one or two."""

LARGEST_LAYOUT_BYTES: Final = 64 << 10
"""What the names of one set may take in memory to be remembered."""

_NAME_BYTES: Final = 64
"""What a name takes beside its characters."""


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
        is_plain: every value is kept, and none has a deadband.
        until_us: when names that were refused may be asked for again; 0 for never.
    """

    ids: bytes
    width: int
    keep: tuple[int, ...] | None
    refused: dict[str, int]
    is_plain: bool = False
    until_us: int = 0


def layout_of(
    ids: Iterable[int], keep: list[int], total: int, refused: dict[str, int], *, until_us: int = 0,
    has_bands: bool = False,
) -> Layout:  # fmt: skip
    """The layout of `total` names of which `keep` are kept under `ids`."""
    packed = array("q", ids)
    is_whole = len(keep) == total
    is_plain = is_whole and total > 0 and not has_bands
    return Layout(packed.tobytes(), len(packed), None if is_whole else tuple(keep), refused, is_plain, until_us)


@dataclass(eq=False, slots=True)
class Band:
    """The exception deadband of one series, and where it stands.

    Attributes:
        width: how far a value may be from the last kept one, in the parameter's unit.
        longest_us: how old the last kept value may become.
        kept: time and value of the last kept sample, None before the first.
        held: time and value of the newest sample held back since, None when there is none.
    """

    width: float
    longest_us: int
    kept: tuple[int, float] | None = None
    held: tuple[int, float] | None = None

    def holds_back(self, value: float, time_us: int) -> bool:
        """Whether a sample need not be kept; it is held back then."""
        if self.kept is None:
            return False
        kept_us, kept = self.kept
        if abs(value - kept) > self.width or not 0 <= time_us - kept_us < self.longest_us:
            return False
        self.held = (time_us, value)
        return True

    def keep(self, value: float, time_us: int) -> None:
        """Go on from a sample that is kept."""
        self.kept, self.held = (time_us, value), None


@dataclass(eq=False, slots=True)
class DeviceEntry:
    """A device that may publish.

    Attributes:
        names: the parameters that have a series.
        newest_us: its newest on-time sample, in our time.
        offset_us: what must be added to its time to give ours, as recorded in the journal.
        bands: exception deadbands by parameter; None for none.
        first_us: when it brought its first name, 0 for before the start of this run.
        budget_from_us / budget_used: since when new names are counted, and how many there were.
        layouts_bytes: what its layouts take in memory, about.
    """

    factory_id: str
    key: str
    names: set[str]
    newest_us: int = 0
    offset_us: int = 0
    layouts: dict[tuple[str, ...], Layout] = field(default_factory=dict)
    bands: dict[str, Band] | None = None
    first_us: int = 0
    budget_from_us: int = 0
    budget_used: int = 0
    layouts_bytes: int = 0

    @property
    def is_worth_keeping(self) -> bool:
        """Whether more is known of it than that somebody named it."""
        return bool(self.names or self.offset_us or self.bands)

    def remember(self, names: tuple[str, ...], layout: Layout) -> int:
        """Keep what a sequence of names turns into, within bounds; returns by how many bytes that grew."""
        size_bytes = sum(map(len, names)) + _NAME_BYTES * len(names)
        if size_bytes > LARGEST_LAYOUT_BYTES:
            return 0
        before_bytes = self.layouts_bytes
        if len(self.layouts) >= MOST_LAYOUTS:
            self.forget_layouts()
        if names not in self.layouts:
            self.layouts_bytes += size_bytes
        self.layouts[names] = layout
        return self.layouts_bytes - before_bytes

    def forget_layouts(self) -> None:
        """Find out anew what sequences of names turn into."""
        self.layouts.clear()
        self.layouts_bytes = 0
