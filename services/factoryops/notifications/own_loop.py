"""A thread with an event loop for what talks to the world: a name server that hangs there holds up nobody else."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

RESTART_PAUSE_S: Final = 5.0
_Found = list[tuple[Any, ...]]


class NamingLoop(asyncio.SelectorEventLoop):
    """Asks for each name on a thread of its own, and for one name once at a time.

    The system's resolver cannot be given up. On the loop's shared threads a few hanging names would hold up every
    connection of every channel, and the end of the program; here they hold up those who ask for the same name.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[tuple[object, ...], asyncio.Future[_Found]] = {}

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the loop's own words
        proto: int = 0,
        flags: int = 0,
    ) -> _Found:
        """What the system's resolver answers; raises OSError."""
        question = (host, port, family, type, proto, flags)
        answer = self._asked.get(question)
        if answer is None:
            answer = self._asked[question] = self.create_future()
            answer.add_done_callback(lambda _: self._asked.pop(question, None))
            asking = threading.Thread(target=self._ask, args=(question, answer), name="name-look-up", daemon=True)
            asking.start()
        return await asyncio.shield(answer)

    def _ask(self, question: tuple[Any, ...], answer: asyncio.Future[_Found]) -> None:
        found: _Found | OSError
        try:
            found = list(socket.getaddrinfo(*question))
        except (OSError, UnicodeError) as error:
            found = error if isinstance(error, OSError) else OSError(str(error))
        try:
            self.call_soon_threadsafe(_settle, answer, found)
        except RuntimeError:
            logger.debug("A name was answered after nobody asked any more.")


def _settle(answer: asyncio.Future[_Found], found: _Found | OSError) -> None:
    if answer.done():
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
        answer.exception()
    else:
        answer.set_result(found)


class OwnLoop(threading.Thread):
    """Does `work` on a thread and a loop of its own, and again should it ever fail.

    Args:
        work: comes back when its event is set.
    """

    def __init__(self, name: str, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def run(self) -> None:
        """Supervise."""
        with asyncio.Runner(loop_factory=NamingLoop) as runner:
            runner.run(self._supervise())

    async def _supervise(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        while not self._ended.is_set():
            try:
                await self._work(self._ended)
            except Exception:
                logger.exception("The thread %s failed and is started again.", self.name)
                await is_set_within(self._ended, RESTART_PAUSE_S)

    def stop(self) -> None:
        """Let it end."""
        self._ready.wait()
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
