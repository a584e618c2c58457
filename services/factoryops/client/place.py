"""Where a service is, and how a client makes sure that it is the right one."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from factoryops.domain.errors import SetupError


@dataclass(frozen=True, slots=True)
class ServicePlace:
    """Addresses of a service.

    Attributes:
        api_url: base of the HTTP operations.
        live_url: of the WebSocket.
        tls: None on plain loopback.
    """

    api_url: str
    live_url: str
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, ca_file: Path | None) -> ServicePlace:
        """The place of `url`.

        Raises:
            SetupError: it cannot be used, or would send the token in the clear over a network.
        """
        try:
            parts = urlsplit(url.strip().rstrip("/"))
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise SetupError(f"The address {url} cannot be used: {error}.") from error
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.username:
            raise SetupError(f"The address {url} cannot be used; give one such as https://plant-server:8420.")
        if parts.scheme == "http" and not _is_loopback(host):
            raise SetupError(
                f"{url} would send passwords and values unprotected over the network; use https for another machine."
            )
        base = f"{parts.netloc}{parts.path}/api/v1"
        if parts.scheme == "http":
            return cls(f"http://{base}/", f"ws://{base}/live", None)
        return cls(f"https://{base}/", f"wss://{base}/live", _tls(ca_file))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the plant's own authority alone when it is given, else the system's."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"The certificate authority {ca_file} cannot be read: {error}.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
