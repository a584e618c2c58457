from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from factoryops.domain.time import US_PER_S
from factoryops_resources.icons import NAMES
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.busy import BusyLine
from factoryops_widgets.form import Form
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.shortcuts import KeyMap, KeyMapOverlay
from factoryops_widgets.state_view import StateView
from factoryops_widgets.time_bar import SPANS_S, TimeBar
from factoryops_widgets.trend import TrendMode, TrendView

MINUTE = 60 * US_PER_S


@pytest.fixture
def state(qtbot: QtBot, look: Appearance) -> StateView:
    view = StateView(look, QLabel("content"))
    qtbot.addWidget(view)
    view.resize(500, 300)
    view.show()
    return view


def is_shown(state: StateView) -> bool:
    return state.is_content_shown


def button(widget: QWidget, text: str) -> QPushButton:
    return next(one for one in widget.findChildren(QPushButton) if one.text() == text)


def test_a_quick_answer_never_shows_the_skeleton(state: StateView, qtbot: QtBot) -> None:
    state.show_loading()
    assert not is_shown(state)
    state.show_content()
    assert is_shown(state)
    assert not state._delay.isActive()


def test_a_slow_answer_shows_the_skeleton_after_a_moment(state: StateView, qtbot: QtBot) -> None:
    state.show_loading()
    qtbot.waitUntil(lambda: state._stack.currentIndex() == 1)


def test_an_empty_view_has_the_one_button_that_starts_it(state: StateView, qtbot: QtBot) -> None:
    state.show_empty("No rules yet", "A rule raises an alarm.", "New rule")
    with qtbot.waitSignal(state.action_requested):
        button(state, "New rule").click()
    assert "No rules yet" in state.message
    assert not button(state, "Try again").isVisible()


def test_an_error_can_be_tried_again(state: StateView, qtbot: QtBot) -> None:
    state.show_error("The service does not answer.", "Try again in a moment.")
    with qtbot.waitSignal(state.retry_requested):
        button(state, "Try again").click()


def test_what_may_not_be_seen_says_so_without_a_button(state: StateView) -> None:
    state.show_no_permission("Ask a supervisor.")
    assert "Not permitted" in state.message
    assert not button(state, "Try again").isVisible()


def test_a_stale_view_keeps_its_content_and_says_since_when(state: StateView) -> None:
    state.set_stale("Not current since 12:00.")
    assert state.is_content_shown
    assert any(label.text().startswith("Not current") and label.isVisible() for label in state.findChildren(QLabel))


def test_faults_stand_beside_their_fields_and_the_first_gets_the_focus(qtbot: QtBot, look: Appearance) -> None:
    form = Form(look)
    qtbot.addWidget(form)
    name, limit = QLineEdit(), QLineEdit()
    form.add_row("name", "&Name", name)
    form.add_row("limit", "&Limit", limit, unit="°C", hint="in the parameter's unit")
    form.show()
    qtbot.waitExposed(form)
    form.set_errors({"limit": "must be a number", "elsewhere": "x"})
    qtbot.waitUntil(limit.hasFocus)
    assert form.errors() == {"limit": "must be a number"}
    assert limit.property("invalid") == "true"
    assert limit.accessibleDescription() == "must be a number"
    form.clear_errors()
    assert limit.property("invalid") == "false"
    texts = [label.text() for label in form.findChildren(QLabel)]
    assert "in the parameter's unit" in texts
    assert name.accessibleName() == "Name"


def test_fields_beside_long_and_short_units_end_at_one_line_and_hide_with_their_units(
    qtbot: QtBot, look: Appearance
) -> None:
    form = Form(look)
    qtbot.addWidget(form)
    fields = {unit: QLineEdit() for unit in ("%", "alarms in 10 min")}
    for unit, field in fields.items():
        form.add_row(unit, "Limit", field, unit=unit)
    form.show()
    qtbot.waitExposed(form)
    assert len({field.geometry().right() for field in fields.values()}) == 1
    form.set_row_shown("%", is_shown=False)
    assert [label.text() for label in form.findChildren(QLabel) if label.isVisible()] == ["Limit", "alarms in 10 min"]


def test_work_says_how_far_it_is_and_can_be_cancelled_once(qtbot: QtBot, look: Appearance) -> None:
    busy = BusyLine(look)
    qtbot.addWidget(busy)
    assert not busy.isVisible()
    busy.start("Report", can_cancel=True)
    busy.set_progress(0.25, "Reading")
    with qtbot.waitSignal(busy.cancel_requested):
        button(busy, "Cancel").click()
    assert not button(busy, "Cancel").isEnabled()
    busy.finish()
    assert not busy.isVisible()


@pytest.fixture
def bar(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> tuple[TimeBar, TrendView]:
    trend = TrendView(look, clock)
    bar = TimeBar(look, trend)
    for widget in (trend, bar):
        qtbot.addWidget(widget)
        widget.show()
    return bar, trend


def length_s(trend: TrendView) -> int:
    return round((trend.span_us[1] - trend.span_us[0]) / US_PER_S)


@pytest.mark.parametrize(("text", "seconds"), SPANS_S.items())
def test_a_span_button_shows_that_span_and_stays_live(bar: tuple[TimeBar, TrendView], text: str, seconds: int) -> None:
    button(bar[0], text).click()
    assert length_s(bar[1]) == seconds
    assert bar[1].mode is TrendMode.LIVE


def test_a_span_typed_in_local_time_is_shown(bar: tuple[TimeBar, TrendView], qtbot: QtBot) -> None:
    time_bar, trend = bar
    start = 1_773_480_000 * US_PER_S
    time_bar._start.setDateTime(time_bar._field_time(start))
    time_bar._end.setDateTime(time_bar._field_time(start + 3_600 * US_PER_S))
    with qtbot.waitSignal(trend.range_changed) as asked:
        button(time_bar, "Go").click()
    assert asked.args == [start, start + 3_600 * US_PER_S]
    assert trend.mode is TrendMode.HOLD


def test_back_and_forward_walk_through_the_spans_seen(bar: tuple[TimeBar, TrendView], qtbot: QtBot) -> None:
    time_bar, trend = bar
    spans = [(number * 100 * MINUTE, number * 100 * MINUTE + 60 * MINUTE) for number in (1, 2, 3)]
    for span in spans:
        with qtbot.waitSignal(trend.range_changed):
            trend.set_span(*span)
    time_bar.back()
    assert trend.span_us == spans[1]
    time_bar.back()
    assert trend.span_us == spans[0]
    time_bar.forward()
    assert trend.span_us == spans[1]


def test_keys_act_and_are_listed_and_can_be_unbound(qtbot: QtBot, look: Appearance) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    keys = KeyMap(window)
    pressed: list[str] = []
    unbind = keys.bind("F2", "Alarms", "Pages", lambda: pressed.append("F2"))
    window.activateWindow()
    window.setFocus()
    qtbot.waitUntil(window.hasFocus)
    QTest.keyClick(window, Qt.Key.Key_F2)
    assert pressed == ["F2"]
    overlay = KeyMapOverlay(look, keys, window)
    overlay.toggle()
    assert overlay.isVisible()
    assert {"F2", "Alarms", "Pages"} <= {label.text() for label in overlay.findChildren(QLabel)}
    QTest.keyClick(overlay, Qt.Key.Key_Escape)
    assert not overlay.isVisible()
    unbind()
    assert keys.entries() == []


def test_every_icon_exists(look: Appearance) -> None:
    assert all(not look.icon(name).pixmap(16, 16).isNull() for name in NAMES)


def test_figures_have_equal_width(look: Appearance) -> None:
    metrics = QFontMetricsF(look.font(20))
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("0000")


def test_a_hundred_thousand_void_calls_do_not_wear_out_nothing(look: Appearance) -> None:
    """PySide6 6.12 dropped a reference to None with each void call on Python 3.11 and aborted after a while."""
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    at = QPoint(1, 1)
    for _ in range(100_000):
        painter.drawPoint(at)
    painter.end()
    assert image.width() == 8
