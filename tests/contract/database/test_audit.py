from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.rows import AuditCheck
from factoryops.database.transaction import Transaction
from tests.support.databases import Site

entry = tables.audit_entry


def _filled(site: Site, count: int = 5) -> int:
    def fill(tx: Transaction) -> None:
        for number in range(count):
            tx.audit(site.scope).add("test", f"o{number}", {"a": number}, [1, "ü"], "why")

    site.database.run(fill)
    return site.database.read(lambda tx: tx.audit(site.scope).verify()).count


def test_an_untouched_trail_holds(site: Site, other_site: Site) -> None:
    count = _filled(site)
    _filled(other_site, 2)
    assert site.database.read(lambda tx: tx.audit(site.scope).verify()) == AuditCheck(count, None)
    newest = site.database.read(lambda tx: tx.audit(site.scope).list(most=2))
    assert [item.number for item in newest] == [count, count - 1]
    assert (newest[0].old, newest[0].new, newest[0].reason) == ({"a": 4}, [1, "ü"], "why")


def _alter(count: int) -> sa.Update | sa.Delete:
    return sa.update(entry).where(entry.c.number == count - 2).values(actor="nobody")


def _remove(count: int) -> sa.Update | sa.Delete:
    return sa.delete(entry).where(entry.c.number == count - 2)


def _cut_off(count: int) -> sa.Update | sa.Delete:
    return sa.delete(entry).where(entry.c.number == count)


@pytest.mark.parametrize(("tamper", "back"), [(_alter, 2), (_remove, 2), (_cut_off, 0)])
def test_tampering_is_found_at_its_place(site: Site, tamper: Callable[[int], sa.Update | sa.Delete], back: int) -> None:
    count = _filled(site)
    with site.database._engine.begin() as connection:
        connection.execute(tamper(count), execution_options={"every_factory": True})
    check = site.database.read(lambda tx: tx.audit(site.scope).verify())
    assert check.first_bad is not None
    assert count - back - 1 <= check.first_bad <= count - back


def test_a_unit_that_fails_leaves_no_entry_and_no_hole(site: Site) -> None:
    count = _filled(site)

    def fails(tx: Transaction) -> None:
        tx.audit(site.scope).add("test", "x")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        site.database.run(fails)
    assert site.database.read(lambda tx: tx.audit(site.scope).verify()) == AuditCheck(count, None)
