"""Imports and exports: begin one, see how far they are, fetch what they left."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.export_dialog import ExportDialog
from factoryops_app.import_dialog import ImportDialog
from factoryops_app.import_report import ImportReport
from factoryops_app.models.events import Unsubscribe
from factoryops_app.models.runs import is_over
from factoryops_app.models.transfers import transfer_name, transfers
from factoryops_app.models.wording import run_state_name
from factoryops_app.page import plain_label
from factoryops_app.run_detail import RunDetail
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.file_dialog import ask_for_file, ask_where_to_save
from factoryops_widgets.formatting import NOTHING, moment
from factoryops_widgets.state_view import StateView


class TransfersTab(QWidget):
    """The list of transfers, and the chosen one in full."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._end: Unsubscribe | None = None
        self.import_button = QPushButton(say("Import a file …"))
        self.export_button = QPushButton(say("Export …"))
        self.import_button.setProperty("role", "primary")
        self._note = plain_label(role="secondary", is_wrapped=True)
        self.table: DataTable[http.Run] = DataTable(
            place.look, self._columns(), name="transfers", settings=place.settings, row_key=lambda run: run.id
        )
        self.detail = RunDetail(place.look)
        self.report = ImportReport(place)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for the runs …"))

    def _columns(self) -> list[ColumnSpec[http.Run]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("created", say("Asked for"), lambda run: run.created_at,
                       lambda run: moment(run.created_at, zone), width=160),
            ColumnSpec("what", say("Transfer"), transfer_name, width=190),
            ColumnSpec("state", say("State"), lambda run: run_state_name(run.state), width=80),
            ColumnSpec("by", say("By"), lambda run: run.requested_by, width=90),
            ColumnSpec("message", say("Result"), lambda run: run.message or NOTHING, width=110, is_elastic=True),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(12))
        column.addWidget(self.detail)
        column.addWidget(self.report, 1)
        right.setMinimumWidth(px(380))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([px(760), px(440)])
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter)
        buttons = QHBoxLayout()
        for button in (self.import_button, self.export_button):
            buttons.addWidget(button)
        buttons.addWidget(self._note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(8))
        layout.addLayout(buttons)
        layout.addWidget(self.states, 1)

    def _connect(self) -> None:
        self.import_button.clicked.connect(self.choose_file)
        self.export_button.clicked.connect(self.begin_export)
        self.table.selection_changed.connect(self._show_chosen)
        self.table.row_activated.connect(self._on_activated)
        self.detail.cancel_requested.connect(self._on_cancel)
        self.detail.open_requested.connect(self._on_open)
        self.detail.save_requested.connect(self._on_save)

    def showEvent(self, event: QShowEvent) -> None:
        """Listen to the runs while anybody looks."""
        super().showEvent(event)
        if self._end is None:
            self._end = self._place.session.runs.changed.subscribe(lambda _: self._show())

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        if self._end is not None:
            self._end()
            self._end = None

    def load(self) -> None:
        """Show what the session knows of the runs."""
        may_import = self._place.session.may(Permission.EDIT_PLANT)
        self.import_button.setEnabled(may_import)
        may_export = self._place.session.may(Permission.RUN_JOBS)
        self.export_button.setEnabled(may_export)
        notes = (
            "" if may_export else say("An operator may export."),
            "" if may_import else say("An administrator may import files."),
        )
        self._note.setText(" ".join(note for note in notes if note))
        self._show()

    def _show(self) -> None:
        runs = self._place.session.runs
        if not runs.is_known:
            return
        listed = transfers(runs.all)
        self.table.set_rows(listed)
        if not listed:
            self.states.show_empty(
                say("Nothing was imported or exported yet"),
                say("Bring in the history of before from CSV or Parquet files, or take out any range of it."),
            )
            return
        self.states.show_content()
        if not self.table.selected_rows():
            self.table.select(listed[0].id)
        self._show_chosen()

    def _chosen(self) -> http.Run | None:
        rows = self.table.selected_rows()
        return self._place.session.runs.get(rows[0].id) if rows else None

    def _show_chosen(self) -> None:
        run = self._chosen()
        may = self._place.session.may(Permission.RUN_JOBS)
        self.detail.show_run(run, self._place.look.zone, may_cancel=may)
        self.report.show_result(run.result if run is not None else {})

    # --- beginning ---------------------------------------------------------------------------------------------------

    def choose_file(self) -> None:
        """Ask for a file, then for what its columns mean."""
        ask_for_file(self, say("Import a file"), say("Tables") + " (*.csv *.txt *.tsv *.parquet)", self._on_file)

    def _on_file(self, file: Path) -> None:
        self.begin_import(file)

    def begin_import(self, file: Path) -> ImportDialog:
        """Send a file and plan its import."""
        dialog = ImportDialog(self._place, self, file)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def begin_export(self) -> ExportDialog:
        """Plan an export."""
        dialog = ExportDialog(self._place, self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def _on_started(self, run: http.Run) -> None:
        self._show()
        self.table.select(run.id)

    # --- what is under way and what came of it -----------------------------------------------------------------------

    def _on_cancel(self) -> None:
        run = self._chosen()
        if run is not None and not is_over(run):
            self._place.tasks.start(self._cancel(run.id), self._on_error)

    async def _cancel(self, run_id: str) -> None:
        self._place.session.runs.merge(await self._place.session.client.cancel_run(run_id))

    def _on_activated(self, run: http.Run) -> None:
        if run.artifacts:
            self._on_open(run.artifacts[0])

    def _on_open(self, artifact: http.Artifact) -> None:
        self._place.tasks.start(self._fetch_and_open(artifact), self._on_error)

    async def _fetch_and_open(self, artifact: http.Artifact) -> None:
        self.detail.show_note(say("Fetching {name} …", name=artifact.name))
        path = await self._place.session.client.download(artifact, self._place.reports_folder())
        self.detail.show_note(say("Saved as {path}", path=path))
        self._place.opener.open(path)

    def _on_save(self, artifact: http.Artifact) -> None:
        def save(path: Path) -> None:
            self._place.tasks.start(self._fetch(artifact, path), self._on_error)

        ask_where_to_save(self, say("Save as"), artifact.name, save)

    async def _fetch(self, artifact: http.Artifact, path: Path) -> None:
        saved = await self._place.session.client.download(artifact, path)
        self.detail.show_note(say("Saved as {path}", path=saved))

    def _on_error(self, error: FactoryOpsError) -> None:
        self.detail.show_note(str(error))
