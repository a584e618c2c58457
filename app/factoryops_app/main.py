"""`factoryops`: the desktop client. Shows the login window first and loads the rest behind it."""

from __future__ import annotations

import sys

from factoryops.domain.errors import SetupError
from factoryops_app.options import USAGE, read_options


def main(arguments: list[str] | None = None) -> int:
    """Run the client; returns the exit code."""
    try:
        options = read_options(sys.argv[1:] if arguments is None else arguments)
        if options.wants_help:
            sys.stdout.write(USAGE)
            return 0
        from factoryops_app.bootstrap import run  # noqa: PLC0415 - Qt is not needed for a help text

        return run(options)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
