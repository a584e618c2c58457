"""Alarm classes and the priority matrix: how the site handles alarms, saved as one."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.domain.alarms import Priority
from factoryops.domain.errors import FactoryOpsError, InvalidInputError, OutdatedError
from factoryops.domain.identity import Permission
from factoryops_app.models.philosophy_draft import NO, YES, ClassDraft, PhilosophyDraft, SeverityDraft, bounds_s
from factoryops_app.models.typed import span_text
from factoryops_app.models.wording import priority_name
from factoryops_app.page import plain_label
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.edit_grid import EditGrid, GridColumn
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView

_LOWEST: Final = str(int(Priority.LOW))


class PhilosophyForm(FieldsForm[PhilosophyDraft]):
    """The classes above, the matrix below."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, PhilosophyDraft())
        self.classes = EditGrid(place.look, _class_columns(), name=say("Classes"), most_visible=7, is_ordered=True)
        self.bounds = QLineEdit()
        self.matrix = EditGrid(place.look, _matrix_columns([]), name=say("Priorities"), most_visible=6,
                               is_ordered=True)  # fmt: skip
        self.add_grid(
            "classes",
            say("Classes"),
            self.classes,
            hint=say("The first one is that of rules that name none; the key is what rules are kept with."),
        )
        self.form.add_row("bounds", say("Time to respond"), self.bounds,
                          hint=say("The columns of the matrix: ascending times apart by semicolons."))  # fmt: skip
        self.add_grid(
            "matrix",
            say("Priorities"),
            self.matrix,
            hint=say("How bad the consequence is, mildest first; the matrix proposes, the rule decides."),
        )
        self.bounds.textEdited.connect(self._on_bounds)
        self.watch(self.classes.edited, self.bounds.textEdited, self.matrix.edited)
        self.fill(PhilosophyDraft())

    def show_fields(self, draft: PhilosophyDraft) -> None:
        """Put a draft into the fields."""
        names = [column.key for column in _class_columns()]
        self.classes.set_rows([{key: str(getattr(one, key)) for key in names} for one in draft.classes])
        self.bounds.setText(draft.bounds)
        self.matrix.set_columns(_matrix_columns(bounds_s(draft.bounds) or []))
        self.matrix.set_rows(
            [
                {"severity": row.word, **{_column(place): one for place, one in enumerate(row.priorities)}}
                for row in draft.severities
            ]
        )

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        rows = self.matrix.rows()
        return {
            "classes": tuple(ClassDraft(**row) for row in self.classes.rows()),
            "bounds": self.bounds.text(),
            "severities": tuple(
                SeverityDraft(row["severity"], tuple(row[_column(place)] for place in range(len(row) - 1)))
                for row in rows
            ),
        }

    def _on_bounds(self, text: str) -> None:
        times = bounds_s(text)
        if times is not None:
            self.matrix.set_columns(_matrix_columns(times))

    def focus_first(self) -> None:
        """Begin at the classes."""
        self.classes.table.setFocus()


class PhilosophyTab(QWidget):
    """The form, and the buttons that save all of it or nothing."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._is_sending = False
        self._fault = ""
        self.form = PhilosophyForm(place)
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
        self.form.edited.connect(self._show_buttons)
        self.states.retry_requested.connect(self.load)
        self.states.show_loading(say("Asking how alarms are classed …"))

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        buttons = QHBoxLayout()
        for button in (self._save, self.discard):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._changed)
        panel = QFrame()
        panel.setProperty("role", "panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.addWidget(self.form, 1)
        column.addWidget(self._problem)
        column.addLayout(buttons)
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
        if not self.form.is_changed and not self._is_sending:
            self._place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        held = await self._place.session.client.philosophy()
        if not self.form.is_changed:
            self._take(PhilosophyDraft.of(held))

    def _take(self, draft: PhilosophyDraft) -> None:
        self.form.fill(draft)
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
        if not self.form.check():
            self._complain(say("It is not saved yet: look at the marked fields."))
            return
        self._is_sending = True
        self._show_buttons()
        self._place.tasks.start(self._send(self.form.draft()), self._on_failure)

    async def _send(self, draft: PhilosophyDraft) -> None:
        session = self._place.session
        try:
            kept = await session.change(session.client.change_philosophy(draft.content()))
        finally:
            self._is_sending = False
        self._take(PhilosophyDraft.of(kept))
        self._place.navigator.say_briefly(say("Saved: {name}.", name=say("Classes and priorities")))

    def _on_discard(self) -> None:
        """Show what is kept now, which may be somebody else's newer version."""
        self.form.fill(PhilosophyDraft.of(self.form.draft().held))
        self._complain("")
        self.load()
        self._show_buttons()

    def _on_failure(self, error: FactoryOpsError) -> None:
        if not self.states.is_content_shown:
            self.states.show_error(str(error))
            return
        self._show_buttons()
        if isinstance(error, InvalidInputError):
            self.form.check()
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
                else say("Your role may look at classes and priorities but not change them; an administrator may.")
            )
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    def _show_buttons(self) -> None:
        may = self._place.session.may(Permission.EDIT_PLANT)
        can_save = may and self.form.is_changed and not self._is_sending
        self.form.set_editable(is_editable=may and not self._is_sending)
        self._save.setEnabled(can_save)
        self.discard.setEnabled(can_save)
        self._show_problem()


def _class_columns() -> list[GridColumn]:
    choices = ((YES, say("yes")), (NO, say("no")))
    return [
        GridColumn("id", say("Key"), 110),
        GridColumn("name", say("Name"), 130),
        GridColumn("needs_comment", say("Needs a comment"), 130, choices, default=NO),
        GridColumn("may_be_shelved", say("May be shelved"), 110, choices, default=YES),
        GridColumn("longest_shelving_s", say("At most for"), 90, default="8 h"),
        GridColumn("re_alarm_s", say("Tells again after"), 118, default="0 s"),
        GridColumn("is_latching", say("Latches"), 80, choices, default=NO),
        GridColumn("is_counted", say("Counts"), 80, choices, default=YES),
    ]


def _column(place: int) -> str:
    return f"p{place}"


def _matrix_columns(times_s: list[float]) -> list[GridColumn]:
    choices = tuple((str(int(one)), priority_name(one)) for one in Priority)
    titles = [say("up to {span}", span=span_text(one)) for one in times_s] + [say("longer") if times_s else say("any")]
    columns = [GridColumn("severity", say("Severity"), 150, is_elastic=True)]
    return columns + [
        GridColumn(_column(place), title, 120, choices, default=_LOWEST) for place, title in enumerate(titles)
    ]
