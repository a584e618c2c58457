"""Time that figures leave out: what could not be received, and outages that people declared."""

from __future__ import annotations

from typing import Final

from factoryops.domain.performance.figures import Performance

MOST_OUTAGES: Final = 1_000
"""Declared outages of a factory that hold at the same time."""


def unreceived_s(figures: Performance) -> float:
    """Time in which nothing could be received, declared or not."""
    return figures.rates.excluded_s - figures.declared_s


def left_out_sentences(figures: Performance) -> list[str]:
    """What is said of the time that is left out; nothing where there is none."""
    found = []
    if unreceived_s(figures) > 0:
        found.append(f"{unreceived_s(figures) / 3_600:.1f} h in which nothing could be received are left out.")
    if figures.declared_s:
        found.append(f"{figures.declared_s / 3_600:.1f} h of declared outages are left out.")
    return found
