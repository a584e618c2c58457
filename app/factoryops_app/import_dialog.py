"""Planning an import: the file is sent, looked at, mapped, tried without writing, and then imported."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.import_columns import ImportColumns
from factoryops_app.import_report import ImportReport
from factoryops_app.models.events import Unsubscribe
from factoryops_app.models.runs import is_over
from factoryops_app.models.transfers import changed_column
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.busy import BusyLine
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.form import Form

_TIME_PX = 176
_Row = tuple[int, list[str]]
"""The number of a row, and its cells."""


class ImportDialog(QDialog):
    """One file on its way into history.

    Attributes:
        started: the run of the import.
    """

    started = Signal(object)

    def __init__(self, place: Workplace, parent: QWidget, file: Path) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(say("Import {name}", name=file.name))
        self._place = place
        self._file = file
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self._end: Unsubscribe | None = None
        self._trial: str | None = None
        self._asked = 0
        self._is_busy = False
        self.upload: http.Upload | None = None
        self.plan = http.ImportPlan(timezone=str(place.look.zone))
        self._busy = BusyLine(place.look)
        self._problem = plain_label(role="error", is_wrapped=True)
        self.form = Form(place.look)
        self.device, self.timezone = QLineEdit(), QLineEdit(self.plan.timezone)
        self.time_column, self.layout_choice, self.ambiguous = QComboBox(), QComboBox(), QComboBox()
        self.has_texts = QCheckBox(say("Keep texts; else they are left out"))
        self.columns = ImportColumns(place)
        self.rows: DataTable[_Row] | None = None
        self._rows_place = QVBoxLayout()
        self._outcome = plain_label(role="section", is_wrapped=True)
        self.report = ImportReport(place)
        self.look_button, self.import_button = QPushButton(say("Look what would happen")), QPushButton(say("Import"))
        self.close_button = QPushButton(say("Close"))
        self._build()
        self._connect()
        self._send()

    def _build(self) -> None:
        px = self._place.look.px
        self._fill_choices()
        rows = (
            ("device", say("Device"), self.device, say("Its key; leave it empty where the file names the devices.")),
            ("time_column", say("Time"), self.time_column, ""),
            ("timezone", say("Time zone"), self.timezone, say("Of times that name no zone themselves.")),
            ("ambiguous", say("Hour that exists twice"), self.ambiguous, ""),
            ("layout", say("Layout"), self.layout_choice, ""),
            ("has_texts", say("Texts"), self.has_texts, ""),
        )
        for key, title, field, hint in rows:
            self.form.add_row(key, title, field, hint=hint)
        left = QWidget()
        beside = QVBoxLayout(left)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.form)
        beside.addStretch(1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._rows_place, 1)
        column.addWidget(self.columns, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setSizes([px(420), px(720)])
        buttons = QHBoxLayout()
        buttons.addWidget(self._problem, 1)
        for button in (self.look_button, self.import_button, self.close_button):
            buttons.addWidget(button)
        self.import_button.setProperty("role", "primary")
        outer = QVBoxLayout(self)
        for part in (self._busy, splitter, self._outcome, self.report):
            outer.addWidget(part, 1 if part is splitter else 0)
        outer.addLayout(buttons)
        self.report.setMaximumHeight(px(180))
        self.resize(px(1_160), px(760))
        self._show_state()

    def _fill_choices(self) -> None:
        layouts = {http.Layout.WIDE: say("a column per parameter"), http.Layout.LONG: say("a row per value")}
        hours = {
            http.Ambiguous.EARLIER: say("means the earlier one"),
            http.Ambiguous.LATER: say("means the later one"),
            http.Ambiguous.REFUSE: say("is left out"),
        }
        for layout, words in layouts.items():
            self.layout_choice.addItem(words, layout)
        for hour, words in hours.items():
            self.ambiguous.addItem(words, hour)

    def _connect(self) -> None:
        for field in (self.device, self.timezone):
            field.editingFinished.connect(self._on_edited)
        for box in (self.time_column, self.layout_choice, self.ambiguous):
            box.activated.connect(self._on_edited)
        self.has_texts.clicked.connect(self._on_edited)
        self.columns.changed.connect(self._on_column)
        self.columns.reset.connect(lambda: self._change(self.plan.model_copy(update={"columns": []})))
        self.look_button.clicked.connect(lambda: self.start(is_dry_run=True))
        self.import_button.clicked.connect(lambda: self.start(is_dry_run=False))
        self.close_button.clicked.connect(self.close)

    # --- sending and looking -----------------------------------------------------------------------------------------

    def _send(self) -> None:
        self._busy.start(say("Sending {name} …", name=self._file.name))
        self._tasks.start(self._upload())

    async def _upload(self) -> None:
        size = max(1, self._file.stat().st_size)
        sent = await self._place.session.client.upload(
            self._file, sent=lambda count: self._busy.set_progress(count / size)
        )
        self._show_rows(sent)
        await self._preview(sent.id, sent.plan.model_copy(update={"timezone": self.plan.timezone}))

    async def _preview(self, upload_id: str, plan: http.ImportPlan) -> None:
        """Ask what a plan comes to; nothing can be started until the answer to the newest one is there."""
        self._asked += 1
        asked = self._asked
        self._set_busy(is_busy=True)
        upload = await self._place.session.client.preview_upload(upload_id, plan)
        if asked == self._asked:
            self._take(upload)

    def _set_busy(self, *, is_busy: bool) -> None:
        self._is_busy = is_busy
        self._show_state()

    def _take(self, upload: http.Upload) -> None:
        self._busy.finish()
        self._is_busy = False
        self.upload, self.plan = upload, upload.plan
        self._problem.setText(upload.problem)
        self.time_column.clear()
        self.time_column.addItems(upload.header)
        self.time_column.setCurrentText(self.plan.time_column or "")
        self.layout_choice.setCurrentIndex(self.layout_choice.findData(self.plan.layout))
        self.columns.show_plan(self.plan)
        self.columns.setVisible(self.plan.layout is not http.Layout.LONG)
        self._show_state()

    def _show_rows(self, upload: http.Upload) -> None:
        time_column = upload.plan.time_column
        columns = [
            ColumnSpec(str(number), name, partial(_cell, number), width=_TIME_PX if name == time_column else 130)
            for number, name in enumerate(upload.header)
        ]
        self.rows = DataTable(
            self._place.look, columns, name="import-rows", row_key=lambda row: str(row[0]), has_filter=False
        )
        self.rows.set_rows(list(enumerate(upload.rows)))
        self._rows_place.addWidget(self.rows)

    def _on_edited(self) -> None:
        changed = self.plan.model_copy(
            update={
                "device": self.device.text().strip() or None,
                "timezone": self.timezone.text().strip() or "UTC",
                "time_column": self.time_column.currentText() or None,
                "layout": http.Layout(self.layout_choice.currentData()),
                "ambiguous": http.Ambiguous(self.ambiguous.currentData()),
                "has_texts": self.has_texts.isChecked(),
            }
        )
        if changed.time_column != self.plan.time_column or changed.layout != self.plan.layout:
            changed = changed.model_copy(update={"columns": []})
        self._change(changed)

    def _on_column(self, column: http.ImportColumn, is_used: bool) -> None:
        self._change(changed_column(self.plan, column, is_used=is_used))

    def _change(self, plan: http.ImportPlan) -> None:
        if self.upload is not None and plan != self.plan:
            self.plan = plan
            self._outcome.clear()
            self.report.show_result({})
            self._set_busy(is_busy=True)
            self._tasks.start(self._preview(self.upload.id, plan))

    def _show_state(self) -> None:
        is_idle = self._trial is None and not self._is_busy
        can_start = is_idle and self.upload is not None and not self.upload.problem
        for button in (self.look_button, self.import_button):
            button.setEnabled(can_start)
        self.form.setEnabled(self.upload is not None)

    # --- trying and importing ----------------------------------------------------------------------------------------

    def start(self, *, is_dry_run: bool) -> None:
        """Begin the import, or the look at what it would do."""
        if self.upload is not None and not self._is_busy:
            self._set_busy(is_busy=True)
            plan = self.plan.model_copy(update={"is_dry_run": is_dry_run})
            self._tasks.start(self._start(http.ImportRequest(upload_id=self.upload.id, plan=plan)))

    async def _start(self, request: http.ImportRequest) -> None:
        run = await self._place.session.client.start_import(request)
        self._place.session.runs.merge(run)
        self.started.emit(run)
        if not request.plan.is_dry_run:
            self.accept()
            return
        self._trial, self._is_busy = run.id, False
        self._end = self._place.session.runs.changed.subscribe(lambda _: self._follow())
        self._busy.start(say("Looking through the file …"))
        self._show_state()
        self._follow()

    def _follow(self) -> None:
        run = self._place.session.runs.get(self._trial or "")
        if run is None:
            return
        if not is_over(run):
            self._busy.set_progress(run.progress or None, run.message)
            return
        self._stop_following()
        self._busy.finish()
        self._outcome.setText(run.message)
        self.report.show_result(run.result)
        self._show_state()

    @property
    def outcome(self) -> str:
        """What the last look said."""
        return self._outcome.text()

    def _stop_following(self) -> None:
        self._trial = None
        if self._end is not None:
            self._end()
            self._end = None

    def done(self, result: int) -> None:
        """Stop listening; an import that has begun goes on, its list shows how far it is."""
        self._stop_following()
        self._tasks.end()
        super().done(result)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._busy.finish()
        self._problem.setText(str(error))
        self._set_busy(is_busy=False)


def _cell(place: int, row: _Row) -> str:
    return row[1][place] if place < len(row[1]) else ""
