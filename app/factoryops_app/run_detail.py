"""One run in full: progress, result figures, and the files it left."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops_app.models.runs import is_over
from factoryops_app.models.wording import job_name, run_state_name
from factoryops_app.page import plain_label
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.busy import BusyLine
from factoryops_widgets.formatting import moment, number

_MOST_FIGURES = 20
_LONGEST_FIGURE = 28


class RunDetail(QFrame):
    """The panel beside the table of runs.

    Attributes:
        cancel_requested: the run is to stop.
        open_requested / save_requested: with the artifact.
    """

    cancel_requested = Signal()
    open_requested = Signal(object)
    save_requested = Signal(object)

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._look = look
        self._shown: http.Run | None = None
        px = look.px
        self._title = plain_label(role="section")
        self._state = plain_label(role="secondary", is_wrapped=True)
        self._message = plain_label(is_wrapped=True)
        self._busy = BusyLine(look)
        self._busy.cancel_requested.connect(self.cancel_requested)
        self._files = QVBoxLayout()
        self._files.setSpacing(px(4))
        self._figures = QGridLayout()
        self._figures.setHorizontalSpacing(px(12))
        self._figures.setVerticalSpacing(px(4))
        self._figures.setColumnStretch(1, 1)
        self._note = plain_label(role="secondary", is_wrapped=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(16), px(16))
        column.setSpacing(px(8))
        for widget in (self._title, self._state, self._message, self._busy):
            column.addWidget(widget)
        column.addLayout(self._files)
        column.addLayout(self._figures)
        column.addWidget(self._note)
        self._busy.hide()

    def show_run(self, run: http.Run | None, zone: ZoneInfo, *, may_cancel: bool) -> None:
        """Show a run; None for nothing chosen."""
        if run is not None and run == self._shown:
            return
        if run is None or self._shown is None or run.id != self._shown.id:
            self._note.clear()
        self._shown = run
        self._clear()
        if run is None:
            self._title.setText(say("Choose a run."))
            self._state.clear()
            self._message.clear()
            self._busy.hide()
            return
        self._title.setText(job_name(run.kind))
        self._state.setText(self._state_words(run, zone))
        self._message.setText(run.message)
        self._show_progress(run, may_cancel=may_cancel)
        for artifact in run.artifacts:
            self._files.addWidget(self._file_row(artifact))
        self._show_figures(run)

    def show_note(self, sentence: str) -> None:
        """Say how a download went."""
        self._note.setText(sentence)

    @property
    def note(self) -> str:
        """What was said last."""
        return self._note.text()

    def _state_words(self, run: http.Run, zone: ZoneInfo) -> str:
        words = [run_state_name(run.state)]
        if run.finished_at is not None:
            words.append(moment(run.finished_at, zone))
        if run.attempt > 1:
            words.append(say("attempt {number}", number=run.attempt))
        if run.slot is not None:
            words.append(say("due {time}", time=moment(run.slot, zone)))
        return ", ".join(words)

    def _show_progress(self, run: http.Run, *, may_cancel: bool) -> None:
        self._busy.setVisible(not is_over(run))
        if is_over(run):
            self._busy.finish()
            return
        self._message.clear()
        self._busy.start(run.message or run_state_name(run.state), can_cancel=may_cancel)
        self._busy.set_progress(run.progress if run.progress > 0 else None, run.message)

    def _file_row(self, artifact: http.Artifact) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._look.px(4))
        name = plain_label(artifact.name, is_wrapped=True)
        name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        name.setToolTip(f"SHA-256 {artifact.sha256}")
        size = plain_label(f"{number(artifact.size_bytes / 1024, 0)} KB", role="secondary")
        open_it = QPushButton(self._look.icon("report"), say("Open"))
        save_it = QPushButton(self._look.icon("download"), say("Save as"))
        open_it.clicked.connect(lambda: self.open_requested.emit(artifact))
        save_it.clicked.connect(lambda: self.save_requested.emit(artifact))
        row = QHBoxLayout()
        for widget in (open_it, save_it, size):
            row.addWidget(widget)
        row.addStretch(1)
        column.addWidget(name)
        column.addLayout(row)
        return box

    def _show_figures(self, run: http.Run) -> None:
        """Bare figures, but for transfers: their sentence says it all, and the page of transfers shows the rest."""
        if run.kind in http.TRANSFERS:
            return
        for row, (key, value) in enumerate(list(run.result.items())[:_MOST_FIGURES]):
            text = _figure_text(value)
            shown = plain_label(text if len(text) <= _LONGEST_FIGURE else text[: _LONGEST_FIGURE - 1] + "…")
            shown.setToolTip(text)
            self._figures.addWidget(plain_label(key.replace("_", " "), role="secondary"), row, 0)
            self._figures.addWidget(shown, row, 1)

    def _clear(self) -> None:
        for layout in (self._files, self._figures):
            while (item := layout.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None:
                    widget.hide()
                    widget.deleteLater()


def _figure_text(value: object) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, int):
        return number(value, 0)
    if isinstance(value, float):
        return number(value, 3)
    if isinstance(value, list):
        return "; ".join(_figure_text(one) for one in value[:5]) + (" …" if len(value) > 5 else "")
    if isinstance(value, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {_figure_text(one)}" for key, one in list(value.items())[:6])
    return str(value)
