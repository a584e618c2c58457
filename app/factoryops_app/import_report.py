"""What an import came to, or would: sentences, and what was left out with examples."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QFrame, QVBoxLayout

from factoryops_app.models.transfers import Refused, refusals, summary
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable


class ImportReport(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._summary = plain_label(is_wrapped=True)
        self._title = plain_label(say("Left out"), role="section")
        columns: list[ColumnSpec[Refused]] = [
            ColumnSpec("reason", say("Reason"), lambda one: one.reason, width=170),
            ColumnSpec("count", say("Count"), lambda one: one.count, is_number=True, width=80),
            ColumnSpec("example", say("First case"), lambda one: one.example, width=150, is_elastic=True),
        ]
        self.table: DataTable[Refused] = DataTable(
            place.look, columns, name="import-refusals", settings=place.settings, row_key=lambda one: one.reason,
            has_filter=False,
        )  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._summary, self._title):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        self.show_result({})

    @property
    def summary(self) -> str:
        """The sentences."""
        return self._summary.text()

    def show_result(self, result: Mapping[str, object]) -> None:
        """Show the result of a run; nothing for one that is no import."""
        listed = refusals(result)
        self._summary.setText(summary(result))
        self.table.set_rows(listed)
        for widget in (self._title, self.table):
            widget.setVisible(bool(listed))
        self.setVisible(bool(listed or self._summary.text()))
