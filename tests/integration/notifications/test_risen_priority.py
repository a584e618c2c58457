"""An alarm that becomes more urgent before anybody acknowledged it: those who are for that hear of it."""

from __future__ import annotations

import msgspec
import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.notifying import ChannelKind, TargetKind
from tests.integration.notifications.test_steps import clock, plan_all, told
from tests.support.databases import Clock
from tests.support.notified_site import NotifiedSite
from tests.support.rules import limit_content

__all__ = ["clock", "told"]
CONTACT, EMAIL = TargetKind.CONTACT, ChannelKind.EMAIL
NIGHT_AND_DAY = [{"start": "00:00", "end": "00:00"}]


class Changing:
    """An alarm whose rule is given other priorities while it is active."""

    def __init__(self, told: NotifiedSite, clock: Clock, priority: Priority) -> None:
        self.told, self.clock, self.version = told, clock, 1
        self.definition = msgspec.structs.replace(limit_content().definition(), priority=priority)
        content = http.RuleContent.of(self.definition)
        self.rule = told.database.run(lambda tx: tx.rules(told.scope).create(content, "x"))
        told.database.run(lambda tx: tx.engine.mark_rule_holds(self.rule.id, 1, 1))
        told.site.apply(told.site.transition(self.rule, "raised", 1, priority=int(priority)))
        plan_all(told, clock)

    def becomes(self, priority: Priority) -> list[tuple[int, str]]:
        """Change the rule; answers all that was told by then."""
        content = http.RuleContent.of(msgspec.structs.replace(self.definition, priority=priority))
        before, self.version = self.version, self.version + 1
        self.told.database.run(lambda tx: tx.rules(self.told.scope).update(self.rule.id, before, content, "x"))
        self.told.database.run(lambda tx: tx.engine.mark_rule_holds(self.rule.id, self.version, 5))
        self.clock.advance(2)
        self.told.site.pass_time()
        return plan_all(self.told, self.clock)


def test_policies_that_fit_only_the_new_priority_begin(told: NotifiedSite, clock: Clock) -> None:
    on_call, boss = told.contact("On call"), told.contact("Boss")
    told.policy((0, [(CONTACT, on_call, EMAIL)]), (300, [(CONTACT, boss, EMAIL)]), priorities=[1])
    alarm = Changing(told, clock, Priority.LOW)
    assert told.ledger() == []
    assert alarm.becomes(Priority.CRITICAL) == [(1, "On call")]
    clock.advance(300)
    assert plan_all(told, clock) == [(1, "On call"), (2, "Boss")]


def test_those_who_know_it_hear_that_it_is_more_urgent_and_its_steps_go_on(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), (300, [(CONTACT, told.contact("Ben"), EMAIL)]))
    alarm = Changing(told, clock, Priority.LOW)
    clock.advance(200)
    assert alarm.becomes(Priority.CRITICAL) == [(1, "Jana"), (1, "Jana")]
    newest = told.ledger()[0]
    assert (newest.priority, newest.reason) == (Priority.CRITICAL, "")
    clock.advance(98)
    assert plan_all(told, clock)[2:] == [(2, "Ben")]


def test_quiet_hours_that_kept_it_from_somebody_do_so_no_longer(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana", quiet=NIGHT_AND_DAY), EMAIL)]))
    alarm = Changing(told, clock, Priority.LOW)
    assert told.states() == [("skipped", "quiet hours")]
    alarm.becomes(Priority.CRITICAL)
    assert told.states() == [("queued", ""), ("skipped", "quiet hours")]


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_priority_that_falls_tells_nobody(told: NotifiedSite, clock: Clock, is_answered: bool) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), priorities=[4])
    alarm = Changing(told, clock, Priority.HIGH)
    if is_answered:
        told.site.acknowledge(told.site.alarms()[0].id, 1)
    assert alarm.becomes(Priority.LOW) == []


def test_nothing_is_told_twice_where_somebody_had_acknowledged(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]))
    alarm = Changing(told, clock, Priority.LOW)
    told.site.acknowledge(told.site.alarms()[0].id, 1)
    assert alarm.becomes(Priority.CRITICAL) == [(1, "Jana"), (1, "Jana")]
