"""What a policy says happens step by step, on a clock of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import shelving
from factoryops.database.transaction import Transaction
from factoryops.domain.alarm_life import Deed
from factoryops.domain.alarms import Priority
from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops.domain.rule import RuleMode
from factoryops.notifications.dispatching import plan
from tests.support.databases import Clock, Site
from tests.support.notified_site import NotifiedSite
from tests.support.rules import limit_content

CONTACT, EMAIL, SMS = TargetKind.CONTACT, ChannelKind.EMAIL, ChannelKind.SMS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(tmp_path: Path, migrated_sqlite: Path, clock: Clock) -> Iterator[NotifiedSite]:
    shutil.copy(migrated_sqlite, tmp_path / "factoryops.db")
    site = NotifiedSite(tmp_path, clock)
    yield site
    site.database.close()


def raise_one(
    site: Site,
    *,
    notify: tuple[str, ...] = (),
    mode: RuleMode = RuleMode.LIVE,
    re_alarm_s: float = 0.0,
    **fields: object,
) -> tuple[http.Rule, str]:
    definition = msgspec.structs.replace(limit_content(**fields).definition(), notify=notify, mode=mode)
    content = http.RuleContent.of(definition)
    rule = site.database.run(lambda tx: tx.rules(site.scope).create(content, site.scope.actor))
    transition = site.transition(rule, "raised", 1, re_alarm_s=re_alarm_s)
    site.apply(transition)
    return rule, transition.alarm_id


def plan_all(told: NotifiedSite, clock: Clock) -> list[tuple[int, str]]:
    """Plan until nothing is due; answers step and recipient of every line, oldest first."""
    while told.database.run(lambda tx: plan(tx, clock())):
        pass
    return [(one.step, one.recipient) for one in reversed(told.ledger())]


def test_the_outbox_is_written_with_the_event_and_only_where_somebody_is_told(told: NotifiedSite) -> None:
    raise_one(told.site)
    assert told.database.read(lambda tx: tx.notifying.events(10)) == []
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    raise_one(told.site, name="Second")
    assert [one.kind for one in told.database.read(lambda tx: tx.notifying.events(10))] == ["raised"]


def test_escalation_goes_on_until_somebody_acknowledges(told: NotifiedSite, clock: Clock) -> None:
    jana, ben, eva = (told.contact(name, phone="+4915112345678") for name in ("Jana", "Ben", "Eva"))
    told.policy((0, [(CONTACT, jana, EMAIL)]), (300, [(CONTACT, ben, SMS)]), (600, [(CONTACT, eva, SMS)]))
    _, alarm = raise_one(told.site)
    assert plan_all(told, clock) == [(1, "Jana")]
    clock.advance(299)
    assert plan_all(told, clock) == [(1, "Jana")]
    clock.advance(1)
    assert plan_all(told, clock) == [(1, "Jana"), (2, "Ben")]
    told.site.acknowledge(alarm, 1)
    clock.advance(10_000)
    assert plan_all(told, clock) == [(1, "Jana"), (2, "Ben")]


def test_an_alarm_that_returned_is_not_escalated_unless_the_policy_says_so(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    for stops in (True, False):
        told.policy((0, [(CONTACT, jana, EMAIL)]), (60, [(CONTACT, jana, EMAIL)]), stops_on_return=stops)
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    told.site.apply(told.site.transition(rule, "cleared", 1))
    clock.advance(60)
    plan_all(told, clock)
    assert [one.step for one in told.ledger() if one.step == 2] == [2]


def test_the_last_step_is_repeated_as_often_as_the_policy_says(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]), repeat_s=60, most_repeats=2)
    raise_one(told.site)
    for _ in range(6):
        plan_all(told, clock)
        clock.advance(60)
    assert len(told.ledger()) == 3


def test_nobody_is_told_twice_of_one_event_by_two_policies(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    raise_one(told.site)
    plan_all(told, clock)
    assert told.states() == [("queued", ""), ("skipped", "told already by another policy")]


def test_quiet_hours_are_kept_but_for_critical_alarms(told: NotifiedSite, clock: Clock) -> None:
    quiet = [{"start": "12:00", "end": "14:00"}]
    told.policy((0, [(CONTACT, told.contact(quiet=quiet), EMAIL)]))
    raise_one(told.site, priority=Priority.HIGH)
    raise_one(told.site, name="Urgent", priority=Priority.CRITICAL)
    plan_all(told, clock)
    assert told.states() == [("queued", ""), ("skipped", "quiet hours")]


def test_a_rule_that_names_a_policy_follows_that_one_alone(told: NotifiedSite, clock: Clock) -> None:
    jana, ben = told.contact("Jana"), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    named = told.policy((0, [(CONTACT, ben, EMAIL)]), is_only_named=True)
    raise_one(told.site, notify=(named,))
    assert plan_all(told, clock) == [(1, "Ben")]


def test_a_shadow_rule_tells_nobody(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    raise_one(told.site, mode=RuleMode.SHADOW)
    assert plan_all(told, clock) == []


def test_a_burst_waits_for_its_neighbours_after_a_first_message_at_once(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]), gather_s=10)
    raise_one(told.site)
    plan_all(told, clock)
    clock.advance(2)
    raise_one(told.site, name="Second")
    plan_all(told, clock)

    def due() -> int:
        to = (told.scope.factory_id, jana)
        return len(told.database.read(lambda tx: tx.notifying.due(EMAIL, to, clock(), 100)))

    assert due() == 1
    clock.advance(8)
    assert due() == 2


def test_whoever_was_told_is_told_of_the_return_where_the_policy_says_so(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]), tells_return=True)
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    clock.advance(1)
    told.site.apply(told.site.transition(rule, "cleared", 1))
    plan_all(told, clock)
    assert [one.event for one in told.ledger()] == ["cleared", "raised"]


def follow_up(told: NotifiedSite, clock: Clock, rule: http.Rule, after_s: float) -> list[tuple[str, str, str]]:
    """Let an alarm return; answers recipient, state and reason of what tells it."""
    clock.advance(after_s)
    told.site.apply(told.site.transition(rule, "cleared", 1))
    plan_all(told, clock)
    return [(one.recipient, one.state.value, one.reason) for one in told.ledger() if one.event == "cleared"]


def test_a_return_wakes_nobody_who_has_quiet_hours(told: NotifiedSite, clock: Clock) -> None:
    quiet = told.contact("Quiet", quiet=[{"start": "13:10", "end": "14:00"}])
    told.policy((0, [(CONTACT, quiet, EMAIL), (CONTACT, told.contact("Ben"), EMAIL)]), tells_return=True)
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    assert sorted(follow_up(told, clock, rule, 1_200)) == [("Ben", "queued", ""), ("Quiet", "skipped", "quiet hours")]


def test_a_return_is_not_told_to_whoever_was_switched_off_meanwhile(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]), tells_return=True)
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    off = http.ContactContent(name="Jana", email="jana@example.com", is_enabled=False)
    told.database.run(lambda tx: tx.notifications(told.scope).contacts.update(jana, 1, off))
    assert follow_up(told, clock, rule, 1) == [("Jana", "skipped", "switched off")]


def test_a_return_counts_for_the_hour_s_limit(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact(most_per_hour=1)
    told.policy((0, [(CONTACT, jana, EMAIL)]), tells_return=True)
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    deliver(told, clock, jana)
    assert follow_up(told, clock, rule, 60) == [("Jana", "skipped", "rate limit of 1 an hour")]


def test_a_return_goes_by_the_policy_that_told_of_the_alarm_and_gathers_as_that_says(
    told: NotifiedSite, clock: Clock
) -> None:
    jana, ben = told.contact(), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]), name="Same", tells_return=True, gather_s=300)
    told.policy((0, [(CONTACT, ben, EMAIL)]), name="Same")
    rule, _ = raise_one(told.site)
    plan_all(told, clock)
    deliver(told, clock, jana)
    assert follow_up(told, clock, rule, 1) == [("Jana", "queued", "")]
    assert deliver(told, clock, jana) == 0
    clock.advance(299)
    assert deliver(told, clock, jana) == 1


def deliver(told: NotifiedSite, clock: Clock, recipient: str) -> int:
    """Let what is due for somebody be taken over; answers how many alarms that tells."""

    def work(tx: Transaction) -> int:
        due = tx.notifying.due(EMAIL, (told.scope.factory_id, recipient), clock(), 100)
        if due:
            tx.notifying.attempt(due, due[0].id)
            tx.notifying.accept(due, clock())
        return len(due)

    return told.database.run(work)


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.CRITICAL])
def test_beyond_the_hour_s_limit_only_critical_alarms_are_told(
    told: NotifiedSite, clock: Clock, priority: Priority
) -> None:
    jana = told.contact(most_per_hour=2)
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    for number in range(4):
        raise_one(told.site, name=f"Alarm {number}", priority=priority)
        plan_all(told, clock)
        deliver(told, clock, jana)
        clock.advance(60)
    skipped = [("skipped", "rate limit of 2 an hour")] * (2 if priority is Priority.HIGH else 0)
    assert told.states() == [("accepted", "")] * (4 - len(skipped)) + skipped
    clock.advance(3_600)
    raise_one(told.site, name="Another hour", priority=priority)
    plan_all(told, clock)
    assert told.ledger()[0].state.value == "queued"


def test_an_alarm_that_is_announced_again_is_told_again_and_escalated_anew(told: NotifiedSite, clock: Clock) -> None:
    jana, ben = told.contact(), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]), (120, [(CONTACT, ben, EMAIL)]))
    _, alarm = raise_one(told.site, re_alarm_s=600)
    plan_all(told, clock)
    told.site.acknowledge(alarm, 1)
    clock.advance(601)
    assert told.site.pass_time() == 1
    assert plan_all(told, clock) == [(1, "Jana"), (1, "Jana")]
    clock.advance(120)
    assert plan_all(told, clock) == [(1, "Jana"), (1, "Jana"), (2, "Ben")]
    assert [one.event for one in told.ledger()] == ["renewed", "renewed", "raised"]


def test_an_alarm_nobody_was_reached_for_is_known_after_five_minutes(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(phone=""), SMS)]))
    _, alarm = raise_one(told.site)
    plan_all(told, clock)
    assert told.states() == [("skipped", "no address for this channel")]
    clock.advance(301)

    def unreached() -> list[int]:
        now = clock()
        return [one.count for one in told.database.read(lambda tx: tx.notifying.unreached(now - 300_000_000, now))]

    assert unreached() == [1]
    told.site.acknowledge(alarm, 1)
    assert unreached() == []


def test_planning_again_after_a_restart_repeats_nothing(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]), (60, [(CONTACT, told.contact("Ben"), EMAIL)]))
    raise_one(told.site)

    for _ in range(3):
        with pytest.raises(_CutError):
            told.database.run(lambda tx: _planned_and_cut(tx, clock()))
        plan_all(told, clock)
        clock.advance(60)
    assert [(one.step, one.recipient) for one in reversed(told.ledger())] == [(1, "Jana"), (2, "Ben")]


class _CutError(Exception):
    pass


def _planned_and_cut(tx: Transaction, now_us: int) -> None:
    plan(tx, now_us)
    raise _CutError


def test_a_shelved_alarm_is_not_escalated(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]), (60, [(CONTACT, jana, SMS)]))
    _, alarm = raise_one(told.site)
    plan_all(told, clock)
    orders = shelving(http.ShelveRequest(alarm_ids=[alarm], reason="Sensor", for_s=600), Deed("op1", clock()))
    told.database.run(lambda tx: tx.alarm_handling(told.scope).carry_out(orders, action="alarm.shelve"))
    assert told.database.read(lambda tx: tx.notifying.standing(told.scope.factory_id, [alarm]))[alarm].out_of_sight
    clock.advance(60)
    assert [step for step, _ in plan_all(told, clock)] == [1]
