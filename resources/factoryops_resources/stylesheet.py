"""One style sheet for the whole client, made from a theme."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from factoryops_resources.themes import Theme, mixed

CONTROL_PX: Final = 28
ROW_PX: Final = 26


def stylesheet(theme: Theme, *, scale: float = 1.0, glyph_folder: Path) -> str:
    """The style sheet of `theme`.

    Args:
        theme: where every colour comes from.
        scale: size of controls and text, 1.0 for 100 %.
        glyph_folder: where `write_glyphs` put the small marks of this theme (style sheets can only name files).
    """
    border_px = 2
    control_px = round(CONTROL_PX * scale) - border_px
    lengths = {
        "control": control_px,
        "control_focus": control_px - border_px,
        "row": round(ROW_PX * scale),
        "glyph": round(18 * scale),
        "small": f"{9 * scale:.1f}",
        "section": f"{12 * scale:.1f}",
        "title": f"{16 * scale:.1f}",
        **{f"p{px}": px for px in (4, 5, 6, 7, 10, 11)},
    }
    colours = {
        name: getattr(theme, name)
        for name in ("base", "panel", "raised", "line", "text", "secondary", "live", "accent", "selection", "hover")
    }
    glyphs = {name: (glyph_folder / f"{theme.name}-{name}.svg").as_posix() for name in _GLYPHS}
    grid = mixed(theme.line, theme.raised, 0.35)
    return _template().substitute(lengths | colours | glyphs, on_accent=theme.on_accent, grid=grid)


def write_glyphs(theme: Theme, folder: Path) -> None:
    """Write the small marks (arrows, tick) of `theme` as SVG files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in _GLYPHS.items():
        colour = theme.on_accent if name == "tick" else theme.secondary
        mark = _SVG.format(path=path, colour=colour)
        (folder / f"{theme.name}-{name}.svg").write_text(mark, encoding="utf-8")


_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12" viewBox="0 0 12 12">'
    '<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/></svg>'
)
_GLYPHS: Final = {
    "arrow_down": "M2.5 4.2 L6 7.8 L9.5 4.2",
    "arrow_up": "M2.5 7.8 L6 4.2 L9.5 7.8",
    "tick": "M2.2 6.2 L4.9 8.9 L9.8 3.4",
}


@cache
def _template() -> Template:
    return Template((files("factoryops_resources") / "data" / "style.qss").read_text(encoding="utf-8"))
