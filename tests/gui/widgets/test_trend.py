from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from factoryops.domain.alarms import Priority
from factoryops.domain.bins import bin_samples
from factoryops.domain.time import US_PER_S, now_us
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.trend import AlarmPeriod, Gap, Limit, Pen, TrendMode, TrendView
from tests.support.screenshots import colours_in, grab

MINUTE = 60 * US_PER_S


@pytest.fixture
def trend(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> TrendView:
    view = TrendView(look, clock)
    qtbot.addWidget(view)
    view.resize(800, 360)
    view.set_pens([Pen("a", "Temperature", "°C", limits=(Limit(90.0, "High", Priority.HIGH),))])
    view.show()
    qtbot.waitExposed(view)
    return view


def fill(view: TrendView, *, seconds: int = 1_800) -> int:
    """Live samples over the last `seconds`; answers the time of the newest."""
    newest = now_us()
    times = np.arange(newest - seconds * US_PER_S, newest, US_PER_S, dtype=np.int64)
    view.append_live("a", times, 70 + 10 * np.sin(times / (100 * US_PER_S)))
    return newest


def column(image: QImage, view: TrendView, time_us: int) -> set[str]:
    """Colours in the pixel column of the plot at a time."""
    plot = view.frame().plot
    x = round(view.frame().x(time_us))
    return {image.pixelColor(x, y).name().upper() for y in range(int(plot.top()) + 2, int(plot.bottom()) - 2)}


def mode_of(view: TrendView) -> TrendMode:
    return view.mode


def test_the_line_is_drawn_in_the_pens_colour(trend: TrendView, look: Appearance) -> None:
    newest = fill(trend)
    assert look.theme.pen(0) in column(grab(trend), trend, newest - 5 * MINUTE)


def test_history_and_live_are_one_line_without_a_hole(trend: TrendView, look: Appearance) -> None:
    newest = now_us()
    times = np.arange(newest - 1_800 * US_PER_S, newest, US_PER_S, dtype=np.int64)
    values = 70 + np.sin(times / (200 * US_PER_S))
    trend.set_history("a", bin_samples(times[:1_200], values[:1_200], 10 * US_PER_S))
    trend.append_live("a", times[1_150:], values[1_150:])
    image = grab(trend)
    plot = trend.frame().plot
    hues = {look.theme.pen(0)}
    missing = [
        x for x in range(int(plot.left()) + 3, int(trend.frame().x(newest)) - 3)
        if not hues & {image.pixelColor(x, y).name().upper() for y in range(int(plot.top()), int(plot.bottom()))}
    ]  # fmt: skip
    assert missing == []
    assert trend.bin_width_us == 10 * US_PER_S


def test_no_line_crosses_a_gap(trend: TrendView, look: Appearance) -> None:
    newest = now_us()
    times = np.arange(newest - 1_800 * US_PER_S, newest, US_PER_S, dtype=np.int64)
    kept = (times < newest - 15 * MINUTE) | (times > newest - 10 * MINUTE)
    trend.append_live("a", times[kept], np.full(int(kept.sum()), 70.0))
    trend.set_gaps([Gap(newest - 15 * MINUTE, newest - 10 * MINUTE, "outage")])
    image = grab(trend)
    assert look.theme.pen(0) not in column(image, trend, newest - 12 * MINUTE)
    assert look.theme.pen(0) in column(image, trend, newest - 20 * MINUTE)


def test_alarm_periods_are_a_strip_in_their_reserved_colour(trend: TrendView, look: Appearance) -> None:
    newest = fill(trend)
    trend.set_alarm_periods([AlarmPeriod(newest - 10 * MINUTE, newest - 5 * MINUTE, Priority.HIGH)])
    assert look.theme.alarms[Priority.HIGH].fill in colours_in(grab(trend))


def test_a_limit_is_always_in_view_so_that_it_can_be_judged(trend: TrendView) -> None:
    fill(trend)
    grab(trend)
    scale = trend.shown_scales()[0]
    assert scale.low < 60
    assert scale.high >= 90


def test_it_scrolls_by_the_clock_while_nothing_comes(trend: TrendView, qtbot: QtBot) -> None:
    trend.go_live(2 * US_PER_S)
    before = trend.span_us[1]
    qtbot.waitUntil(lambda: trend.span_us[1] > before)
    assert mode_of(trend) is TrendMode.LIVE


def test_moving_away_from_now_holds_and_end_returns(trend: TrendView, qtbot: QtBot) -> None:
    button = trend.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    assert not button.isVisible()
    plot = trend.frame().plot
    start = QPoint(int(plot.center().x()), int(plot.center().y()))
    before = trend.span_us
    with qtbot.waitSignal(trend.mode_changed):
        QTest.mousePress(trend, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(trend, start + QPoint(80, 0))
        QTest.mouseRelease(trend, Qt.MouseButton.LeftButton, pos=start + QPoint(80, 0))
    assert mode_of(trend) is TrendMode.HOLD
    assert trend.span_us[1] < before[1]
    assert button.isVisible()
    QTest.keyClick(trend, Qt.Key.Key_End)
    assert mode_of(trend) is TrendMode.LIVE
    assert not button.isVisible()


def wheel(view: TrendView, at: QPointF, notches: int) -> None:
    event = QWheelEvent(
        at, view.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def test_the_wheel_zooms_about_the_time_under_the_mouse(trend: TrendView) -> None:
    newest = fill(trend)
    trend.set_span(newest - 20 * MINUTE, newest)
    at = QPointF(trend.frame().plot.left() + 200, trend.frame().plot.center().y())
    under = trend.frame().time_us(at.x())
    length = trend.span_us[1] - trend.span_us[0]
    wheel(trend, at, 2)
    assert trend.span_us[1] - trend.span_us[0] < length
    assert abs(trend.frame().time_us(at.x()) - under) < 5 * trend.frame().us_per_px


def test_the_wheel_over_an_axis_zooms_only_that_axis(trend: TrendView) -> None:
    fill(trend)
    grab(trend)
    span, extent = trend.span_us[1] - trend.span_us[0], trend.shown_scales()[0].extent
    wheel(trend, QPointF(trend.frame().plot.left() - 10, trend.frame().plot.center().y()), 1)
    assert trend.span_us[1] - trend.span_us[0] == span
    assert trend.shown_scales()[0].extent < extent
    assert trend.shown_scales()[0].is_manual
    double_click(trend)
    assert not trend.shown_scales()[0].is_manual


def double_click(view: TrendView) -> None:
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(400, 150))


def test_a_box_zooms_both_ways_and_z_comes_back(trend: TrendView, qtbot: QtBot) -> None:
    newest = fill(trend)
    trend.set_span(newest - 20 * MINUTE, newest)
    grab(trend)
    before = trend.span_us
    control = Qt.KeyboardModifier.ControlModifier
    QTest.mousePress(trend, Qt.MouseButton.LeftButton, control, QPoint(300, 80))
    QTest.mouseMove(trend, QPoint(500, 200))
    QTest.mouseRelease(trend, Qt.MouseButton.LeftButton, control, QPoint(500, 200))
    assert trend.span_us[0] > before[0]
    assert trend.span_us[1] < before[1]
    QTest.keyClick(trend, Qt.Key.Key_Z)
    assert trend.span_us == before
    QTest.keyClick(trend, Qt.Key.Key_Y)
    assert trend.span_us != before


def test_history_is_asked_for_once_the_hand_rests(trend: TrendView, qtbot: QtBot) -> None:
    asked: list[tuple[int, int]] = []
    trend.range_changed.connect(lambda start, end: asked.append((start, end)))
    for step in range(20):
        trend.set_span(step * MINUTE, (step + 60) * MINUTE)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [(19 * MINUTE, 79 * MINUTE)]


def test_coming_back_asks_for_the_history_of_the_gap(trend: TrendView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not trend._settle.isActive())
    trend.set_connected(False, now_us() - MINUTE)
    with qtbot.waitSignal(trend.range_changed):
        trend.set_connected(True)


def test_a_lost_link_shows_in_the_plot(trend: TrendView) -> None:
    fill(trend)
    well = grab(trend)
    trend.set_connected(False, now_us() - MINUTE)
    assert grab(trend) != well


def test_the_cursor_reads_every_pen(trend: TrendView, qtbot: QtBot) -> None:
    newest = fill(trend)
    with qtbot.waitSignal(trend.cursor_moved):
        QTest.keyClick(trend, Qt.Key.Key_C)
    found = trend.readings(newest - 5 * MINUTE)["a"]
    assert found is not None
    assert 60 <= found <= 80
    before = trend.cursor_us
    assert before is not None
    QTest.keyClick(trend, Qt.Key.Key_Right)
    assert (trend.cursor_us or 0) > before
    grab(trend)
    QTest.keyClick(trend, Qt.Key.Key_C)
    assert trend.cursor_us is None


def test_pens_that_stay_keep_their_samples_and_hidden_ones_are_not_drawn(trend: TrendView, look: Appearance) -> None:
    newest = fill(trend)
    trend.set_pens([Pen("b", "Power", "kW", 1), Pen("a", "Temperature", "°C", 0)])
    assert trend.live_values()["a"] is not None
    trend.set_pen_shown("a", False)
    assert look.theme.pen(0) not in column(grab(trend), trend, newest - 5 * MINUTE)


def test_answers_for_pens_that_are_gone_are_ignored(trend: TrendView) -> None:
    times = np.arange(3, dtype=np.int64)
    trend.set_samples("gone", times, np.zeros(3))
    trend.append_live("gone", times, np.zeros(3))
    assert set(trend.readings(0)) == {"a"}


@pytest.mark.parametrize("size", [(260, 140), (800, 360), (1_600, 900)])
@pytest.mark.parametrize("theme", ["grey", "dark", "light"])
def test_it_draws_at_any_size_in_any_theme(
    trend: TrendView, look: Appearance, size: tuple[int, int], theme: str
) -> None:
    fill(trend)
    look.set_theme(theme)
    image = grab(trend, width_px=size[0], height_px=size[1])
    assert look.theme.pen(0) in colours_in(image)
