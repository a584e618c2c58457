"""The exception deadband: values that hardly differ from the last one kept are not kept (decision 0019).

The classic rule of process historians: a value within the deadband of the last kept one is held back. When one leaves
the band, the last value held back is kept first, so that the line stays level until just before the step. After a
longest time a value is kept whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from factoryops.contracts.snapshot import SnapshotDeadband
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import US_PER_S
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Band
from factoryops.ingest.portions import Portion

_EXEMPT: Final = int(SampleFlag.BOOLEAN | SampleFlag.TEXT | SampleFlag.UNCERTAIN)


class Released(NamedTuple):
    """A value that was held back and is kept after all."""

    time_us: int
    identity: bytes
    value: float


def bands_of(deadbands: Iterable[SnapshotDeadband], old: Mapping[str, Band] | None) -> dict[str, Band] | None:
    """The bands of a device by parameter, going on where unchanged ones stood; None for none."""
    bands: dict[str, Band] = {}
    for one in deadbands:
        band = old.get(one.parameter) if old else None
        longest_us = round(one.longest_s * US_PER_S)
        if band is None or (band.width, band.longest_us) != (one.width, longest_us):
            band = Band(one.width, longest_us)
        bands[one.parameter] = band
    return bands or None


def sift(batch: OpenBatch, bands: Mapping[str, Band], portion: Portion, time_us: int) -> tuple[Portion, list[Released]]:
    """What of on-time values is kept, and what was held back before it and is kept now."""
    if portion.flags & _EXEMPT:
        return portion, []
    kept: list[int] = []
    released: list[Released] = []
    for place, (name, value) in enumerate(zip(portion.names, portion.values, strict=True)):
        band = bands.get(name)
        if band is not None:
            batch.remember(band)
            if band.holds_back(value, time_us):
                continue
            if band.held is not None:
                released.append(Released(band.held[0], portion.identity(place), band.held[1]))
            band.keep(value, time_us)
        kept.append(place)
    batch.suppress(len(portion.names) - len(kept) - len(released))
    return portion if len(kept) == len(portion.names) else portion.only(kept), released
