"""Alarms are put aside before they are ever raised, under the rules that hold for any other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.rule import RuleMode
from factoryops_app.alarm_dialogs import ShelveDialog, TakeOutDialog
from factoryops_app.main_window import MainWindow
from factoryops_app.page import Page
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.pages.device import DevicePage
from factoryops_app.put_aside_dialog import PutAsideDialog
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


def compressor(app: ImaginedApp) -> http.Device:
    return next(one for one in app.session.plant.devices if one.key == "compressor-1")


async def open_dialog(app: ImaginedApp, page: PageKey, user: str, target: Target | None = None) -> PutAsideDialog:
    """Press the key on a page."""
    window = await app.log_in(user)
    window.go(page, target)
    press(window)
    return shown(window.current)


def press(window: MainWindow) -> None:
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_F8, both)


def shown(page: Page | None) -> PutAsideDialog:
    assert page is not None
    dialog = page.findChild(PutAsideDialog)
    assert dialog is not None
    return dialog


def choose(dialog: PutAsideDialog, rule: http.Rule) -> None:
    """Choose an alarm of the list, by its rule."""
    dialog.table.select(rule.id)
    assert [one.rule.id for one in dialog.table.selected_rows()] == [rule.id]


async def add_rule(plant: FakePlant, alarm_class: str = "") -> http.Rule:
    """A rule that has never raised an alarm."""
    await plant.login("riverside", "supervisor", "riverside supervisor")
    condition = PlainLimit("oil_temperature", Comparison.ABOVE, 300.0).condition
    content = http.RuleContent(name="Oil hot", condition=condition, priority=Priority.HIGH, alarm_class=alarm_class)
    return await plant.create_rule(content)


def test_an_alarm_that_was_never_raised_is_shelved_from_the_keyboard(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await add_rule(app.plant)
        dialog = await open_dialog(app, PageKey.ALARMS, "operator")
        page = app.window.current
        assert isinstance(page, AlarmsPage)
        dialog.device.choose(compressor(app).id)
        dialog.device.activated.emit(dialog.device.currentIndex())
        choose(dialog, rule)
        assert dialog.table.selected_rows()[0].state_words == "Normal"
        assert not dialog.take_out.isEnabled(), "an operator may shelve only"
        QTest.keyClick(dialog.shelve, Qt.Key.Key_Space)
        await until(lambda: dialog.findChild(ShelveDialog) is not None)
        shelving = dialog.findChild(ShelveDialog)
        assert shelving is not None
        shelving.save()
        assert "reason" in shelving.form.errors()
        shelving.reason.setText("the damper is being changed")
        shelving.save()
        await until(lambda: page.findChild(PutAsideDialog) is None)
        page.show_list(AlarmState.SHELVED)
        listed = page.aside(AlarmState.SHELVED).table.table
        await until(lambda: len(listed.rows()) == 1)
        held = app.session.alarms.by_rule(compressor(app).id)[rule.id]
        assert (held.state, held.underlying) == (AlarmState.SHELVED, AlarmState.NORMAL)

    client(work)


def test_what_its_class_keeps_from_being_shelved_is_taken_out_of_service(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await add_rule(app.plant, "safety")
        await app.log_in("supervisor")
        app.window.go(PageKey.DEVICE, Target(ids=(compressor(app).id,)))
        press(app.window)
        dialog = shown(app.window.current)
        assert dialog.device.value == compressor(app).id
        choose(dialog, rule)
        assert "may not be shelved" in dialog.remark
        assert (dialog.shelve.isEnabled(), dialog.take_out.isEnabled()) == (False, True)
        dialog.take_out.click()
        await until(lambda: dialog.findChild(TakeOutDialog) is not None)
        taking = dialog.findChild(TakeOutDialog)
        assert taking is not None
        taking.reason.setText("overhaul")
        taking.save()
        page = app.window.current
        assert isinstance(page, DevicePage)
        await until(lambda: page.findChild(PutAsideDialog) is None)
        assert app.session.alarms.by_rule(compressor(app).id)[rule.id].state is AlarmState.OUT_OF_SERVICE

    client(work)


def test_only_alarms_that_live_rules_can_raise_on_the_device_are_offered(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.log_in("supervisor")
        off = next(one for one in app.session.plant.rules if one.content.name == "Zone 2 too hot")
        others = [one for one in app.session.plant.rules if one is not off]
        content = off.content.model_copy(update={"mode": RuleMode.OFF})
        app.session.plant.replace(app.session.plant.devices, [off.model_copy(update={"content": content}), *others])
        furnace = next(one for one in app.session.plant.devices if one.key == "furnace-1")
        app.window.go(PageKey.DEVICE, Target(ids=(furnace.id,)))
        press(app.window)
        dialog = shown(app.window.current)
        assert dialog.table.rows() == []
        assert dialog.remark == "No live rule watches this device."
        dialog.reject()

    client(work)


def test_nobody_puts_alarms_aside_who_may_not_or_while_locked(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("operator")
        window.go(PageKey.ALARMS)
        page = window.current
        assert isinstance(page, AlarmsPage)
        assert page.put_aside.isEnabled()
        window.lock()
        assert not page.put_aside.isEnabled()
        press(window)
        assert page.findChild(PutAsideDialog) is None

    client(work)
