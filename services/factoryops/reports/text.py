"""The one way text gets on paper: what users and devices wrote is shown as typed, and never understood as markup."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import reportlab
from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

rl_config.trustedSchemes = []
rl_config.trustedHosts = []

REGULAR: Final = "Helvetica"
BOLD: Final = "Helvetica-Bold"

_LONGEST: Final = 160
_LONGEST_WORD: Final = re.compile(r"(\S{24})(?=\S)")
_WIDE: Final = "FactoryOpsWide"

_WIDE_FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "C:/Windows/Fonts/arialuni.ttf",
    "C:/Windows/Fonts/arial.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
)
"""Fonts with many scripts, for what Helvetica's 8-bit encoding lacks; Vera, which reportlab brings, comes last."""


@cache
def wide_font() -> str:
    """The name of a registered font for text beyond Western European."""
    own = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    for candidate in (*map(Path, _WIDE_FONTS), own):
        if not candidate.is_file():
            continue
        try:
            pdfmetrics.registerFont(TTFont(_WIDE, str(candidate)))
        except TTFError:
            continue
        return _WIDE
    return REGULAR


def shown(text: str, *, longest: int = _LONGEST) -> str:
    """`text` on one line, without control and direction characters, cut with an ellipsis where it is too long."""
    kept = "".join(" " if character.isspace() else character for character in text if _is_shown(character))
    kept = kept.encode("utf-8", "replace").decode("utf-8").strip()
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def _is_shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def markup(text: str, *, longest: int = _LONGEST) -> str:
    """`text` for a reportlab Paragraph: escaped, breakable, in a font that has its letters."""
    return "".join(
        f'<font name="{wide_font()}">{_escaped(part)}</font>' if is_wide else _escaped(part)
        for part, is_wide in _runs(shown(text, longest=longest))
    )


def _escaped(part: str) -> str:
    """A word no line can hold may break anywhere; the escape comes last, so nothing is cut inside of it."""
    return "\u200b".join(escape(piece, {'"': "&quot;"}) for piece in _LONGEST_WORD.sub("\\1\0", part).split("\0"))


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or _is_wide(text[index]) != _is_wide(text[start]):
            yield text[start:index], _is_wide(text[start])
            start = index


def _is_wide(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return True
    return False


def font_for(text: str, font: str = REGULAR) -> str:
    """The font that can draw all of `text` in one piece, for drawings, which know no markup."""
    return wide_font() if any(_is_wide(character) for character in text) else font


def fitted(text: str, width: float, size: float, font: str = REGULAR) -> str:
    """`text` cut with an ellipsis so that it is no wider than `width` points."""
    text = shown(text)
    font = font_for(text, font)
    if pdfmetrics.stringWidth(text, font, size) <= width:
        return text
    while text and pdfmetrics.stringWidth(text + "…", font, size) > width:
        text = text[:-1]
    return text + "…"


def figure(value: float | None, decimals: int) -> str:
    """A number as its parameter shows it, thousands set apart by a thin gap; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    return f"{value:,.{decimals}f}".replace(",", "\u00a0")


def count(number: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{number:,}".replace(",", "\u00a0")
