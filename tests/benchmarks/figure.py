"""One measured figure beside the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement.

    Attributes:
        name: what was measured.
        value: the median, in `unit`.
        asked: the goal in words ("at least 20,000"), or "" where none was set.
        note: how it was measured, in one line.
    """

    name: str
    value: float
    unit: str
    asked: str = ""
    note: str = ""
