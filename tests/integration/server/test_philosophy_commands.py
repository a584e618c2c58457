"""The alarm philosophy as a file on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.server.test_command_line import Command, command, settings

__all__ = ["command", "settings"]

SHIFT = {"name": "Night", "windows": [{"start": "22:00", "end": "06:00"}]}


def _file(folder: Path, content: dict[str, Any]) -> str:
    path = folder / "philosophy.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_philosophy_travels_from_one_factory_to_another(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    command("factory", "add", "other")
    command("shift", "set", "works", "Night", "--window", "22:00-06:00@Mon,Tue")
    command("position", "set", "works", "Filling", "--area", "Hall A")
    changed = {"thresholds": {"flood_entry": 15, "rate_per_hour": {"good": 3, "most": 9}}}
    assert command("philosophy", "import", "works", _file(tmp_path, changed)).code == 0
    written = json.loads(command("philosophy", "export", "works").out)
    assert (written["thresholds"]["flood_entry"], written["thresholds"]["flood_exit"]) == (15, 5)
    assert [one["name"] for one in written["shifts"] + written["positions"]] == ["Night", "Filling"]
    said = command("philosophy", "import", "other", _file(tmp_path, written))
    assert said.code == 0, said.err
    assert json.loads(command("philosophy", "export", "other").out) == written
    assert "what holds already" in command("philosophy", "import", "other", _file(tmp_path, written)).out
    assert "flood_entry" in command("philosophy", "show", "other").out


def test_a_dry_run_says_what_would_change_and_keeps_nothing(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    before = command("philosophy", "export", "works").out
    wanted = json.loads(before)
    wanted["classes"][0]["is_counted"] = False
    said = command("philosophy", "import", "works", _file(tmp_path, wanted | {"shifts": [SHIFT]}), "--dry-run").out
    assert all(words in said for words in ("is_counted", "shifts.Night.windows.1.start", "Nothing was changed"))
    assert command("philosophy", "export", "works").out == before


def test_what_cannot_be_taken_says_why_and_keeps_nothing(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    before = command("philosophy", "export", "works").out
    for content, words in (
        ({"threshold": {}}, "holds no alarm philosophy"),
        ({"thresholds": {"flood_entri": 4}}, "no threshold 'flood_entri'"),
        ({"thresholds": {"flood_entry": "many"}}, "flood_entry"),
        ({"thresholds": {"flood_exit": 50}, "shifts": [SHIFT]}, "flood_exit"),
        ({"shifts": [SHIFT], "positions": [{"name": "A", "areas": ["x"]}, {"name": "B", "areas": ["x"]}]}, "already"),
        ({"classes": []}, "class"),
    ):
        said = command("philosophy", "import", "works", _file(tmp_path, content))
        assert (said.code, words in said.err) == (1, True), said.err
    assert command("philosophy", "export", "works").out == before
