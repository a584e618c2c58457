"""A part of the site's alarm philosophy: all parts are kept as one, with one version; each has a form of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError, InvalidInputError, OutdatedError
from factoryops.domain.identity import Permission
from factoryops_app.models.drafts import SetUpDraft
from factoryops_app.page import plain_label
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView


class PartDraft(SetUpDraft, Protocol):
    """A draft of one part; it sends the others as they were read."""

    @property
    def held(self) -> http.Philosophy:
        """What it changes."""
        ...

    def based_on(self, held: http.Philosophy) -> Self:
        """The same as a change of another version."""
        ...

    def content(self) -> http.PhilosophyChange:
        """What is sent; raises ValidationError for a draft with errors."""
        ...


Draft = TypeVar("Draft", bound=PartDraft)


@dataclass(frozen=True, slots=True)
class PartWords:
    """What the frame says of its part.

    Attributes:
        name: what people call it.
        look_only: to those who may not change it.
    """

    name: str
    loading: str
    look_only: str


class PhilosophyPart(QWidget, Generic[Draft]):
    """A form, and the buttons that save all of it or nothing."""

    def __init__(self, place: Workplace, form: FieldsForm[Draft], words: PartWords) -> None:
        super().__init__()
        self._place = place
        self._form = form
        self._words = words
        self._is_sending = False
        self._fault = ""
        self.buttons = QHBoxLayout()
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self.discard = QPushButton(say("Discard changes"))
        self._changed = plain_label(role="secondary")
        self._problem = plain_label(role="error", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._save.clicked.connect(self.save)
        self.discard.clicked.connect(self._on_discard)
        form.edited.connect(self._show_buttons)
        self.states.retry_requested.connect(self.load)
        self.states.show_loading(words.loading)

    def draft_of(self, held: http.Philosophy) -> Draft:
        """The draft that changes this part of what is kept."""
        raise NotImplementedError

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        for button in (self._save, self.discard):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self._changed)
        panel = QFrame()
        panel.setProperty("role", "panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.addWidget(self._form, 1)
        column.addWidget(self._problem)
        column.addLayout(self.buttons)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)
        self._problem.hide()

    def load(self) -> None:
        """Ask for it, unless something here is not saved yet."""
        self._show_buttons()
        if not self._form.is_changed and not self._is_sending:
            self._place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        held = await self._place.session.client.philosophy()
        if not self._form.is_changed:
            self._take(self.draft_of(held))

    def _take(self, draft: Draft) -> None:
        self._form.fill(draft)
        self.states.show_content()
        held = draft.held
        self._changed.setText(
            say("Changed {moment} by {who}", moment=moment(held.changed_at, self._place.look.zone), who=held.changed_by)
            if held.changed_at is not None
            else say("As every factory begins")
        )
        self._complain("")
        self._show_buttons()

    def save(self) -> None:
        """Check it and send all of it, once."""
        if self._is_sending or not self._place.session.may(Permission.EDIT_PLANT):
            self._show_buttons()
            return
        if not self._form.check():
            self._complain(say("It is not saved yet: look at the marked fields."))
            return
        self._is_sending = True
        self._show_buttons()
        self._place.tasks.start(self._send(self._form.draft()), self._on_failure)

    async def _send(self, draft: Draft) -> None:
        session = self._place.session
        try:
            kept = await session.change(self._change(draft))
        finally:
            self._is_sending = False
        self._take(self.draft_of(kept))
        self._place.navigator.say_briefly(say("Saved: {name}.", name=self._words.name))

    async def _change(self, draft: Draft) -> http.Philosophy:
        """Send a draft; where only other parts have changed meanwhile, they stay as they now are."""
        client = self._place.session.client
        newest = await client.philosophy()
        if self.draft_of(newest) == self.draft_of(draft.held):
            draft = draft.based_on(newest)
        return await client.change_philosophy(draft.content())

    def _on_discard(self) -> None:
        """Show what is kept now, which may be somebody else's newer version."""
        self._form.fill(self.draft_of(self._form.draft().held))
        self._complain("")
        self.load()
        self._show_buttons()

    def _on_failure(self, error: FactoryOpsError) -> None:
        if not self.states.is_content_shown:
            self.states.show_error(str(error))
            return
        self._show_buttons()
        if isinstance(error, InvalidInputError):
            self._form.check()
        if isinstance(error, OutdatedError):
            self._complain(
                say("{reason} Your changes are still here; Discard changes shows the new version.", reason=str(error))
            )
            return
        self._complain(str(error))

    @property
    def complaint(self) -> str:
        """Why it is not saved."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._fault = sentence
        self._show_problem()

    def _show_problem(self) -> None:
        sentence = self._fault
        if not sentence and not self._place.session.may(Permission.EDIT_PLANT):
            sentence = (
                say("This workstation is locked; unlock it first.")
                if self._place.session.is_locked
                else self._words.look_only
            )
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    def on_editable(self, *, is_editable: bool) -> None:
        """Whether a person may change the part now."""
        self._form.set_editable(is_editable=is_editable)

    def _show_buttons(self) -> None:
        may = self._place.session.may(Permission.EDIT_PLANT)
        can_save = may and self._form.is_changed and not self._is_sending
        self.on_editable(is_editable=may and not self._is_sending)
        self._save.setEnabled(can_save)
        self.discard.setEnabled(can_save)
        self._show_problem()
