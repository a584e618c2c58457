"""The live WebSocket: who it is within five seconds, then frames until one side has had enough."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from factoryops.api.call import Service
from factoryops.api.guard import check_access, session_name
from factoryops.api.hub import LiveClient
from factoryops.api.permissions import ACCESS
from factoryops.api.rate_limits import Cost
from factoryops.contracts import live
from factoryops.domain.errors import (
    FactoryOpsError,
    InvalidInputError,
    NotAllowedError,
    NotLoggedInError,
    TooManyAttemptsError,
    UnavailableError,
)

logger = logging.getLogger(__name__)

_CLOSE_S: Final = 2.0
_MOST_UNKNOWN: Final = 50
_CODES: Final = (
    (InvalidInputError, live.CLOSE_BAD_MESSAGE),
    (NotLoggedInError, live.CLOSE_NOT_LOGGED_IN),
    (NotAllowedError, live.CLOSE_NOT_LOGGED_IN),
    (TooManyAttemptsError, live.CLOSE_TOO_MANY),
    (UnavailableError, live.CLOSE_TOO_SLOW),
)


class LiveDoor:
    """Lets live connections in; those that have not said who they are yet are few and short-lived."""

    def __init__(self) -> None:
        self._unknown = 0

    async def open_live(self, websocket: WebSocket) -> None:
        """Serve one connection from its first to its last byte."""
        if websocket.query_params or self._unknown >= _MOST_UNKNOWN:
            await websocket.close()
            return
        service: Service = websocket.app.state.service
        await websocket.accept()
        try:
            client = await self._enter(websocket, service)
        except FactoryOpsError as error:
            await _close(websocket, _code_of(error), str(error))
            return
        except WebSocketDisconnect:
            return
        try:
            await _serve(websocket, service, client)
        finally:
            service.hub.leave(client)

    async def _enter(self, websocket: WebSocket, service: Service) -> LiveClient:
        self._unknown += 1
        try:
            async with asyncio.timeout(service.context.limits.hello_s):
                message = await _receive(websocket)
                if not isinstance(message, live.Hello):
                    raise NotLoggedInError("Say hello with the session's token first.")
                scope, session = await service.session_of(message.token)
        except TimeoutError as error:
            raise NotLoggedInError("No token came in time.") from error
        finally:
            self._unknown -= 1
        check_access(scope, ACCESS["openLive"])
        return service.hub.join(session, message.token)


async def _serve(websocket: WebSocket, service: Service, client: LiveClient) -> None:
    """Send and receive until the client leaves, breaks the rules, or is given up."""
    jobs = [
        asyncio.create_task(client.outbox.pump(websocket.send_bytes)),
        asyncio.create_task(_listen(websocket, service, client)),
        asyncio.create_task(client.outbox.ended()),
    ]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, FactoryOpsError):
            client.outbox.end(_code_of(result))
        elif isinstance(result, WebSocketDisconnect | asyncio.CancelledError | OSError):
            continue
        elif isinstance(result, BaseException):
            raise result
    if client.outbox.end_code is not None:
        await _close(websocket, client.outbox.end_code, "")


async def _listen(websocket: WebSocket, service: Service, client: LiveClient) -> None:
    while True:
        message = await _receive(websocket)
        service.rate_limits.take(session_name(client.session), Cost.LIGHT)
        if not isinstance(message, live.Subscribe):
            raise InvalidInputError("Hello was said already.")
        service.hub.subscribe(client, message)


async def _receive(websocket: WebSocket) -> live.ClientMessage:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    try:
        return live.decode_client_message(message.get("text") or message.get("bytes") or b"")
    except msgspec.DecodeError as error:
        raise InvalidInputError("The message is not one a client may send.") from error


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Say why and close; a client that takes nothing any more is not waited for."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, OSError, RuntimeError):
        async with asyncio.timeout(_CLOSE_S):
            await websocket.close(code, reason[:120].encode("ascii", "replace").decode("ascii"))


def _code_of(error: FactoryOpsError) -> int:
    return next((code for kind, code in _CODES if isinstance(error, kind)), 1011)
