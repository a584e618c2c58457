"""Declared outages: time that the figures leave out, who said so and why; a line to declare another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.models.outages import OutageDraft, state_words
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment

_LONGEST_REASON = 500


class OutagesView(QWidget):
    """All declared outages of the factory, withdrawn ones too.

    Attributes:
        changed: one was declared or withdrawn, so that figures are others.
        listed: the list is shown anew.
    """

    changed = Signal()
    listed = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._is_sending = False
        self.table: DataTable[http.Outage] = DataTable(
            place.look, self._columns(), name="performance-outages", settings=place.settings,
            row_key=lambda one: one.id,
        )  # fmt: skip
        self.begin, self.end, self.reason = QLineEdit(), QLineEdit(), QLineEdit()
        self.reason.setMaxLength(_LONGEST_REASON)
        self.declare = QPushButton(place.look.icon("add"), say("Leave out"))
        self.withdraw = QPushButton(place.look.icon("remove"), say("Withdraw the outage"))
        self._problem = plain_label(role="error", is_wrapped=True)
        self._build()
        self.declare.clicked.connect(self.send)
        self.withdraw.clicked.connect(self._on_withdraw)
        self.table.selection_changed.connect(self.show_buttons)
        self.show_buttons()

    def _columns(self) -> list[ColumnSpec[http.Outage]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("start", say("From"), lambda one: one.content.start,
                       lambda one: moment(one.content.start, zone), width=172),
            ColumnSpec("end", say("To"), lambda one: one.content.end,
                       lambda one: moment(one.content.end, zone), width=172),
            ColumnSpec("reason", say("Why"), lambda one: one.content.reason, width=200, is_elastic=True),
            ColumnSpec("declared", say("Declared by"), lambda one: one.declared_by, width=120),
            ColumnSpec("at", say("Declared"), lambda one: one.declared_at,
                       lambda one: moment(one.declared_at, zone), width=172),
            ColumnSpec("state", say("State"), lambda one: state_words(one, zone), width=220),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self._place.look.px
        line = QHBoxLayout()
        line.setSpacing(px(6))
        for field, words, share in (
            (self.begin, say("From, such as 2026-03-31 14:30"), 2), (self.end, say("To"), 2),
            (self.reason, say("Why the time is left out, such as a planned stop"), 4),
        ):  # fmt: skip
            field.setAccessibleName(words)
            field.setPlaceholderText(words)
            field.setToolTip(words)
            field.returnPressed.connect(self.send)
            line.addWidget(field, share)
        line.addWidget(self.declare)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), px(8), px(8), px(8))
        column.setSpacing(px(6))
        column.addWidget(plain_label(self._about(), role="secondary", is_wrapped=True))
        column.addLayout(line)
        column.addWidget(self._problem)
        column.addWidget(self.table, 1)
        self.table.add_tool(self.withdraw)
        self._problem.hide()

    @staticmethod
    def _about() -> str:
        return say(
            "Figures leave this time out and say so, such as a planned stop or work on the plant server. "
            "Alarms themselves go on as ever."
        )

    # --- showing -----------------------------------------------------------------------------------------------------

    def show_outages(self, outages: Sequence[http.Outage]) -> None:
        """Show what is declared now."""
        self.table.set_rows(outages)
        self.show_buttons()
        self.listed.emit()

    def show_buttons(self) -> None:
        """Enable what can be done now."""
        may = self._place.session.may(Permission.EDIT_RULES) and not self._is_sending
        for widget in (self.begin, self.end, self.reason, self.declare):
            widget.setEnabled(may)
        self.withdraw.setEnabled(may and any(one.holds for one in self.table.selected_rows()))

    @property
    def complaint(self) -> str:
        """Why nothing was declared or withdrawn."""
        return self._problem.text()

    def _complain(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    # --- changing ----------------------------------------------------------------------------------------------------

    def draft(self) -> OutageDraft:
        """What is filled in."""
        return OutageDraft(self.begin.text(), self.end.text(), self.reason.text())

    def send(self) -> None:
        """Declare what is filled in, once."""
        if self._is_sending or not self._place.session.may(Permission.EDIT_RULES):
            self.show_buttons()
            return
        draft, zone = self.draft(), self._place.look.zone
        fault = draft.fault(zone)
        self._complain(fault)
        if not fault:
            self._start(draft.content(zone))

    def _start(self, content: http.OutageContent) -> None:
        self._is_sending = True
        self.show_buttons()
        self._place.tasks.start(self._declared(content), self._on_failure)

    async def _declared(self, content: http.OutageContent) -> None:
        session = self._place.session
        try:
            await session.change(session.client.declare_outage(content))
        finally:
            self._is_sending = False
        for field in (self.begin, self.end, self.reason):
            field.clear()
        self._done(say("The outage is declared."))

    def _on_withdraw(self) -> None:
        chosen = [one.id for one in self.table.selected_rows() if one.holds]
        deed = say("Withdraw the outage")
        question = say("Withdraw the chosen outages? Their time counts in the figures again.")
        if chosen:
            ask_first(
                self, deed, question, deed, lambda: self._place.tasks.start(self.withdrawn(chosen), self._on_failure)
            )

    async def withdrawn(self, identities: Sequence[str]) -> None:
        """Take declarations back."""
        session = self._place.session
        for identity in identities:
            await session.change(session.client.withdraw_outage(identity))
        self._done(say("The outage is withdrawn."))

    def _done(self, sentence: str) -> None:
        self._complain("")
        self._place.navigator.say_briefly(sentence)
        self.show_buttons()
        self.changed.emit()

    def _on_failure(self, error: FactoryOpsError) -> None:
        self.show_buttons()
        self._complain(str(error))
