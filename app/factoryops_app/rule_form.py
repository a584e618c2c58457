"""The one form of a rule: fields, inline checks, the sentence, and the parameter's last day with the limit drawn."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.models.history import Answer, HistoryQueries
from factoryops_app.models.plant import Measured, device_title
from factoryops_app.models.rule_draft import RuleDraft, parsed, sentence
from factoryops_app.models.wording import comparison_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import Limit, Pen

_DAY_US: Final = 86_400 * US_PER_S
_MOST_PENS: Final = 4
_BOX_LETTERS: Final = 16
_KEY: Final = int(Qt.ItemDataRole.UserRole)


class RuleForm(QWidget):
    """Fills and reads a RuleDraft.

    Attributes:
        edited: a field was changed by a person.
    """

    edited = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = RuleDraft()
        self._shown_errors = False
        self._name = QLineEdit()
        self._name.setMaxLength(200)
        self._parameter = QComboBox()
        self._all = QCheckBox(say("Every device that has it, future ones too"))
        self._devices = QListWidget()
        self._devices.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._devices.setFixedHeight(place.look.px(112))
        self._comparison = QComboBox()
        for comparison in (one for one in Comparison if one.is_ordered):
            self._comparison.addItem(comparison_name(comparison), comparison)
        self._limit, self._deadband = QLineEdit(), QLineEdit()
        self._on_delay, self._off_delay = QLineEdit(), QLineEdit()
        self._priority = QComboBox()
        for priority in Priority:
            self._priority.addItem(priority_name(priority), int(priority))
        for box in (self._parameter, self._comparison, self._priority):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(_BOX_LETTERS)
        self._response = QPlainTextEdit()
        self._response.setFixedHeight(place.look.px(76))
        self._response.setTabChangesFocus(True)
        self._enabled = QCheckBox(say("The rule is switched on"))
        self.form = Form(place.look)
        self._sentence = plain_label(is_wrapped=True, role="section")
        self.trend = TrendView(place.look, place.clock)
        self.trend.setMinimumHeight(place.look.px(180))
        self._queries = HistoryQueries(place.session.client, self._on_answer)
        self._drawn: tuple[Measured, ...] = ()
        self._build()
        self._connect()
        self.fill(RuleDraft())

    def _build(self) -> None:
        rows: tuple[tuple[str, str, QWidget, str, str], ...] = (
            ("name", say("Name"), self._name, "", ""),
            ("parameter_key", say("Parameter"), self._parameter, "", ""),
            ("is_for_all", say("Devices"), self._all, "", ""),
            ("device_keys", "", self._devices, "", ""),
            ("comparison", say("Alarm when it"), self._comparison, "", ""),
            ("limit", say("Limit"), self._limit, "", ""),
            ("deadband", say("Deadband"), self._deadband, say("How far it must come back before the alarm ends."), ""),
            ("on_delay_s", say("On-delay"), self._on_delay, say("How long it must last before it alarms."), "s"),
            ("off_delay_s", say("Off-delay"), self._off_delay, say("How long it must be back before it ends."), "s"),
            ("priority", say("Priority"), self._priority, "", ""),
            ("is_enabled", "", self._enabled, "", ""),
        )
        for key, label, field, hint, unit in rows:
            self.form.add_row(key, label, field, hint=hint, unit=unit)
            field.setAccessibleName(label or field.accessibleName())
        self._response.setAccessibleName(say("What to do"))
        self._response.setPlaceholderText(say("The operator reads this when it alarms."))
        px = self._place.look.px
        left = QScrollArea()
        left.setWidgetResizable(True)
        left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        fields = QWidget()
        stacked = QVBoxLayout(fields)
        stacked.setContentsMargins(px(2), px(2), px(20), px(2))
        stacked.addWidget(self.form)
        stacked.addStretch(1)
        left.setWidget(fields)
        left.setMinimumWidth(px(400))
        right = QVBoxLayout()
        right.setSpacing(px(8))
        right.addWidget(self._sentence)
        right.addWidget(plain_label(say("The last 24 hours, with the limit"), role="label"))
        right.addWidget(self.trend, 1)
        right.addWidget(plain_label(say("What to do"), role="label"))
        right.addWidget(self._response)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(24))
        row.addWidget(left, 2)
        row.addLayout(right, 3)

    def _connect(self) -> None:
        for field in (self._name, self._limit, self._deadband, self._on_delay, self._off_delay):
            field.textEdited.connect(self._on_edited)
        for box in (self._parameter, self._comparison, self._priority):
            box.activated.connect(self._on_edited)
        self._all.clicked.connect(self._on_edited)
        self._enabled.clicked.connect(self._on_edited)
        self._devices.itemChanged.connect(self._on_edited)
        self._response.textChanged.connect(self._on_edited)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: RuleDraft) -> None:
        """Show a draft."""
        self._base = draft
        self._shown_errors = False
        self.form.clear_errors()
        blockers = [QSignalBlocker(self._response), QSignalBlocker(self._devices)]
        self._fill_parameters(draft.parameter_key)
        self._name.setText(draft.name)
        self._all.setChecked(draft.is_for_all)
        self._fill_devices(draft)
        self._comparison.setCurrentIndex(self._comparison.findData(draft.comparison))
        self._limit.setText(draft.limit)
        self._deadband.setText(draft.deadband)
        self._on_delay.setText(draft.on_delay_s)
        self._off_delay.setText(draft.off_delay_s)
        self._priority.setCurrentIndex(self._priority.findData(int(draft.priority)))
        self._response.setPlainText(draft.response)
        self._enabled.setChecked(draft.is_enabled)
        for blocker in blockers:
            blocker.unblock()
        self._drawn = ()
        self._refresh()

    def draft(self) -> RuleDraft:
        """What is filled in now."""
        return RuleDraft(
            name=self._name.text(),
            parameter_key=str(self._parameter.currentData() or ""),
            is_for_all=self._all.isChecked(),
            device_keys=frozenset(self._checked_devices()),
            comparison=Comparison(self._comparison.currentData()),
            limit=self._limit.text(),
            deadband=self._deadband.text(),
            on_delay_s=self._on_delay.text(),
            off_delay_s=self._off_delay.text(),
            priority=Priority(self._priority.currentData()),
            response=self._response.toPlainText(),
            is_enabled=self._enabled.isChecked(),
            rule_id=self._base.rule_id,
            version=self._base.version,
            held=self._base.held,
        )

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        return self.draft() != self._base

    def check(self) -> bool:
        """Show what cannot be used; True when all is well."""
        self._shown_errors = True
        errors = self.draft().errors()
        self.form.set_errors(errors)
        return not errors

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show what the service did not accept."""
        self.form.set_errors(errors)

    def focus_name(self) -> None:
        """Begin at the first field."""
        self._name.setFocus()

    def _fill_parameters(self, chosen: str) -> None:
        self._parameter.clear()
        self._parameter.addItem(say("Choose …"), "")
        seen: dict[str, str] = {}
        for measured in self._place.session.plant.parameters:
            unit = f" ({measured.parameter.unit})" if measured.parameter.unit else ""
            seen.setdefault(measured.parameter.key, f"{measured.title}{unit}  ·  {measured.parameter.key}")
        if chosen and chosen not in seen:
            seen[chosen] = chosen
        for key, text in sorted(seen.items(), key=lambda pair: pair[1].casefold()):
            self._parameter.addItem(text, key)
        self._parameter.setCurrentIndex(max(0, self._parameter.findData(chosen)))

    def _fill_devices(self, draft: RuleDraft) -> None:
        self._devices.clear()
        for device in self._place.session.plant.devices:
            has_it = any(parameter.key == draft.parameter_key for parameter in device.parameters)
            if not has_it and device.key not in draft.device_keys:
                continue
            item = QListWidgetItem(device_title(device))
            item.setToolTip(device.key)
            item.setData(_KEY, device.key)
            state = Qt.CheckState.Checked if device.key in draft.device_keys else Qt.CheckState.Unchecked
            item.setCheckState(state)
            self._devices.addItem(item)

    def _checked_devices(self) -> list[str]:
        if self._all.isChecked():
            return sorted(self._base.device_keys)
        items = [self._devices.item(row) for row in range(self._devices.count())]
        return [str(item.data(_KEY)) for item in items if item.checkState() is Qt.CheckState.Checked]

    # --- reacting ----------------------------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        if self.sender() is self._parameter:
            blocker = QSignalBlocker(self._devices)
            self._fill_devices(self.draft())
            blocker.unblock()
        self._refresh()
        self.edited.emit()

    def _refresh(self) -> None:
        draft = self.draft()
        self.form.set_row_shown("device_keys", is_shown=not draft.is_for_all)
        self._sentence.setText(sentence(draft, self._place.session.plant))
        if self._shown_errors:
            self.form.set_errors(draft.errors())
        self._show_trend(draft)

    def _show_trend(self, draft: RuleDraft) -> None:
        chosen = tuple(
            one
            for one in self._place.session.plant.parameters
            if one.parameter.key == draft.parameter_key and (draft.is_for_all or one.device.key in draft.device_keys)
        )[:_MOST_PENS]
        self.trend.set_pens([self._pen(place, one, draft) for place, one in enumerate(chosen)])
        if chosen == self._drawn:
            return
        self._drawn = chosen
        end_us = now_us()
        self.trend.go_live(_DAY_US)
        if chosen:
            ids = [one.parameter.id for one in chosen]
            self._place.tasks.start(
                self._queries.ask(ids, end_us - _DAY_US, end_us), lambda error: self.trend.set_note(str(error))
            )

    def _pen(self, place: int, one: Measured, draft: RuleDraft) -> Pen:
        parameter, limit = one.parameter, parsed(draft.limit)
        limits = (Limit(limit, draft.name or say("Limit"), draft.priority),) if limit is not None else ()
        return Pen(parameter.id, one.device_title, parameter.unit, place, parameter.decimals, parameter.low,
                   parameter.high, limits)  # fmt: skip

    def _on_answer(self, answer: Answer) -> None:
        for piece in answer.pieces:
            if piece.bins is not None:
                self.trend.set_history(piece.parameter_id, piece.bins)
