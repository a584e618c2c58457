"""Values of a message with their series: the careful way from names to what a batch takes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from factoryops.contracts.telemetry import Reason
from factoryops.contracts.telemetry.mapped_values import Values
from factoryops.domain.samples import SampleFlag
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import DeviceEntry, Layout
from factoryops.ingest.series_book import SeriesBook

BYTES_PER_ID: Final = 8

_TEXT: Final = int(SampleFlag.TEXT)


class Portion(NamedTuple):
    """Values of one device and time with the same flags, each with its name; the layout has their series."""

    flags: int
    layout: Layout
    names: Sequence[str]
    values: list[float]

    def identity(self, place: int) -> bytes:
        """The series id of one of the values, as the bytes of an int64."""
        return self.layout.ids[place * BYTES_PER_ID : (place + 1) * BYTES_PER_ID]

    def only(self, places: Sequence[int]) -> Portion:
        """The values at some places."""
        layout = Layout(b"".join(map(self.identity, places)), len(places), None, {})
        return Portion(self.flags, layout, [self.names[at] for at in places], [self.values[at] for at in places])

    def add_to(self, batch: OpenBatch, time_us: int, flags: int) -> None:
        """Put the values into a batch."""
        if self.values:
            batch.add_more(self.layout, self.values, time_us, self.flags | flags)


def portions_of(
    book: SeriesBook, batch: OpenBatch, entry: DeviceEntry, values: Values, received_us: int, lost: Counter[str]
) -> list[Portion]:
    """Give values their series and texts their codes; what is refused is counted in `lost`."""
    found: list[Portion] = []
    for flags, named in values.items():
        names: Sequence[str] = tuple(named)
        layout = book.layout(batch, entry, tuple(names), received_us)
        listed = list(named.values())
        if layout.keep is not None:
            lost.update(layout.refused)
            names, listed = [names[at] for at in layout.keep], [listed[at] for at in layout.keep]
        if flags & _TEXT:
            portion = _coded(book, batch, entry, Portion(flags, layout, names, []), cast("list[str]", listed), lost)
        else:
            portion = Portion(flags, layout, names, cast("list[float]", listed))
        if portion.values:
            found.append(portion)
    return found


def _coded(
    book: SeriesBook, batch: OpenBatch, entry: DeviceEntry, portion: Portion, texts: list[str], lost: Counter[str]
) -> Portion:
    """The portion with the codes of those texts that are taken."""
    places: list[int] = []
    for place, text in enumerate(texts):
        series = int.from_bytes(portion.identity(place), sys.byteorder)
        code = book.code(batch, entry.factory_id, series, text)
        if isinstance(code, Reason):
            lost[code.value] += 1
        else:
            places.append(place)
        portion.values.append(0.0 if isinstance(code, Reason) else code)
    return portion if len(places) == len(texts) else portion.only(places)
