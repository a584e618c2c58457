"""Whom a channel trusts: built once, beside the loop, for reading every authority takes tens of milliseconds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import httpx


class Trust:
    """A TLS context that is made when it is first needed.

    Args:
        make: may read files; raises OSError where one cannot be read.
    """

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        self._make = make
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        """The context; what could not be made is tried again at the next call."""
        if self._context is None:
            self._context = await asyncio.to_thread(self._make)
        return self._context


def public_authorities() -> ssl.SSLContext:
    """The authorities that come with the HTTP library, whatever the environment says."""
    return httpx.create_ssl_context(trust_env=False)
