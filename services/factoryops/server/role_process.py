"""What every role's process does around its work: logging, one event loop, an orderly stop, one way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from factoryops.domain.errors import FactoryOpsError

logger = logging.getLogger(__name__)

EXIT_SETUP: Final = 78
"""The installation cannot start as it is configured; starting again will not help (EX_CONFIG of sysexits.h)."""

Work = Callable[[asyncio.Event], Awaitable[None]]


def run_role(work: Work, *, lifeline: bool) -> int:
    """Run `work` until it ends or a stop is asked for; returns the exit code.

    Args:
        work: given an event that is set when it should stop.
        lifeline: whether standard input belongs to a supervisor, so that its end means "stop" (also when the
            supervisor was killed).
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_stopped(work, lifeline=lifeline))
    except FactoryOpsError as error:
        logger.critical("%s", error)
        return EXIT_SETUP
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


async def _until_stopped(work: Work, *, lifeline: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if lifeline:
        _watch_lifeline(lambda: loop.call_soon_threadsafe(stop.set))
    with _signals_set(stop, loop):
        await work(stop)


@contextlib.contextmanager
def _signals_set(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """SIGINT and SIGTERM ask for a stop; where the loop cannot watch signals (Windows) the default handler does."""

    def ask(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    signals = [signal.SIGINT, signal.SIGTERM]
    previous = {one: signal.signal(one, ask) for one in signals}
    try:
        yield
    finally:
        for one, handler in previous.items():
            signal.signal(one, handler)


def _watch_lifeline(lost: Callable[[], object]) -> None:
    def watch() -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader would abort the interpreter at its end.
        with contextlib.suppress(OSError):
            while os.read(0, 64):
                pass
        with contextlib.suppress(RuntimeError):
            lost()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
