"""Themes: every colour of the product as named tokens, read from one data file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from factoryops.domain.alarms import Priority

THEME_NAMES: Final = ("grey", "dark", "light")


@dataclass(frozen=True, slots=True)
class Reserved:
    """A colour that means one thing only, and the colour of what is written on it."""

    fill: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """The tokens of one theme; colours are `#RRGGBB`.

    Attributes:
        base / panel / raised: the three surfaces: window, panel, tables and inputs.
        live: values that change with the plant.
        accent: selection, focus and links.
        running / stopped: equipment states; an equipment that is off has an outline only.
        outline: the 1 px line round everything in a reserved colour.
        selection / hover: backgrounds of chosen rows and of what the mouse is over.
        pens: chart pens in order, ten; more than ten take dash patterns.
        alarms: the reserved colours by priority.
        bad: bad quality and unknown.
    """

    name: str
    base: str
    panel: str
    raised: str
    line: str
    text: str
    secondary: str
    live: str
    accent: str
    running: str
    stopped: str
    outline: str
    selection: str
    hover: str
    pens: tuple[str, ...]
    alarms: Mapping[Priority, Reserved]
    bad: Reserved

    @property
    def is_dark(self) -> bool:
        """Whether light is written on dark."""
        return luminance(self.base) < luminance(self.text)

    @property
    def on_accent(self) -> str:
        """What is written on the accent."""
        return self.base if self.is_dark else self.alarms[Priority.CRITICAL].text

    @property
    def surfaces(self) -> tuple[str, str, str]:
        """What text may stand on."""
        return self.base, self.panel, self.raised

    def pen(self, index: int) -> str:
        """The colour of pen number `index`, from 0."""
        return self.pens[index % len(self.pens)]


@cache
def _tokens() -> dict[str, Any]:
    return tomllib.loads((files("factoryops_resources") / "data" / "themes.toml").read_text(encoding="utf-8"))


@cache
def load_theme(name: str) -> Theme:
    """The theme called `name`; raises KeyError when it is none of THEME_NAMES."""
    tokens = _tokens()
    alarm = {key: Reserved(**colours) for key, colours in tokens["shared"]["alarm"].items()}
    colours = dict(tokens[name])
    return Theme(
        name=name,
        pens=tuple(colours.pop("pens")),
        alarms={priority: alarm[priority.name.lower()] for priority in Priority},
        bad=alarm["bad"],
        **colours,
    )


def luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB`, 0 to 1 (WCAG 2.2)."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """`share` of `one` and the rest of `other`: what transparency would give, without its cost."""
    channels = (round(int(one[i : i + 2], 16) * share + int(other[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02X}" for channel in channels)
