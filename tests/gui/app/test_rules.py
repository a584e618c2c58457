from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from factoryops.contracts import http
from factoryops.domain.conditions.tree import AllOf, AnyOf, Compare, Comparison, Constant, Held, Parameter
from factoryops_app.list_and_form import ListAndForm
from factoryops_app.models.condition_draft import NodeKind
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_templates import Template, TemplateDraft
from factoryops_app.pages.rules import RuleList, RulesPage
from factoryops_app.workplace import PageKey
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

FLOW = TemplateDraft(Template.HIGH, {"parameter": "flow", "limit": "35,5", "deadband": "0"})


async def _open(app: ImaginedApp, user: str = "supervisor") -> RuleList:
    window = await app.log_in(user)
    window.go(PageKey.RULES)
    page = window.current
    assert isinstance(page, RulesPage)
    await until(lambda: page.list.form.draft().rule_id is not None)
    return page.list


def _named(app: ImaginedApp, name: str) -> http.Rule | None:
    return next((one for one in app.session.plant.rules if one.content.name == name), None)


def _press(keys: str, times: int = 1) -> None:
    """Keys as a person presses them: wherever the focus is."""
    for _ in range(times):
        target = QApplication.activePopupWidget() or QApplication.focusWidget()
        assert isinstance(target, QWidget)
        QTest.keySequence(target, keys)


def _choose(keys: str, down: int) -> None:
    """Open a menu with `keys` and take the entry so many below the first."""
    _press(keys)
    _press("Down", down)
    _press("Return")


def _type(text: str) -> None:
    target = QApplication.focusWidget()
    assert target is not None
    QTest.keyClicks(target, text)


def test_a_rule_is_made_from_a_short_form_and_is_in_force(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        rules.begin_new()
        rules.save()
        assert "look at the marked fields" in rules.complaint
        assert app.window.focusWidget() is rules.form.name
        rules.form.change(RuleDraft(name="Flow too high", template=FLOW, on_delay="10 s"))
        rules.save()
        await until(lambda: _named(app, "Flow too high") is not None)
        made = _named(app, "Flow too high")
        assert made is not None
        assert made.content.condition == Compare(Parameter("flow"), Comparison.ABOVE, Constant(35.5))
        assert made.content.on_delay_s == 10.0
        await until(lambda: [row.id for row in rules.table.selected_rows()] == [made.id])
        assert not rules.form.is_changed
        assert not rules.form.condition.is_tree

    client(work)


def test_a_nested_rule_is_built_from_the_keyboard_alone(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        app.window.activateWindow()
        rules.begin_new()
        _type("Flow and shaking")
        form, editor = rules.form, rules.form.condition.editor
        form.condition.template.widget("parameter").setFocus()
        _type("Flow")
        _press("Tab")
        _type("35")
        form.condition.make_tree.setFocus()
        _press("Space")
        assert app.window.focusWidget() is editor.tree
        _choose("Insert", 5)
        assert (editor.root().kind, editor.path) == (NodeKind.ALL, (1,))
        _choose("Ctrl+G", 3)
        assert editor.root().parts[1].kind is NodeKind.HELD
        _press("Alt+Up")
        assert [part.kind for part in editor.root().parts] == [NodeKind.HELD, NodeKind.COMPARE]
        _press("Down")
        assert editor.path == (0, 0)
        _press("Return")
        _press("Tab")
        _type("Vib")
        editor.part_form.page(NodeKind.COMPARE).operands["right"].number.setFocus()
        _type("4,5")
        rules.save()
        await until(lambda: _named(app, "Flow and shaking") is not None)
        made = _named(app, "Flow and shaking")
        assert made is not None
        shaking = Compare(Parameter("vibration"), Comparison.ABOVE, Constant(4.5))
        fast = Compare(Parameter("flow"), Comparison.ABOVE, Constant(35.0))
        assert made.content.condition == AllOf((Held(shaking, 60.0), fast))

    client(work)


def test_a_condition_of_several_parts_opens_as_a_tree_and_says_what_is_missing(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        rules.begin_new()
        form = rules.form
        form.condition.show_as_tree()
        form.condition.editor.add(NodeKind.NO_DATA)
        assert not form.check()
        assert "\N{BULLET}" in form.tabs.tabText(0)
        line = form.condition.editor.tree.topLevelItem(0)
        assert line is not None
        missing, known = line.child(0), line.child(1)
        assert missing is not None
        assert known is not None
        assert (missing.text(1), known.text(1)) == ("incomplete", "")
        assert missing.toolTip(1) == "Choose a parameter."
        either = AnyOf((FLOW.condition(), Compare(Parameter("pressure"), Comparison.BELOW, Constant(3.0))))
        definition = RuleDraft(name="x", template=FLOW).definition()
        await app.plant.create_rule(
            http.RuleContent.of(definition).model_copy(update={"name": "Either", "condition": either})
        )
        await app.session.refresh()
        rules.form.fill(RuleDraft())
        await until(lambda: _named(app, "Either") is not None)
        made = _named(app, "Either")
        assert made is not None
        rules.table.select(made.id)
        assert form.condition.is_tree
        assert "Flow is above 35.5 m³/h or" in form.sentence

    client(work)


def test_a_rule_that_somebody_else_changed_is_not_overwritten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        held = rules.held()
        assert held is not None
        rules.form.response.texts["action"].setPlainText("my words")
        changed = held.content.model_copy(update={"name": "Other"})
        await app.plant.update_rule(held.id, http.RuleUpdate(version=held.version, content=changed))
        rules.save()
        await until(lambda: "changed this rule meanwhile" in rules.complaint)
        assert rules.form.draft().record.action == "my words"
        now = next(one for one in await app.plant.rules() if one.id == held.id)
        assert (now.content.name, now.content.record) == ("Other", held.content.record)

    client(work)


def test_the_matrix_proposes_a_priority_that_is_taken_over(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        response = rules.form.response
        await until(lambda: response.severity.count() > 1)
        response.severity.choose("severe")
        response.lines["time_to_respond"].setText("2 min")
        response.edited.emit()
        assert "1 critical" in response.proposal.text()
        response.take_over.click()
        assert rules.form.priority.value == "1"
        assert response.take_over.isHidden()

    client(work)


def test_an_operator_looks_at_rules_and_changes_nothing(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app, "operator")
        assert isinstance(rules, ListAndForm)
        assert "may look at rules" in rules.complaint
        assert not rules.form.name.isEnabled()
        assert Qt.FocusPolicy.NoFocus is not rules.table.view.focusPolicy()

    client(work)


def test_versions_are_compared_and_an_older_one_is_put_in_force_again(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        held = rules.held()
        assert held is not None
        rules.form.name.setFocus()
        rules.form.name.selectAll()
        _type("Renamed")
        rules.reason.setText("a better name")
        rules.save()
        await until(lambda: _named(app, "Renamed") is not None)
        await until(lambda: not rules.form.is_changed)
        versions = rules.versions
        rules.form.tabs.setCurrentWidget(versions)
        await until(lambda: [one.version for one in versions.versions.rows()] == [2, 1])
        assert versions.versions.rows()[0].reason == "a better name"
        await until(lambda: bool(versions.differences.rows()))
        assert (versions.differences.rows()[0].old, versions.differences.rows()[0].new) == (
            held.content.name,
            "Renamed",
        )
        assert not versions.roll_back.isEnabled()
        versions.versions.select("1")
        assert versions.roll_back.isEnabled()
        await versions.put_back(held.id, http.RuleRollBack(version=2, to_version=1))
        await until(lambda: rules.form.draft().name == held.content.name)
        await until(lambda: [one.version for one in versions.versions.rows()] == [3, 2, 1])

    client(work)


def test_a_rule_is_tried_on_history_and_a_row_of_the_sweep_is_taken_over(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        warm = _named(app, "Bearing warm")
        assert warm is not None
        rules.table.select(warm.id)
        panel = rules.back_test
        rules.form.tabs.setCurrentWidget(panel)
        panel.sweep.fields["limits"].setFocus()
        _type("61; 63,5")
        panel.start.setFocus()
        _press("Space")
        await until(lambda: panel.outcome is not None)
        assert len(panel.events.rows()) > 1
        assert "alarms" in panel.figures.text()
        assert panel.trend.device == "pump-1"
        assert panel.trend.trend.pens[0].limits[0].value == 62.0
        panel.events.view.selectRow(0)
        start_us, end_us = panel.trend.trend.span_us
        assert start_us < panel.events.rows()[0].raised_at.timestamp() * 1e6 < end_us
        assert [leaf.limit for leaf in panel.why.rows()] == [62.0]
        assert [trial.limit for trial in panel.sweep.table.rows()] == [61.0, 63.5]
        panel.sweep.table.view.selectRow(1)
        panel.sweep.apply.click()
        assert "63.5" in rules.form.sentence
        assert rules.form.is_changed

    client(work)


def test_a_right_alarm_becomes_an_incident_that_rules_are_held_against(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        warm = _named(app, "Bearing warm")
        assert warm is not None
        rules.table.select(warm.id)
        panel = rules.back_test
        panel.run_now()
        await until(lambda: panel.outcome is not None)
        panel.events.view.selectRow(0)
        panel.events.incident_wanted.emit(panel.events.selected_rows()[0])
        await until(lambda: len(panel.incidents.table.rows()) == 1)
        assert panel.incidents.table.rows()[0].seen_at is not None
        await until(lambda: "marked incidents" in panel.figures.text())
        panel.incidents.begin.setText("x")
        panel.incidents.add.click()
        assert len(await app.plant.incidents()) == 1

    client(work)


def test_a_trial_that_is_not_wanted_any_more_is_cancelled(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        warm = _named(app, "Bearing warm")
        assert warm is not None
        rules.table.select(warm.id)
        rules.back_test.run_now()
        rules.back_test.run_now()
        rules.back_test.forget()
        await until(lambda: [run.state for run in app.plant._jobs.all() if run.kind is http.JobKind.BACK_TEST]
                    == [http.RunState.CANCELLED] * 2)  # fmt: skip
        assert rules.back_test.outcome is None

    client(work)


def test_what_cannot_be_tried_yet_says_why(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        rules.begin_new()
        rules.back_test.run_now()
        assert "Choose a parameter" in rules.back_test.busy.text
        assert rules.back_test.outcome is None

    client(work)


def test_who_would_be_told_is_said_with_the_rule(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        rules = await _open(app)
        notify = rules.form.notify
        rules.form.tabs.setCurrentWidget(notify)
        await until(lambda: bool(notify.summary.text()))
        rules.begin_new()
        assert "once the rule is saved" in notify.summary.text()
        assert rules.form.draft().notify == frozenset()

    client(work)
