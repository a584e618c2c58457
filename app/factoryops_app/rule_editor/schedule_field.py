"""When something holds: weekly windows, shifts and dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from factoryops_app.models.schedule_draft import ScheduleDraft
from factoryops_app.page import plain_label
from factoryops_app.windows_grid import WindowsGrid, mark_cells
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_ID: Final = int(Qt.ItemDataRole.UserRole)
_MOST_VISIBLE: Final = 4


class ScheduleField(QWidget):
    """Fills and reads a ScheduleDraft.

    Attributes:
        edited: a person changed it.
    """

    edited = Signal()

    def __init__(self, place: Workplace, *, most_visible: int = _MOST_VISIBLE) -> None:
        super().__init__()
        self._place = place
        self._chosen_shifts: tuple[str, ...] = ()
        self.windows = WindowsGrid(place.look, say("Weekly windows"), most_visible=most_visible)
        self.shifts = QListWidget()
        self.shifts.setAccessibleName(say("Shifts"))
        self.first, self.last = QLineEdit(), QLineEdit()
        self._fault = plain_label(role="error", is_wrapped=True)
        self._shift_title = plain_label(say("Shifts"), role="secondary")
        self._build()
        self._connect()
        self.offer_shifts({})

    def _build(self) -> None:
        px = self._place.look.px
        self.shifts.setMaximumHeight(px(112))
        for field, words in ((self.first, say("First day")), (self.last, say("Last day"))):
            field.setAccessibleName(words)
            field.setPlaceholderText(say("no bound"))
        dates = QHBoxLayout()
        dates.setSpacing(px(8))
        for words, field in ((say("First day"), self.first), (say("Last day"), self.last)):
            dates.addWidget(plain_label(words, role="secondary"))
            dates.addWidget(field, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(6))
        column.addWidget(self.windows)
        column.addWidget(self._shift_title)
        column.addWidget(self.shifts)
        column.addLayout(dates)
        column.addWidget(self._fault)
        self._fault.hide()

    def _connect(self) -> None:
        self.windows.edited.connect(self.edited)
        self.shifts.itemChanged.connect(self._on_shift)
        for field in (self.first, self.last):
            field.textEdited.connect(lambda _: self.edited.emit())

    def offer_shifts(self, names: Mapping[str, str]) -> None:
        """Which shifts there are, by id; those chosen stay."""
        blocker = QSignalBlocker(self.shifts)
        self.shifts.clear()
        for identity in [*names, *(one for one in self._chosen_shifts if one not in names)]:
            item = QListWidgetItem(names.get(identity, identity))
            item.setData(_ID, identity)
            is_chosen = identity in self._chosen_shifts
            item.setCheckState(Qt.CheckState.Checked if is_chosen else Qt.CheckState.Unchecked)
            self.shifts.addItem(item)
        blocker.unblock()
        has_any = self.shifts.count() > 0
        self.shifts.setVisible(has_any)
        self._shift_title.setVisible(has_any)

    def fill(self, draft: ScheduleDraft, shifts: Mapping[str, str]) -> None:
        """Show a schedule."""
        self.windows.fill(draft.windows)
        self._chosen_shifts = draft.shifts
        self.offer_shifts(shifts)
        self.first.setText(draft.first)
        self.last.setText(draft.last)
        self.show_errors({})

    def draft(self) -> ScheduleDraft:
        """What is filled in."""
        return ScheduleDraft(self.windows.windows(), self._chosen_shifts, self.first.text(), self.last.text())

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault where it belongs."""
        mark_cells(self.windows, "windows", errors)
        self._fault.setText("\n".join(dict.fromkeys(errors.values())))
        self._fault.setVisible(bool(errors))

    def _on_shift(self, _item: QListWidgetItem) -> None:
        items = [self.shifts.item(row) for row in range(self.shifts.count())]
        self._chosen_shifts = tuple(str(item.data(_ID)) for item in items if item.checkState() is Qt.CheckState.Checked)
        self.edited.emit()
