from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.time import US_PER_S, now_us
from factoryops_widgets.alarm_badge import AlarmBadge, AlarmMark, is_flash_on
from factoryops_widgets.alarm_banner import AlarmBanner, AlarmCount, BannerLine, LinkState
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.banner_painter import status_text
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.value_tile import Freshness, TileContent, ValueTile
from tests.support.screenshots import colours_in, grab

HALF_S = 500_000


@pytest.fixture
def tile(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> ValueTile:
    made = ValueTile(look, clock, TileContent("Temperature", "CNC-01", "°C", 1, 0, 120, 40, 85))
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def banner(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> AlarmBanner:
    made = AlarmBanner(look, clock)
    qtbot.addWidget(made)
    made.resize(1_280, made.height())
    made.show()
    return made


def line(
    name: str, priority: Priority, state: AlarmState = AlarmState.UNACKNOWLEDGED, raised_us: int = 0
) -> BannerLine:
    return BannerLine(name, AlarmMark(priority, state), raised_us, "Press 04", "Pressure high")


def test_a_live_value_has_the_live_colour(tile: ValueTile, look: Appearance) -> None:
    tile.set_value(63.4, now_us())
    assert look.theme.live in colours_in(grab(tile))
    assert tile.freshness is Freshness.LIVE


def test_a_frozen_value_loses_the_live_colour(tile: ValueTile, look: Appearance) -> None:
    tile.set_value(63.4, now_us() - 90 * US_PER_S)
    tile.set_freshness(Freshness.DISCONNECTED, now_us() - 90 * US_PER_S)
    assert look.theme.live not in colours_in(grab(tile))


def test_bad_quality_is_magenta_and_never_red(tile: ValueTile, look: Appearance) -> None:
    tile.set_value(63.4, now_us())
    tile.set_freshness(Freshness.BAD)
    colours = colours_in(grab(tile))
    assert look.theme.bad.fill in colours
    assert look.theme.alarms[Priority.CRITICAL].fill not in colours


def test_a_quiet_tile_has_no_reserved_colour(tile: ValueTile, look: Appearance) -> None:
    tile.set_value(63.4, now_us())
    assert not colours_in(grab(tile)) & {reserved.fill for reserved in look.theme.alarms.values()}
    tile.set_mark(AlarmMark(Priority.CRITICAL, AlarmState.ACKNOWLEDGED))
    assert look.theme.alarms[Priority.CRITICAL].fill in colours_in(grab(tile))


def test_new_samples_move_value_and_sparkline_and_old_ones_do_not(tile: ValueTile) -> None:
    now = now_us()
    times = np.arange(now - 600 * US_PER_S, now, US_PER_S, dtype=np.int64)
    tile.append(times, np.linspace(1.0, 2.0, len(times)))
    assert tile._value == 2.0
    tile.append(times[:5], np.full(5, 9.0))
    assert tile._value == 2.0


def test_a_tile_opens_by_mouse_and_by_key(tile: ValueTile, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tile.activated):
        QTest.mouseClick(tile, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(tile.activated):
        QTest.keyClick(tile, Qt.Key.Key_Return)


def test_a_tile_says_aloud_what_it_shows(tile: ValueTile) -> None:
    tile.set_value(63.4, now_us())
    tile.set_mark(AlarmMark(Priority.HIGH, AlarmState.UNACKNOWLEDGED))
    assert "Temperature" in tile.accessibleName()
    assert "High: Unacknowledged" in tile.accessibleName()


def test_names_with_markup_stay_text(tile: ValueTile) -> None:
    tile.set_content(TileContent("<img src=x>", "<b>CNC</b>"))
    assert "<img" not in tile.toolTip()


def test_unacknowledged_flashes_at_one_hertz_and_returned_at_half() -> None:
    def changes(state: AlarmState) -> int:
        phases = [is_flash_on(state, step * 250_000) for step in range(17)]
        return sum(one is not other for one, other in itertools.pairwise(phases))

    assert changes(AlarmState.UNACKNOWLEDGED) == 8
    assert changes(AlarmState.RETURNED_UNACKNOWLEDGED) == 4
    assert changes(AlarmState.ACKNOWLEDGED) == 0


def test_only_the_border_of_a_badge_flashes(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> None:
    badge = AlarmBadge(look, clock, AlarmMark(Priority.CRITICAL, AlarmState.UNACKNOWLEDGED))
    qtbot.addWidget(badge)

    def picture(moment_us: int) -> QImage:
        badge._moment_us = moment_us
        return grab(badge, width_px=20, height_px=20)

    bright, dark = picture(0), picture(HALF_S)
    changed = {
        (x, y) for x in range(20) for y in range(20) if bright.pixelColor(x, y) != dark.pixelColor(x, y)
    }  # fmt: skip
    assert changed
    assert all(min(x, y, 19 - x, 19 - y) <= 2 for x, y in changed)


def test_the_banner_shows_the_three_most_urgent_unacknowledged_first(banner: AlarmBanner) -> None:
    banner.set_lines(
        [
            line("acked", Priority.CRITICAL, AlarmState.ACKNOWLEDGED),
            line("low", Priority.LOW),
            line("old high", Priority.HIGH, raised_us=1),
            line("new high", Priority.HIGH, raised_us=2),
            line("critical", Priority.CRITICAL),
        ]
    )
    assert [one.alarm_id for one in banner.facts.lines] == ["critical", "new high", "old high"]
    assert banner.facts.more == 1


def test_the_banner_never_changes_its_height(banner: AlarmBanner) -> None:
    before = banner.height()
    banner.set_lines([line("a", Priority.HIGH)] * 3)
    assert banner.height() == before


def test_a_line_opens_its_alarm(banner: AlarmBanner, qtbot: QtBot) -> None:
    banner.set_lines([line("a", Priority.HIGH), line("b", Priority.LOW)])
    with qtbot.waitSignal(banner.line_activated) as clicked:
        QTest.mouseClick(banner, Qt.MouseButton.LeftButton, pos=QPoint(200, 40))
    assert clicked.args == ["b"]
    banner.setFocus()
    QTest.keyClick(banner, Qt.Key.Key_Up)
    with qtbot.waitSignal(banner.line_activated) as pressed:
        QTest.keyClick(banner, Qt.Key.Key_Return)
    assert pressed.args == ["a"]


def test_acknowledge_names_only_the_lines_that_are_shown_and_open(banner: AlarmBanner, qtbot: QtBot) -> None:
    banner.set_lines([line(str(number), Priority.LOW, raised_us=number) for number in range(5)])
    button = banner.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    with qtbot.waitSignal(banner.acknowledge_requested) as asked:
        button.click()
    assert asked.args == [["4", "3", "2"]]
    banner.set_lines([line("x", Priority.LOW, AlarmState.ACKNOWLEDGED)])
    assert not button.isVisible()


def test_the_banner_says_since_when_the_link_is_lost(banner: AlarmBanner) -> None:
    banner.set_link(LinkState.LOST, now_us() - 65 * US_PER_S)
    text, is_well = status_text(banner._picture())
    assert "Not connected since" in text
    assert "1 min" in text
    assert not is_well
    banner.set_link(LinkState.CONNECTED)
    banner.set_service("degraded", ["The history store is away."])
    assert status_text(banner._picture()) == ("The history store is away.", False)


def test_without_a_link_the_banner_does_not_claim_that_there_are_no_alarms(banner: AlarmBanner) -> None:
    banner.set_link(LinkState.CONNECTED)
    quiet = grab(banner)
    banner.set_link(LinkState.LOST)
    assert grab(banner) != quiet


def test_counts_are_told_aloud(banner: AlarmBanner) -> None:
    banner.set_counts({Priority.HIGH: AlarmCount(2, 1), Priority.LOW: AlarmCount(1, 0)})
    assert "3 unacknowledged" in banner.accessibleName()
