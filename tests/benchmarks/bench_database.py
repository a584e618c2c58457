"""The metadata database: units of work per second, an alarm flood, and what a login costs."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import acknowledging
from factoryops.database.database import Database
from factoryops.domain.identity import alarm_id
from factoryops.identity.passwords import PasswordHasher
from tests.benchmarks.figure import Figure
from tests.support.databases import Site, new_site
from tests.support.mariadb import MariaDb, server_binary, temporary_folder

FLOOD = 1_000


def measure() -> list[Figure]:
    """Figures on SQLite, and on a private MariaDB where it is installed."""
    folder = Path(tempfile.mkdtemp())
    try:
        figures = _figures("SQLite", f"sqlite:///{folder / 'factoryops.db'}")
    finally:
        shutil.rmtree(folder)
    if server_binary() is not None:
        figures += _on_mariadb()
    return [*figures, _login()]


def _on_mariadb() -> list[Figure]:
    server = MariaDb(temporary_folder())
    try:
        server.install()
        server.start()
        return _figures("MariaDB", server.new_schema("bench"))
    finally:
        server.stop()
        shutil.rmtree(server.folder)


def _figures(kind: str, url: str) -> list[Figure]:
    database = Database.open(url)
    started = time.perf_counter()
    database.migrate()
    migrated_s = time.perf_counter() - started
    site = new_site(database)
    read_us = _each_us(lambda: database.read(lambda tx: tx.changes()), 300)
    write_us = _each_us(lambda: database.run(lambda tx: tx.audit(site.scope).add("bench", "x")), 200)
    recorded_s, listed_s, acknowledged_s = _flood(site)
    database.close()
    return [
        Figure(f"{kind}: migrate an empty database", round(migrated_s, 2), "s", "", ""),
        Figure(f"{kind}: reading unit, median", round(read_us), "µs", "", "the hub's poll"),
        Figure(f"{kind}: writing unit, durable, median", round(write_us), "µs", "", "one audit entry"),
        Figure(f"{kind}: record {FLOOD:,} raised alarms", round(recorded_s * 1e3), "ms", "", "one unit"),
        Figure(f"{kind}: list {FLOOD:,} alarms", round(listed_s * 1e3), "ms", "", ""),
        Figure(f"{kind}: acknowledge {FLOOD:,} alarms", round(acknowledged_s * 1e3), "ms", "", "one unit"),
    ]


def _each_us(act: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        spent.append(time.perf_counter() - started)
    return median(spent) * 1e6


def _flood(site: Site) -> tuple[float, float, float]:
    """Seconds to record, list and acknowledge a flood of alarms."""
    rule = site.add_rule()
    devices = [site.add_device(f"device-{number}") for number in range(FLOOD)]
    transitions = [
        site.transition(
            rule, "raised", 1, device_id=device.id, device_key=device.key,
            alarm_id=alarm_id(site.factory.id, rule.id, device.key),
        )
        for device in devices
    ]  # fmt: skip
    items = [http.AcknowledgeItem(alarm_id=item.alarm_id, annunciation=1) for item in transitions]
    moments = [time.perf_counter()]
    site.apply(*transitions)
    moments.append(time.perf_counter())
    site.alarms()
    moments.append(time.perf_counter())
    site.carry_out(acknowledging(http.AcknowledgeRequest(items=items), site.deed()))
    moments.append(time.perf_counter())
    recorded, listed, acknowledged = (after - before for before, after in itertools.pairwise(moments))
    return recorded, listed, acknowledged


def _login() -> Figure:
    hasher = PasswordHasher()
    kept = hasher.hash("correct horse battery")
    spent_us = _each_us(lambda: hasher.verify(kept, "correct horse battery"), 10)
    hasher.close()
    return Figure("Verify a password (argon2id, 46 MiB)", round(spent_us / 1e3), "ms", "", "")
