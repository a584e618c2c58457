"""What an operator does with alarms beside acknowledging them, from the keyboard, and a flood of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.time import now_us
from factoryops_app.alarm_dialogs import ShelveDialog, TakeOutDialog
from factoryops_app.main_window import MainWindow
from factoryops_app.models.alarms import AlarmStore
from factoryops_app.models.shelving import ShiftEnd
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.response_sheet import ResponseSheetDialog
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


async def alarms_page(app: ImaginedApp, user: str = "supervisor") -> tuple[MainWindow, AlarmsPage, http.Alarm]:
    """The page with one unanswered alarm chosen."""
    window = await app.log_in(user)
    alarm = app.session.alarms.unanswered()[0]
    window.go(PageKey.ALARMS, Target(ids=(alarm.id,)))
    page = window.current
    assert isinstance(page, AlarmsPage)
    await until(lambda: [line.id for line in page.table.selected()] == [alarm.id])
    return window, page, alarm


async def press(window: MainWindow, with_key: Qt.KeyboardModifier) -> None:
    """Press F8 with another key, once no dialog is in the way any more."""
    window.activateWindow()
    await until(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_F8, with_key)


def button_of(dialog: ShelveDialog, words: str) -> list[QAbstractButton]:
    """The time buttons that say these words."""
    return [one for one in dialog.spans.buttons() if words in one.text()]


async def as_admin(app: ImaginedApp) -> FakePlant:
    await app.plant.login("riverside", "admin", "riverside admin")
    return app.plant


def state_of(app: ImaginedApp, alarm: http.Alarm) -> AlarmState | None:
    held = app.session.alarms.get(alarm.id)
    return held.state if held is not None else None


def test_f8_shelves_with_a_reason_and_ctrl_f8_takes_it_up_again(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        QTest.keyClick(window, Qt.Key.Key_F8)
        dialog = page.findChild(ShelveDialog)
        assert dialog is not None
        dialog.save()
        assert "reason" in dialog.form.errors()
        dialog.choose(3_600)
        dialog.reason.setText("sensor is being changed")
        dialog.save()
        await until(lambda: page.findChild(ShelveDialog) is None)
        assert state_of(app, alarm) is AlarmState.SHELVED
        await until(lambda: window.banner.facts.put_aside == (1, 0, 0), what="the banner's count")
        assert alarm.id not in [line.id for line in page.table.table.rows()]
        page.show_list(AlarmState.SHELVED)
        (line,) = page.aside(AlarmState.SHELVED).table.table.rows()
        assert (line.by, line.reason, line.underlying) == (
            "supervisor", "sensor is being changed", AlarmState.UNACKNOWLEDGED,
        )  # fmt: skip
        assert line.since is not None
        assert line.until is not None
        assert timedelta(minutes=59) < line.until - line.since <= timedelta(hours=1, seconds=1)
        await press(window, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: state_of(app, alarm) is AlarmState.UNACKNOWLEDGED)
        await until(lambda: window.banner.facts.put_aside == (0, 0, 0), what="the banner's count")

    client(work)


def test_an_alarm_is_shelved_until_the_end_of_the_shift(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        held = await (await as_admin(app)).philosophy()
        classes = [one.model_copy(update={"longest_shelving_s": 86_400.0}) for one in held.classes]
        await app.plant.change_philosophy(
            http.PhilosophyChange(version=held.version, classes=classes, matrix=held.matrix)
        )
        window, page, alarm = await alarms_page(app)
        QTest.keyClick(window, Qt.Key.Key_F8)
        dialog = page.findChild(ShelveDialog)
        assert dialog is not None
        assert not button_of(dialog, "end of the shift")
        await until(lambda: button_of(dialog, "end of the shift"))
        (shift_end,) = button_of(dialog, "end of the shift")
        assert button_of(dialog, "As long as its class allows (24 h)")
        words = shift_end.text()
        shift_end.setFocus()
        QTest.keyClick(shift_end, Qt.Key.Key_Space)
        dialog.reason.setText("until the relief comes")
        dialog.save()
        await until(lambda: page.findChild(ShelveDialog) is None)
        shelved = app.session.alarms.get(alarm.id)
        assert shelved is not None
        assert shelved.shelved is not None
        local = shelved.shelved.until.astimezone(app.look.zone)
        assert (local.hour, local.minute, local.second) in {(6, 0, 0), (14, 0, 0), (22, 0, 0)}
        assert f"{local:%H:%M}" in words

    client(work)


def test_what_is_longer_than_a_class_allows_cannot_be_chosen(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, _ = await alarms_page(app)
        QTest.keyClick(window, Qt.Key.Key_F8)
        dialog = page.findChild(ShelveDialog)
        assert dialog is not None
        await until(lambda: button_of(dialog, "end of the shift"))
        moment_us = now_us()
        hour_us = 3_600_000_000
        dialog.show_limits([ShiftEnd("Relief", moment_us + 5 * hour_us)], moment_us, 4 * hour_us)
        (relief,) = button_of(dialog, "Relief")
        assert [one.text() for one in button_of(dialog, " h") if not one.isEnabled()] == ["8 h"]
        assert not relief.isEnabled()
        dialog.reject()
        await until(lambda: page.findChild(ShelveDialog) is None)

    client(work)


def test_what_the_service_refuses_stays_in_the_dialog_with_the_reason(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        QTest.keyClick(window, Qt.Key.Key_F8)
        dialog = page.findChild(ShelveDialog)
        assert dialog is not None
        dialog.choose(-1)
        dialog.until.setDateTime(dialog.until.dateTime().addDays(30))
        dialog.reason.setText("a long holiday")
        dialog.save()
        await until(lambda: bool(dialog.form.errors()) or dialog.isHidden())
        assert not dialog.isHidden()
        assert state_of(app, alarm) is AlarmState.UNACKNOWLEDGED
        dialog.reject()
        await until(lambda: page.findChild(ShelveDialog) is None)

    client(work)


def test_an_alarm_is_taken_out_of_service_until_somebody_returns_it(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        await press(window, Qt.KeyboardModifier.ShiftModifier)
        dialog = page.findChild(TakeOutDialog)
        assert dialog is not None
        dialog.reason.setText("overhaul")
        dialog.save()
        await until(lambda: page.findChild(TakeOutDialog) is None)
        assert state_of(app, alarm) is AlarmState.OUT_OF_SERVICE
        window.go(PageKey.ALARMS, Target(ids=(alarm.id,)))
        (line,) = page.aside(AlarmState.OUT_OF_SERVICE).table.table.rows()
        assert (line.until, line.reason) == (None, "overhaul")
        await press(window, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: state_of(app, alarm) is AlarmState.UNACKNOWLEDGED)

    client(work)


def test_what_design_suppresses_is_listed_and_nobody_can_take_it_up(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        app.plant.suppress_alarm(alarm.id, is_suppressed=True)
        await until(lambda: state_of(app, alarm) is AlarmState.SUPPRESSED)
        page.show_list(AlarmState.SUPPRESSED)
        listed = page.aside(AlarmState.SUPPRESSED).table.table
        await until(lambda: [line.id for line in listed.rows()] == [alarm.id], what="the list of suppressed alarms")
        await press(window, Qt.KeyboardModifier.ControlModifier)
        assert state_of(app, alarm) is AlarmState.SUPPRESSED

    client(work)


def test_f1_says_what_to_do_and_what_happened(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        QTest.keyClick(window, Qt.Key.Key_F1)
        sheet = page.findChild(ResponseSheetDialog)
        assert sheet is not None
        await until(lambda: bool(sheet.events.rows()))
        assert {event.alarm_id for event in sheet.events.rows()} == {alarm.id}
        await until(lambda: bool(sheet.why.rows()))
        assert [leaf.state for leaf in sheet.why.rows()] == ["true"]
        sheet.reject()
        await until(lambda: page.findChild(ResponseSheetDialog) is None)

    client(work)


def test_an_operator_may_not_take_out_of_service_and_the_button_says_so(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app, "operator")
        await press(window, Qt.KeyboardModifier.ShiftModifier)
        assert page.findChild(TakeOutDialog) is None
        assert state_of(app, alarm) is AlarmState.UNACKNOWLEDGED

    client(work)


def test_f6_acknowledges_nothing_that_another_list_hides(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        for show in (page.show_history, lambda: page.show_list(AlarmState.SHELVED)):
            show()
            window.say_briefly("")
            window.activateWindow()
            await until(window.isActiveWindow)
            QTest.keyClick(window, Qt.Key.Key_F6)
            assert window.status == "Choose an alarm on Active first."
        page.show_active()
        page.acknowledge_selection()
        await until(lambda: state_of(app, alarm) is AlarmState.ACKNOWLEDGED)

    client(work)


def test_no_key_acts_on_another_alarm_when_the_chosen_one_leaves_the_list(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        others = [line.id for line in page.table.table.rows() if line.id != alarm.id]
        assert others
        app.plant.suppress_alarm(alarm.id, is_suppressed=True)
        await until(lambda: alarm.id not in [line.id for line in page.table.table.rows()], what="the alarm to leave")
        assert page.table.selected() == []
        window.activateWindow()
        await until(window.isActiveWindow)
        QTest.keyClick(window, Qt.Key.Key_F8)
        assert page.findChild(ShelveDialog) is None
        window.go(PageKey.OVERVIEW)
        window.go(PageKey.ALARMS)
        assert [line.id for line in page.table.selected()] == [page.table.table.rows()[0].id], "on coming back"

    client(work)


def flood_of(alarms: AlarmStore, base: http.Alarm, rules: tuple[str, str], count: int) -> None:
    """Let `count` alarms come within a second: the first a trip, all others its consequences."""
    for number in range(count):
        at = base.raised_at
        assert at is not None
        alarms.merge(
            base.model_copy(
                update={
                    "id": f"{number:032x}", "rule_id": rules[number > 0], "rule_name": f"Alarm {number}",
                    "priority": Priority(1 + number % 4), "order": number, "change": now_us(),
                    "area": f"Hall {number % 3}",
                    "device_id": base.device_id, "raised_at": at + timedelta(milliseconds=2 * number),
                    "annunciation": 1, "state": AlarmState.UNACKNOWLEDGED, "underlying": AlarmState.UNACKNOWLEDGED,
                }
            )
        )  # fmt: skip


def test_in_a_flood_the_first_cause_stands_on_top_and_nothing_is_hidden(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window, page, alarm = await alarms_page(app)
        session = app.session
        cause, effect, *_ = session.plant.rules
        changed = effect.model_copy(update={"content": effect.content.model_copy(update={"parent_rule": cause.id})})
        others = [rule for rule in session.plant.rules if rule.id != effect.id]
        session.plant.replace(session.plant.devices, [changed, *others])
        before = len(session.alarms.active)
        fresh = alarm.model_copy(update={"raised_at": datetime.now(UTC) - timedelta(seconds=2)})
        flood_of(session.alarms, fresh, (cause.id, effect.id), 500)
        whole = http.PositionFlood(
            position_id="", position_name="", is_flood=True, since=datetime.now(UTC), count=before + 500
        )
        session.alarms.take_floods([whole])
        await until(lambda: len(page.table.table.rows()) > 0 and window.banner.facts.flood_count >= 500)
        assert page.active.flood.isVisible()
        shown = page.table.table.rows()
        trip = next(line for line in shown if line.message.startswith("Alarm 0:"))
        assert "+499" in trip.message
        assert len(page.active.flood.with_folded(line.id for line in shown)) == before + 500
        assert window.banner.facts.flood_count >= 500
        page.active.flood.unfold.setChecked(True)
        assert len(page.table.table.rows()) == before + 500
        page.active.flood.unfold.setChecked(False)
        page.active.flood.usual.setChecked(True)
        assert len(page.table.table.rows()) == before + 500
        assert page.table.table.rows()[0].priority is Priority.CRITICAL
        assert page.active.flood.with_folded([trip.id]) == [trip.id], "no row acts on others that are listed beside it"

    client(work)
