"""Planning an export: which parameters, which span, in which form."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QDateTime, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from factoryops.contracts import http
from factoryops.domain.bins import LADDER_S
from factoryops.domain.errors import FactoryOpsError, InvalidInputError
from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.plant import Measured
from factoryops_app.models.spans import ReportSpan, span_of
from factoryops_app.models.transfers import estimate_text, form_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.form import Form
from factoryops_widgets.formatting import span


class ExportDialog(QDialog):
    """One export.

    Attributes:
        started: the run of the export.
    """

    started = Signal(object)

    def __init__(self, place: Workplace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(say("Export history"))
        self._place = place
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self._asked = 0
        columns: list[ColumnSpec[Measured]] = [
            ColumnSpec("device", say("Device"), lambda one: one.device_title, width=170),
            ColumnSpec("parameter", say("Parameter"), lambda one: one.title, width=170, is_elastic=True),
            ColumnSpec("unit", say("Unit"), lambda one: one.parameter.unit, width=70),
        ]
        self.parameters: DataTable[Measured] = DataTable(
            place.look, columns, name="export-parameters", settings=place.settings,
            row_key=lambda one: one.parameter.id,
        )  # fmt: skip
        self.form = Form(place.look)
        self.begin, self.end = QDateTimeEdit(), QDateTimeEdit()
        self.spans, self.kind, self.width_choice, self.between = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        self.format, self.layout_choice = QComboBox(), QComboBox()
        self.has_quality = QCheckBox(say("Say what is known about each value"))
        self.for_spreadsheets = QCheckBox(say("For spreadsheets: decimal comma, semicolons"))
        self._estimate = plain_label(role="secondary", is_wrapped=True)
        self._problem = plain_label(role="error", is_wrapped=True)
        self.export_button, self.close_button = QPushButton(say("Start the export")), QPushButton(say("Close"))
        self._fill_choices()
        self._build()
        self._connect()
        self.parameters.set_rows(place.session.plant.parameters)
        self._take_span()
        self._on_changed()

    def _fill_choices(self) -> None:
        spans = {
            ReportSpan.LAST_DAY: say("last 24 hours"), ReportSpan.TODAY: say("today so far"),
            ReportSpan.YESTERDAY: say("yesterday"), ReportSpan.LAST_WEEK: say("last 7 days"),
        }  # fmt: skip
        for choice, words in spans.items():
            self.spans.addItem(words, choice)
        for form in http.ExportForm:
            self.kind.addItem(form_name(form), form)
        self.width_choice.addItem(say("fitting the span"), None)
        for width_s in LADDER_S:
            self.width_choice.addItem(span(width_s * US_PER_S), width_s)
        self.between.addItem(say("the value stays"), http.Interpolation.STEP)
        self.between.addItem(say("a straight line"), http.Interpolation.LINEAR)
        self.format.addItem("CSV", http.TableFormat.CSV)
        self.format.addItem("Parquet", http.TableFormat.PARQUET)
        self.layout_choice.addItem(say("a row per value"), http.Layout.LONG)
        self.layout_choice.addItem(say("a column per parameter"), http.Layout.WIDE)
        self.has_quality.setChecked(True)

    def _build(self) -> None:
        px = self._place.look.px
        rows = (
            ("span", say("Span"), self.spans), ("start", say("From"), self.begin), ("end", say("To"), self.end),
            ("form", say("Form"), self.kind), ("width_s", say("Width"), self.width_choice),
            ("interpolation", say("Between two values"), self.between), ("format", say("File"), self.format),
            ("layout", say("Layout"), self.layout_choice), ("has_quality", say("Quality"), self.has_quality),
            ("delimiter", say("Numbers"), self.for_spreadsheets),
        )  # fmt: skip
        for key, title, field in rows:
            self.form.add_row(key, title, field)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(plain_label(say("Choose parameters; none means all of them."), role="secondary"))
        column.addWidget(self.parameters, 1)
        right = QWidget()
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        for widget in (self.form, self._estimate, self._problem):
            beside.addWidget(widget)
        beside.addStretch(1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setSizes([px(480), px(480)])
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.export_button)
        buttons.addWidget(self.close_button)
        self.export_button.setProperty("role", "primary")
        self.export_button.setDefault(True)
        outer = QVBoxLayout(self)
        outer.addWidget(splitter, 1)
        outer.addLayout(buttons)
        for field in (self.begin, self.end):
            field.setDisplayFormat("yyyy-MM-dd HH:mm")
            field.setCalendarPopup(True)
        self.resize(px(980), px(640))

    def _connect(self) -> None:
        self.spans.activated.connect(self._take_span)
        for box in (self.kind, self.width_choice, self.between, self.format, self.layout_choice):
            box.currentIndexChanged.connect(self._on_changed)
        for field in (self.begin, self.end):
            field.dateTimeChanged.connect(self._on_changed)
        for check in (self.has_quality, self.for_spreadsheets):
            check.toggled.connect(self._on_changed)
        self.parameters.selection_changed.connect(self._on_changed)
        self.export_button.clicked.connect(self.start)
        self.close_button.clicked.connect(self.close)

    def _take_span(self) -> None:
        zone = self._place.look.zone
        start, end = span_of(ReportSpan(self.spans.currentData()), from_us(now_us()), zone)
        for field, moment in ((self.begin, start), (self.end, end)):
            local = moment.astimezone(zone)
            field.setDateTime(QDateTime(local.year, local.month, local.day, local.hour, local.minute, 0))

    def plan(self) -> http.ExportPlan:
        """What is asked for as it stands."""
        is_for_spreadsheets = self.for_spreadsheets.isChecked()
        return http.ExportPlan(
            parameter_ids=[one.parameter.id for one in self.parameters.selected_rows()],
            start=self._moment(self.begin),
            end=self._moment(self.end),
            form=http.ExportForm(self.kind.currentData()),
            width_s=self.width_choice.currentData(),
            interpolation=http.Interpolation(self.between.currentData()),
            layout=http.Layout(self.layout_choice.currentData()),
            format=http.TableFormat(self.format.currentData()),
            has_quality=self.has_quality.isChecked(),
            decimal="," if is_for_spreadsheets else ".",
            delimiter=";" if is_for_spreadsheets else ",",
            has_bom=is_for_spreadsheets,
        )

    def _moment(self, field: QDateTimeEdit) -> datetime:
        text = field.dateTime().toString("yyyy-MM-dd HH:mm")
        return datetime.fromisoformat(text).replace(tzinfo=self._place.look.zone).astimezone(UTC)

    def _on_changed(self) -> None:
        form = http.ExportForm(self.kind.currentData())
        is_csv = self.format.currentData() == http.TableFormat.CSV
        self.form.set_row_shown("width_s", is_shown=form is not http.ExportForm.RAW)
        self.form.set_row_shown("interpolation", is_shown=form is http.ExportForm.INTERPOLATED)
        self.form.set_row_shown("has_quality", is_shown=form is http.ExportForm.RAW)
        self.form.set_row_shown("delimiter", is_shown=is_csv)
        self._asked += 1
        self._tasks.start(self._ask_size(self._asked))

    async def _ask_size(self, asked: int) -> None:
        estimate = await self._place.session.client.estimate_export(self.plan())
        if asked == self._asked:
            self._problem.clear()
            self.form.clear_errors()
            self._estimate.setText(estimate_text(estimate))

    @property
    def estimate(self) -> str:
        """About how much it will be."""
        return self._estimate.text()

    @property
    def problem(self) -> str:
        """Why it cannot be done, "" when it can."""
        return self._problem.text()

    def start(self) -> None:
        """Begin the export."""
        self.export_button.setEnabled(False)
        self._tasks.start(self._start(self.plan()))

    async def _start(self, plan: http.ExportPlan) -> None:
        run = await self._place.session.client.start_export(plan)
        self._place.session.runs.merge(run)
        self.started.emit(run)
        self.accept()

    def done(self, result: int) -> None:
        """Whatever is still asked for is not needed any more."""
        self._tasks.end()
        super().done(result)

    def _on_error(self, error: FactoryOpsError) -> None:
        self.export_button.setEnabled(True)
        self._estimate.clear()
        if isinstance(error, InvalidInputError):
            self.form.set_errors(error.fields)
        self._problem.setText(str(error))
