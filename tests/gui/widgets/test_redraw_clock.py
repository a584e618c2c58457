from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from factoryops_widgets.redraw_clock import RedrawClock


def runs(clock: RedrawClock) -> bool:
    return clock.is_running


def test_only_what_can_be_seen_is_painted(qtbot: QtBot) -> None:
    clock = RedrawClock(5)
    seen, hidden = QWidget(), QWidget()
    qtbot.addWidget(seen)
    qtbot.addWidget(hidden)
    painted: list[str] = []
    clock.register(seen, lambda _now: painted.append("seen"), most_hz=1_000)
    clock.register(hidden, lambda _now: painted.append("hidden"), most_hz=1_000)
    seen.show()
    qtbot.waitUntil(lambda: len(painted) > 5)
    assert set(painted) == {"seen"}


def test_a_slow_widget_is_not_painted_more_often_than_it_asked(qtbot: QtBot) -> None:
    clock = RedrawClock(5)
    widget = QWidget()
    qtbot.addWidget(widget)
    often: list[int] = []
    rarely: list[int] = []
    clock.register(widget, often.append, most_hz=200)
    clock.register(widget, rarely.append, most_hz=1)
    widget.show()
    qtbot.waitUntil(lambda: len(often) > 20)
    assert len(rarely) <= 2


def test_it_stands_still_when_nothing_is_registered(qtbot: QtBot) -> None:
    clock = RedrawClock(5)
    widget = QWidget()
    qtbot.addWidget(widget)
    assert not runs(clock)
    end = clock.register(widget, lambda _now: None)
    assert runs(clock)
    end()
    end()
    assert not runs(clock)


def test_a_widget_that_is_gone_is_forgotten(qtbot: QtBot) -> None:
    clock = RedrawClock(5)
    widget = QWidget()
    clock.register(widget, lambda _now: None)
    widget.deleteLater()
    del widget
    qtbot.waitUntil(lambda: not clock.is_running)


def test_a_crowded_screen_gets_slower_but_everybody_gets_a_turn(qtbot: QtBot) -> None:
    clock = RedrawClock(2, budget_ms=0.0)
    widget = QWidget()
    qtbot.addWidget(widget)
    turns: list[str] = []
    for name in "abc":
        clock.register(widget, lambda _now, name=name: turns.append(name), most_hz=1_000)  # type: ignore[misc]  # mypy and defaults in lambdas
    widget.show()
    qtbot.waitUntil(lambda: len(turns) >= 9)
    assert {name: turns[:9].count(name) for name in "abc"} == {"a": 3, "b": 3, "c": 3}
