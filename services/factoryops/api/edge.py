"""What every answer carries, whatever happens inside: a request id and the security headers."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from factoryops.api.problems import answer_fault

logger = logging.getLogger(__name__)

_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


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
    if sent and _ACCEPTABLE_ID.fullmatch(sent):
        return sent
    return f"{random.getrandbits(128):032x}"  # tells requests apart in the log, protects nothing


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
            headers = [*message.get("headers", ()), *_HEADERS]
            headers.append((b"x-request-id", self._request.state.request_id.encode("ascii")))
            if self._request.scope["scheme"] == "https":
                headers.append(_HSTS)
            message["headers"] = headers
        await self._send(message)

    def log(self) -> None:
        """One line per request: never its query, headers or body, where secrets might be."""
        level = logging.DEBUG if (self.status or 0) < 400 else logging.INFO
        if not logger.isEnabledFor(level):
            return
        logger.log(
            level, "%s %s %s in %.1f ms, request %s", self._request.method, self._request.url.path, self.status,
            (time.perf_counter() - self._began) * 1_000, self._request.state.request_id,
        )  # fmt: skip
