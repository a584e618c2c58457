"""Calculated parameters: the list above, the form below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, FactoryOpsError, InvalidInputError
from factoryops.domain.identity import Permission
from factoryops_app.calculation_form import CalculationForm
from factoryops_app.models.calculation_draft import CalculationDraft
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView


class CalculatedTab(QWidget):
    """What is calculated from what."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._held: list[http.Calculation] = []
        self.table: DataTable[http.Calculation] = DataTable(
            place.look, self._columns(), name="calculations", settings=place.settings, row_key=lambda one: one.id
        )
        self.form = CalculationForm(place)
        self._new = QPushButton(place.look.icon("add"), say("New calculated parameter"))
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self._discard = QPushButton(say("Discard changes"))
        self._delete = QPushButton(place.look.icon("remove"), say("Take out of use"))
        self._problem = plain_label(role="error", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for the calculated parameters …"))

    def _columns(self) -> list[ColumnSpec[http.Calculation]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("device", say("Device"), lambda one: one.content.device_key, width=130),
            ColumnSpec("name", say("Name"), lambda one: one.content.name, width=150),
            ColumnSpec("key", say("Key"), lambda one: one.content.parameter_key, width=120),
            ColumnSpec("expression", say("Expression"), lambda one: one.content.expression, width=200,
                       is_elastic=True),
            ColumnSpec("unit", say("Unit"), lambda one: one.content.unit, width=60),
            ColumnSpec("state", say("State"), _state_of, width=120),
            ColumnSpec("changed", say("Changed"), lambda one: one.changed_at,
                       lambda one: f"{moment(one.changed_at, zone)} {one.changed_by}", width=230),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self._make_editor())
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([px(180), px(520)])
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)

    def _make_editor(self) -> QWidget:
        px = self._place.look.px
        panel = QFrame()
        panel.setProperty("role", "panel")
        buttons = QHBoxLayout()
        for button in (self._save, self._discard, self._new):
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

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._on_selection)
        self.form.edited.connect(self._show_buttons)
        self._new.clicked.connect(self.begin_new)
        self._save.clicked.connect(self.save)
        self._discard.clicked.connect(self._on_discard)
        self._delete.clicked.connect(self._on_delete)
        self.states.retry_requested.connect(self.load)
        self.states.action_requested.connect(self.begin_new)

    # --- showing -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Ask for the list."""
        self._place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        self._held = await self._place.session.client.calculations()
        self.table.set_rows(self._held)
        may = self._place.session.may(Permission.EDIT_RULES)
        if not self._held and not self.form.is_changed:
            self.states.show_empty(
                say("Nothing is calculated yet"),
                say("A calculated parameter is made from others and is then stored, shown and watched like them."),
                say("New calculated parameter") if may else "",
            )
            return
        self.states.show_content()
        if not self.form.is_changed:
            self._reload_form()
        self._show_buttons()

    def _reload_form(self) -> None:
        held = self._chosen()
        if held is not None:
            self._fill(CalculationDraft.of(held))
        elif self._held and not self.table.selected_rows():
            self.table.select(self._held[0].id)

    def _chosen(self) -> http.Calculation | None:
        identity = self.form.draft().calculation_id
        return next((one for one in self._held if one.id == identity), None)

    def _fill(self, draft: CalculationDraft) -> None:
        self.form.fill(draft)
        held = self._chosen()
        self._complain(say("Stopped: {reason}", reason=held.fault) if held is not None and held.fault else "")
        self._show_buttons()

    def begin_new(self) -> None:
        """Start an empty one, unless something here is not saved yet."""
        if not self._place.session.may(Permission.EDIT_RULES):
            return
        if self.form.is_changed:
            self._place.navigator.say_briefly(say("Save or discard the changes first."))
            return
        self.states.show_content()
        self.table.view.clearSelection()
        self._fill(CalculationDraft())
        self.form.focus_first()

    # --- changing ----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Check the form and send it."""
        if not self.form.check():
            self._complain(say("It is not saved yet: look at the marked fields."))
            return
        self._save.setEnabled(False)
        self._place.tasks.start(self._send(self.form.draft()), self._on_failure)

    async def _send(self, draft: CalculationDraft) -> None:
        client = self._place.session.client
        if draft.calculation_id is None:
            made = await client.create_calculation(draft.content())
        else:
            update = http.CalculationUpdate(version=draft.version, content=draft.content())
            made = await client.update_calculation(draft.calculation_id, update)
        await self._place.session.refresh()
        self.form.fill(CalculationDraft.of(made))
        self._complain("")
        await self._fetch()
        self.table.select(made.id)
        self._place.navigator.say_briefly(say("Saved: {name}.", name=made.content.name))

    def _on_delete(self) -> None:
        draft = self.form.draft()
        if draft.calculation_id is None:
            return
        identity = draft.calculation_id
        question = say("Take “{name}” out of use? What was calculated stays.", name=draft.name)
        ask_first(
            self,
            say("Take out of use"),
            question,
            say("Take out of use"),
            lambda: self._place.tasks.start(self.remove(identity), self._on_failure),
        )

    async def remove(self, identity: str) -> None:
        """Take one out of use."""
        await self._place.session.client.delete_calculation(identity)
        self._fill(CalculationDraft())
        await self._fetch()

    def _on_discard(self) -> None:
        held = self._chosen()
        self._fill(CalculationDraft.of(held) if held is not None else CalculationDraft())

    def _on_selection(self) -> None:
        chosen = self.table.selected_rows()
        if not chosen or chosen[0].id == self.form.draft().calculation_id:
            return
        if self.form.is_changed:
            self._place.navigator.say_briefly(say("Save or discard the changes first."))
            held = self._chosen()
            if held is not None:
                self.table.select(held.id)
            else:
                self.table.view.clearSelection()
            return
        self._fill(CalculationDraft.of(chosen[0]))

    def _on_failure(self, error: FactoryOpsError) -> None:
        self._show_buttons()
        if not self.states.is_content_shown:
            self.states.show_error(str(error))
            return
        if isinstance(error, InvalidInputError) and error.fields:
            self.form.form.set_errors(error.fields)
        if isinstance(error, ConflictError):
            self._complain(say("{reason} Your changes are still here; Discard changes shows the new version.",
                               reason=str(error)))  # fmt: skip
            self.load()
            return
        self._complain(str(error))

    def _show_buttons(self) -> None:
        may = self._place.session.may(Permission.EDIT_RULES)
        is_changed = self.form.is_changed
        self.form.form.setEnabled(may)
        self._new.setVisible(may)
        self._save.setEnabled(may and is_changed)
        self._discard.setEnabled(may and is_changed)
        self._delete.setEnabled(may and self.form.draft().calculation_id is not None)
        if not may:
            self._complain(say("Your role may look at calculated parameters but not change them."))

    @property
    def complaint(self) -> str:
        """Why it is not saved, or why it is stopped."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))


def _state_of(one: http.Calculation) -> str:
    if not one.content.is_enabled:
        return say("switched off")
    if one.fault:
        return say("stopped")
    return say("in force") if one.holds_from_seq is not None else say("being taken up")
