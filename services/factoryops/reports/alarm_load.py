"""How many alarms reached operators in the period, and which of them most often: a section of the daily report."""

from __future__ import annotations

from typing import Any, Final

from reportlab.platypus import KeepTogether, Spacer

from factoryops.contracts import http
from factoryops.domain.performance.figures import Performance
from factoryops.domain.performance.left_out import left_out_sentences
from factoryops.reports import paper

_MOST_LISTED: Final = 5


def alarm_load_section(load: http.AlarmPerformance | None) -> list[Any]:
    """Rates against public guidance and the most frequent alarms; nothing where there was no alarm."""
    if load is None or not load.figures.rates.annunciations:
        return []
    figures = load.figures
    widths = [paper.WIDTH * share for share in (0.40, 0.20, 0.40)]
    about = "Alarms that were announced, of the whole factory. The figures of one day are indicative."
    note = " ".join([about, *left_out_sentences(figures)])
    table = paper.hairline_table(("Figure", "Value", "Guidance"), _rows(figures), widths, right=frozenset({1}))
    parts = [paper.paragraph("Alarm load", paper.SECTION), paper.paragraph(note, paper.NOTE), table, Spacer(1, 4)]
    return [KeepTogether([*parts, _frequent(load)])]


def _rows(figures: Performance) -> list[list[str]]:
    rates, limits = figures.rates, figures.limits
    per_day, of_time = limits.rate_per_day, f"up to {100 * limits.share_of_time.good:.3g} %"
    stale = f"Active for more than {limits.stale_s / 3_600:.3g} h"
    chattering = len(figures.chattering)
    return [
        ["Announced", str(rates.annunciations), f"up to {per_day.good:,.0f} a day, at most {per_day.most:,.0f}"],
        ["Largest number in 10 minutes", str(rates.busiest), f"up to {limits.busiest.good:,.10g}"],
        [f"Intervals of 10 minutes with more than {limits.busy_interval}", _share(rates.busy_intervals), of_time],
        ["Time in flood", _share(rates.flood_share), of_time],
        ["Chattering alarms", str(chattering), "none"],
        ["Fleeting alarms", str(len(figures.fleeting)), "none"],
        [stale, str(len(figures.stale)), f"up to {limits.stale_at_once.good:,.10g}"],
    ]


def _frequent(load: http.AlarmPerformance) -> Any:
    names = {one.number: one for one in load.alarms}
    rows = [
        [names[one.alarm].rule_name, names[one.alarm].device_name, str(one.annunciations), f"{one.share:.0%}"]
        for one in load.figures.top[:_MOST_LISTED]
    ]
    widths = [paper.WIDTH * share for share in (0.40, 0.30, 0.15, 0.15)]
    return paper.hairline_table(("Most frequent", "Device", "Times", "Share"), rows, widths, right=frozenset({2, 3}))


def _share(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.1%}"
