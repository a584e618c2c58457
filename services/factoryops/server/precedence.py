"""Who waits when the cores are short: devices are acknowledged first, alarms and people next, then everything else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import Final

NICENESS: Final[Mapping[str, int]] = {"ingest": 0, "engine": 2, "api": 2, "historian": 5, "worker": 10}
"""By role, as Unix counts: with each step a process is left about a fifth less of a core that others want as well."""

_WAITS_FROM: Final = 5


def take_place(role: str) -> None:
    """Give this process its place, and so its later threads and children; where the system refuses, it goes without."""
    niceness = NICENESS.get(role, 0)
    if niceness:
        with contextlib.suppress(OSError):
            _give_way(niceness)


if sys.platform == "win32":
    import psutil

    def _give_way(niceness: int) -> None:
        if niceness >= _WAITS_FROM:
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)

else:

    def _give_way(niceness: int) -> None:
        os.nice(niceness)
        if niceness >= _WAITS_FROM and sys.platform == "linux":
            # It does not push others off their core when it wakes.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
