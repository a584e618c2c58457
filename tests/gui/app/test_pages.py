from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from factoryops.contracts.http import JobKind, RunState
from factoryops.domain.alarms import AlarmState
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import now_us
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.pages.device import DevicePage
from factoryops_app.pages.health import HealthPage
from factoryops_app.pages.jobs import JobsPage
from factoryops_app.pages.overview import DeviceCard, OverviewPage
from factoryops_app.pages.trends import TrendsPage
from factoryops_app.plant_dialogs import ParameterDialog
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


def test_f2_and_f6_acknowledge_an_alarm_without_a_mouse(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        QTest.keyClick(window, Qt.Key.Key_F2)
        page = window.current
        assert isinstance(page, AlarmsPage)
        await until(page.table.selected)
        first = page.table.selected()[0]
        assert first.state is AlarmState.UNACKNOWLEDGED
        next(
            one for one in page.findChildren(QLineEdit) if one.accessibleName() == "Comment of the acknowledgement"
        ).setText("seen, on my way")
        QTest.keyClick(window, Qt.Key.Key_F6)
        await until(lambda: _state(app, first.id) is AlarmState.ACKNOWLEDGED)
        held = app.session.alarms.get(first.id)
        assert held is not None
        assert (held.acknowledged_by, held.comment) == ("operator", "seen, on my way")
        assert first.id in [line.id for line in page.table.visible_lines()]

    client(work)


def _state(app: ImaginedApp, alarm_id: str) -> AlarmState | None:
    alarm = app.session.alarms.get(alarm_id)
    return alarm.state if alarm is not None else None


def test_a_viewer_may_look_at_alarms_but_not_acknowledge(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("viewer")
        window.go(PageKey.ALARMS)
        page = window.current
        assert isinstance(page, AlarmsPage)
        await until(page.table.selected)
        chosen = page.table.selected()[0].id
        before = _state(app, chosen)
        page.acknowledge_selection()
        await until(lambda: "role" in window.status)
        assert _state(app, chosen) is before

    client(work)


def test_an_alarm_raised_now_reaches_banner_and_list_at_once(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        rule = next(one for one in app.session.plant.rules if one.content.name == "Vibration high")
        alarm = app.plant.raise_alarm(rule.id, "pump-1", 4.9)
        await until(lambda: alarm.id in [line.alarm_id for line in window.banner.facts.lines])

    client(work)


def test_the_response_is_readable_and_the_trend_of_that_time_is_one_key_away(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        alarm = app.session.alarms.unanswered()[0]
        assert alarm.raised_at is not None
        window.go(PageKey.ALARMS, Target(ids=(alarm.id,)))
        page = window.current
        assert isinstance(page, AlarmsPage)
        page.table.activated.emit(alarm.id)
        trends = window.current
        assert isinstance(trends, TrendsPage)
        start_us, end_us = trends.trend.span_us
        assert start_us < int(alarm.raised_at.timestamp() * 1e6) < end_us
        window.back()
        assert window.current is page

    client(work)


def test_a_report_is_run_fetched_and_opened(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        window.go(PageKey.JOBS)
        page = window.current
        assert isinstance(page, JobsPage)
        end = datetime.now(UTC)
        page.start_run(JobKind.DAILY_REPORT, end - timedelta(days=1), end)
        await until(lambda: any(run.requested_by == "operator" for run in app.session.runs.all))
        run = next(one for one in app.session.runs.all if one.requested_by == "operator")
        await until(lambda: _run_state(app, run.id) is RunState.SUCCEEDED, timeout_s=20)
        done = app.session.runs.get(run.id)
        assert done is not None
        page.open_artifact(done.artifacts[0])
        await until(lambda: app.opener.opened)
        assert app.opener.opened[0].read_bytes().startswith(b"%PDF")
        assert "Saved as" in page.detail.note

    client(work)


def _run_state(app: ImaginedApp, run_id: str) -> RunState | None:
    run = app.session.runs.get(run_id)
    return run.state if run is not None else None


def test_a_running_report_can_be_stopped(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        window.go(PageKey.JOBS)
        page = window.current
        assert isinstance(page, JobsPage)
        page.run_now()
        await until(lambda: [run.requested_by for run in page.table.selected_rows()] == ["operator"])
        run = page.table.selected_rows()[0]
        page.detail.cancel_requested.emit()
        await until(lambda: _run_state(app, run.id) is RunState.CANCELLED)

    client(work)


def test_every_page_opens_and_shows_its_content(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("admin")
        for key in PageKey:
            window.go(key)
            page = window.current
            assert page is not None
            await until(lambda shown=page: shown.states.is_content_shown, what=key.value)  # type: ignore[misc]  # bound

    client(work)


def test_a_service_that_is_away_is_told_on_the_health_page_with_a_way_to_try_again(
    client: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise UnavailableError("The service cannot be reached; check the network.")

    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        with monkeypatch.context() as broken:
            broken.setattr(app.plant, "health", away)
            window.go(PageKey.HEALTH)
            page = window.current
            assert isinstance(page, HealthPage)
            await until(lambda: "cannot be reached" in page.states.message)
        page.load()
        await until(lambda: page.states.is_content_shown)

    client(work)


def test_a_device_with_a_wrong_clock_is_pointed_out(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        app.plant.set_late_share("pump-1", 0.9)
        device = next(one for one in app.session.plant.devices if one.key == "pump-1")
        window.go(PageKey.DEVICE, Target(ids=(device.id,)))
        page = window.current
        assert isinstance(page, DevicePage)
        await until(lambda: "90 %" in page.warning)
        assert "clock" in page.warning
        app.plant.set_clock_offset("pump-1", 3_700.0)
        await app.session.refresh()
        await until(lambda: "1 h 01 min slow" in page.warning)

    client(work)


def test_a_deadband_names_the_rules_that_compare_more_finely(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("admin")
        device = next(one for one in app.session.plant.devices if one.key == "furnace-1")
        window.go(PageKey.DEVICE, Target(ids=(device.id,)))
        page = window.current
        assert isinstance(page, DevicePage)
        parameter = next(one for one in device.parameters if one.key == "zone_2_temperature")
        dialog = ParameterDialog(page.place, page, parameter)
        assert dialog.warning == ""
        width = dialog.form.field("deadband")
        assert isinstance(width, QLineEdit)
        width.setText("2")
        assert "Zone 2 too hot" in dialog.warning
        dialog.save()

        def saved() -> bool:
            held = app.session.plant.device(device.id)
            return held is not None and any(one.deadband == 2.0 for one in held.parameters)

        await until(saved)

    client(work)


def test_a_silent_device_says_on_its_card_since_when(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        page = window.current
        assert isinstance(page, OverviewPage)
        await until(lambda: page.findChildren(DeviceCard))
        card = page.findChildren(DeviceCard)[0]
        card.show_presence(now_us())
        assert card.presence == ""
        card.show_presence(now_us() + 7_200_000_000)
        assert card.presence.startswith("offline for 2 h")

    client(work)
