"""Why alarms turned is kept with the event that it belongs to, however often an event of its kind happened."""

from __future__ import annotations

from functools import partial

import pytest

from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition, Why, WhyLeaf
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope
from factoryops.domain.time import to_us
from tests.support.databases import Site


def test_each_suppression_keeps_its_own_samples_and_the_newest_is_told_unless_one_is_asked_for(
    site: Site, other_site: Site
) -> None:
    rule = site.add_rule()
    said = [
        site.transition(rule, kind, 0, at_us=at_us, why=_why(at_us))
        for kind, at_us in (("suppressed", 10), ("unsuppressed", 20), ("suppressed", 1_000), ("unsuppressed", 1_010))
    ]
    site.database.run(partial(_record, said))
    site.database.run(partial(_record, said))
    alarm = said[0].alarm_id
    begun, ended = AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED
    assert [_told(site, alarm, 0, begun, at_us) for at_us in (10, 1_000, None)] == [10, 1_000, 1_000]
    assert [_told(site, alarm, 0, ended, at_us) for at_us in (20, 1_010, None)] == [20, 1_010, 1_010]
    for scope, annunciation, at_us in ((site.scope, 0, 11), (site.scope, 1, None), (other_site.scope, 0, 10)):
        with pytest.raises(NotFoundError):
            site.database.read(partial(_of, scope, alarm, annunciation, begun, at_us))


def test_a_raise_happens_once_to_an_annunciation_and_needs_no_moment(site: Site) -> None:
    rule = site.add_rule()
    said = [site.transition(rule, "raised", number, why=_why(number)) for number in (1, 2)]
    site.database.run(partial(_record, said))
    told = [
        _told(site, said[0].alarm_id, number, AlarmEventKind.RAISED, at_us) for number, at_us in ((1, None), (2, 5))
    ]
    assert told == [1, 2]


def _why(at_us: int) -> Why:
    return Why(at_us, (WhyLeaf("", f"at {at_us}", "true", 1.0, None, ()),))


def _record(said: list[AlarmTransition], tx: Transaction) -> None:
    tx.engine.apply(said)
    tx.whys.record(said)


def _told(site: Site, alarm: str, annunciation: int, kind: AlarmEventKind, at_us: int | None) -> int:
    return to_us(site.database.read(partial(_of, site.scope, alarm, annunciation, kind, at_us)).at)


def _of(
    scope: Scope, alarm: str, annunciation: int, kind: AlarmEventKind, at_us: int | None, tx: Transaction
) -> http.AlarmWhy:
    return tx.alarm_whys(scope).of(alarm, annunciation, kind, at_us)
