"""How a factory works: its shifts, and who watches which part of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from factoryops.contracts.http.parts import LINE, Identifier, Received, Sent, example
from factoryops.domain.schedules import EVERY_DAY, MOST_WINDOWS, Schedule, WeeklyWindow

_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
_Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
_SHIFT: Final[dict[str, Any]] = {
    "name": "Night",
    "windows": [{"start": "22:00", "end": "06:00", "days": [1, 2, 3, 4, 5]}],
}
_POSITION: Final[dict[str, Any]] = {"name": "Filling and packing", "areas": ["Hall A", "Hall B"]}


def _each_once(items: list[Any]) -> list[Any]:
    if len(set(items)) < len(items):
        raise ValueError("each may be named once")
    return items


class ShiftWindow(Sent):
    """A span of the day on some weekdays, as `domain.schedules.WeeklyWindow`.

    Attributes:
        end: at or before `start` it lies on the next day.
        days: weekdays (1 = Monday) on which it starts.
    """

    start: _Clock
    end: _Clock
    days: Annotated[
        list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7), AfterValidator(_each_once)
    ] = [*EVERY_DAY]


class ShiftContent(Sent):
    """What a person says of a shift: when it works, on the factory's own clock."""

    model_config = example(_SHIFT)

    name: _Name
    windows: Annotated[list[ShiftWindow], Field(min_length=1, max_length=MOST_WINDOWS)]

    def schedule(self) -> Schedule:
        """When the shift works."""
        return Schedule(weekly=tuple(WeeklyWindow(one.start, one.end, tuple(one.days)) for one in self.windows))


class ShiftUpdate(Sent):
    """A changed shift; `version` is the one the change was made from."""

    model_config = example({"version": 1, "content": _SHIFT})

    version: _Version
    content: ShiftContent


class Shift(Received):
    """A shift as it holds."""

    id: Identifier
    version: int
    content: ShiftContent
    changed_by: str
    changed_at: datetime


class ShiftList(Received):
    """All shifts of the factory, by name."""

    shifts: list[Shift]


class PositionContent(Sent):
    """One operator's span of control: the areas whose alarms reach that person. An area belongs to one position."""

    model_config = example(_POSITION)

    name: _Name
    areas: Annotated[
        list[Annotated[str, Field(max_length=100, pattern=LINE)]],
        Field(min_length=1, max_length=200),
        AfterValidator(_each_once),
    ]


class PositionUpdate(Sent):
    """A changed operating position; `version` is the one the change was made from."""

    model_config = example({"version": 1, "content": _POSITION})

    version: _Version
    content: PositionContent


class Position(Received):
    """An operating position as it holds."""

    id: Identifier
    version: int
    content: PositionContent
    changed_by: str
    changed_at: datetime


class PositionList(Received):
    """All operating positions, by name; without any the whole factory is one."""

    positions: list[Position]
