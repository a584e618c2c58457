"""Asking for files, without standing still: the event loop goes on while the dialog is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_where_to_save(parent: QWidget, title: str, name: str, then: Callable[[Path], None]) -> QFileDialog:
    """Open a dialog for a file called `name`; calls `then` with the chosen path, or never."""
    dialog = _dialog(parent, title, name, then)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    dialog.open()
    return dialog


def ask_for_file(parent: QWidget, title: str, kinds: str, then: Callable[[Path], None]) -> QFileDialog:
    """Open a dialog for a file of `kinds`, such as "Tables (*.csv)"; calls `then` with the chosen path, or never."""
    dialog = _dialog(parent, title, "", then)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(kinds)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, title: str, name: str, then: Callable[[Path], None]) -> QFileDialog:
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    dialog = QFileDialog(parent, title, str(Path(documents) / name))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda path: then(Path(path)))
    return dialog
