"""Forms: labels left of fields, faults beside the field they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QGridLayout, QLabel, QLineEdit, QWidget

from factoryops_widgets.appearance import Appearance

_TEXT_MARGIN_PX: Final = 6


@dataclass(frozen=True, slots=True)
class _FormRow:
    label: QLabel
    field: QWidget
    unit: QLabel | None
    hint: QLabel
    hint_text: str


class Form(QWidget):
    """Rows of label, field, unit, and a line for hint or fault."""

    def __init__(self, look: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _FormRow] = {}
        self._errors: dict[str, str] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnMinimumWidth(0, look.px(112))
        self._grid.setColumnStretch(1, 1)

    def add_row(self, key: str, label: str, field: QWidget, *, hint: str = "", unit: str = "") -> None:
        """Add a field; Alt and the letter after & in `label` lead to it."""
        row = self._grid.rowCount()
        indent_text(field)
        name = QLabel(label)
        name.setBuddy(field)
        name.setProperty("role", "secondary")
        remark = _remark(hint)
        field.setAccessibleName(label.replace("&", ""))
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        beside = self._add_unit(unit, row)
        self._grid.addWidget(field, row, 1, 1, 1 if beside else 2)
        self._grid.addWidget(remark, row + 1, 1, 1, 2)
        self._grid.setRowMinimumHeight(row + 2, 6)
        name.setMinimumHeight(28)
        self._rows[key] = _FormRow(name, field, beside, remark, hint)

    def _add_unit(self, unit: str, row: int) -> QLabel | None:
        """In a column of their own, so that fields beside long and short units end at one line."""
        if not unit:
            return None
        label = QLabel(unit)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setProperty("role", "secondary")
        self._grid.addWidget(label, row, 2)
        return label

    def add_section(self, title: str) -> None:
        """A heading over the rows that follow."""
        heading = QLabel(title)
        heading.setProperty("role", "section")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        heading.setContentsMargins(0, 12, 0, 4)
        self._grid.addWidget(heading, self._grid.rowCount(), 0, 1, 3)

    def field(self, key: str) -> QWidget:
        """The field of a row; KeyError when there is none."""
        return self._rows[key].field

    def set_row_shown(self, key: str, *, is_shown: bool) -> None:
        """Show or hide a row."""
        row = self._rows[key]
        for widget in (row.label, row.field, row.unit):
            if widget is not None:
                widget.setVisible(is_shown)
        row.hint.setVisible(is_shown and bool(row.hint.text()))

    def errors(self) -> dict[str, str]:
        """The faults shown."""
        return dict(self._errors)

    def mark(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field; faults of unknown fields are left out, the focus stays where it is."""
        self._errors = {key: text for key, text in errors.items() if key in self._rows}
        for key, row in self._rows.items():
            self._show(row, self._errors.get(key, ""))

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field and put the focus on the first; faults of unknown fields are left out."""
        self.mark(errors)
        first = next((key for key in self._rows if key in self._errors), None)
        if first is not None:
            self._rows[first].field.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear_errors(self) -> None:
        """Every field is in order."""
        self.set_errors({})

    def _show(self, row: _FormRow, fault: str) -> None:
        row.hint.setText(fault or row.hint_text)
        row.hint.setProperty("role", "error" if fault else "label")
        row.hint.setVisible(bool(fault or row.hint_text) and not row.field.isHidden())
        row.field.setAccessibleDescription(fault)
        row.field.setProperty("invalid", "true" if fault else "false")
        for widget in (row.hint, row.field):
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def indent_text(field: QWidget) -> None:
    """Give a spin box the left margin of the other fields: style sheets do not reach the line edit inside it."""
    if isinstance(field, QAbstractSpinBox):
        for inner in field.findChildren(QLineEdit):
            inner.setTextMargins(_TEXT_MARGIN_PX, 0, 0, 0)


def _remark(hint: str) -> QLabel:
    remark = QLabel(hint)
    remark.setTextFormat(Qt.TextFormat.PlainText)
    remark.setWordWrap(True)
    remark.setProperty("role", "label")
    remark.setVisible(bool(hint))
    return remark
