"""Why the alarm exists and what is to be done: the alarm record, which is also the response sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from factoryops.domain.alarms import Priority
from factoryops_app.models.plant import PlantStore
from factoryops_app.models.rule_draft import RecordDraft, RuleDraft
from factoryops_app.models.site import Site
from factoryops_app.models.typed import parsed_s
from factoryops_app.models.wording import priority_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form

_TEXT_PX: Final = 64


class ResponseTab(QWidget):
    """The sheet's texts on the left, what the priority follows from on the right.

    Attributes:
        edited: a person changed something.
        priority_chosen: the proposed priority is to be taken over.
    """

    edited = Signal()
    priority_chosen = Signal(int)

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._site = Site()
        self._priority = Priority.MEDIUM
        self.texts = {key: QPlainTextEdit() for key in ("cause", "consequence", "action")}
        self.lines = {key: QLineEdit() for key in ("time_to_respond", "owner", "review_on")}
        self.severity, self.alarm_class, self.parent_rule = ChoiceBox(), ChoiceBox(), ChoiceBox()
        self._sheet, self._form = Form(place.look), Form(place.look)
        self.proposal = plain_label(role="secondary", is_wrapped=True)
        self.take_over = QPushButton(say("Take it over"))
        self._build()
        self._connect()

    def _build(self) -> None:
        px = self._place.look.px
        sheet = (
            ("action", say("What to do"), say("The operator reads this when it alarms.")),
            ("cause", say("Cause"), say("What may have led to it.")),
            ("consequence", say("Consequence"), say("What happens when nobody does anything.")),
        )
        for key, label, hint in sheet:
            field = self.texts[key]
            field.setFixedHeight(px(_TEXT_PX))
            field.setTabChangesFocus(True)
            field.setPlaceholderText(hint)
            self._sheet.add_row(key, label, field)
        rows: tuple[tuple[str, str, QWidget, str], ...] = (
            ("severity", say("Severity"), self.severity, say("Of the consequence.")),
            ("time_to_respond", say("Time to respond"), self.lines["time_to_respond"],
             say("After which it is too late, such as 10 min.")),
            ("alarm_class", say("Class"), self.alarm_class, ""),
            ("parent_rule", say("Usually follows"), self.parent_rule,
             say("In a flood it is folded under that rule's alarm.")),
            ("owner", say("Owner"), self.lines["owner"], say("Who answers for this alarm.")),
            ("review_on", say("Review on"), self.lines["review_on"], say("Such as 2026-03-31.")),
        )  # fmt: skip
        for key, label, widget, hint in rows:
            self._form.add_row(key, label, widget, hint=hint)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self._sheet)
        left.addStretch(1)
        proposed = QHBoxLayout()
        proposed.addWidget(self.proposal, 1)
        proposed.addWidget(self.take_over)
        right.addWidget(self._form)
        right.addLayout(proposed)
        right.addStretch(1)
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(px(2), px(8), px(12), px(2))
        row.setSpacing(px(24))
        row.addLayout(left, 3)
        row.addLayout(right, 2)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _connect(self) -> None:
        for text in self.texts.values():
            text.textChanged.connect(self._on_edited)
        for line in self.lines.values():
            line.textEdited.connect(self._on_edited)
        for box in (self.severity, self.alarm_class, self.parent_rule):
            box.activated.connect(self._on_edited)
        self.take_over.clicked.connect(self._on_taken)

    def offer(self, site: Site, plant: PlantStore, own: str | None) -> None:
        """What can be chosen here."""
        self._site = site
        severities = {word: word for word in site.philosophy.matrix.severities}
        self.severity.offer({"": say("not stated"), **severities})
        classes = site.philosophy.classes
        self.alarm_class.offer({"": say("{name} (as none is chosen)", name=classes[0].name),
                                **{one.id: one.name for one in classes[1:]}})  # fmt: skip
        rules = {rule.id: rule.content.name for rule in plant.rules if rule.id != own}
        self.parent_rule.offer({"": say("no other alarm"), **rules})

    def fill(self, draft: RuleDraft) -> None:
        """Show a rule's record."""
        record = draft.record
        for key, text in self.texts.items():
            blocker = QSignalBlocker(text)
            text.setPlainText(str(getattr(record, key)))
            blocker.unblock()
        for key, line in self.lines.items():
            line.setText(str(getattr(record, key)))
        self.severity.choose(record.severity)
        self.alarm_class.choose(draft.alarm_class)
        self.parent_rule.choose(draft.parent_rule)
        self.show_errors({})
        self.show_proposal(draft.priority)

    def read(self, draft: RuleDraft) -> RuleDraft:
        """The draft with what is filled in here."""
        record = RecordDraft(
            **{key: text.toPlainText() for key, text in self.texts.items()},
            **{key: line.text() for key, line in self.lines.items()},
            severity=self.severity.value,
        )
        return draft.with_(record=record, alarm_class=self.alarm_class.value, parent_rule=self.parent_rule.value)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field."""
        faults = {key.removeprefix("record."): text for key, text in errors.items()}
        self._sheet.mark(faults)
        self._form.mark(faults)

    def show_proposal(self, priority: Priority) -> None:
        """Say which priority the site's matrix proposes."""
        self._priority = priority
        proposed = self._proposed()
        if proposed is None:
            words = say("Severity and time to respond together propose a priority.")
        elif proposed is priority:
            words = say("The priority is the one the matrix proposes: {priority}.", priority=priority_name(proposed))
        else:
            words = say("The matrix proposes {priority}.", priority=priority_name(proposed))
        self.proposal.setText(words)
        self.take_over.setVisible(proposed is not None and proposed is not priority)

    def _proposed(self) -> Priority | None:
        time_s = parsed_s(self.lines["time_to_respond"].text()) or 0.0
        return self._site.philosophy.matrix.proposed(self.severity.value, time_s)

    def _on_edited(self) -> None:
        self.show_proposal(self._priority)
        self.edited.emit()

    def _on_taken(self) -> None:
        proposed = self._proposed()
        if proposed is not None:
            self.priority_chosen.emit(int(proposed))
