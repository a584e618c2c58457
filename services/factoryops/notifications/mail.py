"""E-mail through an SMTP server."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from html import escape
from pathlib import Path
from typing import Final

import aiosmtplib

from factoryops.domain.notifying import ChannelKind
from factoryops.notifications.channel import ACCEPTED, Outcome, Outgoing
from factoryops.notifications.tls import Trust

_PICTURE: Final = "trend-{number}@factoryops"

_STATUS: Final = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server and how to log in there.

    Attributes:
        security: "starttls", "tls" or "none".
        timeout_s: for the whole of one message.
    """

    host: str
    port: int
    sender: str
    security: str = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_s: float = 20.0


class _TrustUnreadableError(Exception):
    """The file that says whom to trust is missing, or holds no certificates."""


class MailChannel:
    """Sends each message over a connection of its own, so that one that hangs holds up nothing but itself."""

    kind = ChannelKind.EMAIL

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._trust = Trust(lambda: ssl.create_default_context(cafile=server.ca_file))

    async def send(self, message: Outgoing) -> Outcome:
        """Hand a message over to the server."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await self._send(message)
        except _TrustUnreadableError:
            return Outcome(
                f"The file of authorities {self._server.ca_file} cannot be read: correct notifications.smtp.ca_file.",
                is_login_refused=True,
            )
        except TimeoutError:
            return Outcome(f"The mail server did not answer within {self._server.timeout_s:g} s.")
        except aiosmtplib.SMTPAuthenticationError as error:
            return Outcome(f"The mail server refuses our login ({error.code}).", is_login_refused=True)
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _refused(first.code, first.message)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return _broken(error)
        return ACCEPTED

    async def _context(self) -> ssl.SSLContext | None:
        if self._server.security == "none":
            return None
        try:
            return await self._trust.context()
        except OSError as error:
            raise _TrustUnreadableError from error

    async def _send(self, message: Outgoing) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=await self._context(),
            timeout=server.timeout_s,
        )
        try:
            await client.connect()
            if server.username is not None and server.password is not None:
                await client.login(server.username, server.password)
            await client.send_message(email_of(message, server.sender))
        finally:
            client.close()


def email_of(message: Outgoing, sender: str) -> EmailMessage:
    """The e-mail of a message: text, HTML and the pictures. A line break in a header raises ValueError."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, message.address, message.subject
    made["Date"] = formatdate(min(one.created_us for one in message.deliveries) / 1e6, usegmt=True)
    made["Message-ID"] = f"<{message.id}@{sender.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text)
    named = {_PICTURE.format(number=number): one for number, one in enumerate(message.pictures, 1)}
    shown = "".join(f'<p><img src="cid:{name}" alt="{escape(one.shows)}"></p>' for name, one in named.items())
    made.add_alternative(message.html.replace("<!--trend-->", shown), subtype="html")
    html = made.get_payload()[1]  # type: ignore[index]  # the alternative that was just added
    for name, one in named.items():
        html.add_related(one.png, "image", "png", cid=f"<{name}>")  # type: ignore[union-attr]  # as above
    return made


def _broken(error: Exception) -> Outcome:
    """What kept a connection from being made, or ended it."""
    for one in (error, error.__cause__):
        if isinstance(one, ssl.SSLError):
            return Outcome(f"The mail server's certificate cannot be trusted, or TLS failed ({one.reason}).")
    return Outcome(f"The mail server cannot be reached, or broke off ({type(error).__name__}).")


def _refused(code: int, text: str) -> Outcome:
    """What a server answered, by its codes alone: its words name whom the message was for."""
    status = _STATUS.search(text)
    told = f"{code} {status.group()}" if status else f"{code}"
    return Outcome(f"The mail server answered {told}.", is_permanent=500 <= code < 600)
