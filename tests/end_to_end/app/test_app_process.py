from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from factoryops_app.workplace import PageKey
from tests.support.app_process import start_app, take_pictures
from tests.support.waiting import wait_until


def test_the_program_walks_through_all_its_pages_and_saves_pictures(tmp_path: Path) -> None:
    pictures = take_pictures(tmp_path, tmp_path / "pictures", "--fake")
    assert {path.stem for path in pictures} >= {"login", "alarm-history", *PageKey}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program can answer")
def test_the_program_ends_soon_when_it_is_told_to(tmp_path: Path) -> None:
    process = start_app(tmp_path, "--fake")
    try:
        wait_until(lambda: _has_started(tmp_path), timeout_s=30, what="the main window")
        told_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=10)
    finally:
        process.kill()
    assert time.monotonic() - told_s < 5.0
    assert process.returncode == 0, text
    assert "Traceback" not in text


def _has_started(folder: Path) -> bool:
    """The settings name the user as soon as somebody is logged in."""
    path = folder / "workstation.json"
    return path.exists() and "login.user" in json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--colour", "red"), "There is no option --colour"),
        (("--theme", "pink"), "There is no theme pink"),
        (("--login-file", "nowhere.json"), "cannot be read"),
    ],
)
def test_a_command_line_that_cannot_be_used_ends_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    process = start_app(tmp_path, *arguments)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert words in text
    assert "Traceback" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="rights of files are told otherwise on Windows")
def test_a_login_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"factory": "riverside", "user": "demo", "password": "x"}), encoding="utf-8")
    login.chmod(0o644)
    process = start_app(tmp_path, "--login-file", str(login))
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Others may read" in text
