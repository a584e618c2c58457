from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.api.guard import bearer_token, json_depth
from factoryops.api.outbox import Outbox
from factoryops.api.pool import WorkPool
from factoryops.api.rate_limits import Cost, RateLimits
from factoryops.domain.errors import NotLoggedInError, TooManyAttemptsError, UnavailableError

_JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@given(_JSON, st.booleans())
def test_the_depth_of_json_is_told_without_parsing_it(value: object, is_ascii: bool) -> None:
    assert json_depth(json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")) == _depth(value)


@given(st.binary())
def test_any_bytes_have_a_depth(data: bytes) -> None:
    assert json_depth(data) >= 0


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b'"\\' * 500_000, b"[" * 1_000_000, b'"[' * 500_000])
def test_hostile_text_is_measured_in_linear_time(data: bytes) -> None:
    began = time.monotonic()
    json_depth(data)
    assert time.monotonic() - began < 1.0


def test_a_session_has_its_allowance_back_after_a_while_and_shares_it_with_nobody() -> None:
    now = [0.0]
    limits = RateLimits({Cost.LIGHT: 60, Cost.HISTORY: 6, Cost.WORK: 3}, at_once=1, clock=lambda: now[0])
    for _ in range(20):
        limits.take("a", Cost.LIGHT)
    with pytest.raises(TooManyAttemptsError) as refused:
        limits.take("a", Cost.LIGHT)
    assert refused.value.retry_after_s == 1
    limits.take("b", Cost.LIGHT)
    limits.take("a", Cost.WORK)
    now[0] += 1.0
    limits.take("a", Cost.LIGHT)
    with pytest.raises(TooManyAttemptsError):
        limits.take("a", Cost.LIGHT)


def test_an_operator_with_ten_widgets_never_meets_the_limits() -> None:
    now = [0.0]
    limits = RateLimits({Cost.LIGHT: 1_200, Cost.HISTORY: 600, Cost.WORK: 30}, at_once=3, clock=lambda: now[0])
    for second in range(1_800):
        now[0] = float(second)
        for _ in range(10):
            limits.take("operator", Cost.LIGHT)
        for _ in range(3):
            limits.take("operator", Cost.HISTORY)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer " + "x" * 257, "token"])
def test_an_authorization_that_is_no_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(NotLoggedInError):
        bearer_token(header)


def test_a_bearer_token_is_taken() -> None:
    assert bearer_token("bearer abc") == "abc"
    assert bearer_token(None) is None


async def test_a_full_pool_says_come_back_and_a_slow_call_is_given_up() -> None:
    pool = WorkPool(threads=1, most_waiting=1, timeout_s=0.05)
    release = threading.Event()
    first = asyncio.create_task(pool.run(release.wait))
    second = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError, match="busy"):
        await pool.run(release.wait)
    for call in (first, second):
        with pytest.raises(UnavailableError, match="too long"):
            await call
    release.set()
    await pool.close()


async def test_a_pool_passes_results_and_errors_on() -> None:
    pool = WorkPool()
    assert await pool.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 7, 0)
    await pool.close()


async def test_an_outbox_keeps_the_order_and_tells_when_it_is_full() -> None:
    now = [0.0]
    outbox = Outbox(most_frames=3, most_bytes=10, clock=lambda: now[0])
    assert all(outbox.put(frame) for frame in (b"a", b"b", b"c"))
    assert not outbox.put(b"d")
    sent: list[bytes] = []

    async def send(frame: bytes) -> None:
        sent.append(frame)
        if len(sent) == 4:
            outbox.end(1013)

    await outbox.pump(send)
    assert sent == [b"a", b"b", b"c", b"d"]
    assert outbox.put(b"e")
    assert outbox.end_code == 1013
    await outbox.ended()


async def test_an_outbox_counts_bytes() -> None:
    outbox = Outbox(most_frames=100, most_bytes=10, clock=time.monotonic)
    assert outbox.put(b"x" * 10)
    assert not outbox.put(b"x")


async def test_a_client_that_takes_nothing_for_five_seconds_is_stuck() -> None:
    now = [0.0]
    outbox = Outbox(most_frames=3, most_bytes=10, clock=lambda: now[0])
    never = asyncio.Event()

    async def send(frame: bytes) -> None:
        await never.wait()

    outbox.put(b"a")
    pump = asyncio.create_task(outbox.pump(send))
    await asyncio.sleep(0)
    assert not outbox.is_stuck()
    now[0] = 5.1
    assert outbox.is_stuck()
    pump.cancel()
