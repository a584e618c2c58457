"""Shifts and operating positions as the database keeps them."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import NotFoundError
from factoryops.domain.schedules import Schedule, WeeklyWindow
from tests.support.databases import Site

NIGHT = http.ShiftContent(name="Nachtschicht ☾", windows=[http.ShiftWindow(start="22:00", end="06:00", days=[1, 7])])
HALL = http.PositionContent(name="Halle Ä", areas=["Halle Ä", ""])


def test_a_shift_says_when_it_works_and_every_change_is_audited(site: Site, other_site: Site) -> None:
    made = site.database.run(lambda tx: tx.shifts(site.scope).create(NIGHT))
    schedules = site.database.read(lambda tx: tx.shifts(site.scope).schedules())
    assert schedules == {made.id: Schedule(weekly=(WeeklyWindow("22:00", "06:00", (1, 7)),))}
    assert site.database.read(lambda tx: tx.shifts(other_site.scope).list()) == []
    before = site.database.read(lambda tx: tx.changes())
    site.database.run(lambda tx: tx.shifts(site.scope).update(made.id, 1, NIGHT))
    after = site.database.read(lambda tx: tx.changes())
    assert after.rules > before.rules
    site.database.run(lambda tx: tx.shifts(site.scope).delete(made.id))
    entries = site.database.read(lambda tx: tx.audit(site.scope).list(most=3))
    assert sorted(entry.action for entry in entries) == ["shift.create", "shift.delete", "shift.update"]


def test_a_position_of_another_factory_is_unknown_and_its_areas_are_free(site: Site, other_site: Site) -> None:
    made = site.database.run(lambda tx: tx.positions(site.scope).create(HALL))
    assert made.content == HALL
    for act in (
        lambda tx: tx.positions(other_site.scope).get(made.id),
        lambda tx: tx.positions(other_site.scope).update(made.id, 1, HALL),
        lambda tx: tx.positions(other_site.scope).delete(made.id),
    ):
        with pytest.raises(NotFoundError):
            site.database.run(act)
    other_site.database.run(lambda tx: tx.positions(other_site.scope).create(HALL))
    assert site.database.read(lambda tx: tx.positions(site.scope).list()) == [made]
