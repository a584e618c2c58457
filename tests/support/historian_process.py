"""A historian in a process of its own, for tests that kill it (module, then folder, kind and address)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from factoryops.history.historian import Historian, HistorianConfig
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.local.store import LocalHistory
from factoryops.history.store import HistoryStore
from tests.support.historian_plant import JOURNALS
from tests.support.influx_server import InfluxServer
from tests.support.influx_stub import STUB_ORG, STUB_TOKEN

ROOT = Path(__file__).resolve().parents[2]


def start_historian(folder: Path, kind: str, url: str = "", *, failpoint: str = "") -> subprocess.Popen[bytes]:
    """Start it on `folder`; `failpoint` names where it shall die."""
    environment = {**os.environ, "FACTORYOPS_FAILPOINT": failpoint}
    command = [sys.executable, "-m", "tests.support.historian_process", str(folder), kind, url]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def _store(folder: Path, kind: str, url: str) -> HistoryStore:
    if kind == "local":
        return LocalHistory(folder / "history.db")
    journals = {name: folder / f"{name}.db" for name in JOURNALS}
    config = InfluxServer(url, STUB_ORG, STUB_TOKEN).config("factoryops-")
    return InfluxHistory(config, folder / "influx-state.db", journals)


async def _run(folder: Path, kind: str, url: str) -> None:
    config = HistorianConfig(
        journals={name: folder / f"{name}.db" for name in JOURNALS},
        checkpoints_folder=folder / "run" / "checkpoints",
        doorbell_folder=folder / "run" / "doorbell",
        heartbeat_folder=folder / "run" / "heartbeat",
        seal_every_s=0.05,
        seal_at_samples=200,
    )
    await Historian(config, _store(folder, kind, url)).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
