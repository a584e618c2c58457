"""One factory's samples on their way to its bucket, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.influx.lines import EARLIEST_US, LATEST_US, SeriesName, flag_lines, sample_lines, text_lines
from factoryops.history.influx.upload import RefusedValue, Upload


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent.

    Attributes:
        samples: one per series and time, ordered by both.
        repeated: samples that a later one of the same parcel replaced.
        refused: values that cannot be sent, by reason.
    """

    samples: SampleColumns
    repeated: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of it.

    Attributes:
        kept: the samples that are in the bucket now.
        stored / replaced: how many of them are new, and how many took another's place.
        refused: values that were not taken, by reason.
        put_aside: those the server would not take.
        marker: the marker point written behind them; None when nothing was sent.
    """

    kept: SampleColumns
    stored: int
    replaced: int
    refused: Mapping[str, int]
    put_aside: Sequence[RefusedValue]
    marker: tuple[int, int] | None = None


def pack(samples: SampleColumns, names: Mapping[int, SeriesName]) -> Parcel:
    """What of `samples` can be sent; those whose series has no name cannot."""
    is_finite = np.isfinite(samples.value)
    is_in_range = (samples.time_us >= EARLIEST_US) & (samples.time_us <= LATEST_US)
    is_named = np.isin(samples.series, np.fromiter(names, np.int64, len(names)))
    refused = {
        "not_finite": int((~is_finite).sum()),
        "time_out_of_range": int((is_finite & ~is_in_range).sum()),
        "not_encodable": int((is_finite & is_in_range & ~is_named).sum()),
    }
    fit = samples.take(is_finite & is_in_range & is_named) if any(refused.values()) else samples
    ordered = fit.sorted_unique()
    return Parcel(ordered, len(fit) - len(ordered), refused)


def deliver(
    upload: Upload,
    factory: str,
    parcel: Parcel,
    names: Mapping[int, SeriesName],
    texts: Mapping[int, tuple[str, str]],
    *,
    is_present: npt.NDArray[np.bool_],
    may_repeat: bool,
) -> Delivery:
    """Send a parcel: values, what texts stand for, and flags, also where a sample may replace one that had a flag.

    Args:
        upload: the way to the server.
        factory: whose bucket it goes to.
        parcel: n samples.
        names: of every series in them.
        texts: what the codes in them stand for.
        is_present: bool[n], which samples take the place of one in the bucket.
        may_repeat: the same samples may be in the bucket from an upload that failed in the end.

    Raises:
        UnavailableError: not all has been confirmed; send it again later.
    """
    samples = parcel.samples
    put_aside = upload.send(factory, sample_lines(samples, names))
    is_kept = np.ones(len(samples), np.bool_)
    is_kept[[one.place for one in put_aside]] = False
    needs_flag = (samples.flags != 0) | is_present | may_repeat
    put_aside += upload.send(factory, flag_lines(samples.take(is_kept & needs_flag), names))
    is_text = is_kept & ((samples.flags & SampleFlag.TEXT) != 0)
    if is_text.any():
        known = {code: text for code, (_, text) in texts.items()}
        is_text &= np.isin(samples.value, np.fromiter(known, np.float64, len(known)))
        put_aside += upload.send(factory, text_lines(samples.take(is_text), names, known))
    replaced = int(is_present[is_kept].sum())
    kept = samples.take(is_kept)
    return Delivery(
        kept,
        stored=len(kept) - replaced,
        replaced=parcel.repeated + replaced,
        refused={**parcel.refused, "refused_by_store": len(samples) - len(kept)},
        put_aside=put_aside,
    )
