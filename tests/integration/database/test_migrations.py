"""P13: a migration can be interrupted anywhere, and the service refuses a schema that is not its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from factoryops.database.columns import metadata
from factoryops.database.database import Database
from factoryops.domain.errors import SetupError, UnavailableError
from tests.support.mariadb import MariaDb

KILLED = 9
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to die in the middle of a statement")


@pytest.fixture(params=["sqlite", "mariadb"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fresh.db'}"
    server: MariaDb = request.getfixturevalue("mariadb_server")
    return server.new_schema("fresh")


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
        database.check_schema()
    finally:
        database.close()


def _schema_of(url: str) -> dict[str, object]:
    """Everything the database knows of its tables."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        found: dict[str, object] = {
            table: (
                [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)],
                inspector.get_pk_constraint(table),
                sorted(inspector.get_foreign_keys(table), key=str),
                sorted(inspector.get_indexes(table), key=str),
                sorted(inspector.get_unique_constraints(table), key=str),
            )
            for table in inspector.get_table_names()
        }
        counters = metadata.tables["counter"]
        found["counters"] = connection.execute(sa.select(counters).order_by(counters.c.name)).fetchall()
    engine.dispose()
    return found


def _migrate_and_die(url: str, after: str, times: int = 1) -> bool:
    """Migrate in a process that dies right after the n-th statement that begins so; answers whether it died."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    left = times

    def die(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal left
        if statement.lstrip().upper().startswith(after):
            left -= 1
            if left == 0:
                os._exit(KILLED)

    event.listen(sa.Engine, "after_cursor_execute", die)
    try:
        _migrate(url)
    finally:
        os._exit(0)


def test_the_migrations_make_exactly_the_tables_the_program_uses(fresh_url: str) -> None:
    _migrate(fresh_url)
    engine = sa.create_engine(fresh_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(fresh_url: str) -> None:
    _migrate(fresh_url)
    before = _schema_of(fresh_url)
    _migrate(fresh_url)
    assert _schema_of(fresh_url) == before


@needs_fork
@pytest.mark.timeout(180)
def test_a_migration_killed_after_each_ddl_statement_is_completed_by_the_next(mariadb_server: MariaDb) -> None:
    """Each run dies after its first DDL statement, so every half-done state there is becomes a starting point."""
    clean = mariadb_server.new_schema("clean")
    _migrate(clean)
    url = mariadb_server.new_schema("killed")
    deaths = 0
    while _migrate_and_die(url, "CREATE"):
        deaths += 1
        with pytest.raises(SetupError, match="migrate"):
            _check(url)
    assert deaths > len(metadata.tables)
    assert _schema_of(url) == _schema_of(clean)


@needs_fork
@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", ["INSERT", "UPDATE ALEMBIC_VERSION"])
def test_a_migration_killed_while_it_notes_its_step_is_completed_by_the_next(fresh_url: str, after: str) -> None:
    for times in (1, 2, 3):
        _migrate_and_die(fresh_url, after, times)
    _migrate(fresh_url)
    first = _schema_of(fresh_url)
    _migrate(fresh_url)
    assert _schema_of(fresh_url) == first


@needs_fork
def test_a_killed_migration_of_sqlite_leaves_nothing_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    for times in (1, 5, 17):
        assert _migrate_and_die(url, "CREATE", times)
        assert [table for table in _tables(url) if table != "alembic_version"] == []
    _migrate(url)


def _tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_an_empty_database_is_refused_with_what_to_do(fresh_url: str) -> None:
    with pytest.raises(SetupError, match="factoryops-service migrate"):
        _check(fresh_url)


@pytest.mark.parametrize(("step", "said"), [("9999", "newer than this program"), ("0002", "at step 0002")])
def test_a_schema_of_another_program_is_refused(fresh_url: str, step: str, said: str) -> None:
    _migrate(fresh_url)
    engine = sa.create_engine(fresh_url)
    with engine.begin() as connection:
        connection.execute(sa.update(sa.table("alembic_version", sa.column("version_num"))).values(version_num=step))
    engine.dispose()
    with pytest.raises(SetupError, match=said):
        _check(fresh_url)
    if step == "9999":
        before = _schema_of(fresh_url)
        with pytest.raises(SetupError, match=said):
            _migrate(fresh_url)
        assert _schema_of(fresh_url) == before


def test_two_who_migrate_at_once_take_turns(mariadb_server: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    url = mariadb_server.new_schema("turns")
    engine = sa.create_engine(url)
    monkeypatch.setattr("factoryops.database.schema._LOCK_WAIT_S", 0)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.get_lock("factoryops.migrate.turns", 0))) == 1
        with pytest.raises(UnavailableError, match="migrating"):
            _migrate(url)
    engine.dispose()
    _migrate(url)
