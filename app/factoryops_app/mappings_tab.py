"""Mappings: the list above, the form below, and beside it what comes of a message."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, FactoryOpsError, InvalidInputError
from factoryops.domain.identity import Permission
from factoryops_app.mapping_form import MappingForm
from factoryops_app.mapping_trial import MappingTrialView
from factoryops_app.models.mapping_draft import MappingDraft, guessed
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView


class MappingsTab(QWidget):
    """What messages of a format of their own mean."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._kept: list[http.KeptMapping] = []
        self.table: DataTable[http.KeptMapping] = DataTable(
            place.look, self._columns(), name="mappings", settings=place.settings, row_key=lambda one: one.id,
            has_filter=False,
        )  # fmt: skip
        self.form = MappingForm(place)
        self.trial = MappingTrialView(place)
        self._new = QPushButton(place.look.icon("add"), say("New mapping"))
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self._discard = QPushButton(say("Discard changes"))
        self._delete = QPushButton(place.look.icon("remove"), say("Delete"))
        self._problem = plain_label(role="error", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for the mappings …"))

    def _columns(self) -> list[ColumnSpec[http.KeptMapping]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("name", say("Name"), lambda one: one.content.name, width=200),
            ColumnSpec("topic", say("Topic"), lambda one: one.content.topic, width=260, is_elastic=True),
            ColumnSpec("values", say("Values"), lambda one: len(one.content.values) + len(one.content.groups),
                       is_number=True, width=80),
            ColumnSpec("state", say("State"), _state_of, width=120),
            ColumnSpec("changed", say("Changed"), lambda one: one.changed_at,
                       lambda one: f"{moment(one.changed_at, zone)} {one.changed_by}", width=220),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self._make_editor())
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([px(112), px(600)])
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
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(self.form)
        both.addWidget(self.trial)
        both.setSizes([px(640), px(540)])
        buttons = QHBoxLayout()
        for button in (self._save, self._discard, self._new):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._delete)
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(12), px(8), px(12), px(8))
        column.addWidget(both, 1)
        column.addWidget(self._problem)
        column.addLayout(buttons)
        self._problem.hide()
        return panel

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._on_selection)
        self.form.edited.connect(self._on_edited)
        self._new.clicked.connect(self.begin_new)
        self._save.clicked.connect(self.save)
        self._discard.clicked.connect(self._on_discard)
        self._delete.clicked.connect(self._on_delete)
        self.states.retry_requested.connect(self.load)
        self.states.action_requested.connect(self.begin_new)

    # --- showing -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Ask for the mappings and for captured messages."""
        if not self._place.session.may(Permission.SEE_QUARANTINE):
            self.states.show_no_permission(say("Your role may not see mappings; a supervisor may."))
            return
        self.trial.load()
        self._place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        self._kept = await self._place.session.client.mappings()
        self.table.set_rows(self._kept)
        may = self._place.session.may(Permission.EDIT_PLANT)
        self.form.set_editable(is_editable=may)
        if not self._kept and not self.form.is_changed:
            self.states.show_empty(
                say("No mapping yet"),
                say("A mapping says where device, time and values lie in messages of a format of their own."),
                say("New mapping") if may else "",
            )
            return
        self.states.show_content()
        if not self.form.is_changed:
            self._reload_form()
        self._show_buttons()

    def _reload_form(self) -> None:
        held = self._held()
        if held is not None:
            self._fill(MappingDraft.of(held))
        elif self._kept and not self.table.selected_rows():
            self.table.select(self._kept[0].id)

    def _held(self) -> http.KeptMapping | None:
        return next((one for one in self._kept if one.id == self.form.draft().mapping_id), None)

    def _fill(self, draft: MappingDraft) -> None:
        self.form.fill(draft)
        self.trial.show_draft(draft)
        self._complain("")
        self._show_buttons()

    def begin_new(self) -> None:
        """Start an empty mapping, unless something here is not saved yet."""
        if self.form.is_changed:
            self._place.navigator.say_briefly(say("Save or discard the changes first."))
            return
        self._begin(MappingDraft())

    def begin_from(self, message: http.QuarantinedMessage) -> None:
        """Start a mapping with a guess at what a captured message means, unless something here is not saved yet."""
        if self.form.is_changed:
            self._place.navigator.say_briefly(say("Save or discard the changes first."))
            return
        self._begin(MappingDraft())
        draft = guessed(message.topic, "" if message.is_hex else message.payload)
        self.form.guess(draft)
        self.trial.take(message)
        self._on_edited()

    def _begin(self, draft: MappingDraft) -> None:
        self.states.show_content()
        self.table.view.clearSelection()
        self._fill(draft)
        self.form.focus_name()

    # --- acting ------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Check the form and send it."""
        draft = self.form.draft()
        errors = draft.errors()
        self.form.show_errors(errors)
        content = draft.content()
        if errors or content is None:
            self._complain(say("The mapping is not saved yet: look at the marked fields."))
            return
        self._save.setEnabled(False)
        self._place.tasks.start(self._send(draft, content), self._on_failure)

    async def _send(self, draft: MappingDraft, content: http.MappingContent) -> None:
        client = self._place.session.client
        if draft.mapping_id is None:
            kept = await client.create_mapping(content)
        else:
            update = http.MappingUpdate.model_construct(version=draft.version, content=content)
            kept = await client.update_mapping(draft.mapping_id, update)
        self._fill(MappingDraft.of(kept))
        await self._fetch()
        self.table.select(kept.id)
        self._place.navigator.say_briefly(say("Saved: {name}.", name=kept.content.name))

    def _on_failure(self, error: FactoryOpsError) -> None:
        if not self.states.is_content_shown:
            self.states.show_error(str(error))
            return
        self._show_buttons()
        if isinstance(error, InvalidInputError) and error.fields:
            self.form.show_errors(error.fields)
        if isinstance(error, ConflictError):
            self._complain(say("{reason} Your changes are still here; Discard changes shows the new version.",
                               reason=str(error)))  # fmt: skip
            self._place.tasks.start(self._fetch(), lambda _: None)
            return
        self._complain(str(error))

    def _on_edited(self) -> None:
        draft = self.form.draft()
        self.form.show_errors(draft.errors())
        self.trial.show_draft(draft)
        self._show_buttons()

    def _on_selection(self) -> None:
        chosen = self.table.selected_rows()
        if not chosen or chosen[0].id == self.form.draft().mapping_id:
            return
        if self.form.is_changed:
            self._place.navigator.say_briefly(say("Save or discard the changes first."))
            held = self.form.draft().mapping_id
            if held is not None:
                self.table.select(held)
            else:
                self.table.view.clearSelection()
            return
        self._fill(MappingDraft.of(chosen[0]))

    def _on_discard(self) -> None:
        held = self._held()
        self._fill(MappingDraft.of(held) if held is not None else MappingDraft())

    def _on_delete(self) -> None:
        held = self._held()
        if held is None:
            return
        question = say(
            "Delete “{name}”? What it has stored stays; further messages go into quarantine.", name=held.content.name
        )
        ask_first(
            self,
            say("Delete"),
            question,
            say("Delete"),
            lambda: self._place.tasks.start(self._remove(held.id), self._on_failure),
        )

    async def _remove(self, mapping_id: str) -> None:
        await self._place.session.client.delete_mapping(mapping_id)
        self._fill(MappingDraft())
        await self._fetch()

    def _show_buttons(self) -> None:
        may = self._place.session.may(Permission.EDIT_PLANT)
        is_changed = self.form.is_changed
        self._new.setEnabled(may)
        self._save.setEnabled(may and is_changed)
        self._discard.setEnabled(may and is_changed)
        self._delete.setEnabled(may and self._held() is not None)

    @property
    def complaint(self) -> str:
        """Why the mapping is not saved."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))


def _state_of(mapping: http.KeptMapping) -> str:
    return say("in force") if mapping.content.is_enabled else say("switched off")
