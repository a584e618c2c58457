"""Rules: what raises alarms, and the one form to change it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops.domain.conditions.checking import references
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.errors import ConflictError, FactoryOpsError, InvalidInputError
from factoryops.domain.identity import Permission
from factoryops_app.models.plant import device_title
from factoryops_app.models.rule_draft import RuleDraft, plain
from factoryops_app.models.wording import comparison_name, priority_name
from factoryops_app.page import Page, plain_label
from factoryops_app.question import ask_first
from factoryops_app.rule_form import RuleForm
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment


class RulesPage(Page):
    """The list above, the form below."""

    key = PageKey.RULES

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Rules"))
        self.table: DataTable[http.Rule] = DataTable(
            place.look, self._columns(), name="rules", settings=place.settings, row_key=lambda rule: rule.id
        )
        self.form = RuleForm(place)
        self._new = QPushButton(place.look.icon("add"), say("New rule"))
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self._discard = QPushButton(say("Discard changes"))
        self._delete = QPushButton(place.look.icon("remove"), say("Take out of use"))
        self._problem = plain_label(role="error", is_wrapped=True)
        self._editor = self._make_editor()
        self._build()
        self._connect()
        self.states.show_loading(say("Asking for the rules …"))

    def _columns(self) -> list[ColumnSpec[http.Rule]]:
        zone = self.place.look.zone
        return [
            ColumnSpec("priority", say("Priority"), lambda rule: int(rule.content.priority),
                       lambda rule: priority_name(rule.content.priority), width=90),
            ColumnSpec("name", say("Name"), lambda rule: rule.content.name, width=200, is_elastic=True),
            ColumnSpec("condition", say("Condition"), _condition, width=250),
            ColumnSpec("devices", say("Devices"), self._devices_of, width=140),
            ColumnSpec("state", say("State"), _state_of, width=110),
            ColumnSpec("changed", say("Changed"), lambda rule: rule.changed_at,
                       lambda rule: f"{moment(rule.changed_at, zone)} {rule.changed_by}", width=200),
        ]  # fmt: skip

    def _make_editor(self) -> QWidget:
        px = self.place.look.px
        panel = QFrame()
        panel.setProperty("role", "panel")
        buttons = QHBoxLayout()
        for button in (self._save, self._discard):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._delete)
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.addWidget(self.form, 1)
        column.addWidget(self._problem)
        column.addLayout(buttons)
        self._problem.hide()
        return panel

    def _build(self) -> None:
        px = self.place.look.px
        self.header.addWidget(self._new)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self._editor)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([px(200), px(540)])
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._on_selection)
        self.form.edited.connect(self._show_buttons)
        self._new.clicked.connect(self.begin_new)
        self._save.clicked.connect(self.save)
        self._discard.clicked.connect(self._on_discard)
        self._delete.clicked.connect(self._on_delete)
        self.states.action_requested.connect(self.begin_new)

    def enter(self, target: Target) -> None:
        """Show the rules; one in `target` is chosen."""
        super().enter(target)
        self.listen(self.place.session.plant.changed, self._show)
        self._complain("")
        self._show()
        if target.ids:
            self.table.select(target.ids[0])

    def _show(self) -> None:
        session = self.place.session
        may = session.may(Permission.EDIT_RULES)
        self._new.setVisible(may)
        self.table.set_rows(session.plant.rules)
        if not session.connection.is_connected and not session.plant.devices:
            return
        if not session.plant.rules and self.form.draft().rule_id is None and not self.form.is_changed and may:
            self.states.show_empty(
                say("No rule watches the plant yet"),
                say("A rule raises an alarm when a parameter crosses a limit and stays there."),
                say("New rule"),
            )
        else:
            self.states.show_content()
        if not self.form.is_changed:
            self._reload_form()
        self._show_buttons()

    def _reload_form(self) -> None:
        """Take up what the service holds now of the chosen rule; with nothing chosen, the first."""
        rules = self.place.session.plant.rules
        held = next((rule for rule in rules if rule.id == self.form.draft().rule_id), None)
        if held is not None:
            self.form.fill(RuleDraft.of(held))
        elif rules and not self.table.selected_rows():
            self.table.select(rules[0].id)

    def begin_new(self) -> None:
        """Start an empty rule, unless something here is not saved yet."""
        if self.form.is_changed:
            self.place.navigator.say_briefly(say("Save or discard the changes first."))
            return
        self.states.show_content()
        self.table.view.clearSelection()
        self._complain("")
        self.form.fill(RuleDraft())
        self.form.focus_name()
        self._show_buttons()

    def save(self) -> None:
        """Check the form and send it."""
        if not self.form.check():
            self._complain(say("The rule is not saved yet: look at the marked fields."))
            return
        self._save.setEnabled(False)
        self.place.tasks.start(self._send(self.form.draft()), self._on_failure)

    async def _send(self, draft: RuleDraft) -> None:
        session = self.place.session
        if draft.rule_id is None:
            rule = await session.client.create_rule(draft.content())
        else:
            update = http.RuleUpdate(version=draft.version, content=draft.content())
            rule = await session.client.update_rule(draft.rule_id, update)
        self._complain("")
        self.form.fill(RuleDraft.of(rule))
        await session.refresh()
        self.table.select(rule.id)
        self.place.navigator.say_briefly(say("Saved: {name}.", name=rule.content.name))

    def _on_failure(self, error: FactoryOpsError) -> None:
        self._show_buttons()
        if isinstance(error, InvalidInputError) and error.fields:
            self.form.show_errors(error.fields)
        if isinstance(error, ConflictError):
            self._complain(say("{reason} Your changes are still here; Discard changes shows the new version.",
                               reason=str(error)))  # fmt: skip
            self.place.tasks.start(self.place.session.refresh())
            return
        self._complain(str(error))

    def _on_selection(self) -> None:
        chosen = self.table.selected_rows()
        if not chosen or chosen[0].id == self.form.draft().rule_id:
            return
        if self.form.is_changed:
            self.place.navigator.say_briefly(say("Save or discard the changes first."))
            held = self.form.draft().rule_id
            if held is not None:
                self.table.select(held)
            else:
                self.table.view.clearSelection()
            return
        self._complain("")
        self.form.fill(RuleDraft.of(chosen[0]))
        self._show_buttons()

    def _on_discard(self) -> None:
        self._complain("")
        rules = self.place.session.plant.rules
        held = next((rule for rule in rules if rule.id == self.form.draft().rule_id), None)
        self.form.fill(RuleDraft.of(held) if held is not None else RuleDraft())
        self._show_buttons()

    def _on_delete(self) -> None:
        identity = self.form.draft().rule_id
        if identity is None:
            return
        question = say("Take “{name}” out of use? Its alarms and their history stay.", name=self.form.draft().name)
        ask_first(
            self,
            say("Take out of use"),
            question,
            say("Take out of use"),
            lambda: self.place.tasks.start(self._remove(identity), self._on_failure),
        )

    async def _remove(self, identity: str) -> None:
        await self.place.session.client.delete_rule(identity)
        self.form.fill(RuleDraft())
        await self.place.session.refresh()

    def _show_buttons(self) -> None:
        may = self.place.session.may(Permission.EDIT_RULES)
        is_changed = self.form.is_changed
        self.form.form.setEnabled(may)
        self._save.setEnabled(may and is_changed)
        self._discard.setEnabled(may and is_changed)
        self._delete.setEnabled(may and self.form.draft().rule_id is not None)
        if not may:
            locked = say("This workstation is locked; unlock it first.")
            self._complain(
                locked if self.place.session.is_locked else say("Your role may look at rules but not change them.")
            )

    @property
    def complaint(self) -> str:
        """Why the rule is not saved."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    def _devices_of(self, rule: http.Rule) -> str:
        scope, plant = rule.content.scope, self.place.session.plant
        if scope.is_whole_factory:
            return say("all")
        covered = [device for device in plant.devices if scope.covers(device.key, device.kind, device.area)]
        return device_title(covered[0]) if len(covered) == 1 else say("{count} devices", count=len(covered))


def _condition(rule: http.Rule) -> str:
    limit = plain_limit(rule.content.condition)
    if limit is None:
        watched = dict.fromkeys(one.parameter for one in references(rule.content.condition))
        return say("Condition on {parameters}", parameters=", ".join(watched))
    return f"{limit.parameter_key} {comparison_name(limit.comparison)} {plain(limit.limit)}"


def _state_of(rule: http.Rule) -> str:
    if not rule.content.is_on:
        return say("switched off")
    return say("in force") if rule.holds_from_seq is not None else say("being taken up")
