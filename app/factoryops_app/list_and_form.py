"""A list above and a form below: choosing, changing, saving and taking away, the same wherever things are kept so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.domain.errors import FactoryOpsError, InvalidInputError, NotAllowedError, OutdatedError
from factoryops.domain.identity import Permission
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.state_view import StateView

Kept = TypeVar("Kept")
Draft = TypeVar("Draft")


class DraftForm(QWidget, Generic[Draft]):
    """A form that fills and reads a draft.

    Attributes:
        edited: a person changed something.
    """

    edited = Signal()

    def fill(self, draft: Draft) -> None:
        """Show a draft; from now on it counts as unchanged."""
        raise NotImplementedError

    def draft(self) -> Draft:
        """What is filled in now."""
        raise NotImplementedError

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        raise NotImplementedError

    def check(self) -> bool:
        """Show what cannot be used; True when all is well."""
        raise NotImplementedError

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show what the service did not accept, by field."""
        raise NotImplementedError

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether the fields may be changed."""
        raise NotImplementedError

    def focus_first(self) -> None:
        """Begin at the first field."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ListWords:
    """What the frame says about what it lists.

    Attributes:
        table: the name under which the table remembers its columns.
        empty / explanation: while there is none: what would be here.
        unchecked: why nothing is sent when a field is not in order.
        look_only: to those who may not change anything.
        heights: of list and form at first, in px at 100 %.
    """

    table: str
    loading: str
    empty: str
    explanation: str
    new: str
    delete: str
    unchecked: str
    look_only: str
    heights: tuple[int, int] = (180, 520)


class ListAndForm(QWidget, Generic[Kept, Draft]):
    """The frame; a subject says in the methods below what its rows and drafts are.

    Nothing that was typed is lost: while a draft is not saved, another row cannot be chosen, and a change that somebody
    else saved first leaves it in the form.
    """

    def __init__(
        self, place: Workplace, form: DraftForm[Draft], words: ListWords, permission: Permission, *,
        beside: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.place = place
        self.kept: list[Kept] = []
        self._words = words
        self._permission = permission
        self.table: DataTable[Kept] = DataTable(
            place.look, self.columns(), name=words.table, settings=place.settings, row_key=self.key_of
        )
        self._form = form
        self._fault = ""
        self._is_sending = False
        self._new = QPushButton(place.look.icon("add"), words.new)
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self._discard = QPushButton(say("Discard changes"))
        self._delete = QPushButton(place.look.icon("remove"), words.delete)
        self._problem = plain_label(role="error", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self.buttons = QHBoxLayout()
        self._build(content, beside)
        self._connect()
        self.states.show_loading(words.loading)

    # --- what a subject says -----------------------------------------------------------------------------------------

    def columns(self) -> list[ColumnSpec[Kept]]:
        """The columns of the list."""
        raise NotImplementedError

    def key_of(self, kept: Kept) -> str:
        """The id of a row."""
        raise NotImplementedError

    def key_in(self, draft: Draft) -> str | None:
        """The id of what a draft changes; None for a new one."""
        raise NotImplementedError

    def name_of(self, kept: Kept) -> str:
        """What people call it."""
        raise NotImplementedError

    def draft_of(self, kept: Kept) -> Draft:
        """The draft that changes it."""
        raise NotImplementedError

    def new_draft(self) -> Draft:
        """An empty draft."""
        raise NotImplementedError

    def question(self, kept: Kept) -> str:
        """What is asked before it is taken away."""
        raise NotImplementedError

    def remark_on(self, kept: Kept) -> str:
        """What is to be said about it while it is shown; nothing by default."""
        del kept
        return ""

    def on_draft(self, draft: Draft) -> None:
        """The form shows this now: filled in by us or changed by a person."""

    async def ask(self) -> Sequence[Kept]:
        """All there are."""
        raise NotImplementedError

    async def send(self, draft: Draft) -> Kept:
        """Save a draft without errors."""
        raise NotImplementedError

    async def drop(self, key: str) -> None:
        """Take one away at the service."""
        raise NotImplementedError

    # --- building ----------------------------------------------------------------------------------------------------

    def _build(self, content: QWidget, beside: QWidget | None) -> None:
        px = self.place.look.px
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self._make_editor(beside))
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([px(height) for height in self._words.heights])
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)

    def _make_editor(self, beside: QWidget | None) -> QWidget:
        px = self.place.look.px
        panel = QFrame()
        panel.setProperty("role", "panel")
        for button in (self._save, self._discard, self._new):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self._delete)
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.addWidget(self._form if beside is None else self._both(beside), 1)
        column.addWidget(self._problem)
        column.addLayout(self.buttons)
        self._problem.hide()
        return panel

    def _both(self, beside: QWidget) -> QWidget:
        px = self.place.look.px
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(self._form)
        both.addWidget(beside)
        both.setSizes([px(640), px(540)])
        return both

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._on_selection)
        self._form.edited.connect(self._on_edited)
        self._new.clicked.connect(self.begin_new)
        self._save.clicked.connect(self.save)
        self._discard.clicked.connect(self._on_discard)
        self._delete.clicked.connect(self._on_delete)
        self.states.retry_requested.connect(self.load)
        self.states.action_requested.connect(self.begin_new)

    # --- showing -----------------------------------------------------------------------------------------------------

    @property
    def may_change(self) -> bool:
        """Whether this person may change what is listed."""
        return self.place.session.may(self._permission)

    def load(self) -> None:
        """Ask for the list."""
        self.place.tasks.start(self.fetch(), self._on_failure)

    async def fetch(self) -> None:
        """Ask for the list and show it."""
        self.show_kept(await self.ask())

    def show_kept(self, kept: Sequence[Kept]) -> None:
        """Show what there is now; a draft that is not saved stays."""
        self.kept = list(kept)
        self.table.set_rows(self.kept)
        self.show_buttons()
        if not self.kept and not self._form.is_changed:
            self.states.show_empty(
                self._words.empty, self._words.explanation, self._words.new if self.may_change else ""
            )
            return
        self.states.show_content()
        if not self._form.is_changed:
            self._take_up()
        self.show_buttons()

    def _take_up(self) -> None:
        """Show what is held now of the chosen one; with nothing chosen, the first."""
        held = self.held()
        if held is not None:
            draft = self.draft_of(held)
            if draft != self._form.draft():
                self.show_draft(draft)
        elif self.kept and not self.table.selected_rows():
            self.table.select(self.key_of(self.kept[0]))

    def held(self) -> Kept | None:
        """What is kept of the one in the form; None for a new one."""
        key = self.key_in(self._form.draft())
        return next((one for one in self.kept if self.key_of(one) == key), None)

    def show_draft(self, draft: Draft) -> None:
        """Fill the form."""
        self._form.fill(draft)
        self.complain("")
        self.on_draft(draft)
        self.show_buttons()

    def begin_new(self) -> None:
        """Start an empty one, unless something here is not saved yet."""
        if self.may_change and not self._is_sending and not self.is_unsaved():
            self.begin(self.new_draft())

    def is_unsaved(self) -> bool:
        """Whether a draft is not saved yet, which is then said."""
        if self._form.is_changed:
            self.place.navigator.say_briefly(say("Save or discard the changes first."))
        return self._form.is_changed

    def begin(self, draft: Draft) -> None:
        """Show a new one from its first field on."""
        self.states.show_content()
        self.table.clear_selection()
        self.show_draft(draft)
        self._form.focus_first()

    # --- changing ----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Check the form and send it, once."""
        if self._is_sending or not self.may_change:
            self.show_buttons()
            return
        if not self._form.check():
            self.complain(self._words.unchecked)
            return
        self._is_sending = True
        self.show_buttons()
        self.place.tasks.start(self._send(self._form.draft()), self._on_failure)

    async def _send(self, draft: Draft) -> None:
        try:
            made = await self.place.session.change(self.send(draft))
        finally:
            self._is_sending = False
        self.show_draft(self.draft_of(made))
        await self.fetch()
        self.table.select(self.key_of(made))
        self.place.navigator.say_briefly(say("Saved: {name}.", name=self.name_of(made)))

    def _on_edited(self) -> None:
        self.on_draft(self._form.draft())
        self.show_buttons()

    def _on_discard(self) -> None:
        held = self.held()
        self.show_draft(self.draft_of(held) if held is not None else self.new_draft())

    def _on_selection(self) -> None:
        chosen = self.table.selected_rows()
        key = self.key_in(self._form.draft())
        if not chosen or self.key_of(chosen[0]) == key:
            return
        if not self.is_unsaved():
            self.show_draft(self.draft_of(chosen[0]))
        elif key is not None:
            self.table.select(key)
        else:
            self.table.clear_selection()

    def _on_delete(self) -> None:
        held = self.held()
        if held is None:
            return
        key, deed = self.key_of(held), self._words.delete
        ask_first(
            self, deed, self.question(held), deed, lambda: self.place.tasks.start(self.remove(key), self._on_failure)
        )

    async def remove(self, key: str) -> None:
        """Take one away."""
        await self.place.session.change(self.drop(key))
        self.show_draft(self.new_draft())
        await self.fetch()

    def _on_failure(self, error: FactoryOpsError) -> None:
        if not self.states.is_content_shown:
            if isinstance(error, NotAllowedError):
                self.states.show_no_permission(str(error))
            else:
                self.states.show_error(str(error))
            return
        self.show_buttons()
        if isinstance(error, InvalidInputError) and error.fields:
            self._form.show_errors(error.fields)
        if isinstance(error, OutdatedError):
            self.complain(say("{reason} Your changes are still here; Discard changes shows the new version.",
                              reason=str(error)))  # fmt: skip
            self.load()
            return
        self.complain(str(error))

    def show_buttons(self) -> None:
        """Enable what can be done now; say why nothing can."""
        may, is_changed, held = self.may_change and not self._is_sending, self._form.is_changed, self.held()
        self._form.set_editable(is_editable=may)
        self._new.setVisible(self.may_change)
        self._new.setEnabled(may)
        self._save.setEnabled(may and is_changed)
        self._discard.setEnabled(may and is_changed)
        self._delete.setEnabled(may and held is not None)
        self._show_problem()

    @property
    def complaint(self) -> str:
        """Why it is not saved, or what is to be said about it."""
        return self._problem.text()

    def complain(self, sentence: str) -> None:
        """Say what is in the way; "" for nothing."""
        self._fault = sentence
        self._show_problem()

    def _show_problem(self) -> None:
        held = self.held()
        sentence = self._fault or (self.remark_on(held) if held is not None else "")
        if not sentence and not self.may_change:
            is_locked = self.place.session.is_locked
            sentence = say("This workstation is locked; unlock it first.") if is_locked else self._words.look_only
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
