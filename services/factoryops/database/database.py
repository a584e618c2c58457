"""The metadata database: one unit of work at a time, repeated whole when the database asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from factoryops.database.transaction import Transaction
from factoryops.domain.time import now_us

T = TypeVar("T")


class Database:
    """Factories, users, plant, rules, alarms and jobs, in SQLite or MySQL/MariaDB.

    Safe to use from several threads; every call blocks (run it in a thread from an event loop).
    """

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], int] = now_us) -> Database:
        """Prepare access; a MySQL server need not be up yet.

        Args:
            url: `sqlite:///path/factoryops.db` or `mysql+pymysql://user:password@host:port/name`.
            clock: microseconds since 1970.

        Raises:
            SetupError: the URL cannot be used, or the SQLite file's folder is missing or not writable.
        """
        raise NotImplementedError

    def migrate(self) -> None:
        """Bring the schema up to this program's version; safe to repeat after being killed at any point.

        Raises:
            SetupError: the schema is newer than this program.
            UnavailableError: the database is away, or somebody else has been migrating for a minute.
        """
        raise NotImplementedError

    def check_schema(self) -> None:
        """Raise SetupError unless the schema is exactly this program's."""
        raise NotImplementedError

    def run(self, work: Callable[[Transaction], T]) -> T:
        """One unit of work: all of it is committed, or nothing.

        `work` is repeated whole, at most 5 times, on a deadlock, a lock wait or a lost connection; so it must not
        do anything outside the transaction. A connection lost during the commit itself is settled by looking whether
        the unit arrived: it happens exactly once.

        Raises:
            UnavailableError: the database is away.
            ConflictError: a unique name is taken.
        """
        raise NotImplementedError

    def read(self, work: Callable[[Transaction], T]) -> T:
        """One unit that only reads; on SQLite it does not wait for writers' turns. Errors as for `run`."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of all connections."""
        raise NotImplementedError
