"""The promises at risk, each with the time since when."""

from __future__ import annotations

from collections.abc import Mapping

from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import Problem


class ProblemList:
    """Problems by code and factory; setting one again keeps its beginning."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str], Problem] = {}

    def put(self, code: str, message: str, *, since_us: int = 0, factory: str = "") -> None:
        """Note a problem, or take it away with an empty message; `factory` is the id of the only one it concerns."""
        place = (code, factory)
        if not message:
            self._problems.pop(place, None)
            return
        known = self._problems.get(place)
        begun_us = known.since_us if known else since_us or now_us()
        self._problems[place] = Problem(code, message, begun_us, factory)

    def put_by_factory(self, code: str, found: Mapping[str, str]) -> None:
        """Note a problem for some factories, by their ids, and take it away for all others."""
        for _, factory in [place for place in self._problems if place[0] == code and place[1] not in found]:
            del self._problems[code, factory]
        for factory, message in found.items():
            self.put(code, message, factory=factory)

    def replace(self, source: str, found: Mapping[str, str]) -> None:
        """Note what is wrong with one source at the moment, by code; what is not among it any more is over."""
        codes = {f"{code}:{source}": message for code, message in found.items()}
        for place in [one for one in self._problems if one[0].endswith(f":{source}") and one[0] not in codes]:
            del self._problems[place]
        for code, message in codes.items():
            self.put(code, message)

    def all(self) -> tuple[Problem, ...]:
        """Every problem there is at the moment."""
        return tuple(self._problems.values())
