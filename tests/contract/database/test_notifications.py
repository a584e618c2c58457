"""Outbox, chains and ledger are the same in both databases: written once, found again, bounded to a factory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.database.notification_rows import OutboxEvent, Queued
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops.notifications.dispatching import plan
from tests.support.databases import Clock, Site, new_site
from tests.support.dispatcher_run import DispatcherRun
from tests.support.notified_site import NotifiedSite

CONTACT, EMAIL, IN_APP = TargetKind.CONTACT, ChannelKind.EMAIL, ChannelKind.IN_APP


@pytest.fixture
def told(url: str, clock: Clock, tmp_path: Path) -> Iterator[NotifiedSite]:
    site = NotifiedSite(tmp_path, clock, url)
    yield site
    site.database.close()


def raise_one(site: Site, name: str = "Pressure high") -> str:
    transition = site.transition(site.add_rule(name=name), "raised", 1)
    site.apply(transition)
    return transition.alarm_id


def plan_all(told: NotifiedSite, clock: Clock) -> None:
    while told.database.run(lambda tx: plan(tx, clock())):
        pass


def events(database: Database) -> list[OutboxEvent]:
    return database.read(lambda tx: tx.notifying.events(10))


def due(told: NotifiedSite, clock: Clock, recipient: str, channel: ChannelKind = EMAIL) -> list[Queued]:
    to = (told.scope.factory_id, recipient)
    return told.database.read(lambda tx: tx.notifying.due(channel, to, clock(), 100))


class _CutError(Exception):
    pass


def test_an_event_and_its_line_in_the_outbox_are_there_together_or_not_at_all(told: NotifiedSite) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    rule = told.site.add_rule()

    def cut(tx: Transaction) -> None:
        tx.engine.apply([told.site.transition(rule, "raised", 1)])
        raise _CutError

    with pytest.raises(_CutError):
        told.database.run(cut)
    assert (events(told.database), told.site.events()) == ([], [])
    told.site.apply(told.site.transition(rule, "raised", 1))
    assert [(one.kind, one.annunciation) for one in events(told.database)] == [("raised", 1)]


def test_what_is_planned_is_there_once_however_often_the_dispatcher_dies(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]), (60, [(CONTACT, told.contact("Ben"), EMAIL)]))
    raise_one(told.site)

    def cut(tx: Transaction) -> None:
        plan(tx, clock())
        raise _CutError

    for _ in range(3):
        with pytest.raises(_CutError):
            told.database.run(cut)
        plan_all(told, clock)
        clock.advance(60)
    assert [(one.step, one.recipient) for one in reversed(told.ledger())] == [(1, "Jana"), (2, "Ben")]
    assert events(told.database) == []


def test_a_dispatcher_that_dies_before_and_after_sending_tells_each_alarm_once(url: str, tmp_path: Path) -> None:
    run = DispatcherRun(tmp_path, url)
    deaths = ("dies before", "send", "dies after", "refused for now")
    try:
        for step in deaths:
            for one in ("raise", "plan", "time", step):
                run.do(one)
        run.finish()
        run.check()
    finally:
        run.told.database.close()


def test_whoever_is_being_sent_something_keeps_nobody_else_waiting(told: NotifiedSite, clock: Clock) -> None:
    jana, ben = told.contact("Jana"), told.contact("Ben")
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    for number in range(20):
        raise_one(told.site, f"Alarm {number}")
    plan_all(told, clock)
    clock.advance(1)
    told.policy((0, [(CONTACT, ben, EMAIL)]))
    raise_one(told.site, "One more")
    plan_all(told, clock)

    def recipients(most: int) -> list[str]:
        found = told.database.read(lambda tx: tx.notifying.due_recipients(EMAIL, clock(), most))
        return [identity for _, identity in found]

    assert (recipients(1), recipients(2)) == ([jana], [jana, ben])
    assert (len(due(told, clock, jana)), len(due(told, clock, ben))) == (21, 1)


def test_an_attempt_and_its_outcome_are_in_the_ledger_and_count_as_one_message(
    told: NotifiedSite, clock: Clock
) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    for name in ("First", "Second"):
        raise_one(told.site, name)
    plan_all(told, clock)
    lines = due(told, clock, jana)
    told.database.run(lambda tx: tx.notifying.attempt(lines, "a" * 32))
    assert {(one.attempts, one.message_id) for one in due(told, clock, jana)} == {(1, "a" * 32)}
    later = clock() + 5_000_000
    told.database.run(lambda tx: tx.notifying.note(lines, state="queued", reason="451", not_before_us=later))
    assert due(told, clock, jana) == []
    clock.advance(5)
    told.database.run(lambda tx: tx.notifying.accept(due_now(tx, told, clock, jana), clock()))
    assert told.states() == [("accepted", "")] * 2

    def within_hour() -> int:
        return told.database.read(lambda tx: tx.notifying.messages_within_hour(told.scope.factory_id, jana, EMAIL))

    assert within_hour() == 1
    clock.advance(3_601)
    assert within_hour() == 0


def due_now(tx: Transaction, told: NotifiedSite, clock: Clock, recipient: str) -> list[Queued]:
    return tx.notifying.due(EMAIL, (told.scope.factory_id, recipient), clock(), 100)


def test_an_alarm_counts_as_told_when_its_message_in_the_client_was_read(told: NotifiedSite, clock: Clock) -> None:
    op = told.contact("Op", user=told.scope.actor)
    told.policy((0, [(CONTACT, op, IN_APP)]))
    raise_one(told.site)
    plan_all(told, clock)
    clock.advance(301)

    def unreached() -> list[int]:
        now = clock()
        found = told.database.read(lambda tx: tx.notifying.unreached(now - 300_000_000, now))
        return [one.count for one in found]

    before = clock()
    lines = due(told, clock, op, IN_APP)
    told.database.run(lambda tx: tx.notifying.accept(lines, clock(), subject="Pressure high", body="Close it."))
    assert unreached() == [1]
    told.database.run(lambda tx: tx.deliveries(told.scope).mark_seen([lines[0].id]))
    assert unreached() == []
    changed = told.database.read(lambda tx: tx.notifying.inboxes_changed_since(before))
    assert changed == {(told.scope.factory_id, told.scope.actor)}
    assert told.database.read(lambda tx: tx.notifying.inboxes_changed_since(before + 1)) == frozenset()


def test_another_factory_sees_neither_book_nor_ledger(told: NotifiedSite, clock: Clock) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    raise_one(told.site)
    plan_all(told, clock)
    other = new_site(told.database, "hillside").scope
    assert told.database.read(lambda tx: tx.deliveries(other).page()).deliveries == []
    with pytest.raises(NotFoundError):
        told.database.run(lambda tx: tx.notifications(other).contacts.one(jana))
    assert len(told.ledger()) == 1


def test_the_book_keeps_versions_and_says_who_is_still_named(told: NotifiedSite) -> None:
    jana = told.contact()
    told.policy((0, [(CONTACT, jana, EMAIL)]))
    changed = http.ContactContent(name="Jana Berg", email="jana@example.com")
    told.database.run(lambda tx: tx.notifications(told.scope).contacts.update(jana, 1, changed))
    with pytest.raises(ConflictError):
        told.database.run(lambda tx: tx.notifications(told.scope).contacts.update(jana, 1, changed))
    with pytest.raises(ConflictError, match="names this contact"):
        told.database.run(lambda tx: tx.notifications(told.scope).delete_contact(jana))
    row = told.database.read(lambda tx: tx.notifications(told.scope).contacts.named("Jana Berg"))
    assert (row.id, row.version) == (jana, 2)
    with pytest.raises(NotFoundError, match="there are: Jana Berg"):
        told.database.read(lambda tx: tx.notifications(told.scope).contacts.named("Ben"))
    told.contact("Jana Berg")
    with pytest.raises(InvalidInputError, match="several contacts named"):
        told.database.read(lambda tx: tx.notifications(told.scope).contacts.named("Jana Berg"))


def test_a_hook_s_secrets_are_said_to_be_given_and_not_what_they_are(told: NotifiedSite) -> None:
    told.hook("https://hooks.example.com/secret", key="sesame")
    entries = told.database.read(lambda tx: tx.audit(told.scope).list())
    made = next(one for one in entries if one.action == "notification_hook.create")
    assert isinstance(made.new, dict)
    assert (made.new["sealed"], made.new["host"]) == ("given", "127.0.0.1")


def test_what_is_older_than_400_days_is_forgotten(told: NotifiedSite, clock: Clock) -> None:
    told.policy((0, [(CONTACT, told.contact(), EMAIL)]))
    raise_one(told.site)
    plan_all(told, clock)
    clock.advance(401 * 86_400)
    told.database.run(lambda tx: tx.notifying.purge(clock()))
    assert told.ledger() == []
