"""`python -m factoryops.server.role_main ROLE [SETTINGS FILE]`: one role, loaded without the rest of the program."""

from __future__ import annotations

import sys
from pathlib import Path

from factoryops.domain.errors import FactoryOpsError
from factoryops.server.precedence import take_place
from factoryops.server.role_process import EXIT_SETUP, Lifeline, run_role, watched_lifeline


def run_alone(role: str, file: Path | None, *, lifeline: Lifeline | None) -> int:
    """Run one role in this process; answers the exit code."""
    from factoryops.observability.logging import configure_logging  # noqa: PLC0415 - loaded under the lifeline's watch
    from factoryops.server import roles  # noqa: PLC0415 - as above
    from factoryops.server.settings import data_folder, load_settings  # noqa: PLC0415 - as above

    take_place(role)
    try:
        settings = load_settings(file)
        folder = data_folder(settings)
        configure_logging(role, level=settings.log.level, folder=folder.logs)
        work = roles.build(role, settings)
    except FactoryOpsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETUP
    return run_role(work, lifeline=lifeline)


def _main() -> int:
    lifeline = watched_lifeline(True)
    return run_alone(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None, lifeline=lifeline)


if __name__ == "__main__":
    sys.exit(_main())
