"""A database of before the rule language: its thresholds go on as rules of one limit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from factoryops.database.database import Database
from factoryops.database.schema import _config
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import FactoryId, Role, Scope, device_id
from factoryops.domain.rule import AlarmRecord, RuleDefinition, RuleMode, RuleScope
from tests.support.mariadb import MariaDb

FACTORY, RULE = FactoryId("f" * 32), "1" * 32
_BEFORE = "0012"


@pytest.fixture(params=["sqlite", "mariadb"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of before, with two versions of a rule in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        server: MariaDb = request.getfixturevalue("mariadb_server")
        url = server.new_schema("old_rules")
    engine = sa.create_engine(url)
    with engine.begin() as connection, _config() as config:
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
    with engine.begin() as connection:
        for table, row in _rows():
            found = sa.Table(table, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(found), [row])
    engine.dispose()
    return url


def _rows() -> Iterator[tuple[str, dict[str, object]]]:
    own = {"factory_id": FACTORY}
    factory = {"id": FACTORY, "slug": "works", "name": "Works", "timezone": "Asia/Kolkata", "created_us": 1}
    yield "factory", factory | {"plant_change": 0, "adopts_automatically": True, "is_deleted": False}
    for key in ("press-1", "Öfen 2"):
        device = own | {"id": device_id(FACTORY, key), "key": key, "name": key, "kind": "", "area": "", "line": ""}
        yield "device", device | {"created_us": 1, "is_declined": False}
    yield "rule", own | {"id": RULE, "version": 2, "is_deleted": False, "created_us": 1}
    version = own | {
        "rule_id": RULE, "name": "Öldruck hoch", "parameter_key": "Öldruck", "comparison": "gte", "limit_value": 0.1,
        "priority": 2, "deadband": 0.05, "on_delay_s": 5.0, "off_delay_s": 0.25, "response": "Ventil 🏭\nschließen",
        "changed_by": "op1", "changed_us": 7,
    }  # fmt: skip
    yield "rule_version", version | {"version": 1, "is_enabled": False, "holds_from_seq": 3}
    yield "rule_version", version | {"version": 2, "is_enabled": True, "holds_from_seq": None}
    for key in ("press-1", "Öfen 2"):
        yield "rule_device", own | {"rule_id": RULE, "version": 2, "device_id": device_id(FACTORY, key)}


WANTED = RuleDefinition(
    name="Öldruck hoch",
    condition=PlainLimit("Öldruck", Comparison.AT_OR_ABOVE, 0.1, 0.05).condition,
    priority=Priority.HIGH,
    scope=RuleScope(devices=("press-1", "Öfen 2")),
    on_delay_s=5.0,
    off_delay_s=0.25,
    record=AlarmRecord(action="Ventil 🏭\nschließen"),
)


def _migrate(url: str) -> None:
    database = Database.open(url)
    try:
        database.migrate()
        database.check_schema()
    finally:
        database.close()


def _check(url: str) -> None:
    database = Database.open(url)
    try:
        (rule,) = database.read(lambda tx: tx.rules(Scope(FACTORY, "x", Role.ADMIN)).list())
        assert (rule.version, rule.changed_by, rule.reason, rule.holds_from_seq) == (2, "op1", "", None)
        assert rule.content.definition() == WANTED
        (current,) = database.read(lambda tx: tx.engine.current_rules())
        assert (current.devices, current.timezone) == (frozenset({"press-1", "Öfen 2"}), "Asia/Kolkata")
    finally:
        database.close()


def test_every_threshold_becomes_the_same_rule_with_its_devices(old_url: str) -> None:
    _migrate(old_url)
    _check(old_url)
    engine = sa.create_engine(old_url)
    with engine.connect() as connection:
        table = sa.Table("rule_version", sa.MetaData(), autoload_with=connection)
        modes = connection.execute(sa.select(table.c.version, table.c.mode).order_by(table.c.version)).all()
        assert [tuple(row) for row in modes] == [(1, RuleMode.OFF.value), (2, RuleMode.LIVE.value)]
        assert not sa.inspect(connection).has_table("rule_device")
    engine.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to die in the middle of a statement")
@pytest.mark.parametrize("old_url", ["mariadb"], indirect=True)
def test_a_conversion_killed_after_any_statement_is_completed_by_the_next(old_url: str) -> None:
    deaths = 0
    while _migrate_and_die(old_url):
        deaths += 1
    assert deaths >= 10
    _check(old_url)


def _migrate_and_die(url: str) -> bool:
    """Migrate in a process that dies right after its first change of a table; answers whether it died."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    def die(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("ALTER", "DROP", "CREATE")):
            os._exit(9)

    sa.event.listen(sa.Engine, "after_cursor_execute", die)
    try:
        _migrate(url)
    finally:
        os._exit(0)
