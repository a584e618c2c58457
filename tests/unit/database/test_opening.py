from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from factoryops.database.connections import open_engine
from factoryops.database.database import Database
from factoryops.domain.errors import DamagedFileError, SetupError


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no address", "cannot be read"),
        ("postgresql://host/name", "not supported"),
        ("mysql+mysqlconnector://host/name", "not supported"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:////no/such/folder/factoryops.db", "does not exist"),
    ],
)
def test_an_unusable_address_is_one_clear_sentence(url: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as raised:
        Database.open(url)
    assert str(raised.value).endswith(".")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_an_unwritable_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SetupError, match="cannot be written"):
        Database.open(f"sqlite:///{tmp_path / 'factoryops.db'}")
    tmp_path.chmod(0o700)


def test_a_file_that_is_no_database_is_damaged_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "factoryops.db"
    path.write_bytes(b"not a database at all, but long enough" * 100)
    database = Database.open(f"sqlite:///{path}")
    with pytest.raises(DamagedFileError, match="restore a backup"):
        database.migrate()
    database.close()
    assert path.read_bytes().startswith(b"not a database")


def test_sqlite_is_opened_the_careful_way(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'factoryops.db'}")
    with engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert pragmas == ["truncate", 2, 1, 10_000]


def test_a_reader_does_not_wait_for_a_writers_turn(tmp_path: Path) -> None:
    path = tmp_path / "factoryops.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE").close()
    assert database.read(lambda tx: tx.factories.list()) == []
    writer.execute("ROLLBACK").close()
    writer.close()
    database.close()
