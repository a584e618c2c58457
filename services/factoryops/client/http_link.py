"""The live WebSocket of a service: implements `factoryops.client.port.LiveLink`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from factoryops.client.place import ServicePlace
from factoryops.contracts import live
from factoryops.domain.errors import FactoryOpsError, NotLoggedInError, TooManyAttemptsError, UnavailableError

_OPEN_S: Final = 5.0
_CLOSE_S: Final = 2.0
_MOST_FRAME_BYTES: Final = 16 << 20

logger = logging.getLogger(__name__)


async def open_link(place: ServicePlace, token: str) -> HttpLink:
    """Connect and say who it is; whether the token is good shows in the first message."""
    try:
        connection = await connect(
            place.live_url, ssl=place.tls, open_timeout=_OPEN_S, close_timeout=_CLOSE_S, ping_interval=10.0,
            ping_timeout=10.0, max_size=_MOST_FRAME_BYTES, max_queue=64, compression=None, proxy=None,
            user_agent_header=None,
        )  # fmt: skip
        await connection.send(_text(live.Hello(token)))
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
        raise UnavailableError("The live connection cannot be opened; check the network.") from error
    return HttpLink(connection)


def _text(message: live.ClientMessage) -> str:
    return msgspec.json.encode(message).decode("utf-8")


class HttpLink:
    """An open live connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._is_closed = False

    async def subscribe(self, request: live.Subscribe) -> None:
        """Replace what is sent."""
        try:
            await self._connection.send(_text(request))
        except ConnectionClosed as error:
            raise _ended(error) from error

    async def close(self) -> None:
        """End the connection."""
        self._is_closed = True
        await self._connection.close()

    def __aiter__(self) -> AsyncIterator[live.ServiceMessage]:
        """Messages in order."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[live.ServiceMessage]:
        try:
            while True:
                frame = await self._connection.recv(decode=False)
                try:
                    message = live.decode_frame(frame)
                except msgspec.DecodeError as error:
                    # A newer service may say what this client does not know; what it does know goes on.
                    logger.warning("a live frame cannot be read and is passed over: %s", error)
                    continue
                yield message
        except ConnectionClosed as error:
            if self._is_closed:
                return
            raise _ended(error) from error


def _ended(error: ConnectionClosed) -> FactoryOpsError:
    code = error.rcvd.code if error.rcvd is not None else None
    if code == live.CLOSE_NOT_LOGGED_IN:
        return NotLoggedInError("The session has ended; log in again.")
    if code == live.CLOSE_TOO_MANY:
        return TooManyAttemptsError("Too many live connections are open; close another first.")
    return UnavailableError("The connection to the service was lost.")
