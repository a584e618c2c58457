"""Migrated databases of both kinds for tests, and a small plant in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import Orders, acknowledging
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.alarm_life import Deed
from factoryops.domain.identity import Role, Scope, alarm_id, device_id, parameter_id
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.samples import SeriesKey, series_id
from tests.support.mariadb import MariaDb, server_binary, temporary_folder
from tests.support.rules import limit_content, limit_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEPT = {"alembic_version", "counter"}


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """A running private server, one for the whole run."""
    if server_binary() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("MariaDB is missing: apt-get install mariadb-server")
        pytest.skip("MariaDB is not installed (Debian: mariadb-server); the MySQL side is not tested")
    server = MariaDb(temporary_folder())
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDb) -> str:
    """The URL of one migrated schema, emptied before each use."""
    url = mariadb_server.new_schema("contract")
    database = Database.open(url)
    database.migrate()
    database.close()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "factoryops.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


def empty(server: MariaDb, schema: str) -> None:
    """Delete every row and set the counters back."""
    tables = [str(row[0]) for row in server.execute("SHOW TABLES", schema=schema)]
    statements = [f"DELETE FROM `{table}`" for table in tables if table not in KEPT]
    script = ["SET FOREIGN_KEY_CHECKS = 0", *statements, "UPDATE counter SET value = 0"]
    server.execute_all(script, schema=schema)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> int:
        return int((self.now - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Site:
    """A factory with one user's scope and a device."""

    database: Database
    factory: Factory
    scope: Scope
    device: Device = field(init=False)

    def __post_init__(self) -> None:
        self.device = self.add_device("pump-1")

    def add_device(self, key: str) -> Device:
        made = Device(device_id(self.factory.id, key), self.factory.id, key, key.title())
        self.database.run(lambda tx: tx.devices(self.scope).ensure(made))
        return made

    def parameter(self, key: str = "pressure", device: Device | None = None) -> Parameter:
        of = device or self.device
        number = series_id(SeriesKey(self.factory.id, of.key, key))
        return Parameter(
            parameter_id(self.factory.id, of.key, key), self.factory.id, of.id, number, key, key.title(), "bar"
        )

    def add_parameter(self, key: str = "pressure", device: Device | None = None) -> Parameter:
        made = self.parameter(key, device)
        self.database.run(lambda tx: tx.parameters(self.scope).ensure(made))
        return made

    def add_rule(self, **fields: object) -> http.Rule:
        made = limit_content(**fields)
        return self.database.run(lambda tx: tx.rules(self.scope).create(made, self.scope.actor))

    def transition(self, rule: http.Rule, kind: str, annunciation: int, **fields: object) -> AlarmTransition:
        values: dict[str, object] = {
            "factory_id": self.factory.id,
            "alarm_id": alarm_id(self.factory.id, rule.id, self.device.key),
            "rule_id": rule.id,
            "rule_version": rule.version,
            "rule_name": rule.content.name,
            "device_id": self.device.id,
            "device_key": self.device.key,
            "device_name": self.device.name,
            "area": self.device.area,
            "parameter_key": limit_of(rule.content).parameter_key,
            "series_id": int(self.parameter(limit_of(rule.content).parameter_key).series_id),
            "unit": "bar",
            "priority": int(rule.content.priority),
            "kind": kind,
            "annunciation": annunciation,
            "at_us": annunciation * 1_000_000 + (500_000 if kind == "cleared" else 0),
            "value": 5.0 + annunciation,
            "message": f"Pressure is high ({annunciation})",
            "response": "Close the valve.",
            "seq": annunciation,
            "is_recorded": True,
        }
        return AlarmTransition(**{**values, **fields})  # type: ignore[arg-type] # a builder with overrides by name

    def apply(self, *transitions: AlarmTransition) -> int:
        return self.database.run(lambda tx: tx.engine.apply(transitions)).recorded

    def alarms(self) -> list[http.Alarm]:
        return self.database.read(lambda tx: tx.alarms(self.scope).list_abnormal())

    def acknowledge(self, alarm: str, annunciation: int, comment: str | None = None) -> http.Alarm:
        request = http.AcknowledgeRequest(
            items=[http.AcknowledgeItem(alarm_id=alarm, annunciation=annunciation)], comment=comment
        )
        return self.carry_out(acknowledging(request, self.deed(comment)))[0]

    def deed(self, said: str | None = None) -> Deed:
        return Deed(self.scope.actor, self.database.read(lambda tx: tx.alarm_clock.now_us), said)

    def carry_out(self, orders: Orders, *, action: str = "", request_id: str = "") -> list[http.Alarm]:
        return self.database.run(
            lambda tx: tx.alarm_handling(self.scope).carry_out(orders, action=action, request_id=request_id)
        )

    def pass_time(self) -> int:
        """Let the life-cycle clock look once."""
        due = self.database.read(lambda tx: tx.alarm_clock.due())
        return sum(self.database.run(partial(_pass_time, factory, alarms)) for factory, alarms in due.items())

    def events(self) -> list[tuple[int, str]]:
        page = self.database.read(lambda tx: tx.alarms(self.scope).events())
        return [(event.annunciation, event.kind.value) for event in reversed(page.events)]


def new_site(database: Database, slug: str = "riverside") -> Site:
    factory = database.run(lambda tx: tx.factories.create(slug, slug.title(), "Europe/Berlin"))
    return Site(database, factory, Scope(factory.id, "op1", Role.ADMIN))


def _pass_time(factory: str, alarms: Sequence[str], tx: Transaction) -> int:
    return tx.alarm_clock.pass_time(factory, alarms)


SiteMaker = Callable[[str], Site]

__all__ = [
    "NOON",
    "Clock",
    "Site",
    "SiteMaker",
    "empty",
    "mariadb_server",
    "migrated_mariadb",
    "migrated_sqlite",
    "new_site",
]
