"""Work that runs by itself or on demand, how far it is, and what it left."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.time import from_us, now_us
from factoryops_app.models.runs import is_over
from factoryops_app.models.spans import ReportSpan, span_of
from factoryops_app.models.wording import job_name, run_state_name
from factoryops_app.page import Page
from factoryops_app.run_detail import RunDetail
from factoryops_app.schedule_panel import SchedulePanel
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.file_dialog import ask_where_to_save
from factoryops_widgets.formatting import NOTHING, moment, span


class JobsPage(Page):
    """Runs on the left, the chosen one and the schedules on the right."""

    key = PageKey.JOBS

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Jobs"))
        self.table: DataTable[http.Run] = DataTable(
            place.look, self._columns(), name="runs", settings=place.settings, row_key=lambda run: run.id
        )
        self.detail = RunDetail(place.look)
        self.schedules = SchedulePanel(place)
        self._kind, self._span = QComboBox(), QComboBox()
        for kind in (one for one in JobKind if one not in http.STARTED_APART):
            self._kind.addItem(job_name(kind), kind)
        spans = {
            ReportSpan.LAST_DAY: say("last 24 hours"),
            ReportSpan.TODAY: say("today so far"),
            ReportSpan.YESTERDAY: say("yesterday"),
            ReportSpan.LAST_WEEK: say("last 7 days"),
        }
        for choice, words in spans.items():
            self._span.addItem(words, choice)
        self._run = QPushButton(say("Run now"))
        self._run.setProperty("role", "primary")
        self._build()
        self._connect()
        self.states.show_loading(say("Asking for the runs …"))

    def _columns(self) -> list[ColumnSpec[http.Run]]:
        zone = self.place.look.zone
        return [
            ColumnSpec("created", say("Asked for"), lambda run: run.created_at,
                       lambda run: moment(run.created_at, zone), width=160),
            ColumnSpec("kind", say("Work"), lambda run: job_name(run.kind), width=130),
            ColumnSpec("state", say("State"), _state_text, width=110),
            ColumnSpec("span", say("Covers"), lambda run: run.start,
                       lambda run: _covers(run, zone), width=190),
            ColumnSpec("by", say("By"), lambda run: run.requested_by, width=110),
            ColumnSpec("message", say("Result"), lambda run: run.message or NOTHING, width=200, is_elastic=True),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self.place.look.px
        self._kind.setAccessibleName(say("Kind of work"))
        self._span.setAccessibleName(say("Span it covers"))
        for widget in (self._kind, self._span, self._run):
            self.header.addWidget(widget)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(12))
        column.addWidget(self.detail)
        column.addWidget(self.schedules)
        column.addStretch(1)
        right.setMinimumWidth(px(360))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([px(820), px(420)])
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _connect(self) -> None:
        self._run.clicked.connect(self.run_now)
        self.table.selection_changed.connect(self._show_chosen)
        self.table.row_activated.connect(self._on_activated)
        self.detail.cancel_requested.connect(self._on_cancel)
        self.detail.open_requested.connect(self.open_artifact)
        self.detail.save_requested.connect(self._on_save)
        self.states.action_requested.connect(self.run_now)

    def enter(self, target: Target) -> None:
        """Show the runs and the schedules."""
        super().enter(target)
        self.listen(self.place.session.runs.changed, self._show)
        self._run.setEnabled(self.place.session.may(Permission.RUN_JOBS))
        self.schedules.load()
        self._show()

    def run_now(self) -> None:
        """Ask for the chosen work over the chosen span."""
        start, end = span_of(ReportSpan(self._span.currentData()), from_us(now_us()), self.place.look.zone)
        self.start_run(JobKind(self._kind.currentData()), start, end)

    def start_run(self, kind: JobKind, start: datetime, end: datetime) -> None:
        """Ask for work over a span."""
        self.place.tasks.start(self._start(http.RunRequest(kind=kind, start=start, end=end)), self.mention)

    async def _start(self, request: http.RunRequest) -> None:
        session = self.place.session
        run = await session.change(session.client.start_run(request))
        self.place.session.runs.merge(run)
        self.table.select(run.id)

    def _show(self) -> None:
        runs = self.place.session.runs
        if not runs.is_known:
            return
        self.table.set_rows(runs.all)
        if not runs.all:
            self.states.show_empty(
                say("Nothing has run yet"),
                say("A report is made every day by itself, or at once when you ask for it."),
                say("Run now") if self.place.session.may(Permission.RUN_JOBS) else "",
            )
            return
        self.states.show_content()
        if not self.table.selected_rows():
            self.table.select(runs.all[0].id)
        self._show_chosen()

    def _chosen(self) -> http.Run | None:
        rows = self.table.selected_rows()
        return self.place.session.runs.get(rows[0].id) if rows else None

    def _show_chosen(self) -> None:
        self.detail.show_run(
            self._chosen(), self.place.look.zone, may_cancel=self.place.session.may(Permission.RUN_JOBS)
        )

    def _on_activated(self, run: http.Run) -> None:
        if run.artifacts:
            self.open_artifact(run.artifacts[0])

    def _on_cancel(self) -> None:
        run = self._chosen()
        if run is not None and not is_over(run):
            self.place.tasks.start(self._cancel(run.id), self.mention)

    async def _cancel(self, run_id: str) -> None:
        self.place.session.runs.merge(await self.place.session.client.cancel_run(run_id))

    def open_artifact(self, artifact: http.Artifact) -> None:
        """Fetch a file into the user's documents and show it with the system's viewer."""
        self.place.tasks.start(self._fetch_and_open(artifact), self._on_download_failed)

    async def _fetch_and_open(self, artifact: http.Artifact) -> None:
        self.detail.show_note(say("Fetching {name} …", name=artifact.name))
        path = await self.place.session.client.download(artifact, self.place.reports_folder())
        self.detail.show_note(say("Saved as {path}", path=path))
        self.place.opener.open(path)

    def _on_save(self, artifact: http.Artifact) -> None:
        ask_where_to_save(self, say("Save as"), artifact.name, lambda path: self._save_to(artifact, path))

    def _save_to(self, artifact: http.Artifact, path: Path) -> None:
        self.place.tasks.start(self._fetch(artifact, path), self._on_download_failed)

    async def _fetch(self, artifact: http.Artifact, path: Path) -> None:
        saved = await self.place.session.client.download(artifact, path)
        self.detail.show_note(say("Saved as {path}", path=saved))

    def _on_download_failed(self, error: FactoryOpsError) -> None:
        self.detail.show_note(str(error))


def _covers(run: http.Run, zone: ZoneInfo) -> str:
    length = span((run.end - run.start) // timedelta(microseconds=1))
    return say("{length} to {time}", length=length, time=moment(run.end, zone)[:-3])


def _state_text(run: http.Run) -> str:
    if run.state is RunState.RUNNING:
        return say("Running, {percent} %", percent=round(run.progress * 100))
    return run_state_name(run.state)
