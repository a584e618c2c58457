"""The geometry of alarm badges as data, for every surface that draws them: screen, report, picture."""

from __future__ import annotations

from typing import Final

from factoryops.domain.alarms import Priority

Point = tuple[float, float]
Outline = tuple[Point, ...]

SQUARE: Final[Outline] = ((0.06, 0.06), (0.94, 0.06), (0.94, 0.94), (0.06, 0.94))
TRIANGLE_UP: Final[Outline] = ((0.5, 0.0), (1.0, 0.94), (0.0, 0.94))
TRIANGLE_DOWN: Final[Outline] = ((0.0, 0.06), (1.0, 0.06), (0.5, 1.0))
ELLIPSE: Final = "ellipse"
"""An ellipse that fills the width and 0.8 of the height."""

SHAPES: Final[dict[Priority, Outline | str]] = {
    Priority.CRITICAL: SQUARE,
    Priority.HIGH: TRIANGLE_UP,
    Priority.MEDIUM: TRIANGLE_DOWN,
    Priority.LOW: ELLIPSE,
}
"""Per priority: corner points in a square of side 1, y downwards, or ELLIPSE."""

NUMBER_CENTRE: Final[dict[Priority, Point]] = {
    Priority.CRITICAL: (0.5, 0.5),
    Priority.HIGH: (0.5, 0.6),
    Priority.MEDIUM: (0.5, 0.38),
    Priority.LOW: (0.5, 0.5),
}
"""Where the priority's number stands: in the middle of each shape's ink, not of its box."""
