"""How long history is kept: the rules above, the chosen one below; all of them are saved together."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError, InvalidInputError, OutdatedError
from factoryops.domain.identity import Permission
from factoryops.domain.retention import MOST_DAYS
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.form import Form
from factoryops_widgets.state_view import StateView

_DAYS: Final = ("raw_days", "minute_days", "hour_days")
_Numbered = tuple[int, http.RetentionRule]


class RetentionTab(QWidget):
    """The factory's rules; what the person has changed is sent when they say so."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._held = http.Retention(version=0, rules=[])
        self._rules: list[http.RetentionRule] = []
        self._chosen = 0
        self.table: DataTable[_Numbered] = DataTable(
            place.look, _columns(), name="retention", settings=place.settings, row_key=lambda one: str(one[0])
        )
        self.form = Form(place.look)
        self.name, self.parameters = QLineEdit(), QLineEdit()
        self.days = {key: QSpinBox() for key in _DAYS}
        self._new = QPushButton(place.look.icon("add"), say("New rule"))
        self._remove = QPushButton(place.look.icon("remove"), say("Remove rule"))
        self._save = QPushButton(say("Save"))
        self._save.setProperty("role", "primary")
        self._discard = QPushButton(say("Discard changes"))
        self._problem = plain_label(role="error", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking how long history is kept …"))

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        self.form.add_row("name", say("Name"), self.name)
        self.form.add_row(
            "parameters", say("Parameters"), self.parameters,
            hint=say("Keys with commas between them; empty for all that no other rule names."),
        )  # fmt: skip
        labels = (say("Samples"), say("Minutes"), say("Hours"))
        for key, label in zip(_DAYS, labels, strict=True):
            self.days[key].setRange(0, MOST_DAYS)
            self.days[key].setSpecialValueText(say("for ever"))
            self.form.add_row(key, label, self.days[key], unit=say("days"))
        buttons = QHBoxLayout()
        for button in (self._save, self._discard, self._new):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._remove)
        panel = QFrame()
        panel.setProperty("role", "panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        for widget in (self.form, self._problem):
            column.addWidget(widget)
        column.addLayout(buttons)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.table, 1)
        inner.addWidget(panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)
        self._problem.hide()

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._on_selection)
        for field in (self.name, self.parameters):
            field.textEdited.connect(self._on_edited)
        for box in self.days.values():
            box.valueChanged.connect(self._on_edited)
        self._new.clicked.connect(self.begin_new)
        self._remove.clicked.connect(self.remove)
        self._save.clicked.connect(self._on_save)
        self._discard.clicked.connect(lambda: self._take(self._held))
        self.states.retry_requested.connect(self.load)
        self.states.action_requested.connect(self.begin_new)

    # --- showing -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Ask for the rules, unless something here is not saved yet."""
        if not self.is_changed:
            self._place.tasks.start(self._fetch(), self._on_failure)

    async def _fetch(self) -> None:
        self._take(await self._place.session.client.retention())

    @property
    def is_changed(self) -> bool:
        """Whether something is not saved."""
        return self._rules != self._held.rules

    def _take(self, held: http.Retention) -> None:
        self._held, self._rules = held, list(held.rules)
        self._complain("")
        self._show(0)

    def _show(self, chosen: int) -> None:
        self._chosen = chosen
        with QSignalBlocker(self.table):
            self.table.set_rows(list(enumerate(self._rules)))
            if self._rules:
                self.table.select(str(chosen))
        if self._rules:
            self._fill(self._rules[chosen])
        self._show_buttons()

    def _fill(self, rule: http.RetentionRule) -> None:
        self.form.clear_errors()
        self.name.setText(rule.name)
        self.parameters.setText(", ".join(rule.parameters))
        for key, box in self.days.items():
            with QSignalBlocker(box):
                box.setValue(getattr(rule, key))

    def _show_buttons(self) -> None:
        may = self._place.session.may(Permission.EDIT_PLANT)
        if not self._rules and not self.is_changed:
            self.states.show_empty(
                say("History is kept for ever"),
                say("Rules say after how many days samples are thinned out to minutes, and those to hours."),
                say("New rule") if may else "",
            )
        else:
            self.states.show_content()
        self.form.setEnabled(may and bool(self._rules))
        self._new.setVisible(may)
        self._remove.setEnabled(may and bool(self._rules))
        self._save.setEnabled(may and self.is_changed)
        self._discard.setEnabled(may and self.is_changed)
        if not may:
            self._complain(say("Your role may look at these rules but not change them; an administrator may."))

    def _on_selection(self) -> None:
        chosen = self.table.selected_rows()
        if chosen and chosen[0][0] != self._chosen:
            self._chosen = chosen[0][0]
            self._fill(self._rules[self._chosen])

    # --- changing ----------------------------------------------------------------------------------------------------

    def begin_new(self) -> None:
        """Add a rule that changes nothing yet."""
        if not self._place.session.may(Permission.EDIT_PLANT):
            return
        self._rules.append(http.RetentionRule(name=say("New rule")))
        self._show(len(self._rules) - 1)
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        self.name.selectAll()

    def remove(self) -> None:
        """Take the chosen rule out of the list."""
        if self._rules:
            del self._rules[self._chosen]
            self._show(max(0, self._chosen - 1))

    def _on_edited(self) -> None:
        keys = [key.strip() for key in self.parameters.text().split(",")]
        raw_days, minute_days, hour_days = (self.days[key].value() for key in _DAYS)
        self._rules[self._chosen] = http.RetentionRule.model_construct(
            name=self.name.text().strip(), parameters=[key for key in keys if key], raw_days=raw_days,
            minute_days=minute_days, hour_days=hour_days,
        )  # fmt: skip
        with QSignalBlocker(self.table):
            self.table.set_rows(list(enumerate(self._rules)))
        self._mark()
        self._show_buttons()

    def _mark(self) -> dict[str, str]:
        """Show what is wrong; faults of the chosen rule beside its fields."""
        faults = http.retention_faults(self._rules)
        prefix = f"rules.{self._chosen}."
        own = {key.removeprefix(prefix): say(text) for key, text in faults.items() if key.startswith(prefix)}
        if not self._rules[self._chosen].name:
            own["name"] = say("must not be empty")
        self.form.mark(own)
        return faults | own

    def _on_save(self) -> None:
        if self._rules and self._mark():
            self._complain(say("It is not saved yet: look at the marked fields."))
            return
        question = say("Save these rules? What they give up is deleted within minutes and cannot be brought back.")
        ask_first(self, say("Retention"), question, say("Save"), self.save)

    def save(self) -> None:
        """Send all rules."""
        self._save.setEnabled(False)
        self._place.tasks.start(self._send(), self._on_failure)

    async def _send(self) -> None:
        change = http.RetentionChange(version=self._held.version, rules=self._rules)
        session = self._place.session
        self._take(await session.change(session.client.change_retention(change)))
        self._place.navigator.say_briefly(say("Saved: {name}.", name=say("Retention")))

    def _on_failure(self, error: FactoryOpsError) -> None:
        if self._held.version == 0 and not self._rules:
            self.states.show_error(str(error))
            return
        self._show_buttons()
        if isinstance(error, InvalidInputError):
            self._mark()
        if isinstance(error, OutdatedError):
            self._complain(
                say("{reason} Your changes are still here; Discard changes shows the new version.", reason=str(error))
            )
            return
        self._complain(str(error))

    def _complain(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    @property
    def complaint(self) -> str:
        """Why it is not saved."""
        return self._problem.text()


def _columns() -> list[ColumnSpec[_Numbered]]:
    return [
        ColumnSpec("name", say("Name"), lambda one: one[1].name, width=180),
        ColumnSpec("parameters", say("Parameters"), lambda one: ", ".join(one[1].parameters) or say("all others"),
                   width=260, is_elastic=True),
        _days_column("raw_days", say("Samples")),
        _days_column("minute_days", say("Minutes")),
        _days_column("hour_days", say("Hours")),
    ]  # fmt: skip


def _days_column(key: str, label: str) -> ColumnSpec[_Numbered]:
    def days(one: _Numbered) -> int:
        return int(getattr(one[1], key))

    return ColumnSpec(key, label, days, lambda one: _in_words(days(one)), width=120)


def _in_words(days: int) -> str:
    return say("{count} days", count=days) if days else say("for ever")
