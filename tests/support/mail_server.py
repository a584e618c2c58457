"""A real SMTP server that can be told to misbehave."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Answer = Callable[[str], str]


class MailServerStub:
    """Takes mail on a free port of loopback.

    Attributes:
        answer: what DATA is answered with; "hang" never answers, "drop" keeps the mail and breaks off.
        refusal: what every recipient is answered; "" to take them.
        logins: who logged in.
    """

    def __init__(
        self,
        answer: Answer = lambda _: "250 OK",
        *,
        refusal: str = "",
        tls: ssl.SSLContext | None = None,
        is_tls_from_the_start: bool = False,
        password: str = "",
    ) -> None:
        self.answer = answer
        self.refusal = refusal
        self.logins: list[str] = []
        self._tls = tls
        self._is_tls_from_the_start = is_tls_from_the_start
        self._password = password
        self.kept: list[Message] = []
        self.tries: Counter[str] = Counter()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._release = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                self,
                hostname="stub",
                loop=asyncio.get_running_loop(),
                auth_require_tls=False,
                authenticator=self._log_in,
                tls_context=None if self._is_tls_from_the_start else self._tls,
                require_starttls=self._tls is not None and not self._is_tls_from_the_start,
            ),
            sock=listener,
            ssl=self._tls if self._is_tls_from_the_start else None,
        )

    def _log_in(self, _server: SMTP, session: Session, _envelope: Envelope, _way: str, data: object) -> AuthResult:
        given = data.password.decode() if isinstance(data, LoginPassword) else ""
        if not self._password or given != self._password:
            return AuthResult(success=False, handled=False)
        self.logins.append("over TLS" if session.ssl is not None or self._is_tls_from_the_start else "in plain")
        return AuthResult(success=True)

    async def stop(self) -> None:
        """Let go of the port and of whoever hangs."""
        self._release.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def handle_RCPT(  # noqa: N802 - the library names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content)
        identity = str(mail["Message-ID"])
        self.tries[identity] += 1
        told = self.answer(identity)
        if told == "hang":
            await self._release.wait()
            return "421 stopping"
        if told == "drop":
            self.kept.append(mail)
            assert server.transport is not None
            server.transport.close()
            return "250 OK"
        if told.startswith("2"):
            self.kept.append(mail)
        return told

    def ids(self) -> Counter[str]:
        """How often each Message-ID was kept."""
        return Counter(str(one["Message-ID"]) for one in self.kept)
