"""The one event loop: asyncio on Qt, with signals of the system that end it cleanly."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Final, cast

import qasync
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

_THREADS: Final = 6


def run_loop(application: QApplication, work: Coroutine[object, object, int]) -> int:
    """Run `work` to its end; nothing of the loop is left afterwards."""
    loop = cast("asyncio.AbstractEventLoop", qasync.QEventLoop(application))
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, "client"))
    application.setQuitOnLastWindowClosed(False)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(_end_tasks())
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


async def _end_tasks() -> None:
    """Whatever still runs is cancelled, and waited for."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class EndSignals:
    """Calls `act` when the system asks this program to end (Ctrl-C, or the end of the desktop session).

    Python runs signal handlers between two of its own instructions, of which an idle Qt loop executes none; a pair of
    sockets wakes it.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._on_wakeup)
        self._before_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        kinds = [signal.SIGINT, signal.SIGTERM]
        self._before = {kind: signal.signal(kind, self._on_signal) for kind in kinds}

    def close(self) -> None:
        """Leave the signals as they were."""
        for kind, handler in self._before.items():
            signal.signal(kind, handler)
        signal.set_wakeup_fd(self._before_fd)
        self._notifier.setEnabled(False)
        self._notifier.deleteLater()
        self._read.close()
        self._write.close()

    def _on_wakeup(self) -> None:
        try:
            self._read.recv(64)
        except BlockingIOError:
            return

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._act()
