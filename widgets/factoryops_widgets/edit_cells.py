"""The cells of an editable table: Tab leaves at its ends, and what is being typed is told before it is taken over."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Signal
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QApplication,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QWidget,
)

_Index: TypeAlias = QModelIndex | QPersistentModelIndex


class EditCells(QTableWidget):
    """Tab on the last cell and Shift+Tab on the first go on to what comes after and before the table.

    Attributes:
        typed: the text in an open editor changed, or was given up.
    """

    typed = Signal()

    def __init__(self, columns: int) -> None:
        super().__init__(0, columns)
        self._delegate = _Delegate(self)
        self._delegate.typed.connect(self.typed)
        self.setItemDelegate(self._delegate)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Go to the next or the previous cell, or leave where there is none."""
        self._go_to_focused_cell()
        is_leaving = self._is_at_end(is_next=is_next)
        if is_leaving:
            self.setFocus()
        self.setTabKeyNavigation(not is_leaving)
        return super().focusNextPrevChild(is_next)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        """Edit the next cell where there is one, else leave."""
        ways = {
            QAbstractItemDelegate.EndEditHint.EditNextItem: True,
            QAbstractItemDelegate.EndEditHint.EditPreviousItem: False,
        }
        is_next = ways.get(hint)
        was_typed_in = isinstance(editor, QLineEdit) and editor.isModified()
        is_leaving = is_next is not None and self._is_at_end(is_next=is_next)
        super().closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint if is_leaving else hint)
        if was_typed_in:
            self.typed.emit()
        if is_leaving and is_next is not None:
            self.focusNextPrevChild(is_next)

    def _go_to_focused_cell(self) -> None:
        """A box that was clicked has the focus, while another cell may be the current one."""
        held = QApplication.focusWidget()
        if held is not None and held.parentWidget() is self.viewport():
            self.setCurrentIndex(self.indexAt(held.geometry().center()))

    def _is_at_end(self, *, is_next: bool) -> bool:
        rows, columns = self.rowCount(), self.columnCount()
        end = (rows - 1, columns - 1) if is_next else (0, 0)
        return not rows or (self.currentRow(), self.currentColumn()) == end


class _Delegate(QStyledItemDelegate):
    """Tells what is typed, and never writes over it."""

    typed = Signal()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """The usual field."""
        editor = super().createEditor(parent, option, index)
        if isinstance(editor, QLineEdit):
            editor.textEdited.connect(lambda _: self.typed.emit())
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Fill the field; marking a fault on the cell meanwhile leaves what is typed alone."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)
