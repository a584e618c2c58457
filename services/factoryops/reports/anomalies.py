"""The document of an anomaly scan: when machines behaved unlike themselves, and which parameters gave it away."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from reportlab.platypus import KeepTogether, Spacer

from factoryops.analytics.anomaly import WINDOW, Cause
from factoryops.domain.bins import BinnedSeries
from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops.reports import charts, paper
from factoryops.reports.charts import Curve, Limit, Span
from factoryops.reports.collect import Tell
from factoryops.reports.daily import coarser, duration
from factoryops.reports.scan import DeviceScan, ScanFigures

_CHART_HEIGHT = 96.0
_CHART_BINS = 600
_LIMIT_PRIORITY = 3


def write_anomaly_report(figures: ScanFigures, target: Path, tell: Tell) -> None:
    """Write the PDF to `target`; raises OSError when it cannot be written."""
    tell(0.85, "Drawing the report")
    zone = ZoneInfo(figures.factory.timezone)
    start, end = figures.request.start.astimezone(zone), figures.request.end.astimezone(zone)
    period = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} · {zone.key}"
    found = sum(len(one.episodes) for one in figures.devices)
    foot = f"{found} anomalies · {sum(not one.reason for one in figures.devices)} devices scanned · FactoryOps"
    frame = paper.Frame(f"Anomaly scan · {figures.factory.name}", figures.factory.name, period, foot)
    paper.write_document(target, frame, lambda: _story(figures, zone, period))


def _story(figures: ScanFigures, zone: ZoneInfo, period: str) -> list[Any]:
    span = Span(to_us(figures.request.start), to_us(figures.request.end), zone)
    explained = (
        "Each machine is compared with its own healthy behaviour, over all its parameters together (moving T²). "
        "A value above 1 means: unlike anything in the period it was learned from. It is a hint where to look, "
        "not a diagnosis."
    )
    story: list[Any] = [
        paper.paragraph("Anomaly scan", paper.TITLE),
        paper.paragraph(period, paper.SUBTITLE),
        paper.paragraph(explained, paper.NOTE, longest=400),
        _overview(figures, zone),
    ]
    ordered = sorted(figures.devices, key=lambda each: -len(each.episodes))
    return story + [KeepTogether(_section(one, span, zone)) for one in ordered]


def _overview(figures: ScanFigures, zone: ZoneInfo) -> Any:
    found = [(one, episode) for one in figures.devices for episode in one.episodes]
    if not found:
        return paper.paragraph("No machine behaved unlike itself in this period.", paper.BODY)
    rows = []
    for one, episode in sorted(found, key=lambda pair: -pair[1].severity)[:60]:
        start_us, end_us = one.span_us(episode)
        rows.append([
            f"{from_us(start_us).astimezone(zone):%d %b %H:%M}",
            duration(from_us(end_us) - from_us(start_us)),
            one.device.name,
            f"{episode.severity:.1f}",
            "; ".join(_cause(one, cause) for cause in episode.causes),
        ])  # fmt: skip
    widths = [paper.WIDTH * share for share in (0.13, 0.13, 0.22, 0.09, 0.43)]
    head = ("From", "Lasted", "Device", "Severity", "Parameters that stand out")
    return paper.hairline_table(head, rows, widths, right=frozenset({3}))


def _cause(one: DeviceScan, cause: Cause) -> str:
    direction = "high" if cause.deviation > 0 else "low"
    return f"{one.parameters[cause.index].name} {direction} ({cause.share:.0%})"


def _section(one: DeviceScan, span: Span, zone: ZoneInfo) -> list[Any]:
    parts: list[Any] = [paper.paragraph(one.device.name, paper.SECTION)]
    if one.reason:
        return [*parts, paper.paragraph(f"Not scanned. {one.reason}", paper.BODY, longest=300)]
    window = duration(from_us(WINDOW * one.width_us) - from_us(0))
    note = f"{len(one.parameters)} parameters, moving average over {window}, learned from {one.reference}."
    title = "Distance from healthy behaviour, 1 is the limit"
    curve = Curve(title, "", 1, _as_bins(one), WINDOW * one.width_us + 600 * US_PER_S, (Limit(1.0, _LIMIT_PRIORITY),))
    chart = charts.line_chart(curve, span, (paper.WIDTH, _CHART_HEIGHT), paper.PENS[0])
    return [*parts, paper.paragraph(note, paper.NOTE, longest=300), chart, Spacer(1, 4)]


def _as_bins(one: DeviceScan) -> BinnedSeries:
    ones = np.ones(len(one.times_us), np.int64)
    return coarser(BinnedSeries(one.width_us, one.times_us, ones, one.ratio, one.ratio, one.ratio), _CHART_BINS)
