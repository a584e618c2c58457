from __future__ import annotations

import asyncio
import gc

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from factoryops.client.fake import ACCOUNTS
from factoryops.domain.identity import Permission
from factoryops_app.main_window import MainWindow
from factoryops_app.pages.sources import SourcesPage
from factoryops_app.workplace import PageKey
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


def test_the_palette_finds_a_parameter_and_draws_it(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        window.open_palette()
        field = window.palette_box.findChildren(QLineEdit)[0]
        QTest.keyClicks(field, "oxyg")
        assert window.palette_box.titles[0] == "Oxygen"
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert window.current is not None
        assert window.current.key is PageKey.TRENDS
        assert "Oxygen" in [one.title for one in window.place.pens.measured]

    client(work)


def test_the_palette_finds_a_tab_of_a_page(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("supervisor")
        window.open_palette()
        field = window.palette_box.findChildren(QLineEdit)[0]
        QTest.keyClicks(field, "quaran")
        QTest.keyClick(field, Qt.Key.Key_Return)
        page = window.current
        assert isinstance(page, SourcesPage)
        assert page.tab("quarantine").isVisible()

    client(work)


def test_who_may_not_acknowledge_is_not_offered_it(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("viewer")
        button = next(one for one in window.banner.findChildren(QPushButton) if one.text() == "Acknowledge")
        assert not button.isEnabled()
        window.lock()
        window.unlock()
        assert not button.isEnabled()

    client(work)


def test_a_small_screen_in_a_large_scale_scrolls_to_what_does_not_fit(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("admin")
        app.look.set_scale(1.25)
        for page in PageKey:
            window.go(page)
        await asyncio.sleep(0)
        least = window.minimumSizeHint()
        assert (least.width(), least.height()) <= (1_280, 800)
        assert least.height() <= 720
        window.go(PageKey.RULES)
        window.resize(1_280, 720)
        assert window.current is not None
        assert window.current.height() >= window.current.minimumSizeHint().height()

    client(work)


def shown(app: ImaginedApp) -> str:
    assert app.window.current is not None
    return app.window.current.key.value


def test_back_and_forward_follow_the_way_one_came(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        for key in (PageKey.ALARMS, PageKey.TRENDS):
            window.go(key)
        window.back()
        window.back()
        assert shown(app) == "overview"
        window.forward()
        assert shown(app) == "alarms"

    client(work)


def test_a_locked_workstation_goes_on_showing_and_changes_nothing(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("supervisor")
        window.go(PageKey.ALARMS)
        window.lock()
        assert not app.session.may(Permission.ACKNOWLEDGE)
        button = next(one for one in window.banner.findChildren(QPushButton) if one.text() == "Acknowledge")
        assert not button.isEnabled()
        window.acknowledge_selection()
        await until(lambda: "locked" in window.status)
        rule = next(one for one in app.session.plant.rules if one.content.name == "Vibration high")
        alarm = app.plant.raise_alarm(rule.id, "pump-1", 4.9)
        await until(lambda: alarm.id in [line.alarm_id for line in window.banner.facts.lines])
        window.unlock_requested.emit("wrong")
        await until(lambda: window.lock_bar.isVisible() and window.lock_bar.problem)
        window.unlock_requested.emit(ACCOUNTS["supervisor"][0])
        await until(lambda: not window.lock_bar.isVisible())
        assert app.session.may(Permission.ACKNOWLEDGE)
        assert button.isEnabled()

    client(work)


def test_another_language_is_spoken_everywhere_at_once(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        window.go(PageKey.ALARMS)
        window.language_requested.emit("de")
        assert app.window is not window
        assert app.window.current is not None
        assert (app.window.current.key, app.window.current.title) == (PageKey.ALARMS, "Alarme")

    client(work)


def test_pens_are_remembered_for_each_user(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        chosen = [one.parameter.id for one in app.session.plant.parameters[5:7]]
        window.place.pens.show_only(chosen)
        assert app.settings.data("trend.pens.operator") == chosen

    client(work)


def test_nothing_listens_or_runs_after_a_logout(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        session = app.session
        for key in PageKey:
            window.go(key)
        window.logout_requested.emit()
        await until(app.shell.login.isVisible)
        assert session.samples.open_taps == 0
        assert len(session.alarms.changed) == 0
        assert len(session.plant.changed) <= 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    client(work)


@pytest.mark.parametrize("attempt", range(5))
def test_starting_and_quitting_leaves_nothing_behind(client: Drive, attempt: int) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.log_in()

    client(work)
    gc.collect()
    assert not [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow) and one.isVisible()]
