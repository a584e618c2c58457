"""Logging: JSON lines in rotated files, one per role; readable lines on a terminal. Never raises into the caller."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_FILE_BYTES: Final = 20_000_000
_FILES: Final = 10
_NOISY: Final = ("httpx", "httpcore", "apscheduler", "alembic", "asyncio", "uvicorn.error")


class JsonLines(logging.Formatter):
    """One JSON object per line; line breaks and control characters in a message cannot forge another line."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class ReadableLines(logging.Formatter):
    """What a person at a terminal wants to see: when, who, what."""

    def __init__(self, role: str) -> None:
        super().__init__(f"%(asctime)s {role:<10} %(levelname)-8s %(message)s", datefmt="%H:%M:%S")


def configure_logging(role: str, *, level: str, folder: Path | None) -> None:
    """Send every log line of this process to stderr and, when `folder` is given, to <folder>/<role>.log."""
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(level)
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(ReadableLines(role) if sys.stderr.isatty() else JsonLines(role))
    root.addHandler(console)
    if folder is not None:
        _add_file(root, folder / f"{role}.log", JsonLines(role))
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_file(root: logging.Logger, path: Path, formatter: logging.Formatter) -> None:
    try:
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    except OSError as error:
        root.warning("Logging to %s is not possible (%s); the log goes to stderr alone.", path, error)
        return
    handler.setFormatter(formatter)
    root.addHandler(handler)
