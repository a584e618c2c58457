"""Declared outages: each factory has its own, and who declared or withdrew one stays to be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from factoryops.contracts import http
from factoryops.database import outages
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.time import to_us
from tests.support.databases import Site

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def content(hours: float, length: float = 1.0) -> http.OutageContent:
    begin = START + hours * HOUR
    return http.OutageContent(start=begin, end=begin + length * HOUR, reason="Maintenance of the plant server")


def declare(site: Site, hours: float, length: float = 1.0) -> http.Outage:
    return site.database.run(lambda tx: tx.outages(site.scope).declare(content(hours, length)))


def spans(site: Site, start: float, end: float) -> list[tuple[float, float]]:
    edges = to_us(START + start * HOUR), to_us(START + end * HOUR)
    found = site.database.read(lambda tx: tx.outages(site.scope).spans(*edges))
    hour_us = 3_600_000_000
    return sorted(((one - to_us(START)) / hour_us, (two - to_us(START)) / hour_us) for one, two in found)


def test_a_span_has_the_outages_that_touch_it_and_hold(site: Site, other_site: Site) -> None:
    for hours in (0, 2, 4):
        declare(site, hours)
    last = declare(site, 6)
    declare(other_site, 2)
    assert spans(site, 1, 4) == [(2.0, 3.0)]
    assert spans(site, 0.5, 10) == [(0.0, 1.0), (2.0, 3.0), (4.0, 5.0), (6.0, 7.0)]
    site.database.run(lambda tx: tx.outages(site.scope).withdraw(last.id))
    assert spans(site, 5, 10) == []
    assert spans(other_site, 0, 10) == [(2.0, 3.0)]
    with pytest.raises(NotFoundError):
        other_site.database.run(lambda tx: tx.outages(other_site.scope).withdraw(last.id))


def test_declaring_and_withdrawing_are_audited_and_nothing_is_deleted(site: Site) -> None:
    made = declare(site, 0)
    gone = site.database.run(lambda tx: tx.outages(site.scope).withdraw(made.id))
    assert (gone.declared_by, gone.withdrawn_by) == (site.scope.actor, site.scope.actor)
    assert site.database.read(lambda tx: tx.outages(site.scope).list()) == [gone]
    with pytest.raises(ConflictError):
        site.database.run(lambda tx: tx.outages(site.scope).withdraw(made.id))
    entries = [one for one in site.database.read(lambda tx: tx.audit(site.scope).list()) if one.object_id == made.id]
    assert sorted(one.action for one in entries) == ["outage.declare", "outage.withdraw"]


def test_so_many_hold_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "MOST_OUTAGES", 2)
    first = declare(site, 0)
    declare(site, 2)
    with pytest.raises(InvalidInputError, match="withdraw old ones"):
        declare(site, 4)
    site.database.run(lambda tx: tx.outages(site.scope).withdraw(first.id))
    declare(site, 4)
