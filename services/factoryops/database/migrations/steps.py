"""Statements of migrations that may be repeated: MySQL commits each DDL statement by itself.

So a step can be cut short in the middle: each statement here is one DDL, or inserts, that looks first what was done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

LONG_TEXT: Final = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
LONG_BYTES: Final = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_OPTIONS: Final[dict[str, Any]] = {
    f"{dialect}_{key}": value
    for dialect in ("mysql", "mariadb")
    for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}


def create_table(name: str, *items: sa.schema.SchemaItem) -> None:
    """Create a table unless it is there."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *items, **_OPTIONS)


def create_index(name: str, table: str, columns: list[str]) -> None:
    """Create an index unless it is there."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column unless it is there."""
    if not has_column(table, column.name):
        op.add_column(table, column)


def insert_missing(table: sa.TableClause, key: str, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose key is not there."""
    connection = op.get_bind()
    there = set(connection.scalars(sa.select(table.c[key])))
    missing = [row for row in rows if row[key] not in there]
    if missing:
        connection.execute(sa.insert(table), missing)


def has_column(table: str, column: str) -> bool:
    """Whether a table has a column."""
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}


def drop_columns(table: str, columns: Iterable[str]) -> None:
    """Drop those columns that are there, in this order."""
    for column in columns:
        if has_column(table, column):
            op.drop_column(table, column)


def drop_table(name: str) -> None:
    """Drop a table unless it is gone."""
    if sa.inspect(op.get_bind()).has_table(name):
        op.drop_table(name)


def drop_unique(name: str, table: str) -> None:
    """Drop a unique constraint unless it is gone; SQLite needs the table copied for it."""
    connection = op.get_bind()
    if name not in {found["name"] for found in sa.inspect(connection).get_unique_constraints(table)}:
        return
    if connection.dialect.name == "sqlite":
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.drop_constraint(name, type_="unique")
    else:
        op.drop_constraint(name, table, type_="unique")
