"""The daily report: one PDF a supervisor reads in a minute and keeps for years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, KeepTogether, PageBreak, Paragraph, Spacer, Table, TableStyle

from factoryops.domain.alarms import Priority
from factoryops.domain.bins import BinnedSeries
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops.reports import charts, paper
from factoryops.reports.alarm_load import alarm_load_section
from factoryops.reports.charts import Curve, Limit, Period, Span
from factoryops.reports.collect import AlarmLine, DailyFigures, DeviceFigures, ParameterFigures, Tell
from factoryops.reports.text import count, figure, markup, shown

_CHART_BINS: Final = 300
_CHARTS_PER_DEVICE: Final = 4
_CHART_HEIGHT: Final = 92.0
_GUTTER: Final = 10.0
_GAP_LINES: Final = 40
_ALARM_LINES: Final = 500
_BROKEN_AFTER_US: Final = 600 * US_PER_S


def write_daily_report(figures: DailyFigures, target: Path, tell: Tell) -> dict[str, object]:
    """Write the PDF to `target`.

    Returns:
        The figures worth showing beside the file: pages, devices, samples, alarms, completeness, data hash.

    Raises:
        OSError: the file cannot be written.
    """
    tell(0.65, "Drawing the report")
    report = _Report(figures)
    pages = paper.write_document(target, report.frame(), report.story)
    tell(0.98, "Writing the file")
    return {
        "pages": pages,
        "devices": len(figures.devices),
        "samples": figures.samples,
        "alarms": len(figures.alarms),
        "completeness": round(figures.completeness, 4),
        "gaps": len(figures.gaps),
        "data_sha256": figures.data_sha256,
    }


class _Report:
    """The story of one report; everything in it can be told twice, for the page count."""

    def __init__(self, figures: DailyFigures) -> None:
        self._figures = figures
        self._zone = figures.zone
        request = figures.request
        self._span = Span(to_us(request.start), to_us(request.end), self._zone)

    def frame(self) -> paper.Frame:
        figures = self._figures
        foot = (
            f"Completeness {figures.completeness:.1%} · {count(figures.samples)} samples · "
            f"data SHA-256 {figures.data_sha256[:24]}… · FactoryOps"
        )
        title = f"{self._title()} · {shown(figures.factory.name)}"
        return paper.Frame(title, figures.factory.name, f"{self._period()} · {self._zone.key}", foot)

    def story(self) -> list[Any]:
        return [
            *self._first_page(),
            *self._alarm_section(),
            *alarm_load_section(self._figures.load),
            *self._loss_section(),
            *self._device_sections(),
        ]

    # --- first page ---

    def _first_page(self) -> list[Any]:
        figures = self._figures
        made = datetime.now(UTC) if figures.request.end > datetime.now(UTC) else None
        note = f"{self._period()}, times in {self._zone.key}"
        if made is not None:
            note += f"; the period is not over yet (made {self._clock(made, has_date=True)})"
        return [
            paper.paragraph(self._title(), paper.TITLE),
            paper.paragraph(note, paper.SUBTITLE),
            self._key_figures(),
            *self._pending_note(),
            paper.paragraph("Alarms over the period", paper.SECTION),
            *self._timeline(),
            paper.paragraph("Devices", paper.SECTION),
            self._device_table(),
        ]

    def _title(self) -> str:
        start, end = self._local(self._figures.request.start), self._local(self._figures.request.end)
        is_one_day = start.time() == end.time() == datetime.min.time() and end.date() - start.date() == timedelta(1)
        return f"Daily report, {start:%A} {start.day} {start:%B %Y}" if is_one_day else "Operations report"

    def _period(self) -> str:
        start, end = self._local(self._figures.request.start), self._local(self._figures.request.end)
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"

    def _key_figures(self) -> Any:
        figures = self._figures
        unanswered = sum(line.acknowledged_at is None for line in figures.alarms)
        pairs = [
            ("Alarms", count(len(figures.alarms)), self._by_priority()),
            ("Not acknowledged", count(unanswered), []),
            ("Devices heard", f"{sum(1 for one in figures.devices if one.samples)} of {len(figures.devices)}", []),
            ("Completeness", f"{figures.completeness:.1%}", []),
            ("Samples", count(figures.samples), []),
        ]
        cells = [[paper.paragraph(label, paper.KEY_LABEL), paper.paragraph(value, paper.KEY_VALUE), *more]
                 for label, value, more in pairs]  # fmt: skip
        table = Table([cells], colWidths=[paper.WIDTH * share for share in (0.25, 0.19, 0.19, 0.18, 0.19)])
        table.setStyle(
            TableStyle(
                [
                    ("BACKGROUND", (0, 0), (-1, -1), paper.BASE),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEAFTER", (0, 0), (-2, -1), 0.5, paper.LINE),
                    ("TOPPADDING", (0, 0), (-1, -1), 7),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
                ]
            )
        )
        return table

    def _by_priority(self) -> list[Any]:
        """The number of alarms per priority, each with its shape."""
        numbers = Counter(line.priority for line in self._figures.alarms)
        cells: list[Any] = []
        for priority in Priority:
            cells += [charts.badge_drawing(priority), paper.paragraph(str(numbers[priority]), paper.CELL)]
        table = Table([cells], colWidths=[12, 17] * len(Priority), hAlign="LEFT")
        table.setStyle(
            TableStyle(
                [
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
                    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
                ]
            )
        )
        return [Spacer(1, 4), table]

    def _pending_note(self) -> list[Any]:
        pending = self._figures.pending_from
        if pending is None:
            return []
        text = (
            f"The history store was away: samples from {self._clock(pending, has_date=True)} on are missing here. "
            "They are safe in the journal; make the report again when the store is back."
        )
        return [Spacer(1, 6), paper.paragraph(text, paper.NOTE, longest=300)]

    def _timeline(self) -> list[Any]:
        rows: dict[str, list[Period]] = {}
        for line in self._figures.alarms:
            rows.setdefault(line.device_name, []).append(self._period_of(line))
        if not rows:
            return [paper.paragraph("There was no alarm in this period.", paper.BODY)]
        ordered = sorted(rows.items(), key=lambda row: (-len(row[1]), row[0]))[:25]
        return [charts.timeline(ordered, self._span, paper.WIDTH)]

    def _device_table(self) -> Any:
        numbers = Counter(line.device_name for line in self._figures.alarms)
        rows = [
            [
                one.device.name,
                one.device.kind,
                one.device.area,
                count(numbers[one.device.name]) if numbers[one.device.name] else "\u2013",
                count(one.samples),
                f"{one.completeness:.1%}" if one.samples else "not heard",
            ]
            for one in self._figures.devices
        ]
        widths = [paper.WIDTH * share for share in (0.33, 0.16, 0.19, 0.09, 0.12, 0.11)]
        head = ("Device", "Kind", "Area", "Alarms", "Samples", "Complete")
        return paper.hairline_table(head, rows, widths, right=frozenset({3, 4, 5}))

    # --- alarms and losses ---

    def _alarm_section(self) -> list[Any]:
        figures = self._figures
        if not figures.alarms:
            return []
        shown_lines = figures.alarms[:_ALARM_LINES]
        note = "Newest first. A dash means: not within this period."
        if len(shown_lines) < len(figures.alarms) or figures.is_alarm_list_cut:
            note += f" Only the newest {len(shown_lines)} are listed; the client has them all."
        head = ("", "Raised", "Device", "Alarm", "Value", "Cleared", "Lasted", "Acknowledged")
        widths = [paper.WIDTH * share for share in (0.035, 0.095, 0.17, 0.19, 0.075, 0.105, 0.11, 0.22)]
        rows = [self._alarm_row(line) for line in shown_lines]
        return [
            CondPageBreak(45 * mm),
            paper.paragraph("Alarms", paper.SECTION),
            paper.paragraph(note, paper.NOTE),
            paper.hairline_table(head, rows, widths, right=frozenset({4, 6})),
        ]

    def _alarm_row(self, line: AlarmLine) -> list[Any]:
        lasted = ""
        if line.raised_at is not None:
            until = line.cleared_at or min(self._figures.request.end, datetime.now(UTC))
            lasted = duration(until - line.raised_at) + ("" if line.cleared_at else " +")
        answered = "no"
        if line.acknowledged_at is not None:
            answered = f"{self._clock(line.acknowledged_at)} {line.acknowledged_by or ''}"
            answered += f" \u2013 {line.comment}" if line.comment else ""
        return [
            charts.badge_drawing(line.priority),
            self._clock(line.raised_at),
            line.device_name,
            line.rule_name,
            figure(line.value, 2) if line.value is not None else "\u2013",
            self._clock(line.cleared_at),
            lasted or "\u2013",
            answered,
        ]

    def _loss_section(self) -> list[Any]:
        figures = self._figures
        parts: list[Any] = [paper.paragraph("Data that is missing or was refused", paper.SECTION)]
        if figures.gaps:
            rows = [
                [
                    self._clock(from_us(gap.start_us), has_date=True),
                    self._clock(from_us(gap.end_us), has_date=True),
                    paper.paragraph(gap.reason, paper.CELL, longest=400),
                ]
                for gap in figures.gaps[:_GAP_LINES]
            ]
            widths = [paper.WIDTH * share for share in (0.16, 0.16, 0.68)]
            parts.append(paper.hairline_table(("From", "To", "Reason"), rows, widths))
            if len(figures.gaps) > _GAP_LINES:
                parts.append(paper.paragraph(f"and {len(figures.gaps) - _GAP_LINES} more gaps.", paper.NOTE))
        else:
            parts.append(paper.paragraph("No gap was recorded in this period.", paper.BODY))
        parts += [Spacer(1, 4), paper.paragraph(self._refused_note(), paper.NOTE, longest=300)]
        return [KeepTogether(parts)] if len(figures.gaps) < 12 else parts

    def _refused_note(self) -> str:
        number = self._figures.quarantined
        silent = [one.device.name for one in self._figures.devices if not one.samples]
        refused = (
            "Messages that could not be accepted were not counted."
            if number is None
            else f"{count(number)} messages could not be accepted; the client's health page lists them."
            if number
            else "Every message that was received could be accepted."
        )
        if silent:
            more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
            refused += f" Not heard of: {', '.join(shown(name, longest=40) for name in silent[:3])}{more}."
        return refused

    # --- devices ---

    def _device_sections(self) -> list[Any]:
        story: list[Any] = [PageBreak()]
        for one in self._figures.devices:
            story += self._device_section(one)
        return story

    def _device_section(self, one: DeviceFigures) -> list[Any]:
        place = " · ".join(text for text in (one.device.kind, one.device.area, one.device.line, one.device.key) if text)
        heading = Paragraph(
            f'{markup(one.device.name)} <font size="8" color="#50585F" name="Helvetica">{markup(place)}</font>',
            paper.SECTION,
        )
        if not one.samples:
            return [KeepTogether([heading, paper.paragraph("Nothing was received from it in this period.")])]
        rows = [_parameter_row(figures) for figures in one.parameters]
        head = ("Parameter", "Unit", "Minimum", "Mean", "Maximum", "Last", "Samples", "Complete")
        widths = [paper.WIDTH * share for share in (0.27, 0.09, 0.11, 0.11, 0.11, 0.11, 0.10, 0.10)]
        table = paper.hairline_table(head, rows, widths, right=frozenset(range(2, 8)))
        grid = self._chart_grid(one)
        return [KeepTogether([heading, table, Spacer(1, 6), *grid, Spacer(1, 4)])]

    def _chart_grid(self, one: DeviceFigures) -> list[Any]:
        """Charts two by two: of what rules watch first, then of what has a normal band."""
        width = (paper.WIDTH - _GUTTER) / 2
        periods = [self._period_of(line) for line in self._figures.alarms if line.device_name == one.device.name]
        heard = sorted((each for each in one.parameters if each.samples), key=lambda each: self._interest(one, each))
        drawn = [
            charts.line_chart(self._curve(one, figures), self._span, (width, _CHART_HEIGHT), colour, periods)
            for figures, colour in zip(heard[:_CHARTS_PER_DEVICE], paper.PENS, strict=False)
        ]
        pairs = [drawn[index : index + 2] for index in range(0, len(drawn), 2)]
        rows = [[pair[0], "", pair[1] if len(pair) > 1 else ""] for pair in pairs]
        return [_side_by_side(row, [width, _GUTTER, width]) for row in rows]

    def _interest(self, one: DeviceFigures, figures: ParameterFigures) -> tuple[bool, bool]:
        """Sorts what is worth a chart to the front."""
        return not self._limits(one, figures), figures.parameter.normal_high is None

    def _limits(self, one: DeviceFigures, figures: ParameterFigures) -> tuple[Limit, ...]:
        found = ((rule.content, plain_limit(rule.content.condition)) for rule in self._figures.rules)
        device = one.device
        return tuple(
            Limit(limit.limit, content.priority)
            for content, limit in found
            if limit is not None
            and content.is_on
            and limit.parameter_key == figures.parameter.key
            and content.scope.covers(device.key, device.kind, device.area)
        )

    def _curve(self, one: DeviceFigures, figures: ParameterFigures) -> Curve:
        parameter = figures.parameter
        limits = self._limits(one, figures)
        gap_us = max(3 * figures.pace_us, _BROKEN_AFTER_US)
        return Curve(
            parameter.name, parameter.unit, parameter.decimals, coarser(figures.bins, _CHART_BINS), gap_us, limits
        )

    # --- times ---

    def _period_of(self, line: AlarmLine) -> Period:
        start_us, end_us = line.period_us(self._span.start_us, self._span.end_us)
        return Period(start_us, end_us, line.priority)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def _clock(self, moment: datetime | None, *, has_date: bool = False) -> str:
        """A time on the factory's clock, with its date where the report covers more than a day."""
        if moment is None:
            return "\u2013"
        start = self._local(self._figures.request.start)
        local = self._local(moment)
        is_same_day = local.date() == start.date() and not has_date
        return f"{local:%H:%M:%S}" if is_same_day else f"{local:%d %b %H:%M:%S}"


def _parameter_row(figures: ParameterFigures) -> list[Any]:
    parameter = figures.parameter
    decimals = parameter.decimals
    return [
        parameter.name,
        parameter.unit,
        figure(figures.minimum, decimals),
        figure(figures.mean, decimals),
        figure(figures.maximum, decimals),
        figure(figures.last, decimals),
        count(figures.samples),
        f"{figures.completeness:.1%}" if figures.samples else "\u2013",
    ]


def _side_by_side(row: Sequence[Any], widths: Sequence[float]) -> Any:
    table = Table([row], colWidths=widths)
    table.setStyle(TableStyle([(name, (0, 0), (-1, -1), 0) for name in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING")]))
    return table


def coarser(bins: BinnedSeries, most: int) -> BinnedSeries:
    """The same series in at most about `most` bins: what ink can show."""
    if len(bins) == 0:
        return bins
    span_us = int(bins.start_us[-1] - bins.start_us[0]) + bins.width_us
    factor = max(1, -(-span_us // (bins.width_us * most)))
    width_us = bins.width_us * factor
    first = np.flatnonzero(np.diff(bins.start_us // width_us, prepend=-1))
    total = np.add.reduceat(bins.count, first)
    return BinnedSeries(
        width_us,
        bins.start_us[first] // width_us * width_us,
        total,
        np.minimum.reduceat(bins.minimum, first),
        np.maximum.reduceat(bins.maximum, first),
        np.add.reduceat(bins.mean * bins.count, first) / total,
    )


def duration(length: timedelta) -> str:
    """A length of time as people say it: 42 s, 6 min 10 s, 3 h 05 min, 2 d 4 h."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86_400:
        return f"{seconds // 3_600} h {seconds % 3_600 // 60:02d} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600} h"
