"""The operator's side of the main job: the client's real windows on the real service, from the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from factoryops.client.http import HttpPlant
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry
from factoryops_app.login_window import LoginEntry
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_templates import Template, TemplateDraft
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.pages.performance import PerformancePage
from factoryops_app.pages.rules import RulesPage
from factoryops_app.workplace import PageKey
from tests.support.imagined_app import ImaginedApp, drive
from tests.support.installation import Installation
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)

TOPIC = "factories/works/devices/press-1/telemetry"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "plant")
    made.add_factory("works")
    yield made
    made.kill()


@pytest.fixture
def device(installation: Installation) -> Iterator[DeviceConnection]:
    """A device connected to the running service."""
    secret = installation.add_credential("works", "press", device="press-1")
    installation.start()
    made = DeviceConnection(MqttTarget("127.0.0.1", installation.endpoint_port, "works", "press", secret), "press-1")
    made.start()
    made.wait_connected(10.0)
    yield made
    made.close()


def test_a_live_value_is_shown_and_its_alarm_is_acknowledged_with_two_keys(
    qapp: QApplication, installation: Installation, device: DeviceConnection, tmp_path: Path
) -> None:
    async def work(app: ImaginedApp) -> None:
        await _log_in(app, installation)
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 4.0}))
        await until(lambda: app.session.plant.devices, timeout_s=20, every_s=0.1, what="the device in the client")
        await _add_rule(installation)
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 4.2}))
        series = app.session.plant.devices[0].parameters[0].series_id
        await until(lambda: _newest(app, series) == 4.2, timeout_s=20, every_s=0.1, what="the live value")
        await _raise_alarm(app, device)
        window = app.window
        QTest.keyClick(window, Qt.Key.Key_F2)
        page = window.current
        assert isinstance(page, AlarmsPage)
        await until(page.table.selected, timeout_s=10, what="the selected alarm")
        QTest.keyClick(window, Qt.Key.Key_F6)
        await until(lambda: _states(app) == [AlarmState.ACKNOWLEDGED], timeout_s=10, what="the acknowledgement")

    drive(qapp, tmp_path, work, plant=HttpPlant(installation.url))
    assert asyncio.run(_answered_by(installation)) == ["admin"]


def test_a_rule_is_made_in_the_editor_and_tried_on_what_the_service_has_stored(
    qapp: QApplication, installation: Installation, device: DeviceConnection, tmp_path: Path
) -> None:
    async def work(app: ImaginedApp) -> None:
        await _log_in(app, installation)
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 4.0}))
        await until(lambda: app.session.plant.devices, timeout_s=20, every_s=0.1, what="the device in the client")
        app.window.go(PageKey.RULES)
        page = app.window.current
        assert isinstance(page, RulesPage)
        texts = {"parameter": "pressure", "limit": "5", "deadband": "0"}
        page.list.begin_new()
        draft = RuleDraft(name="Pressure high", template=TemplateDraft(Template.HIGH, texts), on_delay="", off_delay="")
        page.list.form.change(draft)
        page.list.reason.setText("first try")
        page.list.save()
        await until(lambda: page.list.held() is not None, timeout_s=20, every_s=0.1, what="the saved rule")
        await _raise_alarm(app, device)
        panel = page.list.back_test
        panel.choose_span(1)

        async def is_found() -> bool:
            await panel.run_and_wait()
            return panel.outcome is not None and panel.outcome.figures.alarms > 0

        await until(is_found, timeout_s=60, every_s=1.0, what="the alarm in the back-test")
        assert [row.device_key for row in panel.events.rows()] == ["press-1"]
        page.list.form.tabs.setCurrentWidget(page.list.versions)
        await until(page.list.versions.versions.rows, timeout_s=10, what="the versions")
        assert page.list.versions.versions.rows()[0].reason == "first try"

    drive(qapp, tmp_path, work, plant=HttpPlant(installation.url))


def test_an_alarm_that_chatters_is_found_and_its_rule_is_mended(
    qapp: QApplication, installation: Installation, device: DeviceConnection, tmp_path: Path
) -> None:
    async def work(app: ImaginedApp) -> None:
        await _log_in(app, installation)
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 4.0}))
        await until(lambda: app.session.plant.devices, timeout_s=20, every_s=0.1, what="the device in the client")
        await _add_rule(installation)
        app.window.go(PageKey.PERFORMANCE)
        page = app.window.current
        assert isinstance(page, PerformancePage)
        values = cycle((6.5, 4.0))

        async def is_chattering() -> bool:
            device.publish(TOPIC, telemetry(now_us(), {"pressure": next(values)}))
            page.load()
            return bool(page.lists.chattering.table.rows())

        await until(is_chattering, timeout_s=30, every_s=0.5, what="the chattering alarm")
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 4.0}))

        async def is_proposed() -> bool:
            await page.mends.propose_and_wait([row.alarm.alarm_id for row in page.lists.chattering.table.rows()])
            return page.mends.open_rule.isEnabled()

        await until(is_proposed, timeout_s=60, every_s=1.0, what="the proposal")
        page.mends.open_rule.click()
        rules = app.window.current
        assert isinstance(rules, RulesPage)
        rules.list.save()
        await until(lambda: [one.version for one in app.session.plant.rules] == [2], timeout_s=20, every_s=0.1)
        assert "chattering" in app.session.plant.rules[0].reason

    drive(qapp, tmp_path, work, plant=HttpPlant(installation.url))


async def _log_in(app: ImaginedApp, installation: Installation) -> None:
    entry = LoginEntry(installation.url, "works", "admin", installation.passwords["works"], is_kept=False)
    assert await app.shell.log_in(entry)
    await until(lambda: app.session.connection.is_connected, timeout_s=20, what="the connection")


async def _add_rule(installation: Installation) -> None:
    client = await installation.log_in("works")
    await client.create_rule(
        limit_content(
            name="Pressure high",
            parameter_key="pressure",
            comparison=Comparison.ABOVE,
            limit=5.0,
            priority=Priority.HIGH,
        )
    )
    await client.logout()
    await client.close()


async def _raise_alarm(app: ImaginedApp, device: DeviceConnection) -> None:
    """Publish until the rule has come into force and has seen it."""

    async def is_raised() -> bool:
        device.publish(TOPIC, telemetry(now_us(), {"pressure": 6.5}))
        return _states(app) == [AlarmState.UNACKNOWLEDGED]

    await until(is_raised, timeout_s=20, every_s=0.3, what="the alarm in the client")


def _newest(app: ImaginedApp, series: int) -> float | None:
    view = app.session.samples.view(series, 0)
    return float(view.value[-1]) if view is not None and len(view) else None


def _states(app: ImaginedApp) -> list[AlarmState]:
    return [alarm.state for alarm in app.session.alarms.active]


async def _answered_by(installation: Installation) -> list[str | None]:
    client = await installation.log_in("works")
    alarms = await client.alarms()
    await client.logout()
    await client.close()
    return [alarm.acknowledged_by for alarm in alarms]
