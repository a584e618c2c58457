"""What holds wherever something is changed: while locked, while saving, and when the service refuses."""

from __future__ import annotations

import asyncio
from functools import partial

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops_app.navigation import tab_titles
from factoryops_app.pages.factory import FactoryPage
from factoryops_app.pages.notifications import NotificationsPage
from factoryops_app.pages.rules import RulesPage
from factoryops_app.set_up.contacts_tab import ContactsTab
from factoryops_app.set_up.philosophy_tab import PhilosophyTab
from factoryops_app.tabbed_page import TabbedPage
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

DEEDS = {
    "Save", "Discard changes", "Mark", "Mark as incident", "Take the mark away", "Try it",
    "Put this version in force again", "Put it live", "Send a test message",
}  # fmt: skip
LOCKED = "This workstation is locked; unlock it first."
JANA = http.ContactContent(name="Jana Berg", email="jana@example.com", phone="+4915112345678")


class SlowPlant(FakePlant):
    """An imagined plant that answers to a change when it is let."""

    def __init__(self) -> None:
        super().__init__(tick_s=0.05)
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def create_contact(self, content: http.ContactContent) -> http.Contact:
        self.asked += 1
        await self.may_answer.wait()
        return await super().create_contact(content)

    async def change_philosophy(self, change: http.PhilosophyChange) -> http.Philosophy:
        self.asked += 1
        await self.may_answer.wait()
        return await super().change_philosophy(change)


def _page(app: ImaginedApp) -> TabbedPage:
    page = app.window.current
    assert isinstance(page, FactoryPage | NotificationsPage)
    return page


def _button(widget: QWidget, words: str) -> QPushButton:
    return next(one for one in widget.findChildren(QPushButton) if one.text() == words)


def _deeds(widget: QWidget) -> list[str]:
    return [one.text() for one in widget.findChildren(QPushButton) if one.text() in DEEDS and one.isEnabled()]


def _offers_nothing(widget: QWidget) -> bool:
    return not _deeds(widget)


async def _contacts(app: ImaginedApp) -> ContactsTab:
    window = await app.log_in("admin")
    window.go(PageKey.NOTIFICATIONS, Target(ids=("contacts",)))
    tab = _page(app).tab("contacts")
    assert isinstance(tab, ContactsTab)
    return tab


async def _classes(app: ImaginedApp) -> PhilosophyTab:
    window = await app.log_in("admin")
    window.go(PageKey.FACTORY, Target(ids=("classes",)))
    tab = _page(app).tab("classes")
    assert isinstance(tab, PhilosophyTab)
    await until(lambda: tab.states.is_content_shown)
    return tab


def test_what_was_being_changed_cannot_be_saved_while_locked_and_is_still_there_afterwards(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _classes(app)
        before = await app.plant.philosophy()
        tab.form.classes.set_text(0, "name", "Process and more")
        assert _button(tab, "Save").isEnabled()
        app.window.lock()
        assert _deeds(tab) == []
        assert tab.complaint == LOCKED
        tab.save()
        assert tab.complaint == LOCKED
        assert await app.plant.philosophy() == before
        app.window.unlock()
        assert tab.complaint == ""
        assert tab.form.draft().classes[0].name == "Process and more"
        await until(_button(tab, "Save").isEnabled)

    client(work)


def test_no_tab_offers_a_change_while_locked(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("admin")
        window.go(PageKey.RULES)
        rules = window.current
        assert isinstance(rules, RulesPage)
        await until(rules.list.table.selected_rows)
        await rules.try_rule(None)
        rules.list.back_test.events.clear_selection()
        window.lock()
        assert _deeds(rules) == []
        for key in (PageKey.FACTORY, PageKey.NOTIFICATIONS):
            window.go(key)
            page = _page(app)
            for name in tab_titles(key):
                page.show_tab(name)
                await until(partial(_offers_nothing, page.tab(name)), what=f"{name} to offer nothing")

    client(work)


def test_a_locked_workstation_neither_tries_a_rule_nor_marks_an_incident(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("admin")
        window.go(PageKey.RULES)
        rules = window.current
        assert isinstance(rules, RulesPage)
        await until(rules.list.table.selected_rows)
        window.lock()
        panel = rules.list.back_test
        await panel.run_and_wait()
        assert panel.outcome is None
        assert panel.busy.text == LOCKED
        before = await app.plant.incidents()
        panel.incidents.begin.setText("2026-03-31 14:30")
        panel.incidents.end.setText("2026-03-31 14:40")
        panel.incidents.add.setEnabled(True)
        panel.incidents.add.click()
        await until(lambda: panel.incidents.complaint == LOCKED)
        assert await app.plant.incidents() == before

    client(work)


def test_two_presses_of_save_make_one_contact_and_nothing_can_be_typed_meanwhile(client: Drive) -> None:
    plant = SlowPlant()

    async def work(app: ImaginedApp) -> None:
        tab = await _contacts(app)
        tab.begin_new()
        QTest.keyClicks(tab.form.texts["name"], "Jana Berg")
        QTest.keyClicks(tab.form.texts["email"], "jana@example.com")
        tab.save()
        tab.form.edited.emit()
        tab.save()
        await until(lambda: plant.asked)
        assert not tab.form.texts["name"].isEnabled()
        assert _deeds(tab) == []
        plant.may_answer.set()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Jana Berg"])
        assert plant.asked == 1
        assert tab.form.texts["name"].isEnabled()

    client(work, plant=plant)


def test_classes_are_sent_once_and_stay_as_sent_until_the_answer(client: Drive) -> None:
    plant = SlowPlant()

    async def work(app: ImaginedApp) -> None:
        tab = await _classes(app)
        tab.form.classes.set_text(0, "name", "Process and more")
        tab.save()
        tab.form.edited.emit()
        tab.save()
        await until(lambda: plant.asked)
        assert not tab.form.classes.isEnabled()
        assert _deeds(tab) == []
        plant.may_answer.set()
        await until(lambda: not tab.form.is_changed)
        assert plant.asked == 1
        assert tab.form.classes.isEnabled()

    client(work, plant=plant)


def test_a_refused_deletion_says_why_and_nothing_of_changes(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = app.plant
        await plant.login("riverside", "supervisor", "riverside supervisor")
        made = await plant.create_contact(JANA)
        await plant.create_roster(http.RosterContent(name="On call", members=[made.id], starts_on="2026-03-02"))
        tab = await _contacts(app)
        await until(lambda: tab.form.draft().identity == made.id)
        _button(tab, "Delete the contact").click()
        box = tab.findChildren(QMessageBox)[0]
        box.button(QMessageBox.StandardButton.Yes).click()
        await until(lambda: "On call" in tab.complaint)
        assert "Your changes" not in tab.complaint

    client(work)
