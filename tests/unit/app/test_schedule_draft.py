from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops_app.models.schedule_draft import ScheduleDraft, WindowDraft, days_text, parsed_days, schedule_words
from factoryops_resources.words import set_language


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


@given(st.sets(st.integers(1, 7), min_size=1), st.sampled_from(["en", "de"]))
def test_weekdays_survive_being_shown_and_typed_in_each_language(days: set[int], code: str) -> None:
    set_language(code)
    assert parsed_days(days_text(days)) == tuple(sorted(days))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri", (1, 2, 3, 4, 5)), ("monday, wednesday", (1, 3)), ("Sat-Mon", (1, 6, 7)), ("6, 7", (6, 7)),
        ("1-3", (1, 2, 3)), ("", ()), ("x", ()), ("Mon-Tue-Wed", ()), ("Mon-", ()), ("8", ()),
    ],
)  # fmt: skip
def test_weekdays_are_typed_as_people_write_them(text: str, days: tuple[int, ...]) -> None:
    assert parsed_days(text) == days


def test_a_schedule_survives_being_shown_and_read() -> None:
    schedule = Schedule(
        (WeeklyWindow("22:00", "06:00", (1, 2, 3, 4, 5)), WeeklyWindow("08:00", "12:00", (6,))),
        ("night",), date(2026, 3, 1), date(2026, 4, 1),
    )  # fmt: skip
    draft = ScheduleDraft.of(schedule)
    assert draft.errors() == {}
    assert draft.schedule() == schedule
    assert schedule_words(draft, {"night": "Night shift"}.__getitem__) == (
        "Mon-Fri 22:00–06:00 or Sat 08:00–12:00 or Night shift, from 2026-03-01 on, until 2026-04-01"
    )
    assert schedule_words(ScheduleDraft(), str) == "always"


def test_each_cell_that_cannot_be_used_is_named() -> None:
    draft = ScheduleDraft((WindowDraft("Mon", "06:00", "18:00"), WindowDraft("?", "6", "25:00")), first="31.2.2026")
    assert set(draft.errors()) == {"windows[1].days", "windows[1].start", "windows[1].end", "first"}
    assert set(ScheduleDraft(first="2026-04-01", last="2026-03-01").errors()) == {"last"}


@given(st.text(max_size=8))
def test_no_text_at_all_breaks_a_schedule(text: str) -> None:
    draft = ScheduleDraft((WindowDraft(text, text, text),), (), text, text)
    if not draft.errors():
        draft.schedule().check()
    else:
        assert all(draft.errors().values())
