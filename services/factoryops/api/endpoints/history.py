"""The newest values, bins and samples: history and live tail as one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from fastapi import Query, Response

from factoryops.api.call import Asking, Call
from factoryops.api.guard import session_name
from factoryops.contracts import http
from factoryops.domain.bins import BinnedSeries, align_down, bin_samples, bin_width_us
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Scope
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.queries import History

_TEXT: Final = int(SampleFlag.TEXT)

Moment = Annotated[int, Query(ge=0, le=253_402_300_799_000_000, examples=[1_767_225_600_000_000])]


async def get_latest(asking: Asking) -> Response:
    """The newest sample of every parameter that has one."""
    plant = await asking.plant()
    series = list(plant.parameter_of)
    newest, texts = await asking.service.history_pool.run(_latest, asking.service.context.history, series)
    rows = zip(
        newest.series.tolist(), newest.time_us.tolist(), newest.value.tolist(), newest.flags.tolist(), strict=True
    )
    values = [
        {
            "parameter_id": plant.parameter_of[one], "series_id": one, "time_us": time_us, "value": value,
            "flags": flags, "text": texts.get(int(value)) if flags & _TEXT else None,
        }
        for one, time_us, value, flags in rows
    ]  # fmt: skip
    return _json({"values": values})


def _latest(history: History, series: Sequence[int]) -> tuple[SampleColumns, dict[int, str]]:
    newest = history.latest(series)
    return newest, _texts_of(history, newest)


def _texts_of(history: History, samples: SampleColumns) -> dict[int, str]:
    """What the texts among the samples are, by code."""
    codes = np.unique(samples.value[(samples.flags & _TEXT) > 0]).astype(np.int64).tolist()
    return history.texts(codes) if codes else {}


async def get_binned(
    asking: Asking,
    parameter_id: Annotated[list[http.Identifier], Query(min_length=1, max_length=200)],
    start_us: Moment,
    end_us: Moment,
    most_bins: Annotated[int, Query(ge=1, le=20_000)] = 1_000,
) -> Response:
    """Minimum, maximum, mean and count per bin, live tail included; bins that hold texts alone are absent.

    The width comes from a fixed ladder and bins lie on absolute time, so the answer covers whole bins: its span may
    be wider than the one asked for by up to a bin on each side.
    """
    _check_span(start_us, end_us)
    series = (await asking.plant()).series(parameter_id)
    width_us = bin_width_us(end_us - start_us, most_bins=most_bins)
    start_us, end_us = align_down(start_us, width_us), -align_down(-end_us, width_us)
    return await _in_turn(asking, lambda: _binned(asking, parameter_id, series, (start_us, end_us), width_us))


async def get_samples(
    parameter_id: http.Identifier,
    asking: Asking,
    start_us: Moment,
    end_us: Moment,
    most_samples: Annotated[int, Query(ge=1, le=200_000)] = 50_000,
) -> Response:
    """Every sample of a parameter in a span, ascending in time, live tail included."""
    _check_span(start_us, end_us)
    (series,) = (await asking.plant()).series([parameter_id])
    return await _in_turn(asking, lambda: _samples(asking, parameter_id, series, (start_us, end_us), most_samples))


def _check_span(start_us: int, end_us: int) -> None:
    if end_us <= start_us:
        raise InvalidInputError(
            "The span is empty: its end must lie after its start.", fields={"end_us": "must lie after start_us"}
        )


async def _in_turn(asking: Call, query: Callable[[], bytes]) -> Response:
    """The answer of a query of this session, of which only so many run at once."""
    async with asking.service.rate_limits.turn(session_name(asking.session)):
        return Response(await asking.service.history_pool.run(query), media_type="application/json")


def _binned(
    asking: Call, parameter_ids: Sequence[str], series: Sequence[int], span: tuple[int, int], width_us: int
) -> bytes:
    history = asking.service.context.history
    found = history.binned(series, *span, width_us)
    empty = bin_samples(np.empty(0, np.int64), np.empty(0, np.float64), width_us)
    columns = [
        _bins(parameter, one, found.get(one, empty)) for parameter, one in zip(parameter_ids, series, strict=True)
    ]
    return msgspec.json.encode(
        {"start_us": span[0], "end_us": span[1], "columns": columns, **_notes(history, asking.scope, span)}
    )


def _bins(parameter_id: str, series: int, bins: BinnedSeries) -> dict[str, object]:
    has_numbers = ~np.isnan(bins.mean)
    return {
        "parameter_id": parameter_id,
        "series_id": series,
        "bin_us": bins.width_us,
        "start_us": bins.start_us[has_numbers].tolist(),
        "count": bins.count[has_numbers].tolist(),
        "minimum": bins.minimum[has_numbers].tolist(),
        "maximum": bins.maximum[has_numbers].tolist(),
        "mean": bins.mean[has_numbers].tolist(),
    }


def _samples(asking: Call, parameter_id: str, series: int, span: tuple[int, int], most: int) -> bytes:
    history = asking.service.context.history
    found = history.raw(series, *span, most=most + 1)
    times = found.time_us.tolist()
    return msgspec.json.encode(
        {
            "parameter_id": parameter_id,
            "series_id": series,
            "time_us": times[:most],
            "value": found.value[:most].tolist(),
            "flags": found.flags[:most].tolist(),
            "texts": _texts_of(history, found),
            "next_start_us": times[most] if len(times) > most else None,
            **_notes(history, asking.scope, span),
        }
    )


def _notes(history: History, scope: Scope, span: tuple[int, int]) -> dict[str, object]:
    """What may be missing in a span, and since when."""
    pending_us = history.pending_from_us
    gaps = [
        {"start_us": gap.start_us, "end_us": gap.end_us, "reason": gap.reason}
        for gap in history.gaps(scope.factory_id, *span)
    ]
    return {"gaps": gaps, "pending_from_us": pending_us if pending_us is not None and pending_us < span[1] else None}


def _json(answer: object) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
