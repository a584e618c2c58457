"""The look of paper: light tokens, type, tables and the frame of every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from factoryops.reports.text import BOLD, REGULAR, fitted, font_for, markup

TEXT: Final[Color] = HexColor("#1A1E22")
SECONDARY: Final[Color] = HexColor("#50585F")
LINE: Final[Color] = HexColor("#C9CED3")
LIVE: Final[Color] = HexColor("#0B3B66")
ACCENT: Final[Color] = HexColor("#1C5AA0")
GRID: Final[Color] = HexColor("#E6E9EB")
BASE: Final[Color] = HexColor("#F4F5F6")
WHITE: Final[Color] = HexColor("#FFFFFF")
BAD: Final[Color] = HexColor("#C13BC1")
PENS: Final = tuple(map(HexColor, ("#1F5FA8", "#2B7A4B", "#6A4C9C", "#7C4A22", "#00666B", "#5E6200")))
PRIORITY_FILL: Final = {1: HexColor("#C4122F"), 2: HexColor("#F29F05"), 3: HexColor("#FFDD33"), 4: HexColor("#4CC3E0")}
PRIORITY_TEXT: Final = {1: WHITE, 2: TEXT, 3: TEXT, 4: TEXT}
PRIORITY_NAME: Final = {1: "Critical", 2: "High", 3: "Medium", 4: "Low"}

MARGIN: Final = 16 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
_PADDING: Final = 6.0
"""What reportlab's frame keeps free inside its margins."""


def _style(name: str, size: float, colour: Color, *, font: str = REGULAR, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.28, textColor=colour, **more)


TITLE: Final = _style("title", 16, TEXT, font=BOLD, spaceAfter=2)
SUBTITLE: Final = _style("subtitle", 10, SECONDARY, spaceAfter=8)
SECTION: Final = _style("section", 12, TEXT, font=BOLD, spaceBefore=12, spaceAfter=5)
BODY: Final = _style("body", 9, TEXT)
NOTE: Final = _style("note", 8, SECONDARY, spaceAfter=4)
CELL: Final = _style("cell", 8, TEXT)
CELL_STRONG: Final = _style("cell strong", 8, TEXT, font=BOLD)
CELL_RIGHT: Final = _style("cell right", 8, TEXT, alignment=TA_RIGHT)
HEAD: Final = _style("head", 7.5, SECONDARY)
HEAD_RIGHT: Final = _style("head right", 7.5, SECONDARY, alignment=TA_RIGHT)
KEY_LABEL: Final = _style("key label", 8, SECONDARY)
_HEADER_LEFT: Final = _style("header left", 8.5, TEXT, font=BOLD)
_HEADER_RIGHT: Final = _style("header right", 8.5, SECONDARY)
_FOOTER: Final = _style("footer", 7, SECONDARY)
KEY_VALUE: Final = _style("key value", 18, LIVE, font=BOLD)


def paragraph(text: str, style: ParagraphStyle = BODY, *, longest: int = 160) -> Any:
    """Anybody's text, shown as typed."""
    return Paragraph(markup(text, longest=longest), style)


def hairline_table(
    head: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[float], *, right: frozenset[int] = frozenset()
) -> Any:
    """A table with hairlines, its head repeated on every page; columns in `right` are right-aligned."""
    cells = [[paragraph(text, HEAD_RIGHT if column in right else HEAD) for column, text in enumerate(head)]]
    cells += [
        [
            paragraph(cell, CELL_RIGHT if column in right else CELL) if isinstance(cell, str) else cell
            for column, cell in enumerate(row)
        ]
        for row in rows
    ]
    table = Table(cells, colWidths=list(widths), repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, SECONDARY),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2.2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ]
        )
    )
    return table


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands on every page.

    Attributes:
        left / right: the header's two texts: the factory, and the period with its zone.
        foot: the footer's text, beside "page x of y".
    """

    title: str
    left: str
    right: str
    foot: str


def write_document(target: Path, frame: Frame, make_story: Callable[[], list[Any]]) -> int:
    """Lay the story out and write the PDF; returns its pages.

    It is laid out twice, first to learn how many pages there are; so `make_story` is called twice.
    """
    pages = _lay_out(target, frame, make_story(), total=0)
    return _lay_out(target, frame, make_story(), total=pages)


def _lay_out(target: Path, frame: Frame, story: list[Any], *, total: int) -> int:
    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=MARGIN - _PADDING,
        rightMargin=MARGIN - _PADDING,
        topMargin=24 * mm,
        bottomMargin=20 * mm,
        title=frame.title,
        author=frame.left,
        creator="FactoryOps",
        invariant=True,
    )

    def draw(canvas: Any, _: Any) -> None:
        _draw_frame(canvas, frame, total)

    document.build(story, onFirstPage=draw, onLaterPages=draw)
    return int(document.page)


def _draw_frame(canvas: Any, frame: Frame, total: int) -> None:
    right, top, bottom = A4[0] - MARGIN, A4[1] - 15 * mm, 13 * mm
    canvas.saveState()
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, top - 5, right, top - 5)
    canvas.line(MARGIN, bottom + 10, right, bottom + 10)
    _draw_text(canvas, (MARGIN, top), frame.left, WIDTH * 0.45, _HEADER_LEFT)
    _draw_text(canvas, (right, top), frame.right, WIDTH * 0.55, _HEADER_RIGHT, is_right=True)
    _draw_text(canvas, (MARGIN, bottom), frame.foot, WIDTH * 0.82, _FOOTER)
    page = f"Page {canvas.getPageNumber()} of {total}"
    _draw_text(canvas, (right, bottom), page, WIDTH * 0.18, _FOOTER, is_right=True)
    canvas.restoreState()


def _draw_text(
    canvas: Any, place: tuple[float, float], text: str, width: float, style: ParagraphStyle, *, is_right: bool = False
) -> None:
    text = fitted(text, width, style.fontSize, style.fontName)
    canvas.setFont(font_for(text, style.fontName), style.fontSize)
    canvas.setFillColor(style.textColor)
    (canvas.drawRightString if is_right else canvas.drawString)(*place, text)
