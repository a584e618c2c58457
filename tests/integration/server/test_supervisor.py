"""The supervisor keeps roles running, stops them all, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from factoryops.domain.errors import SetupError
from factoryops.observability.heartbeat import HeartbeatFile, read_heartbeats
from factoryops.server import supervisor as supervisor_module
from factoryops.server.instance_lock import InstanceLock
from factoryops.server.supervisor import Supervisor
from tests.support.waiting import until

ROLE = """
import asyncio, os, sys
from factoryops.server.role_process import run_role, watched_lifeline
from factoryops.domain.errors import SetupError
from factoryops.observability.heartbeat import HeartbeatFile, read_heartbeats
from factoryops.server import supervisor as supervisor_module

async def refuse():
    raise SetupError("The file is too new.")

async def work(stop):
    with open(sys.argv[1], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\\n")
    if sys.argv[2] == "refuse":
        raise SetupError("The port is in use.")
    if sys.argv[2] == "refuse in a group":
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())
    if sys.argv[2] == "refuse the second time" and len(open(sys.argv[1], encoding="utf-8").readlines()) == 2:
        raise SetupError("The port is in use.")
    await stop.wait()

sys.exit(run_role(work, lifeline=watched_lifeline(True)))
"""


@pytest.fixture
def role(tmp_path: Path) -> Path:
    """A script by which `python -m factoryops.server` is replaced by a small role."""
    script = tmp_path / "role.py"
    script.write_text(ROLE, encoding="utf-8")
    return script


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where each start of a role leaves its process number."""
    return tmp_path / "pids"


async def test_a_role_that_was_killed_is_started_again(role: Path, log: Path) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor({"one": [str(role), str(log), "work"]}).run(stop))
    await until(lambda: len(pids(log)) == 1)
    psutil.Process(pids(log)[0]).kill()
    await until(lambda: len(pids(log)) == 2, what="the second start")
    stop.set()
    await running
    assert not any(psutil.pid_exists(pid) for pid in pids(log))


@pytest.mark.parametrize(("said", "wanted"), [(None, "1"), ("4", "4")])
async def test_the_threads_of_a_role_share_their_memory_unless_somebody_says_otherwise(
    role: Path, log: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, wanted: str
) -> None:
    if said is None:
        monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    else:
        monkeypatch.setenv("MALLOC_ARENA_MAX", said)
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor({"one": [str(role), str(log), "work"]}).run(stop))
    await until(lambda: len(pids(log)) == 1)
    assert psutil.Process(pids(log)[0]).environ()["MALLOC_ARENA_MAX"] == wanted
    stop.set()
    await running


@pytest.mark.parametrize("how", ["refuse", "refuse in a group"])
async def test_a_role_that_cannot_start_stops_the_whole_service(role: Path, log: Path, how: str) -> None:
    supervisor = Supervisor({"good": [str(role), str(log), "work"], "bad": [str(role), str(log), how]})
    with pytest.raises(SetupError, match="bad"):
        await supervisor.run(asyncio.Event())
    assert not any(psutil.pid_exists(pid) for pid in pids(log))


async def test_a_role_that_has_run_and_cannot_start_again_does_not_take_the_others_along(role: Path, log: Path) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor({"one": [str(role), str(log), "refuse the second time"]}).run(stop))
    await until(lambda: len(pids(log)) == 1)
    psutil.Process(pids(log)[0]).kill()
    await until(lambda: len(pids(log)) == 3, what="the third start")
    assert not running.done()
    stop.set()
    await running


async def test_roles_that_keep_ending_bring_safe_mode_in_which_only_the_vital_ones_go_on(
    role: Path, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "_SAFE_WITHIN_S", 8.0)
    monkeypatch.setattr(supervisor_module, "_LONGEST_PAUSE_S", 0.05)
    other, stop = tmp_path / "other", asyncio.Event()
    supervisor = Supervisor(
        {"ingest": [str(role), str(log), "work"], "worker": [str(role), str(other), "work"]},
        dispensable=("worker",),
        heartbeat=HeartbeatFile(tmp_path, "supervisor"),
    )
    running = asyncio.create_task(supervisor.run(stop))
    await until(lambda: len(pids(other)) == 1)
    for number in range(1, 7):
        await until(lambda number=number: len(pids(log)) == number, timeout_s=20)  # type: ignore[misc]  # bound at once
        psutil.Process(pids(log)[-1]).kill()
    await until(lambda: "safe_mode" in str(read_heartbeats(tmp_path).get("supervisor")), timeout_s=20)
    await until(lambda: not psutil.pid_exists(pids(other)[0]), timeout_s=20, what="the worker's end")
    await until(lambda: len(pids(log)) == 7 and psutil.pid_exists(pids(log)[-1]), timeout_s=20, what="ingest")
    await until(lambda: len(pids(other)) == 2, timeout_s=20, what="the worker's return after a while in peace")
    assert not read_heartbeats(tmp_path)["supervisor"].problems
    stop.set()
    await running
    assert not any(psutil.pid_exists(pid) for pid in [*pids(log), *pids(other)])


async def test_a_role_ends_when_its_supervisor_vanishes(role: Path, log: Path) -> None:
    process = subprocess.Popen([sys.executable, str(role), str(log), "work"], stdin=subprocess.PIPE)
    await until(lambda: pids(log))
    assert process.stdin is not None
    process.stdin.close()
    await until(lambda: process.poll() is not None, what="the role's end")
    assert process.returncode == 0


def test_a_second_service_on_the_same_folder_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path / "lock"), InstanceLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(SetupError, match="already runs"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
