"""Cells and times of a table: every form is read, and what is none is told apart."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts.http import Ambiguous
from factoryops.domain.time import to_us
from factoryops.history.transfer.cells import CellKind, read_cells
from factoryops.history.transfer.moments import TimeFault, TimeRule, is_ambiguous, read_times

UTC_RULE = TimeRule(ZoneInfo("UTC"))
BERLIN = ZoneInfo("Europe/Berlin")
AT = to_us(datetime(2026, 3, 1, 6, 0, 0, 250_000, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cell", "decimal", "value", "kind"),
    [
        ("1.5", ".", 1.5, CellKind.NUMBER),
        (" -2e3 ", ".", -2000.0, CellKind.NUMBER),
        ("1,5", ",", 1.5, CellKind.NUMBER),
        ("1.234,5", ",", math.nan, CellKind.TEXT),
        ("1,5", ".", math.nan, CellKind.TEXT),
        ("1_000", ".", math.nan, CellKind.TEXT),
        ("", ".", math.nan, CellKind.EMPTY),
        ("NaN", ".", math.nan, CellKind.EMPTY),
        ("null", ".", math.nan, CellKind.EMPTY),
        ("inf", ".", math.nan, CellKind.NOT_FINITE),
        ("1e999", ".", math.nan, CellKind.NOT_FINITE),
        ("True", ".", 1.0, CellKind.BOOLEAN),
        ("false", ".", 0.0, CellKind.BOOLEAN),
        ("running", ".", math.nan, CellKind.TEXT),
        ("1\0", ".", math.nan, CellKind.TEXT),
    ],
)
def test_a_cell_is_what_it_looks_like_alone_and_among_others(
    cell: str, decimal: str, value: float, kind: CellKind
) -> None:
    for column in ([cell], ["1", cell, "", "true"]):
        values, kinds = read_cells(column, decimal)
        place = column.index(cell)
        assert kinds[place] == kind
        assert values[place] == value or (math.isnan(value) and kinds[place] != CellKind.NUMBER)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50), st.sampled_from(".,"))
def test_numbers_are_read_exactly(numbers: list[float], decimal: str) -> None:
    values, kinds = read_cells([repr(number).replace(".", decimal) for number in numbers], decimal)
    assert values.tolist() == numbers
    assert set(kinds.tolist()) <= {int(CellKind.NUMBER)}


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-01T06:00:00.250Z",
        "2026-03-01T07:00:00.250+01:00",
        "2026-03-01 06:00:00.250",
        "2026-03-01T06:00:00.250",
        "1772344800.25",
        "1772344800250",
        "01.03.2026 06:00:00,25",
        "1.3.2026 06:00:00.250",
    ],
)
def test_a_time_is_read_in_every_form_alone_and_among_others(cell: str) -> None:
    for column in ([cell], [cell, cell], [cell, "not a time", "2026-03-01T06:00:00Z"]):
        times, faults = read_times(column, UTC_RULE)
        assert (times[0], faults[0]) == (AT, TimeFault.NONE)


@pytest.mark.parametrize(
    "cell", ["", "yesterday", "now", "today", "2026-13-01", "32.01.2026 00:00", "9999-99-99", "NaT"]
)
def test_what_is_no_time_says_so(cell: str) -> None:
    assert read_times([cell], UTC_RULE)[1].tolist() == [TimeFault.NOT_A_TIME]
    assert read_times([cell, "2026-03-01T06:00:00"], UTC_RULE)[1].tolist() == [TimeFault.NOT_A_TIME, TimeFault.NONE]


def test_a_form_of_its_own_is_told_in_the_letters_of_strptime() -> None:
    rule = TimeRule(BERLIN, time_format="%m/%d/%Y %I:%M %p")
    times, faults = read_times(["03/01/2026 07:30 AM", "13/01/2026 07:30 AM"], rule)
    assert times[0] == to_us(datetime(2026, 3, 1, 6, 30, tzinfo=UTC))
    assert faults.tolist() == [TimeFault.NONE, TimeFault.NOT_A_TIME]


FIRST, LAST = (datetime.fromisoformat(day) for day in ("2000-01-01", "2037-01-01"))
SPRING, AUTUMN = "2026-03-29 02:30:00", "2026-10-25 02:30:00"


def test_a_local_time_that_was_skipped_is_refused() -> None:
    times, faults = read_times(["2026-03-29 01:59:59", SPRING, "2026-03-29 03:00:00"], TimeRule(BERLIN))
    assert faults.tolist() == [TimeFault.NONE, TimeFault.SKIPPED, TimeFault.NONE]
    assert times[2] - times[0] == 1_000_000


@pytest.mark.parametrize(
    ("ambiguous", "hour", "fault"),
    [
        (Ambiguous.EARLIER, 0, TimeFault.NONE),
        (Ambiguous.LATER, 1, TimeFault.NONE),
        (Ambiguous.REFUSE, 0, TimeFault.AMBIGUOUS),
    ],
)
def test_a_local_time_that_existed_twice_means_what_the_plan_says(
    ambiguous: Ambiguous, hour: int, fault: TimeFault
) -> None:
    times, faults = read_times([AUTUMN], TimeRule(BERLIN, ambiguous))
    assert faults[0] == fault
    if fault is TimeFault.NONE:
        assert times[0] == to_us(datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
        assert is_ambiguous(int(times[0]), BERLIN)


@given(
    st.lists(
        st.datetimes(FIRST, LAST),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_local_times_are_placed_as_the_zone_does(moments: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    times, faults = read_times([moment.isoformat(" ") for moment in moments], TimeRule(zone))
    for moment, time_us, fault in zip(moments, times.tolist(), faults.tolist(), strict=True):
        placed = moment.replace(tzinfo=zone).astimezone(UTC)
        exists = placed.astimezone(zone).replace(tzinfo=None) == moment
        assert fault == (TimeFault.NONE if exists else TimeFault.SKIPPED)
        if exists:
            assert time_us == to_us(placed)


def test_columns_that_have_a_type_are_taken_as_they_are() -> None:
    local = np.array(["2026-07-01T12:00:00", "NaT"], "datetime64[us]")
    times, faults = read_times(local, TimeRule(BERLIN))
    assert times[0] == to_us(datetime(2026, 7, 1, 10, tzinfo=UTC))
    assert faults.tolist() == [TimeFault.NONE, TimeFault.NOT_A_TIME]
    assert read_times(np.array([AT], np.int64), TimeRule(BERLIN))[0].tolist() == [AT]
    assert read_times(np.array([AT / 1_000.0]), UTC_RULE)[0].tolist() == [AT]
    assert read_cells(np.array([True, False]))[1].tolist() == [CellKind.BOOLEAN] * 2
    assert read_cells(np.array([1.0, np.nan, np.inf]))[1].tolist() == [
        CellKind.NUMBER, CellKind.EMPTY, CellKind.NOT_FINITE
    ]  # fmt: skip
