"""Logging: JSON lines in rotated files, one per role; readable lines on a terminal. Never raises into the caller."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog

_FILE_BYTES: Final = 20_000_000
_FILES: Final = 10


def configure_logging(role: str, *, level: str, folder: Path | None) -> None:
    """Send every log line of this process to stderr and, when `folder` is given, to <folder>/<role>.log."""
    logging.raiseExceptions = False
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(level)
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_formatter(shared, is_readable=sys.stderr.isatty(), role=role))
    root.addHandler(console)
    if folder is not None:
        _add_file(root, folder / f"{role}.log", _formatter(shared, is_readable=False, role=role))
    for noisy in ("httpx", "httpcore", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_file(root: logging.Logger, path: Path, formatter: logging.Formatter) -> None:
    try:
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    except OSError as error:
        root.warning("Logging to %s is not possible (%s); the log goes to stderr alone.", path, error)
        return
    handler.setFormatter(formatter)
    root.addHandler(handler)


def _formatter(shared: list[Any], *, is_readable: bool, role: str) -> logging.Formatter:
    def name_role(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["role"] = role
        return event

    renderer: Any = (
        structlog.dev.ConsoleRenderer(pad_event_to=0) if is_readable else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, name_role],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
