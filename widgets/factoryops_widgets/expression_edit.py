"""An editor for expressions: completes names and marks where something is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QCompleter, QListView, QPlainTextEdit, QTextEdit

from factoryops_widgets.appearance import Appearance

_BEGUN: Final = re.compile(r'(?:"[^"]*"?|[^\W\d]\w*)(?:\.(?:"[^"]*"?|\w*))?$')
"""The name at the cursor, as far as it is written."""

_LEAST: Final = 2
_ROWS: Final = 4


class ExpressionEdit(QPlainTextEdit):
    """A few lines of text. Two letters, or Ctrl+Space, offer what they may become; Enter or Tab takes it."""

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self._look = look
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._offers = QListView()
        self._completer.setPopup(self._offers)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.activated.connect(self.complete)
        self.setTabChangesFocus(True)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * _ROWS + look.px(14))

    def set_words(self, words: Sequence[str]) -> None:
        """What may be completed."""
        if self._words.stringList() != list(words):
            self._words.setStringList(list(words))

    def mark(self, at: int | None) -> None:
        """Underline from the character `at` to the end of its word; None marks nothing."""
        if at is None or not self.toPlainText():
            self.setExtraSelections([])
            return
        cursor = QTextCursor(self.document())
        length = len(self.toPlainText())
        cursor.setPosition(min(at, length - 1))
        cursor.movePosition(QTextCursor.MoveOperation.EndOfWord, QTextCursor.MoveMode.KeepAnchor)
        if not cursor.hasSelection():
            cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
        selection = QTextEdit.ExtraSelection()
        style = QTextCharFormat()
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        style.setUnderlineColor(self.palette().text().color())
        selection.format, selection.cursor = style, cursor
        self.setExtraSelections([selection])

    @property
    def begun(self) -> str:
        """The name at the cursor, as far as it is written."""
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        found = _BEGUN.search(before)
        return found.group() if found else ""

    def complete(self, word: str) -> None:
        """Put `word` in the place of the name at the cursor."""
        cursor = self.textCursor()
        cursor.movePosition(
            QTextCursor.MoveOperation.PreviousCharacter, QTextCursor.MoveMode.KeepAnchor, len(self.begun)
        )
        cursor.insertText(word)
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the list of offers go to it."""
        takes = (Qt.Key.Key_Enter, Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Backtab)
        if self._offers.isVisible() and event.key() in takes:
            event.ignore()
            return
        is_asked = event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if not is_asked:
            super().keyPressEvent(event)
        if is_asked or event.text():
            self._offer(least=0 if is_asked else _LEAST)

    def _offer(self, *, least: int) -> None:
        begun = self.begun
        if len(begun) < least:
            self._offers.hide()
            return
        self._completer.setCompletionPrefix(begun)
        place = self.cursorRect()
        place.setWidth(self._look.px(320))
        self._completer.complete(place)
