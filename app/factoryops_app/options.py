"""The command line of the desktop client; read by hand, because the login window must not wait for a parser."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError

DEFAULT_SERVER: Final = "http://127.0.0.1:8420"

USAGE: Final = """\
factoryops: the desktop control room.

  --server URL        where the service answers (default: the last one used, or http://127.0.0.1:8420)
  --factory SLUG      the factory to log in to
  --user NAME         the user to log in as
  --ca-file FILE      trust this certificate authority and no other
  --theme NAME        grey, dark or light
  --language CODE     en or de
  --login-file FILE   log in with a file that only you can read (JSON: factory, user, password)
  --fake              an imagined plant instead of a service, to look around
  --help              this text
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        screenshots: a folder; every page is saved there as a picture, then the program ends.
        is_until_painted: say how long the login window took to appear, then end; for measurements.
    """

    server: str = ""
    factory: str = ""
    user: str = ""
    theme: str = ""
    language: str = ""
    ca_file: Path | None = None
    login_file: Path | None = None
    screenshots: Path | None = None
    settings_file: Path | None = None
    is_fake: bool = False
    is_until_painted: bool = False
    wants_help: bool = False


_FLAGS: Final = {"--fake": "is_fake", "--until-painted": "is_until_painted", "--help": "wants_help"}
_PATHS: Final = frozenset({"ca_file", "login_file", "screenshots", "settings_file"})
_VALUES: Final = {
    f"--{field.name.replace('_', '-')}": field.name
    for field in fields(Options)
    if not field.name.startswith(("is_", "wants_"))
}


def read_options(arguments: list[str]) -> Options:
    """The options of a command line; raises SetupError naming what it does not understand."""
    chosen: dict[str, object] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name in _FLAGS and not equals:
            chosen[_FLAGS[name]] = True
            continue
        if name not in _VALUES:
            raise SetupError(f"There is no option {name}; --help lists them.")
        text = value if equals else next(rest, "")
        if not text:
            raise SetupError(f"{name} needs a value after it.")
        field = _VALUES[name]
        chosen[field] = Path(text) if field in _PATHS else text
    return Options(**chosen)  # type: ignore[arg-type]  # the names come from the fields themselves
