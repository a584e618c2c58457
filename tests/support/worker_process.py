"""A worker process for the crash tests: `python -m tests.support.worker_process FOLDER`; ends when stdin closes."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from factoryops.jobs.worker import WorkerService
from tests.support.job_plant import JobPlant


async def _main(root: Path) -> None:
    plant = JobPlant(root)
    database = plant.open_database()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    waiting = loop.run_in_executor(None, sys.stdin.buffer.read)
    waiting.add_done_callback(lambda _: stop.set())
    child = os.environ.get("TEST_CHILD", "factoryops.jobs.child")
    ready = os.environ.get("TEST_READY_AFTER_S")
    config = replace(plant.config(child_module=child), ready_after_s=None if ready is None else float(ready))
    await WorkerService(config, database).run(stop)
    database.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
