"""What the columns of a file become: a table of them, and the chosen one to edit below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.plant import is_key
from factoryops_app.models.typed import number_fault, parsed, plain
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING


class ImportColumns(QWidget):
    """Edits the columns of a plan.

    Attributes:
        changed: `http.ImportColumn`, and whether it is to be used.
        reset: all columns are to be used again, as they are called in the file.
    """

    changed = Signal(object, bool)
    reset = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        columns: list[ColumnSpec[http.ImportColumn]] = [
            ColumnSpec("column", say("Column"), lambda one: one.column, width=150, is_elastic=True),
            ColumnSpec("parameter", say("Becomes parameter"), lambda one: one.parameter, width=160),
            ColumnSpec("device", say("Device"), lambda one: one.device or NOTHING, width=120),
            ColumnSpec("scale", say("Factor"), lambda one: one.scale, lambda one: plain(one.scale),
                       is_number=True, width=90),
            ColumnSpec("offset", say("Offset"), lambda one: one.offset, lambda one: plain(one.offset),
                       is_number=True, width=90),
            ColumnSpec("unit", say("Unit"), lambda one: one.unit or NOTHING, width=70),
        ]  # fmt: skip
        self.table: DataTable[http.ImportColumn] = DataTable(
            place.look, columns, name="import-columns", settings=place.settings, row_key=lambda one: one.column,
            has_filter=False,
        )  # fmt: skip
        titles = {
            "parameter": say("Parameter"), "device": say("Device"), "scale": say("Factor"), "offset": say("Offset"),
            "unit": say("Unit"),
        }  # fmt: skip
        self.fields = {key: QLineEdit() for key in titles}
        self.is_used = QCheckBox(say("Import this column"))
        self.again = QPushButton(say("All columns again"))
        self._problem = plain_label(role="error", is_wrapped=True)
        names, figures = QHBoxLayout(), QHBoxLayout()
        for key, title in titles.items():
            label = QLabel(title)
            label.setBuddy(self.fields[key])
            self.fields[key].setAccessibleName(title)
            line = names if key in ("parameter", "device") else figures
            line.addWidget(label)
            line.addWidget(self.fields[key], 1)
        figures.addWidget(self.is_used)
        figures.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table, 1)
        column.addLayout(names)
        column.addLayout(figures)
        column.addWidget(self._problem)
        self._connect()

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._show_chosen)
        for field in self.fields.values():
            field.editingFinished.connect(self._on_edited)
        self.is_used.clicked.connect(self._on_edited)
        self.again.clicked.connect(self.reset)

    def show_plan(self, plan: http.ImportPlan) -> None:
        """Show the columns of a plan."""
        self.table.set_rows(plan.columns)
        if plan.columns and not self.table.selected_rows():
            self.table.select(plan.columns[0].column)
        self._show_chosen()

    def _chosen(self) -> http.ImportColumn | None:
        rows = self.table.selected_rows()
        return rows[0] if rows else None

    def _show_chosen(self) -> None:
        chosen = self._chosen()
        self.setEnabled(bool(self.table.rows()))
        self._problem.clear()
        if chosen is None:
            return
        texts = {
            "parameter": chosen.parameter, "device": chosen.device or "", "scale": plain(chosen.scale),
            "offset": plain(chosen.offset), "unit": chosen.unit,
        }  # fmt: skip
        for key, text in texts.items():
            self.fields[key].setText(text)
        self.is_used.setChecked(True)

    def _on_edited(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return
        texts = {key: field.text().strip() for key, field in self.fields.items()}
        scale, offset = parsed(texts["scale"]), parsed(texts["offset"])
        if not is_key(texts["parameter"]) or scale is None or offset is None:
            wanted = say("A parameter needs a name, and factor and offset are numbers.")
            self._problem.setText(number_fault(texts["scale"], number_fault(texts["offset"], wanted)))
            return
        self._problem.clear()
        changed = http.ImportColumn(
            column=chosen.column, parameter=texts["parameter"], device=texts["device"] or None, scale=scale,
            offset=offset, unit=texts["unit"][:50],
        )  # fmt: skip
        if changed != chosen or not self.is_used.isChecked():
            self.changed.emit(changed, self.is_used.isChecked())
