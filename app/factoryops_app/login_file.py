"""Logging in from a file that only its owner can read; for demonstrations and wallboards."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError
from factoryops_app.login_window import LoginEntry

_MOST_BYTES: Final = 4_096


def read_login_file(path: Path, server: str) -> LoginEntry:
    """Factory, user and password of a JSON file.

    Raises:
        SetupError: it cannot be read, others may read it, or something is missing.
    """
    try:
        held = path.stat()
        if os.name == "posix" and held.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SetupError(f"Others may read {path}, which holds a password; take their rights away (chmod 600).")
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
        return LoginEntry(server, content["factory"], content["user"], content["password"], is_kept=False)
    except OSError as error:
        raise SetupError(f"The login file {path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError(f"The login file {path} must hold JSON with factory, user and password.") from error
