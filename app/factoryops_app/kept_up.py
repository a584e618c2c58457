"""A view that is brought up to date while it is seen, and asks nothing while nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from factoryops.domain.errors import FactoryOpsError
from factoryops_app.workplace import Workplace

_EVERY_MS: Final = 5_000


class KeptUpView(QWidget):
    """Asks one question at a time: a person's takes the place of one that is under way, the clock's waits for it.

    So a late answer never takes away what came after it was asked for.
    """

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._question: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._on_time)

    def keep_up(self) -> None:
        """Ask for what is new; called every few seconds."""
        raise NotImplementedError

    def on_failure(self, error: FactoryOpsError) -> None:
        """Say why nothing came."""
        raise NotImplementedError

    def ask(self, work: Coroutine[object, object, None]) -> None:
        """Ask something in place of what is under way."""
        if self._question is not None:
            self._question.cancel()
        self._question = self._place.tasks.start(work, self.on_failure)

    def _on_time(self) -> None:
        if self._question is None or self._question.done():
            self.keep_up()

    def showEvent(self, event: QShowEvent) -> None:
        """Keep up to date while it is seen."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask nothing while nobody looks."""
        self._timer.stop()
        super().hideEvent(event)
