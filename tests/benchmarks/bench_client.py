"""How soon the login window is there, and what the running client costs."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Final

import psutil

from tests.benchmarks.figure import Figure
from tests.support.app_process import seconds_until_painted, start_app
from tests.support.waiting import wait_until

_STARTS: Final = 5
_WATCH_S: Final = 10.0


def measure() -> list[Figure]:
    """The figures of the desktop client, offscreen."""
    with tempfile.TemporaryDirectory() as folder:
        return [_login_window(Path(folder)), _overview(Path(folder))]


def _login_window(folder: Path) -> Figure:
    seconds_until_painted(folder)
    taken = [seconds_until_painted(folder) for _ in range(_STARTS)]
    return Figure(
        "Client: command to login window", round(statistics.median(taken), 3), "s", "at most 1.5",
        f"warm disk, offscreen, median of {_STARTS} starts, slowest {max(taken):.2f} s",
    )  # fmt: skip


def _overview(folder: Path) -> Figure:
    """Share of one core of the whole program with the overview of 24 live parameters."""
    settings = folder / "workstation.json"
    process = start_app(folder, "--fake")
    try:
        wait_until(lambda: settings.exists() and "login.user" in settings.read_text("utf-8"), timeout_s=30)
        watched = psutil.Process(process.pid)
        watched.cpu_percent()
        wait_until(lambda: watched.cpu_times().user > 0, timeout_s=5)
        share = watched.cpu_percent(interval=_WATCH_S)
    finally:
        process.terminate()
        process.communicate(timeout=10)
    note = f"whole program on an imagined plant, offscreen, over {_WATCH_S:g} s, start included, {os.cpu_count()} cores"
    return Figure("Client: overview live, share of one core", round(share, 1), "%", "", note)
