"""Named places where the crash harness can end the process: a no-op unless FACTORYOPS_FAILPOINT names one."""

from __future__ import annotations

import os
import signal
from typing import Final

_ARMED: Final = os.environ.get("FACTORYOPS_FAILPOINT", "")
_remaining: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Kill the process here, as kill -9 would, if the environment says `name` or `name:n` (at the n-th pass)."""
    if not _ARMED:
        return
    wanted, _, count = _ARMED.partition(":")
    if wanted != name:
        return
    left = _remaining.setdefault(name, int(count or 1)) - 1
    _remaining[name] = left
    if left == 0:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
