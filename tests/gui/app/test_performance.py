from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, Parameter
from factoryops.domain.identity import Role
from factoryops.domain.rule import RuleScope
from factoryops_app.navigation import tab_titles
from factoryops_app.pages.performance import PerformancePage
from factoryops_app.pages.rules import RulesPage
from factoryops_app.workplace import PageKey, RuleOffer, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

CHATTERS = http.RuleContent(
    name="Vibration at its limit", condition=Compare(Parameter("vibration"), Comparison.ABOVE, Constant(2.1)),
    priority=Priority.MEDIUM, scope=RuleScope(devices=("pump-1",)),
)  # fmt: skip
"""The imagined pump drifts so slowly across this that its noise decides."""


async def _open(app: ImaginedApp, user: str = "supervisor") -> PerformancePage:
    window = await app.log_in(user)
    window.go(PageKey.PERFORMANCE)
    page = window.current
    assert isinstance(page, PerformancePage)
    await until(lambda: page.states.is_content_shown, what="the figures")
    return page


async def _make_chatter(app: ImaginedApp) -> http.Rule:
    """A rule whose alarm came five times within a moment."""
    rule = await app.plant.create_rule(CHATTERS)
    for _ in range(5):
        alarm = app.plant.raise_alarm(rule.id, "pump-1", 2.15)
        app.plant.clear_alarm(alarm.id)
    return rule


def test_figures_lists_and_the_load_are_shown_with_what_they_are_compared_with(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "operator")
        rows = {row.key: row for row in page.figures.table.rows()}
        assert rows["day"].target == "up to 144, at most 288"
        assert rows["all"].text == str(len(page.lists.top.table.rows()))
        assert page.figures.summary.text().startswith("The load on the operator is")
        assert page.figures.chart.accessibleDescription().endswith("alarms in one")
        assert [row.priority for row in page.lists.priorities.table.rows()] == [1, 2, 3, 4]

    client(work)


def test_a_list_is_reached_by_a_few_letters(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        for key in tab_titles(PageKey.PERFORMANCE):
            app.window.go(PageKey.PERFORMANCE, Target(ids=(key,)))
            shown = page.lists.tabText(page.lists.currentIndex())
            assert shown.startswith(tab_titles(PageKey.PERFORMANCE)[key])

    client(work)


def test_an_empty_list_says_why_it_is_empty(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        page.lists.setCurrentWidget(page.lists.floods)
        assert page.lists.floods.states.message
        assert not page.lists.floods.states.is_content_shown

    client(work)


def test_a_position_and_a_span_are_chosen(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        await app.session.client.create_position(http.PositionContent(name="Elsewhere", areas=["Nowhere"]))
        page.load()
        await until(lambda: page.position.count() == 2)
        page.position.setCurrentIndex(1)
        page.position.activated.emit(1)
        await until(lambda: [row.value for row in page.figures.table.rows() if row.key == "all"] == [0])
        page.position.setCurrentIndex(0)
        page.span_box.setCurrentIndex(0)
        page.span_box.activated.emit(0)
        await until(lambda: [row.value for row in page.figures.table.rows() if row.key == "all"] != [0])
        start, end = page.span()
        assert round((end - start).total_seconds()) == 86_400
        assert page.figures.remarks.text().startswith("Indicative only")

    client(work)


def test_a_slow_answer_never_stands_under_the_name_of_a_later_question(
    client: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, release, answered = FakePlant.alarm_performance, asyncio.Event(), list[float]()

    async def slow_for_months(
        self: FakePlant, *, start: datetime, end: datetime, position: str | None = None
    ) -> http.AlarmPerformance:
        if (end - start).days > 60:
            await release.wait()
        found = await real(self, start=start, end=end, position=position)
        answered.append((end - start).total_seconds())
        return found

    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        monkeypatch.setattr(FakePlant, "alarm_performance", slow_for_months)
        for place in (page.span_box.count() - 1, 0):
            page.span_box.setCurrentIndex(place)
            page.span_box.activated.emit(place)
            assert not page.states.is_content_shown
            await asyncio.sleep(0)
        await until(lambda: page.states.is_content_shown)
        shown = page.figures.span.text()
        release.set()
        await until(lambda: len(answered) == 2)
        for _ in range(3):
            await asyncio.sleep(0)
        start, end = page.span()
        assert (end - start).days == 1
        assert page.figures.span.text() == shown
        assert shown.startswith("From ")

    client(work)


def test_a_proposal_is_found_and_taken_to_the_rule_editor_with_its_reason(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        rule = await _make_chatter(app)
        page.load()
        await until(lambda: [row.alarm.rule_name for row in page.lists.chattering.table.rows()] == [CHATTERS.name])
        page.lists.chattering.propose.click()
        assert page.lists.currentWidget() is page.mends
        await until(lambda: page.mends.outcome is not None, timeout_s=20, what="the proposals")
        (mend,) = page.mends.mends.rows()
        assert mend.proposed is not None
        (chosen,) = page.mends.trials.selected_rows()
        assert chosen.is_proposed
        page.mends.open_rule.click()
        rules = app.window.current
        assert isinstance(rules, RulesPage)
        draft = rules.list.form.draft()
        assert (draft.rule_id, rules.list.form.is_changed) == (rule.id, True)
        assert "chattering" in rules.list.reason.text()
        rules.list.save()
        await until(lambda: any(one.id == rule.id and one.version == 2 for one in app.session.plant.rules))
        (saved,) = (one for one in app.session.plant.rules if one.id == rule.id)
        assert "alarms in place of" in saved.reason
        plain = plain_limit(saved.content.condition)
        assert plain is not None
        app.window.go(PageKey.ALARMS)
        app.window.back()
        await until(lambda: rules.list.form.draft().version == 2)
        assert not rules.list.form.is_changed
        assert (plain.deadband, saved.content.on_delay_s, saved.content.off_delay_s) == (
            chosen.trial.deadband, chosen.trial.on_delay_s, chosen.trial.off_delay_s,
        )  # fmt: skip

    client(work)


def test_a_proposal_for_an_older_version_of_a_rule_is_not_filled_in(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("supervisor")
        rule = app.session.plant.rules[0]
        content = rule.content.model_copy(update={"off_delay_s": 77.0})
        offer = RuleOffer(content, "It chatters", rule.version - 1)
        window.go(PageKey.RULES, Target(ids=(rule.id,), offer=offer))
        rules = window.current
        assert isinstance(rules, RulesPage)
        await until(lambda: rules.list.form.draft().rule_id == rule.id)
        assert not rules.list.form.is_changed
        assert "propose again" in window.status

    client(work)


def test_where_nothing_chatters_there_is_nothing_to_mend(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        page.lists.setCurrentWidget(page.mends)
        assert not page.figures.isVisible()
        page.mends.propose_listed()
        assert page.mends.outcome is not None
        assert page.mends.busy.text == "Alarms looked at: 0, proposals: 0."
        page.lists.setCurrentWidget(page.lists.top)
        assert page.figures.isVisible()

    client(work)


def test_a_search_can_be_cancelled(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        page.mends.propose([next(iter(app.session.alarms.active)).id])
        await until(lambda: any(run.kind is http.JobKind.ALARM_MENDS for run in app.plant._jobs.all()))
        page.mends.busy.cancel_requested.emit()
        await until(lambda: page.mends.busy.text == "Cancelled.")

    client(work)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_change_rules_may_look_but_not_search(client: Drive, role: Role) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, role.value)
        assert not page.lists.chattering.propose.isEnabled()

    client(work)


def test_a_planned_stop_is_left_out_and_taken_back(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app)
        outages = page.outages
        page.lists.setCurrentWidget(outages)
        outages.send()
        assert outages.complaint == "Write both moments as 2026-03-31 14:30."
        for field, text in ((outages.begin, "2020-01-01 00:00"), (outages.end, "2120-01-01 00:00")):
            field.setText(text)
        outages.send()
        assert outages.complaint == "Say why the time is to be left out."
        outages.reason.setText("Planned stop")
        outages.send()
        await until(lambda: "of declared outages are left out" in page.figures.remarks.text())
        assert page.states.is_content_shown
        assert page.lists.tabText(page.lists.indexOf(outages)) == "Outages (1)"
        assert outages.begin.text() == ""
        (made,) = outages.table.rows()
        outages.table.select(made.id)
        assert outages.withdraw.isEnabled()
        await outages.withdrawn([made.id])
        await until(lambda: "declared outages" not in page.figures.remarks.text())
        assert page.lists.tabText(page.lists.indexOf(outages)) == "Outages"
        (gone,) = outages.table.rows()
        outages.table.select(gone.id)
        assert not outages.withdraw.isEnabled()

    client(work)


def test_operators_see_outages_and_declare_none(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = await _open(app, "operator")
        outages = page.outages
        assert not any(one.isEnabled() for one in (outages.begin, outages.reason, outages.declare, outages.withdraw))

    client(work)
