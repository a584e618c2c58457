"""Runs the engine role alone on a folder: its journal, its database, nothing else."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

from factoryops.alarms.service import EngineService
from factoryops.database.database import Database
from tests.support.engine_site import config_in


def main() -> None:
    asyncio.run(run(Path(sys.argv[1]), float(sys.argv[2])))


async def run(folder: Path, save_every_s: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database.open(f"sqlite:///{folder / 'factoryops.db'}")
    try:
        await EngineService(replace(config_in(folder), save_every_s=save_every_s), database).run(stop)
    finally:
        database.close()


if __name__ == "__main__":
    main()
