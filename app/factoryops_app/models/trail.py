"""Where one has been, to go back and forward."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

Place = TypeVar("Place")

MOST_PLACES: Final = 50


class Trail(Generic[Place]):
    """Places in order of visiting; going somewhere new forgets what lay ahead."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._at = -1

    def visit(self, place: Place) -> None:
        """Go somewhere new; the same place twice in a row counts once."""
        if self.current == place:
            return
        self._places = [*self._places[: self._at + 1][1 - MOST_PLACES :], place]
        self._at = len(self._places) - 1

    @property
    def current(self) -> Place | None:
        """Where one is."""
        return self._places[self._at] if self._at >= 0 else None

    def back(self) -> Place | None:
        """One step back; None at the beginning."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self.current

    def forward(self) -> Place | None:
        """One step forward again; None at the end."""
        if self._at >= len(self._places) - 1:
            return None
        self._at += 1
        return self.current
