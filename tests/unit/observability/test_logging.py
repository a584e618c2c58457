"""Log lines are JSON, one per event, whatever is in the message."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.observability.logging import JsonLines, configure_logging


@pytest.fixture
def untouched() -> Iterator[None]:
    """The root logger as it was before."""
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


def lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("untouched")
def test_each_event_is_one_json_line_with_role_and_time(tmp_path: Path) -> None:
    configure_logging("ingest", level="INFO", folder=tmp_path)
    logging.getLogger("factoryops.ingest").warning("%d messages", 3)
    logging.getLogger("factoryops.ingest").debug("not this one")
    (line,) = lines(tmp_path / "ingest.log")
    assert (line["role"], line["level"], line["event"]) == ("ingest", "warning", "3 messages")
    assert line["time"].endswith("+00:00")


def test_a_message_cannot_forge_another_line() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, 'x\n{"event": "all is well"}\x1b[2J', None, None)
    formatted = JsonLines("api").format(record)
    assert "\n" not in formatted
    assert "\x1b" not in formatted
    assert json.loads(formatted)["event"].startswith("x\n")


@pytest.mark.usefixtures("untouched")
def test_a_log_folder_that_cannot_be_written_costs_the_file_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("", encoding="utf-8")
    configure_logging("api", level="INFO", folder=tmp_path / "logs")
    logging.getLogger("factoryops").info("still here")
    said = capsys.readouterr().err
    assert "still here" in said
    assert "is not possible" in said
