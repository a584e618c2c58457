"""Time is whole microseconds in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.time import from_us, to_us


@given(st.integers(-(2**50), 2**52))
def test_microseconds_survive_the_way_there_and_back(time_us: int) -> None:
    assert to_us(from_us(time_us)) == time_us


def test_a_zone_is_honoured() -> None:
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    assert from_us(to_us(moment)) == moment.astimezone(UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
