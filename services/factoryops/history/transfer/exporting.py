"""Export of any range of history to one file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from factoryops.contracts.http import ExportEstimate, ExportForm, ExportPlan, Layout, TableFormat
from factoryops.domain.bins import LADDER_S
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.plant import Factory
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import US_PER_S, from_us, now_us, to_us
from factoryops.history.parquet import ParquetWriter
from factoryops.history.queries import History
from factoryops.history.transfer.chunks import Chunks, Span, TextsOf, header_of
from factoryops.history.transfer.csv_out import CsvOut, CsvStyle
from factoryops.history.transfer.frames import Frame, OutSeries
from factoryops.history.transfer.importing import Tell
from factoryops.history.transfer.parquet_out import ParquetOut
from factoryops.observability.disk import check_room

_MOST_POINTS: Final = 100_000
_TELL_EVERY_S: Final = 0.5
_SLICES: Final = 10
_SLICE_SHARE: Final = 200
_JUDGED_SERIES: Final = 50
"""So many series, spread over all, are looked at to judge the rest by: a person waits for the answer."""

_SHOWN_GAPS: Final = 100
_ROW_BYTES: Final = {TableFormat.CSV: 75, TableFormat.PARQUET: 6}
_CELL_BYTES: Final = {TableFormat.CSV: 14, TableFormat.PARQUET: 5}


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One export.

    Attributes:
        version: of the program, for the origin.
        texts_of: what text codes stand for.
    """

    plan: ExportPlan
    factory: Factory
    series: tuple[OutSeries, ...]
    requested_by: str
    version: str
    texts_of: TextsOf


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written."""

    rows: int
    series: int
    gaps: int


class _Out(Protocol):
    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


def width_us_of(plan: ExportPlan) -> int:
    """The width of a bin or the grid in microseconds; the narrowest of at most 100,000 where the plan says none.

    Raises:
        InvalidInputError: bins have the widths of the ladder.
    """
    span_s = (plan.end - plan.start).total_seconds()
    if plan.width_s is None:
        fitting = (width for width in LADDER_S if span_s / width <= _MOST_POINTS)
        return next(fitting, LADDER_S[-1]) * US_PER_S
    if plan.form is ExportForm.BINNED and plan.width_s not in LADDER_S:
        raise InvalidInputError(
            f"Bins have one of the widths {', '.join(map(str, LADDER_S))} s.", fields={"width_s": "not one of these"}
        )
    return round(plan.width_s * US_PER_S)


def check_export(plan: ExportPlan) -> None:
    """Refuse what cannot be exported: raises InvalidInputError."""
    if plan.end <= plan.start:
        raise InvalidInputError(
            "The span is empty: its start must lie before its end.", fields={"end": "must lie after the start"}
        )
    if plan.decimal == plan.delimiter and plan.format is TableFormat.CSV:
        raise InvalidInputError(
            "A decimal comma needs another separator between the cells.", fields={"delimiter": "use a semicolon"}
        )
    width_us_of(plan)


def run_export(job: ExportJob, history: History, target: Path, tell: Tell) -> ExportResult:
    """Write the file.

    Raises:
        InvalidInputError: the plan cannot be carried out.
        StorageError: the file cannot be written, or the disk is nearly full.
        UnavailableError: the store is away.
    """
    check_export(job.plan)
    if not job.series:
        raise InvalidInputError("There is no parameter to export.", fields={"parameter_ids": "choose some"})
    span = _span(job, history)
    chunks = Chunks(history, job.series, span, job.texts_of)
    progress = _Progress(tell, target.parent)
    if job.plan.format is TableFormat.PARQUET and job.plan.form is ExportForm.RAW and job.plan.layout is Layout.LONG:
        _write_samples(job, span, chunks, target, progress)
    else:
        _write_frames(job, span, chunks, target, progress)
    return ExportResult(progress.rows, len(job.series), len(span.gaps))


class _Progress:
    """Counts rows; a few times a second it says how far it is, and looks that the disk keeps room."""

    def __init__(self, tell: Tell, folder: Path) -> None:
        self._tell = tell
        self._folder = folder
        self._told = time.monotonic()
        self._share = 0.0
        self.rows = 0

    def moved(self, share: float) -> None:
        self._share = share

    def add(self, rows: int) -> None:
        self.rows += rows
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            check_room(self._folder)
            self._tell(min(self._share, 1.0), f"Exporting: {self.rows:,} rows")


def _write_frames(job: ExportJob, span: Span, chunks: Chunks, target: Path, progress: _Progress) -> None:
    out = _open(job, span, target)
    try:
        for frame in chunks.frames(job.plan.layout, progress.moved, has_quality=job.plan.has_quality):
            out.write(frame)
            progress.add(frame.rows)
    finally:
        out.close()


def _write_samples(job: ExportJob, span: Span, chunks: Chunks, target: Path, progress: _Progress) -> None:
    """Every sample with its flags, in the layout in which the plant's history is kept as Parquet."""
    origin = {f"factoryops.{name}": _plain(value) for name, value in _origin(job, span).items()}
    with ParquetWriter(target, factory=job.factory.id, origin=origin) as writer:
        for one, samples, texts in chunks.samples(progress.moved):
            writer.write(SeriesKey(job.factory.id, one.device, one.parameter), samples, texts)
            progress.add(len(samples))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _span(job: ExportJob, history: History) -> Span:
    plan = job.plan
    start_us, end_us = to_us(plan.start), to_us(plan.end)
    gaps = history.gaps(job.factory.id, start_us, end_us)
    return Span(
        start_us, end_us, plan.form, width_us_of(plan), plan.interpolation, round(plan.longest_gap_s * US_PER_S),
        tuple(gaps),
    )  # fmt: skip


def _open(job: ExportJob, span: Span, target: Path) -> _Out:
    plan = job.plan
    header = header_of(job.series, plan.form, plan.layout, has_quality=plan.has_quality)
    origin = _origin(job, span)
    if plan.format is TableFormat.PARQUET:
        return ParquetOut(target, header, origin, has_texts=plan.form is ExportForm.RAW)
    lines = _lines(origin) if plan.has_origin else []
    return CsvOut(target, header, CsvStyle(plan.delimiter, plan.decimal, plan.has_bom), lines)


def _origin(job: ExportJob, span: Span) -> dict[str, object]:
    """Where the table comes from, for whoever finds it years later."""
    plan = job.plan
    shape: dict[str, object] = {"form": plan.form.value, "layout": plan.layout.value}
    if plan.form is not ExportForm.RAW:
        shape["width_s"] = span.width_us / US_PER_S
    if plan.form is ExportForm.INTERPOLATED:
        shape |= {"interpolation": plan.interpolation.value, "longest_gap_s": plan.longest_gap_s}
    return {
        "made_by": f"FactoryOps {job.version}",
        "made_at": from_us(now_us()).isoformat(),
        "requested_by": job.requested_by,
        "factory": f"{job.factory.name} ({job.factory.slug})",
        "start": plan.start.isoformat(),
        "end": plan.end.isoformat(),
        **shape,
        "units": {one.name: one.unit for one in job.series if one.unit},
        "gaps": [
            {"start": from_us(gap.start_us).isoformat(), "end": from_us(gap.end_us).isoformat(), "reason": gap.reason}
            for gap in span.gaps[:_SHOWN_GAPS]
        ],
        "gap_count": len(span.gaps),
    }


def _lines(origin: dict[str, object]) -> list[str]:
    lines: list[str] = []
    for name, value in origin.items():
        if isinstance(value, dict):
            lines += [f"{name} {one}: {text}" for one, text in value.items()]
        elif isinstance(value, list):
            lines += [f"gap: {one['start']} to {one['end']}: {one['reason']}" for one in value]
        else:
            lines.append(f"{name}: {value}")
    return ["".join(letter if letter.isprintable() else " " for letter in line) for line in lines]


def estimate(plan: ExportPlan, series: Sequence[OutSeries], history: History) -> ExportEstimate:
    """About how much it will be, from a few slices of the span and some of the series.

    Raises:
        InvalidInputError: the plan cannot be carried out.
    """
    check_export(plan)
    start_us, end_us = to_us(plan.start), to_us(plan.end)
    if plan.form is ExportForm.RAW:
        judged = series[:: -(-len(series) // _JUDGED_SERIES)] if series else []
        counts = _counts(judged, start_us, end_us, history)
        rows = max(counts, default=0)
        if plan.layout is not Layout.WIDE:
            rows = round(sum(counts) * len(series) / max(1, len(judged)))
    else:
        points = (end_us - start_us) // width_us_of(plan) + 1
        rows = points * (1 if plan.layout is Layout.WIDE else len(series))
    per_row = _ROW_BYTES[plan.format] if plan.layout is Layout.LONG else len(series) * _CELL_BYTES[plan.format] + 28
    return ExportEstimate(parameters=len(series), rows=rows, size_bytes=rows * per_row)


def _counts(series: Sequence[OutSeries], start_us: int, end_us: int, history: History) -> list[int]:
    """Samples per series, judged by slices of the span."""
    length_us = max(US_PER_S, (end_us - start_us) // _SLICE_SHARE)
    step_us = max(length_us, (end_us - start_us) // _SLICES)
    found = dict.fromkeys((one.identity for one in series), 0)
    looked_us = 0
    for first_us in range(start_us, end_us, step_us):
        last_us = min(first_us + length_us, end_us)
        looked_us += last_us - first_us
        for identity, bins in history.binned([*found], first_us, last_us, 60 * US_PER_S).items():
            found[identity] += int(bins.count.sum())
    return [round(count * (end_us - start_us) / max(1, looked_us)) for count in found.values()]
