"""That nobody was reached for an alarm is known whatever the alarm did meanwhile; what was meant so makes no noise."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import shelving
from factoryops.database import notification_tables as tables
from factoryops.database.transaction import Transaction
from factoryops.domain.alarm_life import Deed
from factoryops.domain.alarms import Priority
from factoryops.domain.errors import ConflictError
from factoryops.domain.notifying import ChannelKind, TargetKind
from tests.integration.notifications.test_steps import clock, plan_all, raise_one, told
from tests.support.databases import Clock
from tests.support.notified_site import NotifiedSite

__all__ = ["clock", "told"]
CONTACT, EMAIL, SMS = TargetKind.CONTACT, ChannelKind.EMAIL, ChannelKind.SMS
NIGHT_AND_DAY = [{"start": "00:00", "end": "00:00"}]


def unreached(told: NotifiedSite, clock: Clock) -> int:
    now = clock()
    return sum(one.count for one in told.database.read(lambda tx: tx.notifying.unreached(now - 300_000_000, now)))


def to_nobody(told: NotifiedSite, *more: str) -> str:
    steps = [(120.0 * place, [(CONTACT, told.contact(name, phone=""), SMS)]) for place, name in enumerate(("J", *more))]
    return told.policy(*steps)


def test_an_alarm_that_was_announced_again(told: NotifiedSite, clock: Clock) -> None:
    to_nobody(told)
    _, alarm = raise_one(told.site, re_alarm_s=600)
    plan_all(told, clock)
    told.site.acknowledge(alarm, 1)
    clock.advance(601)
    told.site.pass_time()
    plan_all(told, clock)
    assert unreached(told, clock) == 0
    clock.advance(301)
    assert unreached(told, clock) == 1


@pytest.mark.parametrize("is_latching", [False, True])
def test_an_alarm_that_returned_and_waits_for_an_answer(told: NotifiedSite, clock: Clock, is_latching: bool) -> None:
    to_nobody(told)
    rule, alarm = raise_one(told.site)
    plan_all(told, clock)
    clock.advance(60)
    told.site.apply(told.site.transition(rule, "cleared", 1, is_latching=is_latching))
    plan_all(told, clock)
    clock.advance(301)
    assert unreached(told, clock) == 1
    told.site.acknowledge(alarm, 1)
    assert unreached(told, clock) == 0


def test_an_alarm_that_comes_and_goes(told: NotifiedSite, clock: Clock) -> None:
    to_nobody(told, "Ben")
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    found = []
    for count in range(2, 16):
        clock.advance(100)
        told.site.apply(told.site.transition(rule, "cleared", count - 1))
        plan_all(told, clock)
        clock.advance(10)
        told.site.apply(told.site.transition(rule, "raised", count))
        plan_all(told, clock)
        found.append(unreached(told, clock))
    assert found == [0, 0, *[1] * 12]


def test_somebody_who_was_reached_for_one_of_many_announcements_is_enough(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    rule, _ = raise_one(told.site)
    plan_all(told, clock)

    def take_over() -> None:
        told.database.run(_take_over)

    def _take_over(tx: Transaction) -> None:
        for to in tx.notifying.due_recipients(EMAIL, clock(), 9):
            tx.notifying.accept(tx.notifying.due(EMAIL, to, clock(), 9), clock())

    take_over()
    for count in range(2, 30):
        clock.advance(230)
        told.site.apply(told.site.transition(rule, "cleared", count - 1))
        clock.advance(10)
        told.site.apply(told.site.transition(rule, "raised", count))
        plan_all(told, clock)
        take_over()
        assert unreached(told, clock) == 0


def test_a_rule_whose_policy_is_no_more(told: NotifiedSite, clock: Clock) -> None:
    """As earlier versions allowed it."""
    gone = told.policy((0, [(CONTACT, told.contact(), EMAIL)]), is_only_named=True)
    rule, _ = raise_one(told.site, notify=(gone,), priority=Priority.CRITICAL)
    with told.database._engine.begin() as connection:
        connection.execute(sa.delete(tables.policy).where(tables.policy.c.factory_id == told.scope.factory_id))
    plan_all(told, clock)
    assert told.states() == [("skipped", "the policies that its rule names are no longer there, or are switched off")]
    for count in (2, 3):
        clock.advance(151)
        told.site.apply(told.site.transition(rule, "cleared", count - 1))
        told.site.apply(told.site.transition(rule, "raised", count))
        plan_all(told, clock)
    assert unreached(told, clock) == 1


def test_a_rule_whose_policy_is_switched_off(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    off = told.policy((0, [(CONTACT, jana, EMAIL)]), is_only_named=True, is_enabled=False)
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    raise_one(told.site, notify=(off,))
    plan_all(told, clock)
    clock.advance(301)
    assert unreached(told, clock) == 1


def test_where_nobody_is_told_anything_nothing_is_written(told: NotifiedSite, clock: Clock) -> None:
    raise_one(told.site)
    assert not told.database.read(lambda tx: tx.notifying.has_work(clock()))


def test_a_policy_that_rules_name_stays(told: NotifiedSite) -> None:
    named = told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    rule, _ = raise_one(told.site, notify=(named,))
    with pytest.raises(ConflictError, match=f"named by the rules {rule.content.name}"):
        told.database.run(lambda tx: tx.notifications(told.scope).delete_policy(named))
    told.database.run(lambda tx: tx.rules(told.scope).delete(rule.id))
    told.database.run(lambda tx: tx.notifications(told.scope).delete_policy(named))


@pytest.mark.parametrize(("priority", "count"), [(Priority.LOW, 0), (Priority.CRITICAL, 1)])
def test_quiet_hours_are_no_failure_unless_the_alarm_is_critical(
    told: NotifiedSite, clock: Clock, priority: Priority, count: int
) -> None:
    told.policy((0, [(CONTACT, told.contact(quiet=NIGHT_AND_DAY, critical_breaks_quiet=False), EMAIL)]))
    raise_one(told.site, priority=priority)
    plan_all(told, clock)
    clock.advance(301)
    assert told.states() == [("skipped", "quiet hours")]
    assert unreached(told, clock) == count


def test_somebody_who_cannot_be_reached_beside_one_who_sleeps_is_a_failure(told: NotifiedSite, clock: Clock) -> None:
    sleeps, lost = told.contact(quiet=NIGHT_AND_DAY), told.contact("Ben", phone="")
    told.policy((0, [(CONTACT, sleeps, EMAIL), (CONTACT, lost, SMS)]))
    raise_one(told.site, priority=Priority.LOW)
    plan_all(told, clock)
    clock.advance(301)
    assert unreached(told, clock) == 1


def test_a_first_step_that_waits_longer_is_waited_for(told: NotifiedSite, clock: Clock) -> None:
    told.policy((600, [(CONTACT, told.contact(phone=""), SMS)]))
    raise_one(told.site)
    clock.advance(599)
    plan_all(told, clock)
    assert unreached(told, clock) == 0
    clock.advance(1)
    plan_all(told, clock)
    clock.advance(301)
    assert unreached(told, clock) == 1


def test_what_is_shelved_waits_for_nobody(told: NotifiedSite, clock: Clock) -> None:
    to_nobody(told)
    _, alarm = raise_one(told.site)
    plan_all(told, clock)
    clock.advance(301)
    assert unreached(told, clock) == 1
    orders = shelving(http.ShelveRequest(alarm_ids=[alarm], reason="Sensor", for_s=600), Deed("op1", clock()))
    told.database.run(lambda tx: tx.alarm_handling(told.scope).carry_out(orders, action="alarm.shelve"))
    assert unreached(told, clock) == 0
