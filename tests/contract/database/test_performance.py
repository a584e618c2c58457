"""The alarm history as the figures need it: the span, and what was active when it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import performance
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.performance import AlarmOrigin
from factoryops.database.philosophy_tables import alarm_philosophy
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope, alarm_id
from factoryops.domain.performance.thresholds import DEFAULT, Target
from tests.support.databases import Site
from tests.support.reads import reads

SECOND = 1_000_000


def test_events_of_the_span_come_with_the_raise_of_what_was_active_before(site: Site, other_site: Site) -> None:
    rule = site.add_rule()
    pump = site.add_device("pump-2")
    second = {
        "device_id": pump.id, "device_key": pump.key, "device_name": pump.name,
        "alarm_id": alarm_id(site.factory.id, rule.id, pump.key),
    }  # fmt: skip
    site.apply(
        *(site.transition(rule, kind, 1, at_us=at * SECOND) for kind, at in (("raised", 5), ("cleared", 10))),
        *(site.transition(rule, kind, 2, at_us=at * SECOND) for kind, at in (("raised", 90), ("cleared", 110))),
        site.transition(rule, "raised", 3, at_us=120 * SECOND),
        site.transition(rule, "raised", 1, at_us=50 * SECOND, **second),
    )
    read = read_alarm_history(site.database, site.scope, (100 * SECOND, 200 * SECOND))
    found = sorted((one.device_name, one.annunciation, one.kind, one.at_us // SECOND) for one in read)
    assert found == [
        ("Pump-1", 2, "cleared", 110),
        ("Pump-1", 2, "raised", 90),
        ("Pump-1", 3, "raised", 120),
        ("Pump-2", 1, "raised", 50),
    ]
    assert read_alarm_history(site.database, other_site.scope, (0, 10**15)) == []


def test_the_alarms_of_one_rule_are_left_out_where_asked(site: Site) -> None:
    ours, other = site.add_rule(), site.add_rule()
    site.apply(*(site.transition(rule, "raised", 1, at_us=at * SECOND) for rule, at in ((ours, 5), (other, 6))))

    def moments(span: tuple[int, int]) -> list[int]:
        lines = read_alarm_history(site.database, site.scope, span, without_rule=ours.id)
        return [one.at_us // SECOND for one in lines]

    assert (moments((0, 10 * SECOND)), moments((8 * SECOND, 10 * SECOND))) == ([6], [6])


def test_what_began_before_is_found_without_reading_what_ended_before(site: Site) -> None:
    rule = site.add_rule()
    pump = site.add_device("pump-2")
    old = site.transition(
        rule, "raised", 1, at_us=1, device_id=pump.id, device_key=pump.key, device_name=pump.name,
        alarm_id=alarm_id(site.factory.id, rule.id, pump.key),
    )  # fmt: skip
    often = [site.transition(rule, kind, number) for number in range(1, 40) for kind in ("raised", "cleared")]
    site.apply(old, *often, site.transition(rule, "raised", 40))
    with reads() as asked:
        lines = read_alarm_history(site.database, site.scope, (100 * SECOND, 200 * SECOND))
    assert {(one.device_name, one.annunciation, one.kind) for one in lines} == {
        ("Pump-1", 40, "raised"), ("Pump-2", 1, "raised"),
    }  # fmt: skip
    assert max(read.rows for read in asked) == 2, "as many as are active, however often they were raised before"


def test_a_long_history_is_read_in_portions_that_leave_nothing_out_and_repeat_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performance, "_PORTION", 3)
    rules = [site.add_rule() for _ in range(4)]
    site.apply(*(site.transition(rule, "raised", 1, at_us=5) for rule in rules))
    site.apply(*(site.transition(rule, "cleared", 1, at_us=7 + place // 2) for place, rule in enumerate(rules)))
    with reads() as asked:
        lines = read_alarm_history(site.database, site.scope, (0, 100))
    told = sorted((line.alarm_id, line.kind, line.at_us) for line in lines)
    assert told == sorted(
        (alarm_id(site.factory.id, rule.id, "pump-1"), kind, at_us)
        for place, rule in enumerate(rules)
        for kind, at_us in (("raised", 5), ("cleared", 7 + place // 2))
    )
    assert max(read.rows for read in asked) == 3


def test_classes_that_do_not_count_are_left_out_and_one_that_is_gone_is_of_the_first(site: Site) -> None:
    names = ("", "safety", "quality", "gone")
    rules = [site.add_rule() for _ in names]
    site.apply(
        *(
            site.transition(rule, "raised", 1, at_us=place, alarm_class=name)
            for place, (rule, name) in enumerate(zip(rules, names, strict=True), 1)
        )
    )
    for uncounted, left in (((), [1, 2, 3, 4]), (("quality",), [1, 2, 4]), (("process", "quality"), [2])):
        site.database.run(partial(_count_all_but, site.scope, uncounted))
        lines = read_alarm_history(site.database, site.scope, (0, 100))
        assert [line.at_us for line in lines] == left


def _count_all_but(scope: Scope, uncounted: tuple[str, ...], tx: Transaction) -> http.Philosophy:
    held = tx.philosophy(scope).get()
    classes = [one.model_copy(update={"is_counted": one.id not in uncounted}) for one in held.classes]
    change = http.PhilosophyChange(version=held.version, classes=classes, matrix=held.matrix)
    return tx.philosophy(scope).replace(change)


def test_thresholds_are_kept_with_the_philosophy_and_what_was_stored_without_any_has_the_defaults(
    site: Site, other_site: Site
) -> None:
    site.database.run(partial(_count_all_but, site.scope, ()))
    without = http.FIRST_PHILOSOPHY.model_dump_json(exclude={"thresholds", "changed_by", "changed_at"})
    table = alarm_philosophy
    mine = table.c.factory_id == site.factory.id
    with site.database._engine.begin() as connection:
        connection.execute(sa.update(table).where(mine).values(content=without))
    held = site.database.read(lambda tx: tx.philosophy(site.scope).get())
    assert held.thresholds == DEFAULT
    chosen = replace(DEFAULT, stale_s=3_600.0, top_ten=Target(0.1, 0.2))
    change = http.PhilosophyChange(version=held.version, classes=held.classes, matrix=held.matrix, thresholds=chosen)
    site.database.run(lambda tx: tx.philosophy(site.scope).replace(change))
    assert site.database.read(lambda tx: tx.philosophy(site.scope).get()).thresholds == chosen
    assert site.database.read(lambda tx: tx.philosophy(other_site.scope).get()).thresholds == DEFAULT
    newest = site.database.read(lambda tx: tx.audit(site.scope).list())[0]
    assert newest.action == "alarm_philosophy.update"
    assert isinstance(newest.old, dict)
    assert isinstance(newest.new, dict)
    assert newest.old["thresholds"]["stale_s"] == 86_400.0
    assert newest.new["thresholds"]["top_ten"] == {"good": 0.1, "most": 0.2}


def test_an_alarm_is_known_by_its_rule_and_device_in_its_own_factory_alone(site: Site, other_site: Site) -> None:
    rule = site.add_rule()
    identity = alarm_id(site.factory.id, rule.id, site.device.key)
    site.apply(site.transition(rule, "raised", 1))
    (place,) = site.database.read(lambda tx: tx.alarm_performance(site.scope).places([identity, identity]))
    assert (place.alarm_id, place.rule_id, place.device_key) == (identity, rule.id, site.device.key)
    assert (place.rule_name, place.priority) == (rule.content.name, int(rule.content.priority))
    assert site.database.read(lambda tx: tx.alarm_performance(site.scope).places([])) == []
    site.database.read(partial(_check, site.scope, identity))
    for scope, asked in ((other_site.scope, identity), (site.scope, "0" * 32)):
        assert site.database.read(partial(_places, scope, [asked])) == []
        with pytest.raises(NotFoundError):
            site.database.read(partial(_check, scope, asked))


def test_an_alarm_whose_rule_is_only_tried_by_now_is_left_out_where_nobody_named_it(site: Site) -> None:
    tried, live = site.add_rule(), site.add_rule()
    site.apply(*(site.transition(rule, kind, 1) for rule in (tried, live) for kind in ("raised", "cleared")))
    site.apply(site.transition(tried, "raised", 2, is_shadow=True))
    asked = [alarm_id(site.factory.id, rule.id, site.device.key) for rule in (tried, live)]
    assert [one.rule_id for one in site.database.read(partial(_places, site.scope, asked))] == [live.id]


def _places(scope: Scope, asked: Sequence[str], tx: Transaction) -> list[AlarmOrigin]:
    return tx.alarm_performance(scope).places(asked)


def _check(scope: Scope, asked: str, tx: Transaction) -> None:
    tx.alarm_performance(scope).check_there([asked])
