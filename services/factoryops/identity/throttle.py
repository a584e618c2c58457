"""Delays after wrong passwords that can slow a guesser down but lock nobody out.

A delay belongs to an account at one source address, 30 s at most, and ends by itself: whoever guesses from one place
never delays the same account elsewhere, and no number of failures locks anything for good.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from factoryops.domain.errors import TooManyAttemptsError

Attempt = tuple[str, str, str]
"""Factory slug, user name, source address."""

DELAYS_S: Final = (0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""After the first failure, the second, and so on; the last one holds from there on."""
_FORGOTTEN_AFTER_S: Final = 900.0
_MOST_KEPT: Final = 10_000
_ATTACK_FAILURES: Final = 100
_ATTACK_SPAN_S: Final = 3_600.0


@dataclass(slots=True)
class _Trouble:
    failures: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


@dataclass(slots=True)
class _Account:
    failed_s: deque[float] = field(default_factory=lambda: deque(maxlen=_ATTACK_FAILURES))


class Throttle:
    """Remembers failures; an attempt counts as one from its start until it proves right."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._troubles: OrderedDict[Attempt, _Trouble] = OrderedDict()
        self._accounts: OrderedDict[tuple[str, str], _Account] = OrderedDict()

    def begin(self, attempt: Attempt) -> None:
        """Note an attempt; raises TooManyAttemptsError while it must wait (which does not prolong the wait)."""
        now_s = self._clock_s()
        with self._lock:
            trouble = self._troubles.setdefault(attempt, _Trouble())
            self._troubles.move_to_end(attempt)
            if now_s - trouble.last_s > _FORGOTTEN_AFTER_S:
                trouble.failures = 0
            elif now_s < trouble.until_s:
                raise _must_wait(trouble.until_s - now_s)
            trouble.failures += 1
            trouble.last_s = now_s
            trouble.until_s = now_s + DELAYS_S[min(trouble.failures, len(DELAYS_S)) - 1]
            while len(self._troubles) > _MOST_KEPT:
                self._troubles.popitem(last=False)

    def failed(self, attempt: Attempt) -> None:
        """The attempt was wrong: count it for its account."""
        with self._lock:
            account = self._accounts.setdefault(attempt[:2], _Account())
            self._accounts.move_to_end(attempt[:2])
            account.failed_s.append(self._clock_s())
            while len(self._accounts) > _MOST_KEPT:
                self._accounts.popitem(last=False)

    def cleared(self, attempt: Attempt) -> None:
        """The attempt was right."""
        with self._lock:
            self._troubles.pop(attempt, None)

    def undecided(self, attempt: Attempt) -> None:
        """The attempt could not be judged: it does not count, the ones before it still do."""
        with self._lock:
            trouble = self._troubles.get(attempt)
            if trouble is not None:
                trouble.failures = max(0, trouble.failures - 1)
                trouble.until_s = trouble.last_s

    def under_attack(self) -> int:
        """Accounts with 100 failures within the last hour."""
        since_s = self._clock_s() - _ATTACK_SPAN_S
        with self._lock:
            return sum(
                len(account.failed_s) == _ATTACK_FAILURES and account.failed_s[0] >= since_s
                for account in self._accounts.values()
            )


def _must_wait(left_s: float) -> TooManyAttemptsError:
    seconds = math.ceil(left_s)
    return TooManyAttemptsError(
        f"Too many wrong attempts from this workstation: try again in {seconds} s.", retry_after_s=seconds
    )
