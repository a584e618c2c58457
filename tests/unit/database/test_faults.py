from __future__ import annotations

import sqlite3

import pymysql
import pytest
from sqlalchemy import exc

from factoryops.database.faults import REPEATED, Fault, fault_of, told
from factoryops.domain.errors import (
    ConflictError,
    DamagedFileError,
    FactoryOpsError,
    InvalidInputError,
    SetupError,
    UnavailableError,
)


def _error(original: Exception, *, lost: bool = False) -> exc.DBAPIError:
    return exc.DBAPIError("SELECT secret FROM user_account", {"p": "hunter2"}, original, connection_invalidated=lost)


TABLE = [
    (pymysql.err.OperationalError(1213, "Deadlock found"), Fault.BUSY, UnavailableError),
    (pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"), Fault.BUSY, UnavailableError),
    (pymysql.err.OperationalError(2013, "Lost connection"), Fault.LOST, UnavailableError),
    (pymysql.err.OperationalError(2003, "Can't connect"), Fault.LOST, UnavailableError),
    (pymysql.err.OperationalError(1290, "running with --read-only"), Fault.LOST, UnavailableError),
    (pymysql.err.OperationalError(1045, "Access denied"), Fault.REFUSED, SetupError),
    (pymysql.err.IntegrityError(1062, "Duplicate entry"), Fault.DUPLICATE, ConflictError),
    (pymysql.err.IntegrityError(1452, "Cannot add or update a child row"), Fault.BROKEN_LINK, ConflictError),
    (pymysql.err.DataError(1406, "Data too long"), Fault.UNUSABLE_VALUE, InvalidInputError),
    (pymysql.err.ProgrammingError(1146, "Table doesn't exist"), Fault.SCHEMA, SetupError),
    (sqlite3.OperationalError("database is locked"), Fault.BUSY, UnavailableError),
    (sqlite3.OperationalError("unable to open database file"), Fault.LOST, UnavailableError),
    (sqlite3.OperationalError("database or disk is full"), Fault.LOST, UnavailableError),
    (sqlite3.OperationalError("no such table: device"), Fault.SCHEMA, SetupError),
    (sqlite3.IntegrityError("UNIQUE constraint failed: device.id"), Fault.DUPLICATE, ConflictError),
    (sqlite3.IntegrityError("FOREIGN KEY constraint failed"), Fault.BROKEN_LINK, ConflictError),
    (sqlite3.DatabaseError("database disk image is malformed"), Fault.DAMAGED, DamagedFileError),
    (sqlite3.DatabaseError("file is not a database"), Fault.DAMAGED, DamagedFileError),
]


@pytest.mark.parametrize(("original", "fault", "error"), TABLE)
def test_an_error_is_told_apart_and_told_in_a_sentence(
    original: Exception, fault: Fault, error: type[FactoryOpsError]
) -> None:
    raised = _error(original)
    assert fault_of(raised) is fault
    sentence = told(fault, raised)
    assert type(sentence) is error
    assert str(sentence).endswith((".", "`."))
    assert "SELECT" not in str(sentence)
    assert "hunter2" not in str(sentence)


def test_only_what_passes_is_repeated() -> None:
    assert {Fault.BUSY, Fault.LOST, Fault.DUPLICATE} == REPEATED


def test_a_connection_that_is_gone_is_lost_whatever_the_driver_says() -> None:
    assert fault_of(_error(pymysql.err.InterfaceError(0, ""), lost=True)) is Fault.LOST
    assert fault_of(_error(pymysql.err.OperationalError(9_999, "?"))) is Fault.BUG
