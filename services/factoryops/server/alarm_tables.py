"""Alarms as the command line shows them, on the factory's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from factoryops.contracts import http
from factoryops.server.console import say, show_table


def show_alarms(alarms: Sequence[http.Alarm], counts: http.AlarmCounts, zone: ZoneInfo) -> None:
    """A line for each, and how many there are in each list."""
    columns = ("alarm", "priority", "state", "raised", "area", "device", "rule", "message")
    rows = [
        (
            _mark(one), one.priority.name.lower(), _words(one.state), _clock(one.raised_at, zone), one.area,
            one.device_name, one.rule_name, one.message,
        )
        for one in alarms
    ]  # fmt: skip
    show_table(columns, rows)
    say(
        f"{counts.active} active, {counts.unacknowledged} of them unacknowledged; {counts.shelved} shelved, "
        f"{counts.suppressed} suppressed, {counts.out_of_service} out of service."
    )


def show_alarm(alarm: http.Alarm, sheet: http.ResponseSheet, zone: ZoneInfo) -> None:
    """All that is known of one alarm; lines that would be empty are left out."""
    where = " / ".join(part for part in (alarm.area, alarm.line, alarm.device_name) if part)
    rows = [
        ("alarm", _mark(alarm)), ("rule", f"{alarm.rule_name}, version {alarm.rule_version}"), ("where", where),
        ("priority", alarm.priority.name.lower()), ("state", _words(alarm.state)),
        ("underneath", "" if alarm.underlying == alarm.state else _words(alarm.underlying)),
        ("raised", _clock(alarm.raised_at, zone)), ("returned", _clock(alarm.cleared_at, zone)),
        ("value", "" if alarm.value is None else f"{alarm.value:g} {alarm.unit}".strip()),
        ("message", alarm.message), ("acknowledged", _acknowledged(alarm, zone)), ("shelved", _shelved(alarm, zone)),
        ("out of service", _taken_out(alarm, zone)), ("class", alarm.alarm_class), ("cause", sheet.cause),
        ("consequence", sheet.consequence), ("what to do", sheet.action),
        ("time to respond", f"{sheet.time_to_respond_s:g} s" if sheet.time_to_respond_s else ""),
    ]  # fmt: skip
    show_table(("", ""), [row for row in rows if row[1]])


def show_events(events: Sequence[http.AlarmEvent], zone: ZoneInfo) -> None:
    """A line for each thing that happened, as ordered."""
    columns = ("when", "what", "alarm", "rule", "device", "by", "said or why")
    rows = [
        (
            _clock(one.at, zone), _words(one.kind), f"{one.alarm_id}@{one.annunciation}", one.rule_name,
            one.device_name, one.actor or "", one.comment or ("" if one.cause is None else _words(one.cause)),
        )
        for one in events
    ]  # fmt: skip
    show_table(columns, rows)


def _mark(alarm: http.Alarm) -> str:
    """The alarm, and the announcement of it that an acknowledgement answers."""
    return f"{alarm.id}@{alarm.annunciation}" + (f".{alarm.renewal}" if alarm.renewal else "")


def _acknowledged(alarm: http.Alarm, zone: ZoneInfo) -> str:
    if alarm.acknowledged_at is None:
        return ""
    by = f" by {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
    return f"{_clock(alarm.acknowledged_at, zone)}{by}" + (f": {alarm.comment}" if alarm.comment else "")


def _shelved(alarm: http.Alarm, zone: ZoneInfo) -> str:
    held = alarm.shelved
    if held is None:
        return ""
    until = f"until {_clock(held.until, zone)}" + (", or until it returns" if held.is_one_shot else "")
    return f"{until}, by {held.by}: {held.reason}"


def _taken_out(alarm: http.Alarm, zone: ZoneInfo) -> str:
    held = alarm.out_of_service
    if held is None:
        return ""
    until = "until somebody returns it" if held.until is None else f"until {_clock(held.until, zone)}"
    return f"{until}, by {held.by}: {held.reason}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _clock(at: datetime | None, zone: ZoneInfo) -> str:
    """To the millisecond, because what came first matters."""
    return "" if at is None else at.astimezone(zone).isoformat(" ", "milliseconds")[:23]
