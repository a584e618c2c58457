"""An alarm that comes and goes while nobody answers: it is escalated like one that stays, and nobody drowns in it."""

from __future__ import annotations

from collections import Counter

import pytest

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.notifying import ChannelKind, TargetKind
from tests.integration.notifications.test_steps import clock, plan_all, raise_one, told
from tests.support.databases import Clock
from tests.support.notified_site import NotifiedSite

__all__ = ["clock", "told"]
CONTACT, EMAIL, SMS = TargetKind.CONTACT, ChannelKind.EMAIL, ChannelKind.SMS


class Chatter:
    """One alarm that returns and is raised again, and the messages that go out meanwhile."""

    def __init__(self, told: NotifiedSite, clock: Clock, priority: Priority = Priority.HIGH) -> None:
        self.told, self.clock, self.priority = told, clock, priority
        self.rule, self.alarm = raise_one(told.site, priority=priority)
        self.count = 1
        self.messages: Counter[str] = Counter()
        self.send()

    def send(self) -> None:
        """Plan, and let everything that is due be taken over."""
        plan_all(self.told, self.clock)
        self.messages += self.told.database.run(self._taken_over)

    def _taken_over(self, tx: Transaction) -> Counter[str]:
        found: Counter[str] = Counter()
        for recipient in tx.notifying.due_recipients(EMAIL, self.clock(), 100):
            due = tx.notifying.due(EMAIL, recipient, self.clock(), 1_000)
            tx.notifying.attempt(due, due[0].id)
            tx.notifying.accept(due, self.clock())
            found[due[0].recipient] += 1
        return found

    def again(self, every_s: float, up_s: float = 10.0) -> None:
        """Return, and be raised again."""
        self.clock.advance(every_s - up_s)
        self._move("cleared")
        self.clock.advance(up_s)
        self.count += 1
        self._move("raised")

    def _move(self, kind: str) -> None:
        self.told.site.apply(self.told.site.transition(self.rule, kind, self.count, priority=int(self.priority)))
        self.send()


def test_an_alarm_nobody_answers_is_escalated_however_often_it_comes_back(told: NotifiedSite, clock: Clock) -> None:
    jana, ben = told.contact("Jana"), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]), (300, [(CONTACT, ben, EMAIL)]), stops_on_return=False)
    chatter = Chatter(told, clock)
    chatter.again(240)
    assert chatter.messages == {"Jana": 1}
    clock.advance(60)
    chatter.send()
    assert chatter.messages == {"Jana": 1, "Ben": 1}


def test_whoever_was_told_hears_of_repeats_once_in_a_quarter_of_an_hour(told: NotifiedSite, clock: Clock) -> None:
    jana, ben = told.contact("Jana"), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]), (300, [(CONTACT, ben, EMAIL)]), stops_on_return=False)
    chatter = Chatter(told, clock)
    for _ in range(38):
        chatter.again(240)
    assert chatter.messages["Jana"] <= 2 + 38 * 240 // 900
    assert chatter.messages["Ben"] >= 5
    announced = [one for one in told.ledger() if one.recipient == "Jana"]
    assert len(announced) >= 39, "every announcement is in the ledger"


@pytest.mark.parametrize(("tells_return", "most"), [(False, 5), (True, 10)])
def test_a_critical_alarm_that_chatters_is_never_withheld_and_never_a_flood(
    told: NotifiedSite, clock: Clock, tells_return: bool, most: int
) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana", most_per_hour=1), EMAIL)]), tells_return=tells_return)
    chatter = Chatter(told, clock, Priority.CRITICAL)
    for _ in range(59):
        chatter.again(60, up_s=30)
    assert 4 <= chatter.messages["Jana"] <= most
    assert {one.state.value for one in told.ledger()} <= {"accepted", "queued"}
    raise_one(told.site, name="Another", priority=Priority.CRITICAL)
    before = chatter.messages["Jana"]
    chatter.send()
    assert chatter.messages["Jana"] == before + 1, "what waits for its repeats holds nothing else back"


def test_a_machine_behind_a_webhook_hears_of_everything_when_it_happens(told: NotifiedSite, clock: Clock) -> None:
    hook = told.hook("https://erp.example.com/x")
    told.policy((0, [(TargetKind.HOOK, hook, ChannelKind.WEBHOOK)]), tells_return=True)
    chatter = Chatter(told, clock)
    for _ in range(3):
        chatter.again(60)
    recipient = (told.scope.factory_id, hook)
    due = told.database.read(lambda tx: tx.notifying.due(ChannelKind.WEBHOOK, recipient, clock(), 100))
    assert [(one.event, one.annunciation) for one in due] == [
        ("raised", 1), ("cleared", 1), ("raised", 2), ("cleared", 2), ("raised", 3), ("cleared", 3), ("raised", 4),
    ]  # fmt: skip


def test_an_answer_begins_a_new_story(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), (300, [(CONTACT, told.contact("Ben"), EMAIL)]))
    chatter = Chatter(told, clock)
    told.site.acknowledge(chatter.alarm, 1)
    chatter.again(240)
    assert chatter.messages == {"Jana": 2}
    clock.advance(60)
    chatter.send()
    assert chatter.messages == {"Jana": 2}, "Ben's five minutes begin with the new announcement"


def test_what_returned_before_its_next_step_is_escalated_when_it_is_back(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), (300, [(CONTACT, told.contact("Ben"), EMAIL)]))
    chatter = Chatter(told, clock)
    chatter.again(320, up_s=40)
    assert chatter.messages == {"Jana": 1, "Ben": 1}


def test_hours_later_the_steps_begin_anew(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), (300, [(CONTACT, told.contact("Ben"), EMAIL)]))
    chatter = Chatter(told, clock)
    clock.advance(300)
    chatter.send()
    chatter.again(7_200)
    assert chatter.messages == {"Jana": 2, "Ben": 1}
    clock.advance(300)
    chatter.send()
    assert chatter.messages == {"Jana": 2, "Ben": 2}


def test_many_announcements_that_waited_together_are_told_once(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]))
    rule, _ = raise_one(told.site)
    for count in (2, 3):
        told.site.apply(told.site.transition(rule, "cleared", count - 1))
        told.site.apply(told.site.transition(rule, "raised", count))
    assert plan_all(told, clock) == [(1, "Jana")]


def test_a_policy_that_an_alarm_no_longer_fits_is_not_followed_further(told: NotifiedSite, clock: Clock) -> None:
    low = told.policy((0, [(CONTACT, told.contact("Low"), EMAIL)]), (300, [(CONTACT, told.contact("Ben"), EMAIL)]))
    told.policy((0, [(CONTACT, told.contact("Jana"), EMAIL)]), priorities=[1])
    chatter = Chatter(told, clock)
    content = http.PolicyContent.model_validate(
        told.database.read(lambda tx: _policy(tx, told, low)).model_dump(mode="json") | {"priorities": [4]}
    )
    told.database.run(lambda tx: tx.notifications(told.scope).policies.update(low, 1, content))
    chatter.priority = Priority.CRITICAL
    chatter.again(240)
    clock.advance(100)
    chatter.send()
    assert chatter.messages == {"Low": 1, "Jana": 1}


def _policy(tx: Transaction, told: NotifiedSite, identity: str) -> http.PolicyContent:
    policies = tx.notifications(told.scope).policies
    return policies.read(policies.one(identity))
