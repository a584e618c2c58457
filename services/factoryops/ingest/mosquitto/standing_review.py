"""Reviews a broker's configuration file at the start and ever after, where it lies on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from factoryops.domain.errors import InvalidInputError
from factoryops.ingest.mosquitto.review import review_file

_EVERY_S: Final = 60.0
_MOST_NAMED: Final = 3


class StandingReview:
    """Looks once a minute.

    Args:
        name: the broker's.
        file: its mosquitto.conf; None when it lies elsewhere.

    Attributes:
        problem: what is wrong with it in one sentence, "" when nothing is.
    """

    def __init__(self, name: str, file: Path | None) -> None:
        self._name = name
        self._file = file
        self._looked_at_s: float | None = None
        self.problem = ""

    def look(self) -> None:
        """Review it again when it is time; blocks while a small file is read."""
        moment_s = time.monotonic()
        if self._file is None or (self._looked_at_s is not None and moment_s - self._looked_at_s < _EVERY_S):
            return
        self._looked_at_s = moment_s
        try:
            faults = review_file(self._file)
        except InvalidInputError as error:
            faults = [str(error)]
        self.problem = self._described(faults)

    def _described(self, faults: list[str]) -> str:
        if not faults:
            return ""
        more = len(faults) - _MOST_NAMED
        rest = f" And {more} more: see `broker check {self._file}`." if more > 0 else ""
        return f"The configuration of the broker {self._name} is not safe. {' '.join(faults[:_MOST_NAMED])}{rest}"
