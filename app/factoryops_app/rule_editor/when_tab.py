"""When a rule holds, how long its condition must last, and when its alarm is suppressed by design."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from factoryops_app.models.condition_draft import NodeDraft, NodeKind
from factoryops_app.models.names import Names
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.condition_editor import ConditionEditor
from factoryops_app.rule_editor.schedule_field import ScheduleField
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form

_DELAYS: Final = ("on_delay", "off_delay", "re_alarm")


class WhenTab(QWidget):
    """Delays and schedule on the left, suppression by design on the right.

    Attributes:
        edited: a person changed something.
    """

    edited = Signal()

    def __init__(self, place: Workplace, names: Callable[[], Names]) -> None:
        super().__init__()
        self._place = place
        self.form = Form(place.look)
        self.delays = {key: QLineEdit() for key in _DELAYS}
        self.latching = QCheckBox(say("It stays until somebody resets it (latching)"))
        self.schedule = ScheduleField(place)
        self.suppressed = QCheckBox(say("Suppress the alarm while a condition holds"))
        self.suppress_while = ConditionEditor(place, names)
        self._fault = plain_label(role="error", is_wrapped=True)
        self._build()
        self._connect()

    def _build(self) -> None:
        px = self._place.look.px
        rows = (
            ("on_delay", say("On-delay"), say("How long it must last before it alarms.")),
            ("off_delay", say("Off-delay"), say("How long it must be back before it ends.")),
            ("re_alarm", say("Announce again"), say("So long after it was acknowledged, while it stands; empty for "
                                                    "never.")),
        )  # fmt: skip
        for key, label, hint in rows:
            self.form.add_row(key, label, self.delays[key], hint=hint)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(px(2), px(8), px(16), px(2))
        column.setSpacing(px(6))
        column.addWidget(self.form)
        column.addWidget(self.latching)
        column.addWidget(plain_label(say("Evaluated only during (empty: always)"), role="section", is_wrapped=True))
        column.addWidget(self.schedule)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(left)
        right = QVBoxLayout()
        right.setContentsMargins(px(8), px(8), px(2), px(2))
        right.addWidget(self.suppressed)
        right.addWidget(
            plain_label(
                say("Suppressed by design, it stays in its own list and is not announced: for example while the machine"
                    " is switched off."), role="label", is_wrapped=True,
            )
        )  # fmt: skip
        right.addWidget(self._fault)
        right.addWidget(self.suppress_while, 1)
        right.addStretch(0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(scroll, 1)
        row.addLayout(right, 2)
        self._fault.hide()

    def _connect(self) -> None:
        for field in self.delays.values():
            field.textEdited.connect(lambda _: self.edited.emit())
        self.latching.clicked.connect(lambda _: self.edited.emit())
        self.schedule.edited.connect(self.edited)
        self.suppress_while.edited.connect(self.edited)
        self.suppressed.clicked.connect(self._on_suppressed)

    def fill(self, draft: RuleDraft, shifts: Mapping[str, str]) -> None:
        """Show a rule's times."""
        for key, field in self.delays.items():
            field.setText(str(getattr(draft, key)))
        self.latching.setChecked(draft.is_latching)
        self.schedule.fill(draft.schedule, shifts)
        self.suppressed.setChecked(draft.suppress_while is not None)
        self.suppress_while.fill(draft.suppress_while or NodeDraft.new(NodeKind.COMPARE))
        self.suppress_while.setVisible(draft.suppress_while is not None)
        self.offer_shifts(shifts)
        self.show_errors({})

    def read(self, draft: RuleDraft) -> RuleDraft:
        """The draft with what is filled in here."""
        return draft.with_(
            **{key: field.text() for key, field in self.delays.items()},
            is_latching=self.latching.isChecked(),
            schedule=self.schedule.draft(),
            suppress_while=self.suppress_while.root() if self.suppressed.isChecked() else None,
        )

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        self.schedule.offer_shifts(shifts)
        self.suppress_while.offer_shifts(shifts)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault where it belongs."""
        self.form.mark(errors)
        prefix = "schedule."
        self.schedule.show_errors(
            {key.removeprefix(prefix): text for key, text in errors.items() if key.startswith(prefix)}
        )
        fault = errors.get("suppress_while", "")
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
        if fault:
            self.suppress_while.show_errors()

    def _on_suppressed(self) -> None:
        self.suppress_while.setVisible(self.suppressed.isChecked())
        self.edited.emit()
