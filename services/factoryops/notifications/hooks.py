"""Webhooks and chat hooks: one POST to an address that was checked, and nothing else.

Whoever enters an address decides where the plant server connects to. So the name is resolved once, every address is
checked, the connection goes to the checked address itself, redirects are not followed and no proxy is asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

import httpx

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.notifying import ChannelKind
from factoryops.notifications.channel import ACCEPTED, Outcome, Outgoing
from factoryops.notifications.hook_bodies import body_of, in_few_words
from factoryops.notifications.hook_secrets import HookRules, check_url, port_of
from factoryops.notifications.tls import Trust, public_authorities

CONNECT_S: Final = 5.0
TOTAL_S: Final = 10.0
MOST_ANSWER_BYTES: Final = 64 << 10
FAILURES_TO_OPEN: Final = 5
OPEN_S: Final = 60.0
_TOO_LONG: Final = 413
_PERMANENT: Final = frozenset({400, 401, 403, 404, 405, 410, _TOO_LONG, 415, 422})

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(slots=True)
class _Breaker:
    """Leaves an address alone for a minute after five failures in a row."""

    failures: int = 0
    opened_at: float = 0.0

    def is_open(self, now: float) -> bool:
        return self.failures >= FAILURES_TO_OPEN and now - self.opened_at < OPEN_S

    def note(self, outcome: Outcome, now: float) -> None:
        self.failures = 0 if outcome.is_accepted else self.failures + 1
        self.opened_at = now


class HookPoster:
    """Posts to hooks within the rules.

    Args:
        resolver: who answers for names; a test's own, or the system's.
        trust: whose certificates are taken.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        rules: HookRules,
        *,
        resolver: Resolver = resolve,
        trust: Trust | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._trust = trust or Trust(public_authorities)
        self._resolve = resolver
        self._clock = clock
        self._breakers: dict[str, _Breaker] = {}

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """One POST; answers what came of it."""
        breaker = self._breakers.setdefault(url, _Breaker())
        if breaker.is_open(self._clock()):
            return Outcome("It failed five times in a row and is left alone for a minute.")
        outcome = await self._post(url, body, headers)
        breaker.note(outcome, self._clock())
        return outcome

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        try:
            async with asyncio.timeout(TOTAL_S):
                parts = check_url(url, self._rules)
                address = await self._checked_address(parts)
                return await self._exchange(parts, address, body, headers)
        except InvalidInputError as error:
            return Outcome(str(error), is_permanent=True)
        except TimeoutError:
            return Outcome(f"The hook did not answer within {TOTAL_S:g} s.")
        except (httpx.HTTPError, OSError) as error:
            return Outcome(f"The hook cannot be reached, or broke off ({type(error).__name__}).")

    async def _checked_address(self, parts: SplitResult) -> str:
        """An address of the host; every one it has must be permitted."""
        host = parts.hostname or ""
        answered = await self._resolve(host, port_of(parts))
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in answered]
        if not addresses:
            raise OSError("no address")
        if not all(self._rules.permits(one) for one in addresses):
            raise InvalidInputError(
                f"The hook's host {host} leads into a network that is not public. Nothing was sent; "
                "plant IT can allow it with notifications.hooks.allowed_networks."
            )
        return str(addresses[0])

    async def _exchange(self, parts: SplitResult, address: str, body: bytes, headers: dict[str, str]) -> Outcome:
        host = parts.hostname or ""
        place = f"[{address}]" if ":" in address else address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # A client per message: a connection that is kept belongs to an address, which several hosts may share.
        async with httpx.AsyncClient(
            verify=await self._trust.context(),
            timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
        ) as client:
            request = client.build_request(
                "POST",
                f"{parts.scheme}://{place}:{port_of(parts)}{path}",
                content=body,
                headers={**headers, "Host": parts.netloc},
                extensions={"sni_hostname": host},
            )
            response = await client.send(request, stream=True)
            try:
                await _read_a_little(response)
            finally:
                await response.aclose()
        return _judged(response.status_code)


async def _read_a_little(response: httpx.Response) -> None:
    taken = 0
    async for part in response.aiter_raw(8_192):
        taken += len(part)
        if taken >= MOST_ANSWER_BYTES:
            return


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return ACCEPTED
    if 300 <= status < 400:
        return Outcome(f"The hook answered {status}: redirects are not followed.", is_permanent=True)
    return Outcome(
        f"The hook answered {status}.", is_permanent=status in _PERMANENT, is_too_long=status == _TOO_LONG
    )  # fmt: skip


class HookChannel:
    """Webhooks, signed; or the incoming hooks of chats."""

    def __init__(self, kind: ChannelKind, poster: HookPoster, clock: Callable[[], float] = time.time) -> None:
        self._kind = kind
        self._poster = poster
        self._clock = clock

    @property
    def kind(self) -> ChannelKind:
        """Which one."""
        return self._kind

    async def send(self, message: Outgoing) -> Outcome:
        """Post a message; to whoever finds it too long, once more in a few words."""
        outcome = await self._send(message)
        if outcome.is_too_long and message.spare:
            outcome = await self._send(in_few_words(message))
        return outcome

    async def _send(self, message: Outgoing) -> Outcome:
        body = body_of(message)
        headers = {"Content-Type": "application/json", "User-Agent": "FactoryOps", "X-FactoryOps-Message": message.id}
        if message.signing_key:
            stamp = str(int(self._clock()))
            headers["X-FactoryOps-Timestamp"] = stamp
            headers["X-FactoryOps-Signature"] = signature(message.signing_key, stamp, body)
        return await self._poster.post(message.address, body, headers)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What a receiver computes again: HMAC-SHA256 over the time stamp, a full stop and the body."""
    digest = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"
