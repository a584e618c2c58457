"""What a supervisor sets up in the client's real windows, on the real service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QApplication

from factoryops.client.http import HttpPlant
from factoryops.domain.notifying import ChannelKind
from factoryops_app.login_window import LoginEntry
from factoryops_app.models.drafts import SetUpDraft
from factoryops_app.models.notification_drafts import ContactDraft
from factoryops_app.models.organisation_drafts import ShiftDraft
from factoryops_app.models.policy_draft import PolicyDraft, TellDraft
from factoryops_app.models.schedule_draft import WindowDraft
from factoryops_app.pages.factory import FactoryPage
from factoryops_app.pages.notifications import NotificationsPage
from factoryops_app.set_up.contacts_tab import ContactsTab
from factoryops_app.set_up.deliveries_tab import DeliveriesTab
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.philosophy_tab import PhilosophyTab
from factoryops_app.set_up.policies_tab import PoliciesTab
from factoryops_app.set_up.shifts_tab import ShiftsTab
from factoryops_app.workplace import PageKey, Target
from tests.support.imagined_app import ImaginedApp, drive
from tests.support.installation import Installation
from tests.support.waiting import until

Draft = TypeVar("Draft", bound=SetUpDraft)
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "plant")
    made.add_factory("works")
    made.start()
    yield made
    made.kill()


def test_people_policies_shifts_and_classes_are_set_up_on_the_real_service(
    qapp: QApplication, installation: Installation, tmp_path: Path
) -> None:
    async def work(app: ImaginedApp) -> None:
        await _log_in(app, installation)
        await _set_up_a_contact(app)
        await _set_up_a_policy(app)
        await _set_up_a_shift(app)
        await _change_a_class(app)

    drive(qapp, tmp_path, work, plant=HttpPlant(installation.url))


async def _set_up_a_contact(app: ImaginedApp) -> None:
    tab = _notifications(app, "contacts")
    assert isinstance(tab, ContactsTab)
    await until(lambda: "Nobody can be told" in tab.states.message, every_s=0.1)
    tab.begin_new()
    _type(tab.form, ContactDraft("Jana", email="jana@example.com", user="admin"))
    tab.save()
    await until(lambda: [one.content.name for one in tab.table.rows()] == ["Jana"], timeout_s=20, every_s=0.1)
    tab.form.trial.channel.choose(ChannelKind.IN_APP.value)
    tab.form.trial.send.click()
    await until(lambda: "Sent" in tab.form.trial.outcome.text(), timeout_s=20, every_s=0.1, what="the test message")
    ledger = _notifications(app, "ledger")
    assert isinstance(ledger, DeliveriesTab)
    await until(lambda: [one.recipient for one in ledger.table.rows()] == ["Jana"], timeout_s=20, every_s=0.1)


async def _set_up_a_policy(app: ImaginedApp) -> None:
    tab = _notifications(app, "policies")
    assert isinstance(tab, PoliciesTab)
    await until(lambda: "Nobody is told" in tab.states.message, every_s=0.1)
    tab.begin_new()
    _type(tab.form, PolicyDraft("Urgent", (TellDraft("0 s", "role:operator", "in_app"),)))
    tab.save()
    await until(lambda: [one.content.name for one in tab.table.rows()] == ["Urgent"], timeout_s=20, every_s=0.1)


async def _set_up_a_shift(app: ImaginedApp) -> None:
    tab = _factory(app, "shifts")
    assert isinstance(tab, ShiftsTab)
    await until(lambda: "no shifts yet" in tab.states.message, every_s=0.1)
    tab.begin_new()
    _type(tab.form, ShiftDraft("Night", (WindowDraft("Mon-Fri", "22:00", "06:00"),)))
    tab.save()
    await until(lambda: [one.content.name for one in tab.table.rows()] == ["Night"], timeout_s=20, every_s=0.1)


async def _change_a_class(app: ImaginedApp) -> None:
    tab = _factory(app, "classes")
    assert isinstance(tab, PhilosophyTab)
    await until(lambda: tab.states.is_content_shown, every_s=0.1)
    tab.form.classes.set_text(0, "longest_shelving_s", "2 h")
    tab.save()
    await until(lambda: not tab.form.is_changed, timeout_s=20, every_s=0.1)
    assert tab.form.draft().held.classes[0].longest_shelving_s == 7_200.0


def _notifications(app: ImaginedApp, key: str) -> object:
    app.window.go(PageKey.NOTIFICATIONS, Target(ids=(key,)))
    page = app.window.current
    assert isinstance(page, NotificationsPage)
    return page.tab(key)


def _factory(app: ImaginedApp, key: str) -> object:
    app.window.go(PageKey.FACTORY, Target(ids=(key,)))
    page = app.window.current
    assert isinstance(page, FactoryPage)
    return page.tab(key)


def _type(form: FieldsForm[Draft], draft: Draft) -> None:
    """Put a draft into the fields as if a person had typed it."""
    form.show_fields(draft)


async def _log_in(app: ImaginedApp, installation: Installation) -> None:
    entry = LoginEntry(installation.url, "works", "admin", installation.passwords["works"], is_kept=False)
    assert await app.shell.log_in(entry)
    await until(lambda: app.session.connection.is_connected, timeout_s=20, what="the connection")
