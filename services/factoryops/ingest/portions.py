"""Values of a message with their series: the careful way from names to what a batch takes."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Final, NamedTuple

from factoryops.contracts.telemetry import Reason
from factoryops.contracts.telemetry.mapped_values import Values
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import DeviceEntry, Layout
from factoryops.ingest.series_book import SeriesBook

BYTES_PER_ID: Final = 8


class Portion(NamedTuple):
    """Values of one device and time with the same flags; each with its name and the bytes of its series id."""

    flags: int
    names: list[str]
    ids: list[bytes]
    values: list[float]

    def add_to(self, batch: OpenBatch, time_us: int, flags: int) -> None:
        """Put the values into a batch."""
        if self.ids:
            layout = Layout(b"".join(self.ids), len(self.ids), None, {})
            batch.add_more(layout, self.values, time_us, self.flags | flags)


def portions_of(
    book: SeriesBook, batch: OpenBatch, entry: DeviceEntry, values: Values, received_us: int, lost: Counter[str]
) -> list[Portion]:
    """Give values their series and texts their codes; what is refused is counted in `lost`."""
    found: list[Portion] = []
    for flags, named in values.items():
        layout = book.layout(batch, entry, tuple(named), received_us)
        lost.update(layout.refused)
        names = list(named)
        if layout.keep is not None:
            names = [names[index] for index in layout.keep]
        portion = Portion(flags, [], [], [])
        for place, name in enumerate(names):
            identity = layout.ids[place * BYTES_PER_ID : (place + 1) * BYTES_PER_ID]
            value = _number(book, batch, entry, identity, named[name])
            if isinstance(value, Reason):
                lost[value.value] += 1
                continue
            portion.names.append(name)
            portion.ids.append(identity)
            portion.values.append(value)
        if portion.names:
            found.append(portion)
    return found


def _number(
    book: SeriesBook, batch: OpenBatch, entry: DeviceEntry, identity: bytes, value: float | str
) -> float | Reason:
    """A number as it is; a text's code."""
    if not isinstance(value, str):
        return value
    return book.code(batch, entry.factory_id, int.from_bytes(identity, sys.byteorder), value)
