"""The desktop client as a process of its own, on no screen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

COMMAND = (sys.executable, "-m", "factoryops_app.main")


def environment() -> dict[str, str]:
    """A process environment without a screen and without a keyring."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def start_app(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the client; its settings lie in `folder`."""
    return subprocess.Popen(
        [*COMMAND, "--settings-file", str(folder / "workstation.json"), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def seconds_until_painted(folder: Path) -> float:
    """From the command to the first picture of the login window, seen from outside the process."""
    began_s = time.perf_counter()
    with start_app(folder, "--until-painted") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if re.match(r"painted [\d.]+$", line):
                took_s = time.perf_counter() - began_s
                process.communicate(timeout=20)
                return took_s
    raise AssertionError("the login window was never painted")


def take_pictures(folder: Path, pictures: Path, *arguments: str, timeout_s: float = 120.0) -> list[Path]:
    """Let the client walk through its pages and save a picture of each; returns the files."""
    process = start_app(folder, "--screenshots", str(pictures), *arguments)
    try:
        text, _ = process.communicate(timeout=timeout_s)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, text
    return sorted(pictures.glob("*.png"))
