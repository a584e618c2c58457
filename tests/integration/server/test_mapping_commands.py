from __future__ import annotations

import json
from pathlib import Path

from tests.integration.server.test_command_line import Command, command, settings

__all__ = ["command", "settings"]

PRESSES = {
    "name": "Presses",
    "topic": "hall2/{device}/state",
    "time": {"path": "$.t", "form": "ms"},
    "values": [{"parameter": "oil", "path": "$.oil", "scale": 0.1, "unit": "°C"}],
}


def _file(folder: Path, content: object) -> Path:
    file = folder / "mappings.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_mappings_travel_as_files_and_come_back_the_same(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    file = _file(tmp_path, [PRESSES])
    assert "1 mappings were added and 0 changed" in command("mapping", "import", "works", str(file)).out
    assert json.loads(command("mapping", "export", "works").out) == [PRESSES]
    again = command("mapping", "import", "works", str(file), "--enable")
    assert "0 mappings were added and 1 changed" in again.out
    listed = command("mapping", "list", "works").out
    assert "Presses" in listed
    assert "yes" in listed


def test_a_file_is_tried_on_a_message_without_an_installation(command: Command, tmp_path: Path) -> None:
    file = str(_file(tmp_path, PRESSES))
    said = command("mapping", "try", file, "hall2/press-7/state", '{"t": 1772323200000, "oil": 415}')
    assert said.code == 0
    assert all(word in said.out for word in ("press-7", "oil", "41.5", "2026-03-01T00:00:00+00:00", "°C"))
    other = command("mapping", "try", file, "hall3/press-7/state", "{}")
    assert (other.code, "none of this mapping" in other.out) == (1, True)
    empty = command("mapping", "try", file, "hall2/press-7/state", "{}")
    assert (empty.code, "would be quarantined" in empty.out or "would be refused" in empty.out) == (1, True)


def test_a_file_with_a_fault_is_one_sentence_and_nothing_of_it_is_kept(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    faulty = {**PRESSES, "name": "Faulty", "topic": "hall2/state"}
    said = command("mapping", "import", "works", str(_file(tmp_path, [PRESSES, faulty])))
    assert said.code == 1
    assert "topic" in said.err
    assert command("mapping", "export", "works").out.strip() == "[]"
    (tmp_path / "mappings.json").write_text("{", encoding="utf-8")
    assert "holds no mappings" in command("mapping", "import", "works", str(tmp_path / "mappings.json")).err
