"""How the client takes what a network and a strange service do to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.errors import (
    ConflictError,
    FactoryOpsError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotLoggedInError,
    TooManyAttemptsError,
    UnavailableError,
)

_SESSION = {
    "user": "anna", "role": "viewer", "permissions": ["view"], "expires_at": "2030-01-01T00:00:00Z",
    "factory": {"id": "0" * 32, "slug": "riverside", "name": "Riverside", "timezone": "UTC"},
}  # fmt: skip
_NEWER = {**_SESSION, "mood": "sunny"}

Handler = Callable[[bytes], Awaitable[bytes | None]]


@asynccontextmanager
async def _service(*answers: bytes | None) -> AsyncIterator[tuple[HttpPlant, list[bytes]]]:
    """A service that gives these answers, one per connection; None hangs up without one."""
    heads: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            answer = left.pop(0) if left else None
            if answer is not None:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plant = HttpPlant(f"http://127.0.0.1:{port}", timeout_s=1.0)
    try:
        yield plant, heads
    finally:
        await plant.close()
        server.close()
        await server.wait_closed()


def _answer(status: int, body: object, kind: str = "application/json", extra: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n{extra}"
    return head.encode() + b"\r\n" + data


def _problem(status: int, extra: str = "") -> bytes:
    body = {"title": "T", "status": status, "detail": "Said plainly.", "request_id": "r-1", "fields": {"name": "why"}}
    return _answer(status, body, "application/problem+json", extra)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotLoggedInError), (403, NotAllowedError), (404, NotFoundError), (409, ConflictError),
     (422, InvalidInputError), (413, InvalidInputError), (429, TooManyAttemptsError), (503, UnavailableError),
     (500, UnavailableError)],
)  # fmt: skip
async def test_a_problem_becomes_the_error_it_stands_for(status: int, kind: type[FactoryOpsError]) -> None:
    async with _service(_problem(status, "Retry-After: 7\r\n")) as (plant, _):
        with pytest.raises(kind, match="Said plainly") as caught:
            await plant.resume("t")
    assert type(caught.value) is kind
    if isinstance(caught.value, InvalidInputError):
        assert caught.value.fields == {"name": "why"}
    if status in (429, 503) and isinstance(caught.value, UnavailableError):
        assert caught.value.retry_after_s == 7
    if status == 500:
        assert "r-1" in str(caught.value)


async def test_a_get_is_asked_once_more_when_the_connection_breaks() -> None:
    async with _service(None, _answer(200, _SESSION)) as (plant, heads):
        assert (await plant.resume("t")).user == "anna"
    assert len(heads) == 2


async def test_a_get_is_given_up_when_the_connection_breaks_again() -> None:
    async with _service(None, None, _answer(200, _SESSION)) as (plant, heads):
        with pytest.raises(UnavailableError):
            await plant.resume("t")
    assert len(heads) == 2


async def test_what_changes_something_is_never_sent_twice() -> None:
    async with _service(_answer(200, _SESSION), None, None) as (plant, heads):
        await plant.resume("t")
        with pytest.raises(UnavailableError):
            await plant.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT))
    assert len(heads) == 2


async def test_the_token_is_in_the_header_and_nowhere_else() -> None:
    async with _service(_answer(200, _SESSION), _answer(200, {"devices": []})) as (plant, heads):
        await plant.resume("very-secret")
        assert await plant.devices() == []
    for head in heads:
        assert b"authorization: bearer very-secret" in head.lower()
        assert head.lower().count(b"very-secret") == 1
        assert b"very-secret" not in head.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "answer",
    [_answer(200, b"<html>a proxy</html>", "text/html"), _answer(200, {"user": 1}), _answer(502, b"bad", "text/html"),
     _answer(302, b"", extra="Location: http://elsewhere/\r\n"), _answer(500, b"{", "application/problem+json")],
    ids=["a page", "another shape", "a gateway", "a redirect", "half a problem"],
)  # fmt: skip
async def test_an_answer_that_is_none_of_ours_is_unavailable(answer: bytes) -> None:
    async with _service(answer, answer) as (plant, _):
        with pytest.raises(UnavailableError):
            await plant.resume("t")


async def test_fields_of_a_newer_service_are_passed_over() -> None:
    async with _service(_answer(200, _NEWER)) as (plant, _):
        assert (await plant.resume("t")).user == "anna"


async def test_nothing_listens_means_unavailable() -> None:
    plant = HttpPlant("http://127.0.0.1:9", timeout_s=1.0)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await plant.login("a", "b", "c")
    with pytest.raises(NotLoggedInError):
        await plant.open_live()
    await plant.close()


async def test_a_service_that_does_not_answer_is_given_up() -> None:
    silence = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    plant = HttpPlant(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=0.3)
    with pytest.raises(UnavailableError, match="in time"):
        await plant.resume("t")
    await plant.close()
    silence.set()
    server.close()
    await server.wait_closed()


async def test_a_live_link_to_nothing_is_unavailable() -> None:
    async with _service(_answer(200, _SESSION), _answer(404, {})) as (plant, _):
        await plant.resume("t")
        with pytest.raises(UnavailableError):
            await plant.open_live()
