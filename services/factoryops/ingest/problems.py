"""The promises at risk, each with the time since when."""

from __future__ import annotations

from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import Problem


class ProblemList:
    """Problems by code; setting one again keeps its beginning."""

    def __init__(self) -> None:
        self._problems: dict[str, Problem] = {}

    def put(self, code: str, message: str, *, since_us: int = 0) -> None:
        """Note a problem, or take it away with an empty message."""
        if not message:
            self._problems.pop(code, None)
            return
        known = self._problems.get(code)
        begun_us = known.since_us if known else since_us or now_us()
        self._problems[code] = Problem(code, message, begun_us)

    def all(self) -> tuple[Problem, ...]:
        """Every problem there is at the moment."""
        return tuple(self._problems.values())
