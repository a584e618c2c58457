"""The newest values, bins and samples: history and live tail as one line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from fastapi import Query, Request, Response

from factoryops.api.call import Asking, Call
from factoryops.api.guard import session_name
from factoryops.api.statistics import cursor_of, cursor_time_us, figures_of
from factoryops.contracts import http
from factoryops.domain.bins import BinSummaries, align_down, bin_samples, bin_width_us
from factoryops.domain.errors import AbandonedError, InvalidInputError
from factoryops.domain.identity import Scope
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.summaries import take_bins, weighted_means
from factoryops.domain.time import US_PER_S, now_us
from factoryops.history.queries import LOOK_BACK_US, History
from factoryops.history.store import Cancelled

_MOST_BINS_IN_ALL: Final = 400_000
_MOST_DAYS: Final = 400
_MOST_DAYS_IN_ALL: Final = 4_000
_DAY_US: Final = 86_400 * US_PER_S
_LOOK_EVERY_S: Final = 0.25
_CLIENT_HAS_GONE: Final = 499
_QUALITIES: Final = ("late", "imported", "uncertain", "texts")
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
    request: Request,
    parameter_id: Annotated[list[http.Identifier], Query(min_length=1, max_length=200)],
    start_us: Moment,
    end_us: Moment,
    most_bins: Annotated[int, Query(ge=1, le=20_000)] = 1_000,
    weighted: bool = False,
) -> Response:
    """Minimum, maximum, mean and count per bin, live tail included; bins that hold texts alone are absent.

    The width comes from a fixed ladder and bins lie on absolute time, so the answer covers whole bins: its span may
    be wider than the one asked for by up to a bin on each side. Many parameters at once get wider bins than asked for:
    400,000 in all at most. With `weighted` each bin has its time-weighted mean beside the plain one.
    """
    _check_span(start_us, end_us)
    series = (await asking.plant()).series(parameter_id)
    width_us = bin_width_us(end_us - start_us, most_bins=min(most_bins, max(1, _MOST_BINS_IN_ALL // len(series))))
    span = align_down(start_us, width_us), -align_down(-end_us, width_us)
    return await _in_turn(
        asking,
        request,
        lambda cancelled: _binned(asking, parameter_id, series, span, width_us, cancelled, is_weighted=weighted),
    )


async def get_statistics(
    asking: Asking,
    request: Request,
    parameter_id: Annotated[list[http.Identifier], Query(min_length=1, max_length=50)],
    start_us: Moment,
    end_us: Moment,
) -> Response:
    """Time-weighted mean, deviation, extremes and quality of a span, live tail included.

    A value holds until the next one; only good values count, and only outside gaps. Over more than 400 days, or 4,000
    with all parameters together, ask in pieces.
    """
    _check_span(start_us, end_us)
    days = (end_us - start_us) / _DAY_US
    if days > _MOST_DAYS or days * len(parameter_id) > _MOST_DAYS_IN_ALL:
        raise InvalidInputError(
            f"This would read {days * len(parameter_id):,.0f} days of single parameters. Ask for at most {_MOST_DAYS} "
            f"days at once, and fewer parameters: {_MOST_DAYS_IN_ALL:,} days in all.",
            fields={"end_us": "too late"},
        )
    series = (await asking.plant()).series(parameter_id)
    return await _in_turn(
        asking, request, lambda cancelled: _statistics(asking, parameter_id, series, (start_us, end_us), cancelled)
    )


async def get_samples(
    parameter_id: http.Identifier,
    asking: Asking,
    request: Request,
    start_us: Moment,
    end_us: Moment,
    most_samples: Annotated[int, Query(ge=1, le=200_000)] = 50_000,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Every sample of a parameter in a span, ascending in time, live tail included.

    `cursor` is what an earlier answer to the same question gave as `next_cursor`; the answer goes on from there.
    """
    _check_span(start_us, end_us)
    (series,) = (await asking.plant()).series([parameter_id])
    span = (cursor_time_us(cursor, series, (start_us, end_us)) if cursor else start_us), end_us
    return await _in_turn(
        asking, request, lambda cancelled: _samples(asking, parameter_id, series, span, most_samples, cancelled)
    )


def _check_span(start_us: int, end_us: int) -> None:
    if end_us <= start_us:
        raise InvalidInputError(
            "The span is empty: its end must lie after its start.", fields={"end_us": "must lie after start_us"}
        )


async def _in_turn(asking: Call, request: Request, query: Callable[[Cancelled], bytes]) -> Response:
    """The answer of a query of this session, of which only so many run at once; it ends early when nobody waits."""
    given_up = threading.Event()
    async with asking.service.rate_limits.turn(session_name(asking.session)):
        work = asyncio.ensure_future(asking.service.history_pool.run(query, given_up.is_set))
        try:
            while not (await asyncio.wait({work}, timeout=_LOOK_EVERY_S))[0]:
                if await request.is_disconnected():
                    given_up.set()
            return Response(await work, media_type="application/json")
        except AbandonedError:
            return Response(status_code=_CLIENT_HAS_GONE)
        finally:
            given_up.set()
            work.cancel()


def _binned(
    asking: Call,
    parameter_ids: Sequence[str],
    series: Sequence[int],
    span: tuple[int, int],
    width_us: int,
    cancelled: Cancelled,
    *,
    is_weighted: bool,
) -> bytes:
    history = asking.service.context.history
    found = history.binned(series, *span, width_us, cancelled=cancelled)
    empty = bin_samples(np.empty(0, np.int64), np.empty(0, np.float64), width_us)
    until_us = min(span[1], now_us()) if is_weighted else 0
    columns = [
        _bins(parameter, one, found.get(one, empty), until_us)
        for parameter, one in zip(parameter_ids, series, strict=True)
    ]
    return msgspec.json.encode(
        {"start_us": span[0], "end_us": span[1], "columns": columns, **_notes(history, asking.scope, span)}
    )


def _bins(parameter_id: str, series: int, bins: BinSummaries, weighted_until_us: int) -> dict[str, object]:
    quality = {"samples": int(bins.count.sum())} | {name: int(getattr(bins, name).sum()) for name in _QUALITIES}
    has_numbers = bins.count > bins.texts
    weighted = weighted_means(bins, weighted_until_us)[has_numbers].tolist() if weighted_until_us else []
    bins = bins if has_numbers.all() else take_bins(bins, has_numbers)
    return {
        "parameter_id": parameter_id,
        "series_id": series,
        "bin_us": bins.width_us,
        "start_us": bins.start_us.tolist(),
        "count": bins.count.tolist(),
        "minimum": bins.minimum.tolist(),
        "maximum": bins.maximum.tolist(),
        "mean": bins.mean.tolist(),
        "weighted_mean": weighted,
        "quality": quality,
        "resolution_us": bins.resolution_us,
    }


def _statistics(
    asking: Call, parameter_ids: Sequence[str], series: Sequence[int], span: tuple[int, int], cancelled: Cancelled
) -> bytes:
    history = asking.service.context.history
    gaps = history.gaps(asking.scope.factory_id, span[0] - LOOK_BACK_US, span[1])
    figures = [
        figures_of(parameter, one, history.held(one, span, gaps, cancelled=cancelled), span)
        for parameter, one in zip(parameter_ids, series, strict=True)
    ]
    notes = _notes(history, asking.scope, span)
    return msgspec.json.encode({"start_us": span[0], "end_us": span[1], "parameters": figures, **notes})


def _samples(
    asking: Call, parameter_id: str, series: int, span: tuple[int, int], most: int, cancelled: Cancelled
) -> bytes:
    history = asking.service.context.history
    found = history.raw(series, *span, most=most + 1, cancelled=cancelled)
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
            "next_cursor": cursor_of(series, times[most]) if len(times) > most else None,
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
