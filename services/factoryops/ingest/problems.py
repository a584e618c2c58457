"""The promises at risk, each with the time since when."""

from __future__ import annotations

from collections.abc import Mapping

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

    def replace(self, source: str, found: Mapping[str, str]) -> None:
        """Note what is wrong with one source at the moment, by code; what is not among it any more is over."""
        codes = {f"{code}:{source}": message for code, message in found.items()}
        for code in [one for one in self._problems if one.endswith(f":{source}") and one not in codes]:
            del self._problems[code]
        for code, message in codes.items():
            self.put(code, message)

    def all(self) -> tuple[Problem, ...]:
        """Every problem there is at the moment."""
        return tuple(self._problems.values())
