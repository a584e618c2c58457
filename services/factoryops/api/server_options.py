"""How uvicorn is to serve the API, and the WebSocket protocol that lets go of clients which take nothing any more."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from factoryops.contracts.live import MOST_MESSAGE_BYTES

_LINGER_S: Final = 5.0


class LiveProtocol(WebSocketsSansIOProtocol):
    """Ends the connection for good five seconds after it was served: unsent frames must not stay in memory."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """See to it that the socket goes, whether or not the client reads what is left."""
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(_LINGER_S, self.transport.abort)


UVICORN_OPTIONS: Final[dict[str, Any]] = {
    "ws": LiveProtocol,
    "ws_max_size": MOST_MESSAGE_BYTES,
    "ws_per_message_deflate": False,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    "h11_max_incomplete_event_size": 32_768,
    "limit_concurrency": 1_000,
    "backlog": 512,
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 1,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "lifespan": "on",
    "log_level": "warning",
}
"""Keyword arguments for `uvicorn.Config`, beside the app, the address and the certificate."""
