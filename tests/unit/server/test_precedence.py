"""When the cores are short, what acknowledges devices goes first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from factoryops.server.precedence import NICENESS
from factoryops.server.roles import ROLES

SCRIPT = """
import os, sys, threading
from factoryops.server.precedence import take_place
take_place(sys.argv[1])
seen = []
thread = threading.Thread(target=lambda: seen.append(os.nice(0)))
thread.start()
thread.join()
print(os.nice(0), seen[0])
"""


def _niceness_as(role: str) -> tuple[int, int]:
    """What a process that took the place of `role` has, itself and in a thread it made afterwards."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, role], capture_output=True, text=True, check=True)
    own, of_thread = done.stdout.split()
    return int(own), int(of_thread)


def test_every_role_has_its_place() -> None:
    assert set(NICENESS) == set(ROLES)
    assert NICENESS["ingest"] == min(NICENESS.values())
    assert NICENESS["engine"] < NICENESS["historian"] < NICENESS["worker"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has classes instead of steps")
@pytest.mark.parametrize("role", ["ingest", "historian"])
def test_a_role_and_its_threads_take_their_place(role: str) -> None:
    expected = min(19, os.nice(0) + NICENESS[role])
    assert _niceness_as(role) == (expected, expected)
