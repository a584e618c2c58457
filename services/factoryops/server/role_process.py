"""What every role's process does around its work: logging, one event loop, an orderly stop, one way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import gc
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


class Lifeline:
    """Standard input as a supervisor's word: its end means "stop", also when the supervisor was killed.

    Watch it before anything heavy is loaded: as long as nobody has said what a stop is to do, it ends the process.
    """

    def __init__(self) -> None:
        self._lost: Callable[[], object] = lambda: os._exit(0)

    def watch(self) -> None:
        """Begin to watch, on a thread of its own."""
        threading.Thread(target=self._wait, name="lifeline", daemon=True).start()

    def on_lost(self, lost: Callable[[], object]) -> None:
        """Say what a stop is to do; called on another thread."""
        self._lost = lost

    def _wait(self) -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader would abort the interpreter at its end.
        with contextlib.suppress(OSError):
            while os.read(0, 64):
                pass
        with contextlib.suppress(RuntimeError):
            self._lost()


def watched_lifeline(is_wanted: bool) -> Lifeline | None:
    """A lifeline being watched, when there is a supervisor to hold it."""
    if not is_wanted:
        return None
    lifeline = Lifeline()
    lifeline.watch()
    return lifeline


def run_role(work: Work, *, lifeline: Lifeline | None) -> int:
    """Run `work` until it ends or a stop is asked for; returns the exit code.

    Args:
        work: given an event that is set when it should stop.
        lifeline: where a supervisor's stop comes from; None when there is none.
    """
    # What has been loaded stays: to look through it again and again for garbage would stop the role for tens of ms.
    gc.freeze()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_stopped(work, lifeline=lifeline))
    except FactoryOpsError as error:
        logger.critical("%s", error)
        return EXIT_SETUP
    except BaseExceptionGroup as group:
        # What runs several tasks side by side raises the one that failed in a group.
        refusals = group.subgroup(FactoryOpsError)
        if refusals is None or group.split(FactoryOpsError)[1] is not None:
            raise
        for refusal in _flat(refusals):
            logger.critical("%s", refusal)
        return EXIT_SETUP
    return 0


def _flat(group: BaseExceptionGroup[FactoryOpsError]) -> Iterator[FactoryOpsError]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _flat(one)
        else:
            yield one


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


async def _until_stopped(work: Work, *, lifeline: Lifeline | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if lifeline is not None:
        lifeline.on_lost(lambda: loop.call_soon_threadsafe(stop.set))
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
