"""The daily report says how many alarms reached operators, and which most often."""

from __future__ import annotations

from pathlib import Path

from factoryops.contracts import http
from factoryops.domain.performance.history import HistoryLine
from factoryops.domain.performance.thresholds import DEFAULT
from factoryops.domain.time import US_PER_S
from factoryops.reports import paper
from factoryops.reports.alarm_load import alarm_load_section

DAY_US = 86_400 * US_PER_S


def load_of(count: int) -> http.AlarmPerformance:
    lines = [
        HistoryLine("0" * 32, number, "raised", number * 10 * US_PER_S, 2, True, "<b>Too hot", "Pump & 1", "Hall")
        for number in range(count)
    ]
    return http.AlarmPerformance.of(lines, (0, DAY_US), [], [], None, DEFAULT)


def test_a_day_without_alarms_has_no_such_section() -> None:
    assert alarm_load_section(None) == alarm_load_section(load_of(0)) == []


def test_a_busy_day_can_be_printed_with_whatever_names_there_are(tmp_path: Path) -> None:
    frame = paper.Frame("Report", "Riverside", "today", "foot")
    target = tmp_path / "report.pdf"
    assert paper.write_document(target, frame, lambda: alarm_load_section(load_of(40))) == 1
    assert target.read_bytes().startswith(b"%PDF")
