"""Runs the engine role alone on a folder: its journal, its database, nothing else."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from factoryops.alarms.service import EngineService
from factoryops.database.database import Database
from tests.support.engine_site import config_in


def main() -> None:
    asyncio.run(run(Path(sys.argv[1])))


async def run(folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database.open(f"sqlite:///{folder / 'factoryops.db'}")
    try:
        await EngineService(config_in(folder), database).run(stop)
    finally:
        database.close()


if __name__ == "__main__":
    main()
