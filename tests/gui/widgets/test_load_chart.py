"""The picture of the load keeps every peak and says what could not be seen."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from factoryops_widgets.appearance import Appearance
from factoryops_widgets.load_chart import LoadChart, LoadPicture, column_heights
from tests.support.screenshots import colours_in, grab

TEN_MIN_US = 600_000_000


def test_no_peak_is_lost_where_many_intervals_fall_on_one_pixel() -> None:
    counts = [0] * 4_320
    counts[1_234] = 28
    heights = column_heights(counts, 500)
    assert (len(heights), float(heights.max()), int(np.count_nonzero(heights))) == (500, 28.0, 1)
    assert column_heights([1, None, 3], 500).tolist()[::2] == [1.0, 3.0]
    assert np.isnan(column_heights([None, None, 2, None], 2)).tolist() == [True, False]
    assert len(column_heights([], 500)) == 0


@pytest.mark.parametrize("theme", ["grey", "dark", "light"])
def test_bars_above_the_line_have_a_colour_of_their_own(qtbot: QtBot, theme: str) -> None:
    look = Appearance(theme)
    chart = LoadChart(look)
    qtbot.addWidget(chart)
    chart.show_load(LoadPicture(0, TEN_MIN_US, [2, 4, 3], 10))
    assert look.theme.live not in colours_in(grab(chart, width_px=400, height_px=200))
    chart.show_load(LoadPicture(0, TEN_MIN_US, [2, 14, 3], 10))
    assert look.theme.live in colours_in(grab(chart, width_px=400, height_px=200))


def test_it_says_in_words_what_it_shows(qtbot: QtBot) -> None:
    chart = LoadChart(Appearance())
    qtbot.addWidget(chart)
    grab(chart, width_px=400, height_px=200)
    assert chart.words_at(200) == ""
    chart.show_load(LoadPicture(0, TEN_MIN_US, [1, None, 7], 10))
    assert chart.accessibleDescription() == "2 intervals, at most 7 alarms in one"
    assert [chart.words_at(x) for x in (80, 210, 380)] == [
        "1970-01-01 00:00: one alarm", "1970-01-01 00:10: could not be seen", "1970-01-01 00:20: 7 alarms",
    ]  # fmt: skip
    assert chart.words_at(2) == ""
