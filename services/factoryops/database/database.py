"""The metadata database: one unit of work at a time, repeated whole when the database asks for it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from factoryops.database.connections import IS_WRITING, open_engine
from factoryops.database.faults import REPEATED, Fault, fault_of, told
from factoryops.database.tables import unit_of_work
from factoryops.database.transaction import Transaction
from factoryops.database.unit import Unit
from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.domain.time import US_PER_S, now_us

T = TypeVar("T")

_MOST_TRIES: Final = 5
_PATIENCE_S: Final = 5.0
"""After this long a unit is not tried again, so that with the driver's own 10 s a caller waits 15 s at most."""
_UNITS_KEPT_US: Final = 24 * 3_600 * US_PER_S


class Database:
    """Factories, users, plant, rules, alarms and jobs, in SQLite or MySQL/MariaDB.

    Safe to use from several threads; every call blocks (run it in a thread from an event loop).
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._closing = threading.Event()
        self._records_units = engine.dialect.name != "sqlite"
        self._next_purge_us = 0

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], int] = now_us) -> Database:
        """Prepare access; a MySQL server need not be up yet.

        Args:
            url: `sqlite:///path/factoryops.db` or `mysql+pymysql://user:password@host:port/name`.
            clock: microseconds since 1970.

        Raises:
            SetupError: the URL cannot be used, or the SQLite file's folder is missing or not writable.
        """
        return cls(open_engine(url), clock)

    def migrate(self) -> None:
        """Bring the schema up to this program's version; safe to repeat after being killed at any point.

        Raises:
            SetupError: the schema is newer than this program.
            UnavailableError: the database is away, or somebody else has been migrating for a minute.
        """
        from factoryops.database import schema  # noqa: PLC0415 - alembic is loaded by those who migrate alone

        self._repeat(lambda: self._on_connection(schema.migrate, is_writing=True))

    def check_schema(self) -> None:
        """Raise SetupError unless the schema is exactly this program's."""
        from factoryops.database import schema  # noqa: PLC0415 - alembic is loaded by those who migrate alone

        self._repeat(lambda: self._on_connection(schema.check, is_writing=False))

    def run(self, work: Callable[[Transaction], T]) -> T:
        """One unit of work: all of it is committed, or nothing.

        `work` is repeated whole, at most 5 times, on a deadlock, a lock wait or a lost connection; so it must not
        do anything outside the transaction. A connection lost during the commit itself is settled by looking whether
        the unit arrived: it happens exactly once.

        Raises:
            UnavailableError: the database is away.
            ConflictError: a unique name is taken.
        """
        with _refusal_is_absence():
            return self._repeat(lambda: self._once(work, is_writing=True))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """One unit that only reads; on SQLite it does not wait for writers' turns. Errors as for `run`."""
        with _refusal_is_absence():
            return self._repeat(lambda: self._once(work, is_writing=False))

    def close(self) -> None:
        """Let go of all connections."""
        self._closing.set()
        self._engine.dispose()

    def _on_connection(self, act: Callable[[sa.Connection], None], *, is_writing: bool) -> None:
        with self._engine.connect().execution_options(**{IS_WRITING: is_writing}) as connection:
            act(connection)

    def _repeat(self, once: Callable[[], T]) -> T:
        """Call `once` again while it fails for reasons that pass."""
        started = time.monotonic()
        tries = 0
        while True:
            tries += 1
            try:
                return once()
            except exc.TimeoutError as error:
                raise UnavailableError("Too many ask the database at once; try again in a moment.") from error
            except exc.DBAPIError as error:
                fault = fault_of(error)
                if fault is Fault.BUG:
                    raise
                if fault is Fault.LOST:
                    self._engine.dispose()
                if fault not in REPEATED or tries == _MOST_TRIES or time.monotonic() - started > _PATIENCE_S:
                    raise told(fault, error) from error
            if self._closing.wait(0.02 * 2**tries * random.uniform(0.5, 1.5)):  # noqa: S311 - jitter, not a secret
                raise UnavailableError("The service is stopping.")

    def _once(self, work: Callable[[Transaction], T], *, is_writing: bool) -> T:
        with self._engine.connect().execution_options(**{IS_WRITING: is_writing}) as connection:
            outer = connection.begin()
            unit = Unit(connection, at_us=self._clock(), is_writable=is_writing)
            result = work(Transaction(unit))
            self._record(unit)
            try:
                outer.commit()
            except exc.DBAPIError as error:
                if not (unit.has_written and self._records_units and fault_of(error) is Fault.LOST):
                    raise
            else:
                return result
        if self._repeat(lambda: self._has_arrived(unit)):
            return result
        return self._once(work, is_writing=is_writing)

    def _record(self, unit: Unit) -> None:
        """Leave the unit's id with its writes, where a connection can be lost between commit and answer."""
        if not (unit.has_written and self._records_units):
            return
        unit.insert(unit_of_work, [{"id": unit.id, "at_us": unit.now_us}])
        if unit.now_us >= self._next_purge_us:
            self._next_purge_us = unit.now_us + _UNITS_KEPT_US
            unit.write(sa.delete(unit_of_work).where(unit_of_work.c.at_us < unit.now_us - _UNITS_KEPT_US))

    def _has_arrived(self, unit: Unit) -> bool:
        """Whether a unit whose commit was not answered took effect.

        Inserts its id once more: while the server still holds the lost transaction this waits for its end, and a
        duplicate says that it was committed.
        """
        with self._engine.connect() as connection, connection.begin() as transaction:
            try:
                connection.execute(sa.insert(unit_of_work).values(id=unit.id, at_us=unit.now_us))
            except exc.IntegrityError:
                return True
            transaction.rollback()
            return False


@contextmanager
def _refusal_is_absence() -> Iterator[None]:
    """For a service at work a database that refuses it (a password was changed, say) is away like any other.

    Evaluation, live values and ingest go on, and when somebody mends it everything is recorded at once.
    """
    try:
        yield
    except SetupError as error:
        raise UnavailableError(str(error)) from error
