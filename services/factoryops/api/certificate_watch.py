"""Watches the ends of the certificates that the installation uses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from factoryops.certificates.expiry import WatchedCertificate, expiry_warnings
from factoryops.domain.time import from_us, now_us
from factoryops.observability.heartbeat import Problem

_LOOK_EVERY_S: Final = 60.0


class CertificateWatch:
    """Reads the certificates once a minute: a renewed one is no problem any more.

    Args:
        watched: the certificates.
    """

    def __init__(self, watched: Sequence[WatchedCertificate]) -> None:
        self._watched = watched
        self._looked_at_s: float | None = None
        self._problems: dict[str, Problem] = {}

    def look(self) -> tuple[Problem, ...]:
        """What ends soon or has ended; blocks while small files are read, now and then."""
        moment_s = time.monotonic()
        if self._watched and (self._looked_at_s is None or moment_s - self._looked_at_s >= _LOOK_EVERY_S):
            self._looked_at_s = moment_s
            found = expiry_warnings(self._watched, from_us(now_us()))
            self._problems = {code: self._problem(code, message) for code, message in found.items()}
        return tuple(self._problems.values())

    def _problem(self, code: str, message: str) -> Problem:
        known = self._problems.get(code)
        return Problem(code, message, known.since_us if known else now_us())
