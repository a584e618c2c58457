"""A schedule as it is being filled in, and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.schedules import EVERY_DAY, Schedule, WeeklyWindow, minutes_of
from factoryops_app.models.typed import parsed_date
from factoryops_resources.words import say

WORKDAYS: Final = (1, 2, 3, 4, 5)
_ENGLISH: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class WindowDraft:
    """One weekly window; `days` as typed, such as "Mon-Fri, Sun"."""

    days: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class ScheduleDraft:
    """What is filled in.

    Attributes:
        shifts: ids of the chosen ones.
        first / last: dates as typed; empty for no bound.
    """

    windows: tuple[WindowDraft, ...] = ()
    shifts: tuple[str, ...] = ()
    first: str = ""
    last: str = ""

    @classmethod
    def of(cls, schedule: Schedule) -> ScheduleDraft:
        """The draft that changes a schedule."""
        windows = tuple(WindowDraft(days_text(one.days), one.start, one.end) for one in schedule.weekly)
        first = schedule.first.isoformat() if schedule.first else ""
        return cls(windows, schedule.shifts, first, schedule.last.isoformat() if schedule.last else "")

    def errors(self) -> dict[str, str]:
        """What cannot be used, by "windows[0].start" and the like, "first" or "last"."""
        found: dict[str, str] = {}
        for place, window in enumerate(self.windows):
            if not parsed_days(window.days):
                found[f"windows[{place}].days"] = say("Write days as Mon-Fri or Sat, Sun.")
            for key in ("start", "end"):
                if not _is_clock(getattr(window, key)):
                    found[f"windows[{place}].{key}"] = say("Write a time as 06:30.")
        for key in ("first", "last"):
            if getattr(self, key).strip() and parsed_date(getattr(self, key)) is None:
                found[key] = say("Write a date as 2026-03-31.")
        return found or self._disorder()

    def _disorder(self) -> dict[str, str]:
        try:
            self.schedule().check()
        except InvalidInputError as error:
            return {"last": str(error)}
        return {}

    def schedule(self) -> Schedule:
        """What it says; only for a draft without errors."""
        windows = tuple(WeeklyWindow(one.start.strip(), one.end.strip(), parsed_days(one.days)) for one in self.windows)
        return Schedule(windows, self.shifts, parsed_date(self.first), parsed_date(self.last))

    def with_(self, **changes: object) -> ScheduleDraft:
        """The draft with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the form's field names are the draft's


def schedule_words(draft: ScheduleDraft, shift_name: Callable[[str], str]) -> str:
    """Such as "Mon-Fri 06:00-18:00, from 2026-03-01 on"; "always" for one without any part."""
    spans = [f"{one.days} {one.start}\N{EN DASH}{one.end}".strip() for one in draft.windows]
    spans += [shift_name(identity) for identity in draft.shifts]
    parts = [say(" or ").join(spans)] if spans else []
    if draft.first.strip():
        parts.append(say("from {date} on", date=draft.first.strip()))
    if draft.last.strip():
        parts.append(say("until {date}", date=draft.last.strip()))
    return ", ".join(parts) or say("always")


def day_names() -> tuple[str, ...]:
    """The short names of the days from Monday on."""
    return (say("Mon"), say("Tue"), say("Wed"), say("Thu"), say("Fri"), say("Sat"), say("Sun"))


def days_text(days: Iterable[int]) -> str:
    """Weekdays (1 = Monday) as one would type them: Mon-Fri, Sun."""
    chosen, names = sorted(set(days)), day_names()
    runs: list[list[int]] = []
    for day in chosen:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_run_text(run, names) for run in runs)


def parsed_days(text: str) -> tuple[int, ...]:
    """Weekdays of "Mon-Fri, Sun", in English or the chosen language; empty when it is not understood."""
    found: set[int] = set()
    for part in filter(None, (one.strip() for one in text.replace("\N{EN DASH}", "-").split(","))):
        ends = [_day(name) for name in part.split("-")]
        if len(ends) > 2 or None in ends:
            return ()
        first, last = ends[0] or 0, ends[-1] or 0
        found.update(range(first, last + 1) if first <= last else set(EVERY_DAY) - set(range(last + 1, first)))
    return tuple(sorted(found))


def _run_text(run: list[int], names: tuple[str, ...]) -> str:
    if len(run) > 2:
        return f"{names[run[0] - 1]}-{names[run[-1] - 1]}"
    return ", ".join(names[day - 1] for day in run)


def _day(name: str) -> int | None:
    tidy = name.strip().rstrip(".").casefold()
    for names in (tuple(one.casefold() for one in day_names()), _ENGLISH):
        for place, known in enumerate(names):
            if tidy and (tidy == known or (len(tidy) > len(known) and tidy.startswith(known))):
                return place + 1
    return int(tidy) if tidy in set("1234567") else None


def _is_clock(text: str) -> bool:
    try:
        minutes_of(text.strip())
    except InvalidInputError:
        return False
    return True
