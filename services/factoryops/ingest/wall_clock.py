"""Notices when the plant server's own clock jumps, for every time that people see hangs on it."""

from __future__ import annotations

import logging
from typing import Final

from factoryops.domain.time import US_PER_S, from_us

logger = logging.getLogger(__name__)

NOTICED_US: Final = 2 * US_PER_S
"""A step of time synchronisation that is smaller is no news."""

TOLD_S: Final = 3_600.0
"""How long a jump stays a problem on the health page."""


class WallClock:
    """Compares the wall clock with the one that cannot be set.

    Attributes:
        problem: the last jump in words, "" when none was lately.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._last: tuple[float, int] | None = None
        self._jumped_s = 0.0

    def look(self, monotonic_s: float, wall_us: int, watermark_us: int) -> None:
        """Compare once; call it every second.

        Args:
            monotonic_s: a clock that only runs forward.
            wall_us: the wall clock at the same moment.
            watermark_us: how far alarm conditions have come.
        """
        last, self._last = self._last, (monotonic_s, wall_us)
        if last is not None:
            jump_us = wall_us - last[1] - round((monotonic_s - last[0]) * US_PER_S)
            if abs(jump_us) > NOTICED_US:
                self._note(jump_us, wall_us, watermark_us)
                self._jumped_s = monotonic_s
        if self.problem and monotonic_s - self._jumped_s > TOLD_S and watermark_us <= wall_us:
            self.problem = ""

    def _note(self, jump_us: int, wall_us: int, watermark_us: int) -> None:
        moment = from_us(wall_us).strftime("%H:%M:%S")
        way = "forward" if jump_us > 0 else "back"
        self.problem = (
            f"The plant server's clock was set {way} by {abs(jump_us) / US_PER_S:.0f} s and shows {moment} UTC now. "
            "Samples keep their devices' times; see to the server's time synchronisation."
        )
        if watermark_us > wall_us:
            ahead = from_us(watermark_us).strftime("%H:%M:%S")
            self.problem += f" Alarm conditions had come to {ahead} UTC before: until then samples count as late."
        logger.warning("%s", self.problem)
