"""What every answer carries, whatever happens inside: a request id and the security headers."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from factoryops.api.problems import answer_fault
from factoryops.domain.identity import new_id

logger = logging.getLogger(__name__)

_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HSTS: Final = "max-age=31536000"


class Edge:
    """The outermost layer (pure ASGI): ids, headers, a line in the log, and the last answer when all else fails."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = _request_id(request.headers.get("x-request-id"))
        answer = _Answer(request, send)
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            logger.debug("the client of request %s went away", request.state.request_id)
        except Exception as error:
            if answer.status is None:
                response = await answer_fault(request, error)
                await response(scope, receive, answer.send)
            else:
                logger.exception("request %s failed after its answer began", request.state.request_id)
        answer.log()


def _request_id(sent: str | None) -> str:
    """The client's own id when it is short and plain, else a new one."""
    return sent if sent and _ACCEPTABLE_ID.fullmatch(sent) else new_id()


class _Answer:
    """Adds the headers to an answer and remembers its status."""

    def __init__(self, request: Request, send: Callable[[Message], Awaitable[None]]) -> None:
        self._request = request
        self._send = send
        self._began = time.perf_counter()
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["X-Request-ID"] = self._request.state.request_id
            if self._request.url.scheme == "https":
                headers["Strict-Transport-Security"] = _HSTS
        await self._send(message)

    def log(self) -> None:
        """One line per request: never its query, headers or body, where secrets might be."""
        level = logging.DEBUG if (self.status or 0) < 400 else logging.INFO
        logger.log(
            level, "%s %s %s in %.1f ms, request %s", self._request.method, self._request.url.path, self.status,
            (time.perf_counter() - self._began) * 1_000, self._request.state.request_id,
        )  # fmt: skip
