"""The time in which nobody listened is a gap that charts show."""

from __future__ import annotations

from factoryops.domain.time import US_PER_S
from factoryops.ingest.recall import Recalled, away_gap

START_US = 1_790_000_000 * US_PER_S


def test_a_service_that_was_away_says_from_when_to_when() -> None:
    gap = away_gap(Recalled(last_received_us=START_US), START_US + 600 * US_PER_S)
    assert gap is not None
    assert (gap.start_us, gap.end_us) == (START_US, START_US + 600 * US_PER_S)
    assert gap.factory == ""
    assert "not running" in gap.reason


def test_a_restart_of_seconds_is_no_gap() -> None:
    assert away_gap(Recalled(last_received_us=START_US), START_US + 3 * US_PER_S) is None


def test_a_new_installation_has_missed_nothing() -> None:
    assert away_gap(Recalled(), START_US) is None
