"""Mail travels over TLS of both kinds to a server whose certificate fits, or not at all."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from factoryops.certificates.authority import Authority, create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.domain.notifying import ChannelKind
from factoryops.notifications.channel import Outcome
from factoryops.notifications.mail import MailChannel, MailServer
from tests.support.mail_server import MailServerStub
from tests.support.messages import alarm_message

KINDS = ("starttls", "tls")
PASSWORD = "right-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = create_authority(tmp_path_factory.mktemp("authority"))
    made.issue("mail", Purpose.SERVER, ["127.0.0.1"])
    made.issue("elsewhere", Purpose.SERVER, ["mail.example.com"])
    return made


@asynccontextmanager
async def serving(authority: Authority, name: str, security: str) -> AsyncIterator[MailServerStub]:
    context = None
    if security != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority.certificate_file(name), authority.key_file(name))
    server = MailServerStub(tls=context, is_tls_from_the_start=security == "tls", password=PASSWORD)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def send(server: MailServerStub, security: str, ca_file: Path | None, password: str = PASSWORD) -> Outcome:
    channel = MailChannel(
        MailServer(
            "127.0.0.1",
            server.port,
            "factoryops@example.com",
            security,
            "factoryops",
            password,
            ca_file,
            timeout_s=10.0,
        )
    )
    return await channel.send(alarm_message(ChannelKind.EMAIL, "jana@example.com"))


@pytest.mark.parametrize("security", KINDS)
async def test_a_message_and_the_login_travel_over_tls(authority: Authority, security: str) -> None:
    async with serving(authority, "mail", security) as server:
        outcome = await send(server, security, authority.ca_file)
        assert (outcome.reason, server.logins) == ("", ["over TLS"])
    (mail,) = server.kept
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(text, bytes)
    assert "If nobody acts: The seal bursts." in text.decode()


@pytest.mark.parametrize("security", KINDS)
async def test_a_wrong_password_is_a_refused_login(authority: Authority, security: str) -> None:
    async with serving(authority, "mail", security) as server:
        outcome = await send(server, security, authority.ca_file, "wrong-password")
    assert (outcome.is_login_refused, outcome.is_permanent, server.kept) == (True, False, [])
    assert "wrong-password" not in outcome.reason


@pytest.mark.parametrize("security", KINDS)
async def test_a_certificate_of_another_authority_is_refused_and_nothing_is_sent(
    authority: Authority, tmp_path: Path, security: str
) -> None:
    stranger = create_authority(tmp_path / "stranger", name="Somebody else")
    async with serving(authority, "mail", security) as server:
        outcome = await send(server, security, stranger.ca_file)
    assert "certificate cannot be trusted" in outcome.reason
    assert (outcome.is_permanent, server.kept, server.logins) == (False, [], [])


@pytest.mark.parametrize("security", KINDS)
async def test_a_certificate_of_another_name_is_refused_and_nothing_is_sent(
    authority: Authority, security: str
) -> None:
    async with serving(authority, "elsewhere", security) as server:
        outcome = await send(server, security, authority.ca_file)
    assert "certificate cannot be trusted" in outcome.reason
    assert (server.kept, server.logins) == ([], [])


async def test_a_server_that_offers_no_tls_gets_neither_password_nor_message(authority: Authority) -> None:
    async with serving(authority, "mail", "none") as server:
        outcome = await send(server, "starttls", authority.ca_file)
    assert not outcome.is_accepted
    assert (server.kept, server.logins) == ([], [])


async def test_an_authority_that_cannot_be_read_lets_the_message_wait(authority: Authority, tmp_path: Path) -> None:
    async with serving(authority, "mail", "tls") as server:
        outcome = await send(server, "tls", tmp_path / "absent.pem")
    assert (outcome.is_login_refused, outcome.is_permanent) == (True, False)
    assert "absent.pem cannot be read: correct notifications.smtp.ca_file" in outcome.reason
