from __future__ import annotations

import re
from pathlib import Path

import pytest

from factoryops.domain.alarms import Priority
from factoryops_resources.stylesheet import stylesheet, write_glyphs
from factoryops_resources.themes import THEME_NAMES, contrast, load_theme

ROOT = Path(__file__).parents[3]
ASKED = {"text": 10.0, "secondary": 5.8, "live": 7.7, "accent": 4.8}


@pytest.mark.parametrize("name", THEME_NAMES)
@pytest.mark.parametrize(("token", "ratio"), ASKED.items())
def test_text_can_be_read_on_every_surface(name: str, token: str, ratio: float) -> None:
    theme = load_theme(name)
    found = {surface: contrast(getattr(theme, token), surface) for surface in theme.surfaces}
    assert min(found.values()) >= ratio - 0.05, found


@pytest.mark.parametrize("name", THEME_NAMES)
def test_selected_and_hovered_rows_can_be_read(name: str) -> None:
    theme = load_theme(name)
    for background in (theme.selection, theme.hover):
        assert contrast(theme.text, background) >= 7
        assert contrast(theme.secondary, background) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5


@pytest.mark.parametrize("name", THEME_NAMES)
def test_what_is_written_on_a_reserved_colour_can_be_read(name: str) -> None:
    theme = load_theme(name)
    for reserved in (*theme.alarms.values(), theme.bad):
        assert contrast(reserved.text, reserved.fill) >= 4.5


@pytest.mark.parametrize("name", THEME_NAMES)
def test_no_pen_looks_like_an_alarm(name: str) -> None:
    theme = load_theme(name)
    reserved = {one.fill.upper() for one in (*theme.alarms.values(), theme.bad)}
    assert not reserved & {pen.upper() for pen in theme.pens}
    assert len(set(theme.pens)) == 10
    assert all(contrast(pen, theme.panel) >= 3 for pen in theme.pens)


def test_priorities_have_their_reserved_colours() -> None:
    theme = load_theme("grey")
    assert theme.alarms[Priority.CRITICAL].fill == "#C4122F"
    assert theme.alarms[Priority.LOW].text == "#000000"


def test_the_style_sheet_names_no_colour_that_is_not_a_token(tmp_path: Path) -> None:
    theme = load_theme("dark")
    sheet = stylesheet(theme, glyph_folder=tmp_path)
    assert "$" not in sheet
    source = (ROOT / "resources/factoryops_resources/data/style.qss").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{6}", source)


def test_widgets_name_no_colours_of_their_own() -> None:
    for path in (ROOT / "widgets").rglob("*.py"):
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8")), path.name


def test_controls_grow_with_the_chosen_size(tmp_path: Path) -> None:
    theme = load_theme("grey")
    assert "min-height: 26px" in stylesheet(theme, glyph_folder=tmp_path)
    assert "min-height: 40px" in stylesheet(theme, scale=1.5, glyph_folder=tmp_path)


def test_every_mark_the_style_sheet_names_is_written(tmp_path: Path) -> None:
    theme = load_theme("grey")
    write_glyphs(theme, tmp_path)
    named = re.findall(r'url\("([^"]+)"\)', stylesheet(theme, glyph_folder=tmp_path))
    assert named
    assert all(Path(path).is_file() for path in named)
