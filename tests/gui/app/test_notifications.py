from __future__ import annotations

from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.errors import ConflictError
from factoryops.domain.notifying import ChannelKind, HookKind, TargetKind
from factoryops_app.models.policy_draft import TellDraft
from factoryops_app.pages.notifications import NotificationsPage
from factoryops_app.set_up.contacts_tab import ContactsTab
from factoryops_app.set_up.deliveries_tab import DeliveriesTab
from factoryops_app.set_up.hooks_tab import HooksTab
from factoryops_app.set_up.policies_tab import PoliciesTab
from factoryops_app.set_up.rosters_tab import RostersTab
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

Shown = TypeVar("Shown", bound=QWidget)
JANA = http.ContactContent(name="Jana Berg", email="jana@example.com", phone="+4915112345678")


async def _open(app: ImaginedApp, key: str, kind: type[Shown], user: str = "supervisor") -> Shown:
    window = await app.log_in(user)
    window.go(PageKey.NOTIFICATIONS, Target(ids=(key,)))
    page = window.current
    assert isinstance(page, NotificationsPage)
    tab = page.tab(key)
    assert isinstance(tab, kind)
    return tab


async def _as(plant: FakePlant, user: str) -> FakePlant:
    await plant.login("riverside", user, f"riverside {user}")
    return plant


def test_a_contact_is_made_from_the_keyboard_and_gets_a_test_message(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "contacts", ContactsTab)
        await until(lambda: "Nobody can be told" in tab.states.message)
        tab.begin_new()
        form = tab.form
        tab.save()
        assert form.errors()["name"] == "Give it a name."
        assert not form.trial.send.isEnabled()
        for key, text in (("name", "Jana Berg"), ("email", "jana@example.com")):
            form.texts[key].setFocus()
            QTest.keyClicks(form.texts[key], text)
        assert form.errors() == {}
        form.quiet.add_row()
        tab.save()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Jana Berg"])
        assert not form.is_changed
        assert form.trial.send.isEnabled()
        form.trial.send.click()
        await until(lambda: "E-mail to Jana Berg" in form.trial.outcome.text())
        assert "jana@example.com" not in form.trial.outcome.text()
        assert "Sent" in form.trial.outcome.text()

    client(work)


def test_what_somebody_else_changed_first_is_not_overwritten_and_nothing_typed_is_lost(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        made = await (await _as(app.plant, "supervisor")).create_contact(JANA)
        tab = await _open(app, "contacts", ContactsTab)
        await until(lambda: tab.form.draft().identity == made.id)
        other = http.ContactUpdate(version=1, content=JANA.model_copy(update={"phone": "+4915187654321"}))
        await app.plant.update_contact(made.id, other)
        tab.form.texts["name"].setFocus()
        QTest.keyClicks(tab.form.texts["name"], " jr")
        tab.save()
        await until(lambda: "Your changes are still here" in tab.complaint)
        assert tab.form.draft().name.endswith(" jr")

    client(work)


def test_a_contact_that_is_on_a_roster_is_not_deleted(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = await _as(app.plant, "supervisor")
        made = await plant.create_contact(JANA)
        await plant.create_roster(http.RosterContent(name="On call", members=[made.id], starts_on="2026-03-02"))
        tab = await _open(app, "contacts", ContactsTab)
        await until(tab.table.rows)
        with pytest.raises(ConflictError):
            await tab.remove(made.id)
        assert [one.id for one in await plant.contacts()] == [made.id]

    client(work)


def test_a_roster_takes_its_members_in_the_order_of_its_rows(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = await _as(app.plant, "supervisor")
        jana = await plant.create_contact(JANA)
        tom = await plant.create_contact(JANA.model_copy(update={"name": "Tom Reed"}))
        tab = await _open(app, "rosters", RostersTab)
        await until(lambda: "takes turns" in tab.states.message)
        tab.begin_new()
        QTest.keyClicks(tab.form.texts["name"], "Maintenance")
        tab.form.members.set_rows([{"contact": jana.id}, {"contact": tom.id}])
        tab.form.members.table.setCurrentCell(1, 0)
        tab.form.members.move_row(-1)
        tab.save()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Maintenance"])
        assert tab.table.rows()[0].content.members == [tom.id, jana.id]

    client(work)


def test_a_policy_says_step_by_step_who_is_told(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        jana = await (await _as(app.plant, "supervisor")).create_contact(JANA)
        tab = await _open(app, "policies", PoliciesTab)
        await until(lambda: "Nobody is told" in tab.states.message)
        tab.begin_new()
        form = tab.form
        QTest.keyClicks(form.name, "Urgent")
        tab.save()
        assert form.errors()["steps"] == "Say who is told: add a row."
        lines = (TellDraft("0 s", "role:operator", "in_app"), TellDraft("10 min", f"contact:{jana.id}", "sms"))
        form.tells.set_rows([{"after": one.after, "target": one.target, "channel": one.channel} for one in lines])
        tab.save()
        await until(lambda: bool(tab.table.rows()))
        steps = tab.table.rows()[0].content.steps
        assert [(step.after_s, step.to[0].kind, step.to[0].channels) for step in steps] == [
            (0.0, TargetKind.ROLE, [ChannelKind.IN_APP]), (600.0, TargetKind.CONTACT, [ChannelKind.SMS]),
        ]  # fmt: skip

    client(work)


def test_the_secrets_of_a_hook_are_typed_once_and_never_shown(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "hooks", HooksTab, "admin")
        await until(lambda: "No machine" in tab.states.message)
        tab.begin_new()
        QTest.keyClicks(tab.form.name, "Shift chat")
        QTest.keyClicks(tab.form.url, "http://hooks.example.com/x")
        tab.save()
        await until(lambda: "url" in tab.form.errors())
        tab.form.url.setText("https://hooks.example.com/x")
        tab.save()
        await until(lambda: [one.host for one in tab.table.rows()] == ["hooks.example.com"])
        assert tab.form.url.text() == ""
        QTest.keyClicks(tab.form.name, " two")
        tab.save()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Shift chat two"])
        assert tab.table.rows()[0].host == "hooks.example.com"

    client(work)


def test_the_signing_key_of_a_hook_is_given_and_taken_away(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = await _as(app.plant, "admin")
        secrets = http.HookSecrets(url="https://hooks.example.com/x")
        await plant.create_hook(
            http.HookRequest(content=http.HookContent(name="ERP", kind=HookKind.WEBHOOK), secrets=secrets)
        )
        tab = await _open(app, "hooks", HooksTab, "admin")
        await until(lambda: tab.form.name.text() == "ERP")
        assert tab.form.drops_key.isHidden()
        QTest.keyClicks(tab.form.signing_key, "sesame")
        tab.save()
        await until(lambda: [one.is_signed for one in tab.table.rows()] == [True])
        await until(lambda: not tab.form.drops_key.isHidden())
        QTest.keyClick(tab.form.drops_key, Qt.Key.Key_Space)
        assert not tab.form.signing_key.isEnabled()
        tab.save()
        await until(lambda: [one.is_signed for one in tab.table.rows()] == [False])
        await until(tab.form.drops_key.isHidden)
        assert tab.form.signing_key.isEnabled()

    client(work)


def test_the_ledger_lists_what_became_of_each_message(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = await _as(app.plant, "supervisor")
        made = await plant.create_contact(JANA)
        tab = await _open(app, "ledger", DeliveriesTab)
        await until(lambda: "Nobody was told" in tab.states.message)
        await plant.send_test_message(http.TestMessage(kind=TargetKind.CONTACT, name=made.id))
        tab.load()
        await until(lambda: [one.recipient for one in tab.table.rows()] == ["Jana Berg"])
        tab.state.choose("failed")
        tab.load()
        await until(lambda: tab.table.rows() == [])
        assert tab.states.is_content_shown

    client(work)


def test_an_operator_reads_no_ids_where_contacts_may_not_be_seen(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        plant = await _as(app.plant, "supervisor")
        made = await plant.create_contact(JANA)
        await plant.create_roster(http.RosterContent(name="On call", members=[made.id], starts_on="2026-03-02"))
        tab = await _open(app, "rosters", RostersTab, "operator")
        await until(tab.table.rows)
        tab.table.set_filter("a contact")
        assert len(tab.table.rows()) == 1
        assert not tab.form.is_changed

    client(work)


def test_an_operator_is_told_why_contacts_are_not_shown_and_reads_policies(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "contacts", ContactsTab, "operator")
        await until(lambda: bool(tab.states.message) and "Asking" not in tab.states.message)
        app.window.go(PageKey.NOTIFICATIONS, Target(ids=("policies",)))
        page = app.window.current
        assert isinstance(page, NotificationsPage)
        policies = page.tab("policies")
        assert isinstance(policies, PoliciesTab)
        await until(lambda: "Nobody is told" in policies.states.message)
        assert not policies.may_change

    client(work)
