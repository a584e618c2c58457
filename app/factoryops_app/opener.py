"""Opening files with the system's own viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices

from factoryops.domain.errors import SetupError
from factoryops_resources.words import say

OPENABLE: Final = frozenset({".pdf", ".csv", ".json", ".txt", ".xlsx", ".png"})
"""What a report may be; nothing that a system would run."""


class Opener(Protocol):
    """Shows a file to the person."""

    def open(self, path: Path) -> None:
        """Open it; raises SetupError when nothing can."""
        ...


class DesktopOpener:
    """The desktop's viewer for the kind of file; local files only."""

    def open(self, path: Path) -> None:
        """Open it with the system's viewer."""
        if path.suffix.lower() not in OPENABLE:
            raise SetupError(say("{path} was saved but is not opened: it is no document.", path=path))
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.resolve()))):
            raise SetupError(say("No program opens this kind of file here; it was saved as {path}.", path=path))


def reports_folder() -> Path:
    """Where opened reports are kept: the user's documents, or the home folder where there are none."""
    kind = QStandardPaths.StandardLocation
    documents = QStandardPaths.writableLocation(kind.DocumentsLocation)
    folder = Path(documents or QStandardPaths.writableLocation(kind.HomeLocation)) / "FactoryOps"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            say("The folder {folder} for reports cannot be made ({error}); use Save as.", folder=folder, error=error)
        ) from error
    return folder
