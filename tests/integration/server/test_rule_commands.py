from __future__ import annotations

import json
from pathlib import Path

from tests.integration.server.test_command_line import Command, command, settings
from tests.support.rules import limit_content

__all__ = ["command", "settings"]

HIGH = limit_content(name="High", limit=5.0).model_dump(mode="json")
LOW = limit_content(name="Low", limit=1.0).model_dump(mode="json")


def _file(folder: Path, content: object) -> str:
    file = folder / "rules.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def _with_limit(limit: float) -> dict[str, object]:
    return limit_content(name="High", limit=limit).model_dump(mode="json")


def test_rules_travel_as_files_and_come_back_the_same(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    file = _file(tmp_path, [HIGH, LOW])
    assert "2 rules were added and 0 changed" in command("rule", "import", "works", file).out
    assert json.loads(command("rule", "export", "works").out) == [HIGH, LOW]
    assert json.loads(command("rule", "export", "works", "--rule", "Low").out) == [LOW]
    again = command("rule", "import", "works", file)
    assert "0 rules were added and 0 changed" in again.out
    listed = command("rule", "list", "works").out
    assert all(word in listed for word in ("High", "Low", "live"))
    shown = json.loads(command("rule", "show", "works", "High").out)
    assert (shown["version"], shown["content"]) == (1, HIGH)


def test_versions_are_listed_compared_and_put_in_force_again(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    command("rule", "import", "works", _file(tmp_path, HIGH))
    command("rule", "import", "works", _file(tmp_path, _with_limit(6.0)), "--reason", "too nervous")
    versions = command("rule", "versions", "works", "High").out
    assert "too nervous" in versions
    difference = command("rule", "diff", "works", "High", "1").out
    assert all(word in difference for word in ("condition / limit", "5", "6"))
    said = command("rule", "roll-back", "works", "High", "1", "--reason", "it missed a real one")
    assert "Version 3 of High is as version 1 was" in said.out
    assert json.loads(command("rule", "export", "works", "--rule", "High").out) == [HIGH]
    missing = command("rule", "roll-back", "works", "High", "9")
    assert (missing.code, "no version 9" in missing.err) == (1, True)
    unknown = command("rule", "versions", "works", "Nobody")
    assert (unknown.code, "no rule Nobody" in unknown.err) == (1, True)


def test_a_file_with_a_fault_is_one_sentence_and_nothing_of_it_is_kept(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    elsewhere = limit_content(name="Elsewhere", device_keys=["nobody"]).model_dump(mode="json")
    said = command("rule", "import", "works", _file(tmp_path, [HIGH, elsewhere]))
    assert (said.code, "no device 'nobody'" in said.err) == (1, True)
    assert command("rule", "export", "works").out.strip() == "[]"
    odd = HIGH | {"condition": {"kind": "magic"}}
    assert "holds no rules" in command("rule", "import", "works", _file(tmp_path, [odd])).err


def test_rules_of_the_original_product_are_shown_first_and_taken_over_on_request(
    command: Command, tmp_path: Path
) -> None:
    command("factory", "add", "works")
    tree = {"operator": "AND", "conditions": [{"parameter": "pressure", "operator": "gt", "value": 5}]}
    rules = {"data": [{"name": "Hot", "conditions": tree}, {"name": "Never", "conditions": {"conditions": []}}]}
    file = _file(tmp_path, rules)
    tried = command("rule", "import-original", "works", file).out
    assert all(word in tried for word in ("Hot: taken over", "Never: left out", "Nothing was changed"))
    assert command("rule", "export", "works").out.strip() == "[]"
    command("rule", "import-original", "works", file, "--apply", "--mode", "shadow")
    (made,) = json.loads(command("rule", "export", "works").out)
    assert (made["name"], made["mode"]) == ("Hot", "shadow")
    wrong = command("rule", "import-original", "works", file, "--device", "7")
    assert (wrong.code, "7=press-1" in wrong.err) == (1, True)


def test_a_rule_in_a_file_is_tried_on_history_and_nothing_is_saved(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    span = ("--from", "2026-02-01", "--to", "2026-03-01")
    said = command("rule", "back-test", "works", "--rule", _file(tmp_path, HIGH), *span, "--limit", "4,5")
    assert "High: 0 alarms, 0.00 a day" in said.out
    assert "No device of the rule's scope" in said.out
    assert command("rule", "list", "works").out.count("High") == 0
    wrong = command(
        "rule", "back-test", "works", "--rule", _file(tmp_path, HIGH), "--from", "today", "--to", "2026-03-01"
    )
    assert (wrong.code, "A time is written" in wrong.err) == (1, True)
