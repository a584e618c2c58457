"""`python -m factoryops.server.role_main ROLE [SETTINGS FILE]`: one role, loaded without the rest of the program."""

from __future__ import annotations

import sys
from pathlib import Path

from factoryops.domain.errors import FactoryOpsError
from factoryops.observability.logging import configure_logging
from factoryops.server import roles
from factoryops.server.role_process import EXIT_SETUP, run_role
from factoryops.server.settings import data_folder, load_settings


def run_alone(role: str, file: Path | None, *, lifeline: bool) -> int:
    """Run one role in this process; answers the exit code."""
    try:
        settings = load_settings(file)
        folder = data_folder(settings)
        configure_logging(role, level=settings.log.level, folder=folder.logs)
        work = roles.build(role, settings)
    except FactoryOpsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETUP
    return run_role(work, lifeline=lifeline)


if __name__ == "__main__":
    sys.exit(run_alone(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None, lifeline=True))
