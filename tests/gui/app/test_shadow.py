from __future__ import annotations

import msgspec
import pytest
from PySide6.QtTest import QTest

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.errors import ConflictError
from factoryops.domain.rule import RuleMode
from factoryops_app.pages.rules import RuleList, RulesPage
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


async def _shadow_rule(plant: FakePlant) -> http.Rule:
    """The first rule, only being tried from now on."""
    await plant.login("riverside", "supervisor", "riverside supervisor")
    rule = (await plant.rules())[0]
    definition = msgspec.structs.replace(rule.content.definition(), name="Tried", mode=RuleMode.SHADOW)
    return await plant.create_rule(http.RuleContent.of(definition))


async def _open(app: ImaginedApp, rule: http.Rule, user: str = "supervisor") -> RuleList:
    window = await app.log_in(user)
    window.go(PageKey.RULES, Target(ids=(rule.id,)))
    page = window.current
    assert isinstance(page, RulesPage)
    await until(lambda: page.list.form.draft().rule_id == rule.id)
    page.list.form.tabs.setCurrentWidget(page.list.shadow)
    return page.list


def test_what_a_shadow_rule_finds_is_listed_beside_it_while_it_happens(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await _shadow_rule(app.plant)
        device = (await app.plant.devices())[0]
        rules = await _open(app, rule)
        shadow = rules.shadow
        await until(lambda: shadow.summary.text() == "It would not have alarmed yet.")
        raised = app.plant.raise_alarm(rule.id, device.key, 9.5)
        app.plant.clear_alarm(raised.id)
        app.plant.raise_alarm(rule.id, device.key, 9.7)
        shadow.load()
        await until(lambda: len(shadow.alarms.rows()) == 2)
        assert [one.value for one in shadow.alarms.rows()] == [9.7, 9.5]
        assert [one.cleared_at is None for one in shadow.alarms.rows()] == [True, False]
        assert sum(day.alarms for day in shadow.days.rows()) == 2
        assert "It would have alarmed 2 times; still standing: 1" in shadow.summary.text()
        await app.plant.mark_incident(
            http.IncidentContent(start=shadow.alarms.rows()[1].raised_at, end=shadow.alarms.rows()[1].raised_at,
                                 device_keys=[device.key], note="Seal leaked")
        )  # fmt: skip
        shadow.load()
        await until(lambda: "during a marked incident" in shadow.summary.text())
        assert shadow.alarms.rows()[1].incident == "Seal leaked"

    client(work)


def test_a_shadow_rule_is_put_live_with_a_reason(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await _shadow_rule(app.plant)
        rules = await _open(app, rule)
        shadow = rules.shadow
        shadow.promote.click()
        assert "Say why" in shadow.failure.text()
        QTest.keyClicks(shadow.reason, "A week without a false alarm")
        shadow.promote.click()
        await until(lambda: rules.form.draft().mode is RuleMode.LIVE)
        versions = await app.plant.rule_versions(rule.id)
        assert (versions[0].content.mode, versions[0].reason) == (RuleMode.LIVE, "A week without a false alarm")
        assert shadow.promote.isHidden()

    client(work)


def test_why_a_rule_could_not_be_put_live_stays_to_be_read(client: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: FakePlant, rule_id: str, update: http.RuleUpdate) -> http.Rule:
        raise ConflictError("Somebody else changed this rule meanwhile.")

    async def work(app: ImaginedApp) -> None:
        rule = await _shadow_rule(app.plant)
        shadow = (await _open(app, rule)).shadow
        await until(lambda: shadow.summary.text() == "It would not have alarmed yet.")
        monkeypatch.setattr(FakePlant, "update_rule", refuse)
        shadow.reason.setText("A week without a false alarm")
        shadow.promote.click()
        await until(lambda: "Somebody else" in shadow.failure.text())
        app.plant.raise_alarm(rule.id, (await app.plant.devices())[0].key, 9.5)
        shadow.load()
        await until(lambda: len(shadow.alarms.rows()) == 1)
        assert "Somebody else" in shadow.failure.text()
        assert shadow.promote.isEnabled()

    client(work)


def test_a_change_that_is_not_saved_is_not_lost_by_putting_a_rule_live(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await _shadow_rule(app.plant)
        rules = await _open(app, rule)
        QTest.keyClicks(rules.form.name, " still")
        assert not rules.shadow.promote.isEnabled()
        assert "Save or discard" in rules.shadow.promote.toolTip()

    client(work)


def test_an_operator_sees_what_a_shadow_rule_found_and_cannot_put_it_live(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rule = await _shadow_rule(app.plant)
        rules = await _open(app, rule, "operator")
        await until(lambda: bool(rules.shadow.summary.text()))
        assert not rules.shadow.promote.isEnabled()

    client(work)


def test_a_live_rule_says_how_to_try_it_in_the_shadow(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.plant.login("riverside", "supervisor", "riverside supervisor")
        rules = await _open(app, (await app.plant.rules())[0])
        await until(lambda: "Choose the mode" in rules.shadow.summary.text())
        assert rules.shadow.promote.isHidden()

    client(work)
