"""A whole installation to measure: the service with all its roles, a factory, devices and rules, and a watch on it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeAlias

import psutil

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.identity import Role, Scope, device_id
from factoryops.domain.plant import Device
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.installation import Installation
from tests.support.mqtt_client import RawClient
from tests.support.rules import limit_content
from tests.support.waiting import until, wait_until

SLUG = "works"
MakeRule: TypeAlias = Callable[[int], http.RuleContent]
"""The content of the rule of a number."""
_RULES_AT_ONCE = 500
_TOLD_OF_LOG = 4_000
ROLES = ("ingest", "historian", "engine", "api", "worker")


@contextmanager
def installation(
    folder: Path,
    extra: str = "",
    *,
    has_endpoint: bool = True,
    devices: int = 0,
    rules: int = 0,
    make_rule: MakeRule | None = None,
    more_devices: Sequence[str] = (),
) -> Iterator[Installation]:
    """A running service with one factory, its devices, more of them that the load leaves alone, and its rules."""
    made = Installation(folder, extra, has_endpoint=has_endpoint)
    made.add_factory(SLUG)
    _furnish(
        made, [*(load_key(number) for number in range(devices)), *more_devices], rules, make_rule or _rule(devices)
    )
    try:
        made.start(timeout_s=90)
        yield made
    except Exception as error:
        error.add_note(f"The service said:\n{made.log[-_TOLD_OF_LOG:]}")
        raise
    finally:
        made.kill()


def load_key(number: int) -> str:
    """A device's key, as the load generator names it."""
    return f"load-{number:04}"


def _furnish(made: Installation, keys: Sequence[str], rules: int, make_rule: MakeRule) -> None:
    with closing(Database.open(f"sqlite:///{made.data.metadata.as_posix()}")) as database:
        factory = database.read(lambda tx: tx.factories.list())[0]
        scope = Scope(factory.id, "bench", Role.ADMIN)
        known = [Device(device_id(factory.id, key), factory.id, key, key) for key in keys]
        database.run(lambda tx: tx.devices(scope).ensure_many(known))
        for start in range(0, rules, _RULES_AT_ONCE):
            contents = [make_rule(number) for number in range(start, min(start + _RULES_AT_ONCE, rules))]
            database.run(lambda tx, contents=contents: [tx.rules(scope).create(one, "bench") for one in contents])  # type: ignore[misc]  # bound per round


def _rule(devices: int) -> MakeRule:
    """Rules on single devices, one in a hundred of them often crossed."""
    return lambda number: limit_content(
        name=f"Rule {number}",
        parameter_key=f"parameter_{number % 8}",
        limit=50.0 if number % 100 == 0 else 500.0,
        priority=Priority.LOW,
        device_keys=[load_key(number % devices)],
        deadband=0.1,
    )


@dataclass(frozen=True, slots=True)
class Load:
    """What the load generator is to do; see `tests.benchmarks.load`."""

    port: int
    username: str
    password: str
    devices: int = 1_000
    metrics: int = 10
    window: int = 20
    seconds: float = 60.0
    rate: float = 0.0

    def command(self) -> list[str]:
        """As a program of its own."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        flags = [part for name, value in fields.items() for part in (f"--{name}", str(value))]
        return [sys.executable, "-m", "tests.benchmarks.load", "--slug", SLUG, *flags]

    def wait_until_let_in(self) -> None:
        """Wait until the service knows the credential: one that was just made is refused for up to a second."""

        async def is_let_in() -> bool:
            try:
                client = await RawClient.logged_in(
                    self.port, client_id="first", username=self.username, password=self.password
                )
            except (AssertionError, ConnectionError):
                return False
            await client.close()
            return True

        asyncio.run(until(is_let_in, timeout_s=30, what="the credential"))

    def run(self) -> dict[str, float]:
        """Publish to the end; what came of it."""
        done = subprocess.run(self.command(), capture_output=True, text=True, check=True, timeout=self.seconds + 300)
        outcome: dict[str, float] = json.loads(done.stdout)
        return outcome


@dataclass
class Watch:
    """What the roles take while a load runs: CPU seconds, and memory every second."""

    made: Installation
    memory: dict[str, list[int]] = field(default_factory=lambda: {role: [] for role in ROLES})
    cpu_s: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def __enter__(self) -> Self:
        self._processes = {role: self.made.role_process(role) for role in ROLES}
        self._before = {role: _cpu_s(process) for role, process in self._processes.items()}
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds = time.monotonic() - self._began
        self.cpu_s = {role: _cpu_s(one) - self._before[role] for role, one in self._processes.items()}

    def _look(self) -> None:
        while not self._stop.wait(1.0):
            for role, process in self._processes.items():
                self.memory[role].append(process.memory_info().rss)

    def cpu_note(self, messages: float) -> str:
        """CPU microseconds per message by role."""
        return ", ".join(f"{role} {spent / messages * 1e6:.1f}" for role, spent in self.cpu_s.items() if spent > 0.1)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def figures_of(made: Installation, role: str) -> dict[str, Any]:
    """What a role last said of itself."""
    beat = read_heartbeats(made.data.heartbeats).get(role)
    return {} if beat is None else dict(beat.figures)


def wait_until_settled(made: Installation, *, timeout_s: float = 300.0) -> float:
    """Wait until every value is stored and every row evaluated; answers how many seconds that took."""
    began = time.monotonic()

    def is_settled() -> bool:
        ingest, historian, engine = (figures_of(made, role) for role in ("ingest", "historian", "engine"))
        accepted = ingest.get("values_accepted", -1)
        kept = historian.get("stored", 0) + historian.get("replaced", 0)
        return bool(kept >= accepted and engine.get("lag_s", 99) < 5)

    wait_until(is_settled, timeout_s=timeout_s, what="history and alarms to catch up")
    return time.monotonic() - began


def assert_balanced(made: Installation) -> None:
    """Both ledgers, to the last value."""
    ingest, historian = figures_of(made, "ingest"), figures_of(made, "historian")
    assert ingest["received"] == ingest["accepted"] + ingest["quarantined"], ingest
    assert ingest["values_accepted"] == historian["stored"] + historian["replaced"], (ingest, historian)
