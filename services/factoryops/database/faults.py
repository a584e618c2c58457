"""What an error of the database means for the unit of work it struck."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from sqlalchemy import exc

from factoryops.domain.errors import (
    ConflictError,
    DamagedFileError,
    FactoryOpsError,
    InvalidInputError,
    SetupError,
    UnavailableError,
)


class Fault(Enum):
    """Kinds of errors, told apart by what to do."""

    BUSY = auto()
    """A deadlock or a lock wait: repeat the unit."""
    LOST = auto()
    """The connection is gone or cannot be made: repeat the unit, then say that the database is away."""
    DUPLICATE = auto()
    """Somebody else added the same at that moment: repeat the unit, its own check will see it."""
    BROKEN_LINK = auto()
    UNUSABLE_VALUE = auto()
    SCHEMA = auto()
    REFUSED = auto()
    DAMAGED = auto()
    BUG = auto()


REPEATED: Final = frozenset({Fault.BUSY, Fault.LOST, Fault.DUPLICATE})

_BY_NUMBER: Final[dict[int, Fault]] = {
    # MySQL and MariaDB: https://mariadb.com/kb/en/mariadb-error-code-reference/
    **dict.fromkeys((1020, 1205, 1213), Fault.BUSY),
    **dict.fromkeys(
        (1021, 1030, 1040, 1053, 1114, 1203, 1290, 1317, 1836, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 4031),
        Fault.LOST,
    ),
    **dict.fromkeys((1022, 1062, 1586), Fault.DUPLICATE),
    **dict.fromkeys((1216, 1217, 1451, 1452), Fault.BROKEN_LINK),
    **dict.fromkeys((1264, 1366, 1406), Fault.UNUSABLE_VALUE),
    **dict.fromkeys((1054, 1146), Fault.SCHEMA),
    **dict.fromkeys((1044, 1045, 1049, 1142, 1698), Fault.REFUSED),
}
_BY_TEXT: Final[tuple[tuple[str, Fault], ...]] = (
    # SQLite, whose module gives no numbers that hold on every Python we run on.
    ("locked", Fault.BUSY),
    ("unique constraint failed", Fault.DUPLICATE),
    ("foreign key constraint failed", Fault.BROKEN_LINK),
    ("no such table", Fault.SCHEMA),
    ("no such column", Fault.SCHEMA),
    ("has no column", Fault.SCHEMA),
    ("malformed", Fault.DAMAGED),
    ("not a database", Fault.DAMAGED),
    ("unable to open", Fault.LOST),
    ("disk i/o error", Fault.LOST),
    ("disk is full", Fault.LOST),
    ("readonly database", Fault.LOST),
)


def fault_of(error: exc.DBAPIError) -> Fault:
    """The kind of an error that the driver raised."""
    arguments: tuple[object, ...] = error.orig.args if error.orig is not None else ()
    number = arguments[0] if arguments else None
    if isinstance(number, int):
        return _BY_NUMBER.get(number, Fault.LOST if error.connection_invalidated else Fault.BUG)
    text = str(number).lower()
    for part, fault in _BY_TEXT:
        if part in text:
            return fault
    return Fault.LOST if error.connection_invalidated or isinstance(error, exc.InterfaceError) else Fault.BUG


def told(fault: Fault, error: exc.DBAPIError) -> FactoryOpsError:
    """The error a person reads."""
    match fault:
        case Fault.BUSY:
            return UnavailableError("The database is too busy to take this now; try again in a moment.")
        case Fault.DUPLICATE:
            return ConflictError("Somebody else added the same at this moment; look again.")
        case Fault.BROKEN_LINK:
            return ConflictError("This refers to something that is not there any more; look again.")
        case Fault.UNUSABLE_VALUE:
            return InvalidInputError("A value does not fit into the database: it is too long or too large.")
        case Fault.SCHEMA:
            return SetupError("The database's tables are not those of this program: run `factoryops-service migrate`.")
        case Fault.REFUSED:
            return SetupError("The database refuses the login or does not exist: check its address, user and password.")
        case Fault.DAMAGED:
            return DamagedFileError("The database file is damaged: stop the service and restore a backup.")
        case _:
            return UnavailableError(f"The database is away ({_reason(error)}); it is tried again by itself.")


def _reason(error: exc.DBAPIError) -> str:
    arguments: tuple[object, ...] = error.orig.args if error.orig is not None else ()
    return str(arguments[-1])[:120] if arguments else type(error).__name__
