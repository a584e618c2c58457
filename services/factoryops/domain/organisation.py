"""What must hold among a factory's shifts and operating positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from factoryops.domain.errors import ConflictError, InvalidInputError

MOST_SHIFTS: Final = 100
MOST_POSITIONS: Final = 100


def check_name(name: str, others: Iterable[str]) -> None:
    """Raise ConflictError when one of `others` has the name already."""
    if name.strip().casefold() in {other.strip().casefold() for other in others}:
        raise ConflictError(f"The name {name} is taken: choose another one, or change what is there.")


def check_areas(areas: Iterable[str], others: Mapping[str, Iterable[str]]) -> None:
    """Raise InvalidInputError when an area belongs to another position; `others` is areas by the position's name.

    An alarm reaches one operator: figures per position would otherwise count it twice.
    """
    taken = {area: name for name, held in others.items() for area in held}
    for area in areas:
        if area in taken:
            shown = area or "devices without an area"
            raise InvalidInputError(
                f"{shown} already belongs to the position {taken[area]}: take it away there first.",
                fields={"areas": f"{shown} belongs to {taken[area]}"},
            )
