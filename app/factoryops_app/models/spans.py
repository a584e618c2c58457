"""Spans of time that a report can cover, in the factory's own days."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from factoryops.domain.time import EPOCH


class ReportSpan(StrEnum):
    """The spans that are offered."""

    LAST_DAY = "last_day"
    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_WEEK = "last_week"


def span_of(choice: ReportSpan, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Beginning and end in UTC; days begin at local midnight, also when the clocks change."""
    utc = EPOCH.tzinfo
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if choice is ReportSpan.LAST_DAY:
        return now - timedelta(days=1), now
    if choice is ReportSpan.LAST_WEEK:
        return now - timedelta(days=7), now
    if choice is ReportSpan.TODAY:
        return midnight.astimezone(utc), now
    before = (midnight - timedelta(days=1)).replace(fold=0)
    return before.astimezone(utc), midnight.astimezone(utc)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a factory; UTC where this computer does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
