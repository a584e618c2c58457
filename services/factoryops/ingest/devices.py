"""Publishers and devices as the hot path needs them: everything looked up once, then found by one dictionary."""

from __future__ import annotations

import hashlib
import hmac
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from factoryops.contracts.snapshot import Snapshot, SnapshotCredential

MOST_LAYOUTS: Final = 64
"""Different sets of names remembered per device; a device has one or two."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who sends over a connection, and for what it may.

    Attributes:
        label: the user name, or the broker's name, for people.
        factory_id: the only factory it may publish for; None where a broker has already decided that.
        device_key: the only device it may publish for; None for any of the factory.
    """

    label: str
    factory_id: str | None = None
    device_key: str | None = None


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


_NOBODY: Final = hashlib.sha256(b"nobody").hexdigest()


class Access:
    """Which user name and secret open the endpoint, from the snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        factories = {factory.id for factory in snapshot.factories}
        self._credentials: dict[str, SnapshotCredential] = {
            one.username: one for one in snapshot.credentials if one.factory_id in factories
        }

    def admit(self, username: str, secret: bytes) -> Publisher | None:
        """The publisher that a user name and secret belong to; None when they do not match."""
        credential = self._credentials.get(username)
        expected = credential.secret_sha256 if credential else _NOBODY
        matches = hmac.compare_digest(hashlib.sha256(secret).hexdigest(), expected.lower())
        if credential is None or not matches:
            return None
        return Publisher(username, credential.factory_id, credential.device_key)

    def fingerprint(self, username: str) -> SnapshotCredential | None:
        """The credential as it stands, to notice that it was changed or revoked."""
        return self._credentials.get(username)
