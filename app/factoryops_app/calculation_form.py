"""The one form of a calculated parameter: fields, what is wrong while typing, and what it would have come to."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.list_and_form import DraftForm
from factoryops_app.models.calculation_draft import CalculationDraft, completions
from factoryops_app.models.typed import parsed
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.expression_edit import ExpressionEdit
from factoryops_widgets.form import Form
from factoryops_widgets.formatting import number
from factoryops_widgets.trend import TrendView
from factoryops_widgets.trend_types import Pen

_PEN: Final = "tried"
_HOUR_US: Final = 3_600 * US_PER_S


class CalculationForm(DraftForm[CalculationDraft]):
    """Fills and reads a CalculationDraft."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = CalculationDraft()
        self._shown_errors = False
        self.device = QComboBox()
        self.device.setEditable(True)
        self.device.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.texts = {key: QLineEdit() for key in ("parameter_key", "name", "unit", "maximum_age_s")}
        self.expression = ExpressionEdit(place.look)
        self._enabled = QCheckBox(say("It is calculated"))
        self.form = Form(place.look)
        self.judgement = plain_label(is_wrapped=True)
        self._span = QComboBox()
        self.try_it = QPushButton(say("Try it"))
        self.trend = TrendView(place.look, place.clock)
        self.trend.setMinimumHeight(place.look.px(140))
        self._build()
        self._connect()
        self.fill(CalculationDraft())

    def _build(self) -> None:
        rows: tuple[tuple[str, str, QWidget, str, str], ...] = (
            ("device_key", say("Device"), self.device, say("One there is, or a new name."), ""),
            ("parameter_key", say("Key"), self.texts["parameter_key"], "", ""),
            ("name", say("Name"), self.texts["name"], "", ""),
            ("unit", say("Unit"), self.texts["unit"], "", ""),
            ("expression", say("Expression"), self.expression, say("Ctrl+Space completes names and functions."), ""),
            ("maximum_age_s", say("Maximum age of inputs"), self.texts["maximum_age_s"],
             say("How long a sample counts."), "s"),
            ("is_enabled", "", self._enabled, "", ""),
        )  # fmt: skip
        for key, label, field, hint, unit in rows:
            self.form.add_row(key, label, field, hint=hint, unit=unit)
            field.setAccessibleName(label or field.accessibleName())
        for key, most in (("parameter_key", 100), ("name", 100), ("unit", 50)):
            self.texts[key].setMaxLength(most)
        for hours, text in ((1, say("the last hour")), (8, say("the last 8 hours")), (24, say("the last 24 hours"))):
            self._span.addItem(text, hours)
        self._span.setAccessibleName(say("Span to try it on"))
        px = self._place.look.px
        trial = QHBoxLayout()
        for widget in (self.try_it, self._span):
            trial.addWidget(widget)
        trial.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(px(8))
        right.addLayout(trial)
        right.addWidget(self.judgement)
        right.addWidget(self.trend, 1)
        left = QVBoxLayout()
        left.addWidget(self.form)
        left.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(24))
        row.addLayout(left, 1)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        self.device.editTextChanged.connect(self._on_edited)
        for field in self.texts.values():
            field.textEdited.connect(self._on_edited)
        self.expression.textChanged.connect(self._on_edited)
        self._enabled.clicked.connect(self._on_edited)
        self.try_it.clicked.connect(self.try_now)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: CalculationDraft) -> None:
        """Show a draft."""
        self._base = draft
        self._shown_errors = False
        self.form.clear_errors()
        blockers = [QSignalBlocker(self.device), QSignalBlocker(self.expression)]
        self.device.clear()
        self.device.addItems([device.key for device in self._place.session.plant.devices])
        self.device.setEditText(draft.device_key)
        for key, field in self.texts.items():
            field.setText(str(getattr(draft, key)))
        self.expression.setPlainText(draft.expression)
        self._enabled.setChecked(draft.is_enabled)
        for blocker in blockers:
            blocker.unblock()
        is_new = draft.calculation_id is None
        self.device.setEnabled(is_new)
        self.texts["parameter_key"].setReadOnly(not is_new)
        self.trend.set_pens([])
        self._refresh()

    def draft(self) -> CalculationDraft:
        """What is filled in now."""
        return CalculationDraft(
            device_key=self.device.currentText(),
            expression=self.expression.toPlainText(),
            is_enabled=self._enabled.isChecked(),
            calculation_id=self._base.calculation_id,
            version=self._base.version,
            **{key: field.text() for key, field in self.texts.items()},
        )

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        return self.draft() != self._base

    def check(self) -> bool:
        """Show what cannot be used; True when all is well."""
        self._shown_errors = True
        errors = self.draft().errors(self._place.session.plant.parameters)
        self.form.set_errors(errors)
        return not errors

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show what the service did not accept."""
        self.form.set_errors(errors)

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether the fields may be changed."""
        self.form.setEnabled(is_editable)

    def focus_first(self) -> None:
        """Begin at the first field."""
        self.device.setFocus()

    # --- reacting ----------------------------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        self._refresh()
        self.edited.emit()

    def _refresh(self) -> None:
        draft, known = self.draft(), self._place.session.plant.parameters
        self.expression.set_words(completions(known, draft.device_key))
        fault = draft.fault(known) if draft.expression.strip() else None
        self.expression.mark(fault.at if fault is not None else None)
        self.judgement.setText(fault.sentence if fault is not None else "")
        self.try_it.setEnabled(bool(draft.expression.strip()) and fault is None)
        if self._shown_errors:
            self.form.set_errors(draft.errors(known))

    def try_now(self) -> None:
        """Ask the service what it would have come to, and draw that."""
        draft = self.draft()
        end_us = now_us()
        trial = http.CalculationTrial(
            device_key=draft.device_key or "-",
            expression=draft.expression,
            maximum_age_s=min(max(parsed(draft.maximum_age_s) or 60.0, 1.0), 86_400.0),
            start_us=end_us - int(self._span.currentData()) * _HOUR_US,
            end_us=end_us,
        )
        self.judgement.setText(say("Calculating …"))
        self._place.tasks.start(self._ask(trial, draft), self._on_error)

    async def _ask(self, trial: http.CalculationTrial, draft: CalculationDraft) -> None:
        tried = await self._place.session.client.try_calculation(trial)
        if draft != self.draft():
            return
        self.judgement.setText(
            say("{count} values; {missing} moments without one.", count=number(tried.count, 0),
                missing=number(tried.without_value, 0))
        )  # fmt: skip
        self.trend.set_pens([Pen(_PEN, draft.name or say("Result"), draft.unit, is_step=tried.is_condition)])
        self.trend.set_span(trial.start_us, trial.end_us)
        self.trend.set_samples(_PEN, np.array(tried.time_us, np.int64), np.array(tried.value, np.float64))

    def _on_error(self, error: FactoryOpsError) -> None:
        self.judgement.setText(str(error))
