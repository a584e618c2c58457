"""What this workstation remembers: window places, layouts, the last login; one small JSON file, data only."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 1 << 20
MOST_TEXT: Final = 64 << 10


class Settings:
    """Short texts by key, written at once, whole or not at all.

    A damaged or oversized file is set aside and everything starts as on the first day; where nothing can be written
    the settings live for this run only.

    Args:
        path: the JSON file; None for memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._values: dict[str, str] = _read(path) if path is not None else {}

    def value(self, key: str) -> str | None:
        """What is remembered under `key`."""
        return self._values.get(key)

    def set_value(self, key: str, text: str) -> None:
        """Remember `text`; what is longer than 64 KB is not worth remembering."""
        if len(text) > MOST_TEXT or self._values.get(key) == text:
            return
        self._values[key] = text
        self._write()

    def number(self, key: str, default: float) -> float:
        """A remembered number."""
        try:
            return float(self._values.get(key, default))
        except ValueError:
            return default

    def data(self, key: str) -> object:
        """Remembered JSON; None when there is none or it cannot be read."""
        text = self._values.get(key)
        if text is None:
            return None
        try:
            found: object = json.loads(text)
        except ValueError:
            return None
        return found

    def set_data(self, key: str, data: object) -> None:
        """Remember plain data as JSON."""
        self.set_value(key, json.dumps(data, ensure_ascii=False))

    def _write(self) -> None:
        if self._path is None:
            return
        text = json.dumps(self._values, ensure_ascii=False, indent=1, sort_keys=True)
        temporary = self._path.with_name(self._path.name + ".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            logger.info("the workstation's settings cannot be written (%s); they last for this run only", error)
            self._path = None


def _read(path: Path) -> dict[str, str]:
    try:
        held = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= MOST_BYTES else None
    except FileNotFoundError:
        return {}
    except OSError as error:
        logger.info("the workstation's settings cannot be read (%s)", error)
        return {}
    except ValueError:
        held = None
    if not isinstance(held, dict):
        logger.info("the workstation's settings are damaged and start anew")
        _set_aside(path)
        return {}
    return {str(key): value for key, value in held.items() if isinstance(value, str) and len(value) <= MOST_TEXT}


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_name(path.name + ".damaged"))
    except OSError as error:
        logger.info("the damaged settings could not be set aside (%s)", error)
