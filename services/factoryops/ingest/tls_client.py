"""paho-mqtt over TLS that closes what it opened when the other side is not whom we trust, and says precisely why."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from paho.mqtt.client import Client

_ENDED: Final = 10
_NOT_YET: Final = 9
_WRONG_NAME: Final = frozenset({62, 64})
_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes of X509_V_ERR_…"""


class TlsClient(Client):
    """A client whose connections are made here.

    Attributes:
        tls: None for a connection without TLS. There is no way from one to the other.
    """

    tls: ssl.SSLContext | None = None

    def _create_socket_connection(self) -> socket.socket:
        connection = super()._create_socket_connection()
        if self.tls is None:
            return connection
        secured = self.tls.wrap_socket(connection, server_hostname=self.host, do_handshake_on_connect=False)
        try:
            secured.settimeout(self.connect_timeout)
            secured.do_handshake()
        except (OSError, ValueError):
            secured.close()
            raise
        return secured

    def certificate_ends_at(self) -> datetime | None:
        """When the certificate that the other side showed ends; None without TLS or connection."""
        connection = self.socket()
        if not isinstance(connection, ssl.SSLSocket):
            return None
        shown = connection.getpeercert() or {}
        until = shown.get("notAfter")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if isinstance(until, str) else None


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later that trusts `ca_file` and nobody else, or whom the system trusts; names are checked.

    Raises:
        OSError: the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def why_not(error: Exception) -> str:
    """Why a connection could not be made, in one sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _why_not_trusted(error)
    if isinstance(error, ssl.SSLError):
        return f"It does not speak TLS as we do ({error.reason or error})."
    if isinstance(error, ConnectionRefusedError):
        return "Nobody listens there."
    if isinstance(error, socket.gaierror):
        return "Its name is not known here."
    if isinstance(error, TimeoutError):
        return "It does not answer."
    return f"{error}."


def _why_not_trusted(error: ssl.SSLCertVerificationError) -> str:
    code = error.verify_code
    if code == _ENDED:
        return "Its certificate has ended; renew it there."
    if code == _NOT_YET:
        return "Its certificate is not good yet; check both clocks."
    if code in _WRONG_NAME:
        return f"Its certificate is for another name ({error.verify_message})."
    if code in _UNKNOWN_AUTHORITY:
        return "Its certificate was not issued by the authority that ca_file names."
    return f"Its certificate is refused ({error.verify_message})."
