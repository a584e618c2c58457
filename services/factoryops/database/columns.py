"""What tables are made of: a common subset of SQLite, MariaDB and MySQL. `tables` says what the rules are."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

metadata: Final = sa.MetaData()

TABLE_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
LONG_TEXT: Final = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
LONG_BYTES: Final = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


def identity(name: str = "id", *, key: bool = False) -> sa.Column[str]:
    """An id."""
    return sa.Column(name, sa.String(32), primary_key=key, nullable=False)


def text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    """A text of bounded length."""
    return sa.Column(name, sa.String(length), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """Microseconds since 1970."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """A whole number."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def number(name: str, *, nullable: bool = False) -> sa.Column[float]:
    """A measured number."""
    return sa.Column(name, sa.Double, nullable=nullable)


def flag(name: str) -> sa.Column[bool]:
    """Whether or not."""
    return sa.Column(name, sa.Boolean, nullable=False)


def link(name: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """A link within one factory."""
    return sa.ForeignKeyConstraint(["factory_id", column], [f"{target}.factory_id", f"{target}.id"], name=name)


def of_factory(name: str) -> sa.ForeignKeyConstraint:
    """The link to the factory a row belongs to."""
    return sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name=name)
