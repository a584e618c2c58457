"""Row 61: wherever a hook's address leads, and whatever answers there, nothing but that one POST happens."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from factoryops.domain.errors import InvalidInputError
from factoryops.notifications.hook_secrets import HookRules, check_url
from factoryops.notifications.hooks import FAILURES_TO_OPEN, HookPoster, signature

LOOPBACK = HookRules(allowed_networks=(ipaddress.ip_network("127.0.0.0/8"),), allow_http=True)
OPEN = HookRules(allow_http=True)


@asynccontextmanager
async def answering(answer: Callable[[asyncio.StreamWriter], object]) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that reads a request and lets `answer` do the rest."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        try:
            answer(writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


def plain(status: str, body: bytes = b"", *headers: str) -> Callable[[asyncio.StreamWriter], object]:
    head = "".join(f"{one}\r\n" for one in (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"))
    return lambda writer: writer.write(head.encode() + b"\r\n" + body)


async def test_an_accepted_message_carries_the_host_s_own_name() -> None:
    async with answering(plain("204 No Content")) as (port, asked):

        async def resolver(_host: str, _port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        poster = HookPoster(LOOPBACK, resolver=resolver)
        outcome = await poster.post(f"http://hooks.example.com:{port}/x?y=1", b"{}", {"X-Key": "v"})
        assert outcome.is_accepted
    assert asked[0].startswith(b"POST /x?y=1 HTTP/1.1")
    assert f"host: hooks.example.com:{port}".encode() in asked[0].lower()


async def test_no_proxy_of_the_environment_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with answering(plain("204 No Content")) as (port, asked):
        assert (await HookPoster(LOOPBACK).post(f"http://127.0.0.1:{port}/", b"{}", {})).is_accepted
    assert len(asked) == 1


async def test_a_redirect_is_not_followed() -> None:
    async with answering(plain("302 Found", b"", "Location: http://127.0.0.1:1/")) as (port, asked):
        outcome = await HookPoster(LOOPBACK).post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert (outcome.is_permanent, len(asked)) == (True, 1)
    assert "redirects are not followed" in outcome.reason


async def test_an_endless_answer_is_left_after_64_kib() -> None:
    def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n" + bytes(1 << 20))

    async with answering(flood) as (port, _):
        assert (await HookPoster(LOOPBACK).post(f"http://127.0.0.1:{port}/", b"{}", {})).is_accepted


async def test_a_name_that_turns_to_an_inner_address_reaches_nothing() -> None:
    answers = iter([["93.184.216.34", "127.0.0.1"], ["127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"]])

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    async with answering(plain("200 OK")) as (port, asked):
        poster = HookPoster(OPEN, resolver=rebinding)
        for _ in range(4):
            outcome = await poster.post(f"http://rebind.example.com:{port}/", b"{}", {})
            assert outcome.is_permanent
            assert "not public" in outcome.reason
    assert asked == []


async def test_after_five_failures_a_hook_is_left_alone_for_a_minute() -> None:
    now = 0.0
    async with answering(plain("500 Oops")) as (port, asked):
        poster = HookPoster(LOOPBACK, clock=lambda: now)
        url = f"http://127.0.0.1:{port}/"
        for _ in range(FAILURES_TO_OPEN):
            assert "500" in (await poster.post(url, b"{}", {})).reason
        assert "left alone" in (await poster.post(url, b"{}", {})).reason
        assert len(asked) == FAILURES_TO_OPEN
        now = 61.0
        assert "500" in (await poster.post(url, b"{}", {})).reason


INNER = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]", "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]", "[fec0::1]", "[64:ff9b:1::7f00:1]", "198.18.0.1", "192.0.2.1",
]  # fmt: skip


@pytest.mark.parametrize("host", INNER)
def test_no_address_that_is_not_public_is_let_through(host: str) -> None:
    with pytest.raises(InvalidInputError):
        check_url(f"https://{host}/hook", HookRules())


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
async def test_other_ways_to_write_an_inner_address_are_found_when_they_are_resolved(host: str) -> None:
    outcome = await HookPoster(OPEN).post(f"http://{host}:9/", b"{}", {})
    assert not outcome.is_accepted
    assert "not public" in outcome.reason or "cannot be reached" in outcome.reason


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "http://example.com/x",
        "https:///x",
        "https://user:pw@example.com/",
        "nonsense",
        "https://a..b/",
        f"https://{'a' * 70}.example.com/",
        "https://exämple.de/",
        "https://example.com/\x01",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        check_url(url, HookRules())


def test_only_named_hosts_are_asked_where_some_are_named() -> None:
    rules = HookRules(allowed_hosts=frozenset({"hooks.example.com"}))
    assert check_url("https://HOOKS.example.com/x", rules).hostname == "hooks.example.com"
    with pytest.raises(InvalidInputError, match="allowed_hosts"):
        check_url("https://other.example.com/x", rules)


def test_a_signature_covers_the_moment_and_the_body() -> None:
    one = signature("key", "1", b"{}")
    assert one.startswith("sha256=")
    assert len({one, signature("key", "2", b"{}"), signature("key", "1", b"{ }"), signature("yek", "1", b"{}")}) == 4
