"""Scanning machines for anomalies: what is read, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.analytics.anomaly import FEWEST_REFERENCE, Episode, find_episodes, learn, moving_average
from factoryops.database.database import Database
from factoryops.domain.bins import BinnedSeries, align_down, bin_width_us
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops.history.queries import History
from factoryops.reports.collect import Request, Tell, alarm_lines, read_plant

_MOST_BINS: Final = 3_000
_COMMON_SHARE: Final = 0.5
_FIRST_PART: Final = 0.35
_WEEK_US: Final = 7 * 86_400 * US_PER_S
_ALARM_MARGIN_US: Final = 300 * US_PER_S


@dataclass(frozen=True, slots=True)
class DeviceScan:
    """One machine scanned.

    Attributes:
        parameters: those that took part, in the order of the columns.
        times_us: int64[n], bin starts of the span.
        ratio: float64[n], T² as a multiple of the limit.
        reason: why it could not be scanned; "" when it was.
        reference: what healthy behaviour was learned from, in words.
    """

    device: Device
    parameters: tuple[Parameter, ...]
    times_us: npt.NDArray[np.int64]
    ratio: npt.NDArray[np.float64]
    episodes: tuple[Episode, ...]
    width_us: int
    reference: str = ""
    reason: str = ""

    def span_us(self, episode: Episode) -> tuple[int, int]:
        """When an episode began and ended."""
        return int(self.times_us[episode.first]), int(self.times_us[episode.last]) + self.width_us


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """All machines scanned over one span."""

    request: Request
    factory: Factory
    devices: tuple[DeviceScan, ...]
    pending_from_us: int | None

    def result(self) -> dict[str, object]:
        """What the client shows beside the file, newest episodes first, at most 100."""
        found = [
            (*one.span_us(episode), one, episode) for one in self.devices for episode in one.episodes
        ]  # fmt: skip
        found.sort(key=lambda row: row[0], reverse=True)
        return {
            "devices": len(self.devices),
            "scanned": sum(not one.reason for one in self.devices),
            "anomalies": len(found),
            "episodes": [
                {
                    "device": one.device.name,
                    "device_id": one.device.id,
                    "start": from_us(start_us).isoformat(),
                    "end": from_us(end_us).isoformat(),
                    "severity": round(episode.severity, 2),
                    "causes": [
                        {
                            "parameter": one.parameters[cause.index].name,
                            "share": round(cause.share, 3),
                            "deviation": round(cause.deviation, 2),
                        }
                        for cause in episode.causes
                    ],
                }
                for start_us, end_us, one, episode in found[:100]
            ],
        }


def scan(request: Request, database: Database, history: History, tell: Tell) -> ScanFigures:
    """Scan every device of the request.

    Healthy behaviour is learned from the week before (from less when the span is short, from as much when it is
    longer); where that holds too little, from the first third of the span itself. Times at which the
    device was in alarm are left out of what is learned.

    Raises:
        InvalidInputError: the span is empty.
        NotFoundError: a device is not of this factory.
        UnavailableError: a store is away.
    """
    start_us, end_us = request.span_us()
    before = Request(
        request.factory_id,
        from_us(_reference_start_us(start_us, end_us)),
        request.end,
        request.device_ids,
        request.requested_by,
    )
    tell(0.02, "Reading the plant and its alarms")
    plant = database.read(lambda transaction: read_plant(transaction, before))
    lines = alarm_lines(plant.events, plant.abnormal, before.start, before.end)
    scans: list[DeviceScan] = []
    for number, device in enumerate(plant.devices):
        tell(0.05 + 0.75 * number / len(plant.devices), f"Scanning {device.name}")
        parameters = [one for one in plant.parameters if one.device_id == device.id]
        alarms = [
            line.period_us(to_us(before.start), end_us) for line in lines if line.device_name == device.name
        ]  # fmt: skip
        scans.append(_scan_device(device, parameters, alarms, history, (start_us, end_us)))
    return ScanFigures(request, plant.factory, tuple(scans), history.pending_from_us)


def _scan_device(
    device: Device,
    parameters: Sequence[Parameter],
    alarms: Sequence[tuple[int, int]],
    history: History,
    span: tuple[int, int],
) -> DeviceScan:
    start_us, end_us = span
    width_us = bin_width_us(end_us - start_us, most_bins=_MOST_BINS)
    first_us = align_down(_reference_start_us(start_us, end_us), width_us)
    columns = history.binned([one.series_id for one in parameters], first_us, end_us, width_us)
    heard = [one for one in parameters if one.series_id in columns]
    chosen, times_us, values = _common([(one, columns[one.series_id]) for one in heard])
    if len(chosen) < 2:
        return _not_scanned(device, width_us, "It needs two parameters at least that are measured at the same times.")
    inside = times_us >= start_us
    calm = _outside(times_us, alarms)
    resolution = np.array([10.0**-one.decimals / 2 for one in chosen])
    learned, words = ~inside & calm, "the time before"
    if int(learned.sum()) < FEWEST_REFERENCE:
        rows = np.flatnonzero(inside)
        learned = np.zeros(len(times_us), np.bool_)
        learned[rows[: int(len(rows) * _FIRST_PART)]] = True
        learned &= calm
        words = "the first third of the period itself"
    if int(learned.sum()) < FEWEST_REFERENCE:
        return _not_scanned(device, width_us, "There is too little history to learn from; choose a longer period.")
    health = learn(values[learned], resolution)
    smooth = moving_average(values)[inside]
    return DeviceScan(
        device, tuple(chosen), times_us[inside], health.t_squared(smooth) / health.limit,
        tuple(find_episodes(health, smooth)), width_us, words,
    )  # fmt: skip


def _reference_start_us(start_us: int, end_us: int) -> int:
    """At most a week before, or the span's own length; never more than seven times as many bins as the span has."""
    span_us = end_us - start_us
    return start_us - min(7 * span_us, max(span_us, _WEEK_US))


def _not_scanned(device: Device, width_us: int, reason: str) -> DeviceScan:
    return DeviceScan(device, (), np.empty(0, np.int64), np.empty(0, np.float64), (), width_us, reason=reason)


def _common(
    columns: Sequence[tuple[Parameter, BinnedSeries]],
) -> tuple[list[Parameter], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The bins in which all parameters have a mean; a parameter that speaks far more rarely is left out."""
    longest = max((len(bins) for _, bins in columns), default=0)
    chosen = [(one, bins) for one, bins in columns if len(bins) >= _COMMON_SHARE * longest]
    if not chosen:
        return [], np.empty(0, np.int64), np.empty((0, 0))
    times_us = chosen[0][1].start_us
    for _, bins in chosen[1:]:
        times_us = np.intersect1d(times_us, bins.start_us, assume_unique=True)
    values = [bins.mean[np.searchsorted(bins.start_us, times_us)] for _, bins in chosen]
    return [one for one, _ in chosen], times_us, np.column_stack(values)


def _outside(times_us: npt.NDArray[np.int64], periods: Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    calm = np.ones(len(times_us), np.bool_)
    for start_us, end_us in periods:
        calm &= (times_us < start_us - _ALARM_MARGIN_US) | (times_us > end_us + _ALARM_MARGIN_US)
    return calm
