from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QPushButton

from factoryops.contracts import http
from factoryops_app.mappings_tab import MappingsTab
from factoryops_app.pages.sources import SourcesPage
from factoryops_app.quarantine_tab import QuarantineTab
from factoryops_app.replay_dialog import ReplayDialog
from factoryops_app.waiting_tab import AcceptDialog, WaitingTab
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


async def _open(app: ImaginedApp, user: str, tab: str) -> SourcesPage:
    window = await app.log_in(user)
    window.go(PageKey.SOURCES, Target(ids=(tab,)))
    page = window.current
    assert isinstance(page, SourcesPage)
    return page


def test_a_group_shows_its_messages_and_where_one_stops_being_json(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "supervisor", "quarantine")
        tab = page.tab("quarantine")
        assert isinstance(tab, QuarantineTab)
        await until(tab.messages.rows)
        assert {group.reason for group in tab.groups.rows()} >= {"invalid_topic", "unknown_device", "invalid_json"}
        assert len(tab.messages.rows()) == tab.groups.selected_rows()[0].count
        tab.groups.select("invalid_json\x1fpump-1")
        await until(lambda: {one.reason for one in tab.messages.rows()} == {"invalid_json"})
        tab.messages.select(str(min(one.number for one in tab.messages.rows())))
        await until(lambda: "line 1" in tab.payload.sentence)
        tab.messages.select(str(max(one.number for one in tab.messages.rows())))
        await until(lambda: "byte 3" in tab.payload.sentence)

    client(work)


def test_a_waiting_device_is_taken_up_from_the_keyboard(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "waiting")
        tab = page.tab("waiting")
        assert isinstance(tab, WaitingTab)
        await until(lambda: [one.key for one in tab.table.selected_rows()] == ["packer-2"])
        QTest.keyClick(tab.table.view, Qt.Key.Key_Return)
        dialog = tab.findChild(AcceptDialog)
        assert dialog is not None
        dialog.fields["name"].setText("Packer 2")
        dialog.fields["area"].setText("Hall 2")
        QTest.keyClick(dialog.fields["area"], Qt.Key.Key_Return)
        await until(lambda: "packer-2" in [one.key for one in app.session.plant.devices])
        await until(lambda: "No device waits" in tab.states.message)
        device = next(one for one in app.session.plant.devices if one.key == "packer-2")
        assert (device.name, device.area) == ("Packer 2", "Hall 2")
        (offer,) = tab.findChildren(ReplayDialog)
        await until(lambda: "12 would make 24 samples" in offer.sentence)
        QTest.keyClick(offer.buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.Key.Key_Space)
        await until(lambda: any(run.kind is http.JobKind.QUARANTINE_REPLAY for run in app.session.runs.all))
        page.show_tab("quarantine")
        quarantine = page.tab("quarantine")
        assert isinstance(quarantine, QuarantineTab)
        await until(lambda: {one.origin: one.replayed for one in quarantine.groups.rows()}.get("packer-2") == 12)

    client(work)


def test_a_declined_device_is_gone_from_the_list_and_the_setting_is_the_administrators(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "waiting")
        tab = page.tab("waiting")
        assert isinstance(tab, WaitingTab)
        await until(tab.table.rows)
        (box,) = tab.findChildren(QCheckBox)
        box.click()
        await until(lambda: app.plant._quarantine.adopts_automatically)
        next(one for one in tab.findChildren(QPushButton) if one.text().startswith("Decline")).click()
        await until(lambda: "No device waits" in tab.states.message)

    client(work)


def test_a_supervisor_looks_and_an_operator_is_told_who_may(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "operator", "waiting")
        for key in ("waiting", "quarantine"):
            page.show_tab(key)
            tab = page.tab(key)
            assert isinstance(tab, WaitingTab | QuarantineTab)
            await until(lambda shown=tab: "a supervisor may" in shown.states.message)  # type: ignore[misc]  # bound

    client(work)


def test_the_health_page_leads_to_what_was_refused(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("supervisor")
        window.go(PageKey.HEALTH)
        page = window.current
        assert page is not None
        await until(lambda: page.states.is_content_shown)
        next(one for one in page.findChildren(QPushButton) if one.text() == "Show what was refused").click()
        assert isinstance(window.current, SourcesPage)
        await until(lambda: window.current is not None and window.current.findChildren(QuarantineTab)[0].isVisible())

    client(work)


def test_a_mapping_is_made_from_a_captured_message_tried_while_typing_and_switched_on(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "quarantine")
        quarantine, tab = page.tab("quarantine"), page.tab("mappings")
        assert isinstance(quarantine, QuarantineTab)
        assert isinstance(tab, MappingsTab)
        await until(lambda: {one.reason for one in quarantine.messages.rows()} == {"invalid_topic"})
        next(one for one in quarantine.findChildren(QPushButton) if one.text().startswith("Make a mapping")).click()
        await until(lambda: "4 samples" in tab.trial.sentence)
        assert tab.isVisible()
        tab.form.values.set_text(0, "parameter", "")
        await until(lambda: "not complete" in tab.trial.sentence)
        tab.save()
        assert "not saved" in tab.complaint
        tab.form.values.set_text(0, "parameter", "press_force")
        tab.form.values.set_text(0, "scale", "0,001")
        await until(
            lambda: [one.value for one in tab.trial.samples.rows() if one.parameter == "press_force"] == [0.533]
        )
        next(one for one in tab.form.findChildren(QCheckBox)).click()
        tab.save()
        await until(lambda: [one.content.is_enabled for one in tab.table.rows()] == [True])
        assert not tab.form.is_changed
        (kept,) = await app.plant.mappings()
        assert (kept.content.topic, kept.content.values[0].scale) == ("hall2/{device}/state", 0.001)

    client(work)


def test_a_supervisor_may_look_at_mappings_but_not_change_them(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "supervisor", "mappings")
        tab = page.tab("mappings")
        assert isinstance(tab, MappingsTab)
        await until(lambda: "No mapping yet" in tab.states.message)
        assert not tab.form.values.isEnabled()
        quarantine = page.tab("quarantine")
        page.show_tab("quarantine")
        assert isinstance(quarantine, QuarantineTab)
        await until(quarantine.messages.rows)
        button = next(one for one in quarantine.findChildren(QPushButton) if one.text().startswith("Make a mapping"))
        assert not button.isEnabled()

    client(work)


def test_a_mapping_that_somebody_else_changed_is_not_overwritten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "mappings")
        tab = page.tab("mappings")
        assert isinstance(tab, MappingsTab)
        value = http.MappingValue(parameter="force", path="$.force")
        content = http.MappingContent(name="Presses", topic="hall2/{device}/state", values=[value])
        kept = await app.plant.create_mapping(content)
        tab.load()
        await until(lambda: tab.form.draft().mapping_id == kept.id)
        theirs = content.model_copy(update={"order": 9})
        await app.plant.update_mapping(kept.id, http.MappingUpdate(version=1, content=theirs))
        tab.form.values.set_text(0, "unit", "kN")
        tab.save()
        await until(lambda: "meanwhile" in tab.complaint)
        assert tab.form.draft().values[0].unit == "kN"
        (now,) = await app.plant.mappings()
        assert (now.content.order, now.content.values[0].unit) == (9, "")

    client(work)


def test_a_replay_is_tried_with_a_mapping_that_is_switched_off_before_it_is_started(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "quarantine")
        tab = page.tab("quarantine")
        assert isinstance(tab, QuarantineTab)
        await app.plant.change_factory(http.FactoryChange(adopts_automatically=True))
        values = [http.MappingValue(parameter="force", path="$.d.force")]
        await app.plant.create_mapping(http.MappingContent(name="Presses", topic="hall2/{device}/state", values=values))
        await until(lambda: {one.reason for one in tab.messages.rows()} == {"invalid_topic"})
        tab.replay_chosen()
        (dialog,) = tab.findChildren(ReplayDialog)
        await until(lambda: "0 would make 0" in dialog.sentence)
        button = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert not button.isEnabled()
        await until(lambda: dialog.rules.count() == 2)
        dialog.rules.setCurrentIndex(1)
        dialog.preview()
        await until(button.isEnabled)
        assert "8 would make 8 samples" in dialog.sentence
        assert {one.parameter for one in dialog.samples.rows()} == {"force"}
        button.click()
        await until(lambda: {one.origin: one.replayed for one in tab.groups.rows()}.get("+/+/state") == 8)

    client(work)


def test_a_dialog_that_is_closed_before_the_answer_leaves_nothing_behind(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "quarantine")
        tab = page.tab("quarantine")
        assert isinstance(tab, QuarantineTab)
        await until(tab.messages.rows)
        tab.replay_chosen()
        (dialog,) = tab.findChildren(ReplayDialog)
        dialog.reject()
        page.show_tab("waiting")
        waiting = page.tab("waiting")
        assert isinstance(waiting, WaitingTab)
        await until(waiting.table.rows)
        waiting.accept_chosen()
        (accept,) = waiting.findChildren(AcceptDialog)
        accept.save()
        await asyncio.sleep(0)
        accept.reject()
        await until(lambda: not tab.findChildren(ReplayDialog) and not waiting.findChildren(AcceptDialog))
        assert "failed" not in app.window.status

    client(work)


def test_a_mapping_that_is_not_saved_yet_is_not_lost_to_a_new_one(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "admin", "quarantine")
        quarantine, mappings = page.tab("quarantine"), page.tab("mappings")
        assert isinstance(quarantine, QuarantineTab)
        assert isinstance(mappings, MappingsTab)
        await until(quarantine.messages.rows)
        mappings.begin_from(quarantine.messages.rows()[0])
        draft = mappings.form.draft()
        mappings.begin_new()
        mappings.begin_from(quarantine.messages.rows()[-1])
        assert mappings.form.draft() == draft
        assert "Save or discard" in app.window.status

    client(work)
