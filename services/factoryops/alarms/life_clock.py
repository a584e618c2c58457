"""What time brings to alarms: shelving that is over, re-alarms, priorities that changed.

It works on the database's facts alone and in its own transactions, beside the evaluation: conditions never see it, and
while the database is away it waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.database.database import Database


def pass_time(database: Database) -> int:
    """Do what is due now; answers to how many alarms something happened. Doing it again at once does nothing.

    Raises:
        UnavailableError: the database is away; what is due then happens when it is back.
    """
    due = database.read(lambda tx: tx.alarm_clock.due())
    return sum(_pass(database, factory, alarms) for factory, alarms in due.items())


def _pass(database: Database, factory: str, alarm_ids: Sequence[str]) -> int:
    return database.run(lambda tx: tx.alarm_clock.pass_time(factory, alarm_ids))
