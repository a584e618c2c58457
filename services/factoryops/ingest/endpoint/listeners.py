"""The sockets devices connect to: plain on loopback, and TLS whose certificate may be renewed while it is open."""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError
from factoryops.ingest.config import EndpointConfig, TlsConfig

logger = logging.getLogger(__name__)

_BACKLOG: Final = 1_024

Factory = Callable[[], asyncio.Protocol]


class Listeners:
    """Every socket of an endpoint.

    Attributes:
        port: where the plain one listens, once opened; 0 without one.
        tls_port: where the TLS one listens, once opened; 0 without one.
        problem: why a renewed certificate could not be taken over, "" when nothing is wrong.
    """

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self._servers: list[asyncio.Server] = []
        self._certificate: _Certificate | None = None
        self.port = 0
        self.tls_port = 0
        self.problem = ""

    async def open(self, make: Factory) -> None:
        """Listen; raises SetupError when an address or a certificate cannot be used."""
        config = self._config
        if config.is_plain_enabled:
            self.port = await self._listen(make, config.host, config.port)
            logger.info("Devices can connect to %s:%d (MQTT).", config.host, self.port)
        if config.tls is not None:
            self._certificate = await asyncio.to_thread(_Certificate, config.tls)
            context = self._certificate.context
            self.tls_port = await self._listen(make, config.tls.host, config.tls.port, context)
            logger.info("Devices can connect to %s:%d (MQTT over TLS).", config.tls.host, self.tls_port)

    async def _listen(self, make: Factory, host: str, port: int, context: ssl.SSLContext | None = None) -> int:
        timeout_s = self._config.connect_timeout_s if context else None
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                make, host, port, backlog=_BACKLOG, ssl=context, ssl_handshake_timeout=timeout_s
            )
        except (OSError, OverflowError) as error:
            raise SetupError(_why_not(error, host, port)) from error
        self._servers.append(server)
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    async def look_at_certificate(self) -> None:
        """Take a renewed certificate over for new connections; call it every few seconds."""
        if self._certificate is not None:
            self.problem = await asyncio.to_thread(self._certificate.renew)

    def close(self) -> None:
        """Take no new connections."""
        for server in self._servers:
            server.close()


class _Certificate:
    """What new connections are shown. Its methods block for the time of reading small files.

    A renewed pair gets a context of its own, chosen at each handshake: a context that is in use must not be changed,
    since for a moment its certificate and key would not belong together.

    Attributes:
        context: to listen with.
    """

    def __init__(self, config: TlsConfig) -> None:
        self._config = config
        self._seen = self._look()
        try:
            self.context = self._current = _make_context(config)
        except OSError as error:
            raise SetupError(
                f"Devices cannot connect over TLS: {_why_no_certificate(config, error)} Nothing was started."
            ) from error
        self.context.sni_callback = self._show_current

    def _show_current(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _look(self) -> tuple[tuple[int, int], ...]:
        files = (self._config.certificate_file, self._config.key_file)
        return tuple(_look_at(file) for file in files)

    def renew(self) -> str:
        """Load the files anew if they changed; returns what is wrong, "" when nothing is."""
        seen = self._look()
        if seen == self._seen:
            return ""
        try:
            self._current = _make_context(self._config)
        except OSError as error:
            return (
                f"The endpoint's renewed certificate cannot be used: {_why_no_certificate(self._config, error)} "
                "Devices are still shown the one before it."
            )
        self._seen = seen
        logger.info("New connections are shown the renewed certificate.")
        return ""


def _look_at(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _make_context(config: TlsConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config.certificate_file, config.key_file)
    if config.client_ca_file is not None:
        context.load_verify_locations(config.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _why_no_certificate(config: TlsConfig, error: OSError) -> str:
    files = [config.certificate_file, config.key_file, config.client_ca_file]
    named = ", ".join(str(file) for file in files if file is not None)
    if isinstance(error, ssl.SSLError):
        return f"{named} are no matching certificate and key in PEM form ({error.reason or error})."
    return f"one of {named} cannot be read ({error.strerror or error})."


def _why_not(error: OSError | OverflowError, host: str, port: int) -> str:
    place = f"Devices cannot connect: port {port} on {host} cannot be taken"
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"{place} because another program uses it; stop that program or choose another port."
    if code == errno.EACCES:
        return f"{place} without special rights; choose a port above 1023, or give the service the right."
    return f"{place} ({error}); check the address in the settings."
