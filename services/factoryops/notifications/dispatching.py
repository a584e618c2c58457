"""From events to lines of the ledger: which policies an alarm follows, which step is due, and whom that tells.

Everything here is one unit of work in the database at a time; every line has an id derived from what it is about, so
that whatever is repeated after a restart is there once.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, TypedDict

import msgspec

from factoryops.contracts.http import DeliveryState
from factoryops.database.notification_rows import AlarmFacts, AlarmStanding, Chain, NewDelivery, OutboxEvent, ToldLine
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.identity import FactoryId, derived_id
from factoryops.domain.notification_plan import Candidate, again, candidates
from factoryops.domain.notifying import Addressee, Book, ChannelKind, Policy, chosen
from factoryops.domain.time import US_PER_S

MOST_AT_ONCE: Final = 50
"""In one unit of work, so that whoever acknowledges meanwhile does not wait for a flood to be planned."""
_FOLLOW_UPS: Final = ("cleared", "acknowledged")


class _Fate(TypedDict):
    """What of a line of the ledger says whether and when it goes out."""

    state: str
    reason: str
    not_before_us: int


def plan(tx: Transaction, now_us: int) -> int:
    """Look at waiting events and at steps that are due; answers how many there were."""
    events = tx.notifying.events(MOST_AT_ONCE)
    chains = tx.notifying.due_chains(now_us, MOST_AT_ONCE)
    by_factory: defaultdict[FactoryId, tuple[list[OutboxEvent], list[Chain]]] = defaultdict(lambda: ([], []))
    for event in events:
        by_factory[event.factory_id][0].append(event)
    for chain in chains:
        by_factory[chain.factory_id][1].append(chain)
    for factory, (its_events, its_chains) in by_factory.items():
        _Planner(tx, tx.notifying.book(factory), now_us).plan(its_events, its_chains)
    tx.notifying.drop(events)
    return len(events) + len(chains)


class _Planner:
    """The events and steps of one factory at one moment."""

    def __init__(self, tx: Transaction, book: Book, now_us: int) -> None:
        self._tx = tx
        self._book = book
        self._now_us = now_us
        self._standing: dict[str, AlarmStanding] = {}
        self._lines: list[NewDelivery] = []
        self._opens_us: dict[tuple[str, ChannelKind], int] = {}
        self._sent: dict[tuple[str, ChannelKind], int] = {}
        self._told: dict[str, set[tuple[str, ChannelKind, str]]] = {}

    def plan(self, events: Sequence[OutboxEvent], chains: Sequence[Chain]) -> None:
        """Begin chains, take due steps, and put what follows into the ledger."""
        alarms = {event.alarm_id for event in events} | {chain.alarm_id for chain in chains}
        self._standing = self._tx.notifying.standing(self._book.factory_id, alarms)
        begun = [chain for event in events for chain in self._begun(event)]
        self._tx.notifying.add_chains(begun)
        for chain in [*chains, *begun]:
            if chain.due_us is not None and chain.due_us <= self._now_us:
                self._advance(chain)
        self._tx.notifying.add_deliveries(self._book.factory_id, self._lines)
        for event in events:
            self._follow_up(event)

    def _begun(self, event: OutboxEvent) -> Iterator[Chain]:
        standing = self._standing.get(event.alarm_id)
        if event.kind in _FOLLOW_UPS or standing is None or standing.out_of_sight:
            return
        for policy_id in chosen(self._book.policies, standing.told):
            first_s = self._book.policies[policy_id].due_s(0, 0)
            yield Chain(
                factory_id=event.factory_id,
                id=derived_id(event.factory_id, "chain", event.id, policy_id),
                event_id=event.id,
                alarm_id=event.alarm_id,
                annunciation=event.annunciation,
                renewal=event.renewal,
                policy_id=policy_id,
                began_us=event.created_us,
                due_us=None if first_s is None else event.created_us + int(first_s * US_PER_S),
            )

    def _advance(self, chain: Chain) -> None:
        """Take the step that is due, or end the chain."""
        policy, standing = self._book.policies.get(chain.policy_id), self._standing.get(chain.alarm_id)
        outcome = _ending(chain, policy, standing)
        if outcome or policy is None or standing is None:
            self._tx.notifying.save_chain(dataclasses.replace(chain, due_us=None, outcome=outcome))
            return
        place = min(chain.step, len(policy.steps) - 1)
        for one in candidates(policy.steps[place], self._book, standing.told.priority, self._now_us):
            facts = msgspec.structs.replace(standing.facts, renewal=chain.renewal)
            self._tell(chain, policy, place, one, facts)
        is_repeat = chain.step >= len(policy.steps)
        step, repeats = (chain.step, chain.repeats + 1) if is_repeat else (chain.step + 1, 0)
        due_s = policy.due_s(step, repeats)
        due_us = None if due_s is None else chain.began_us + int(due_s * US_PER_S)
        outcome = "done" if due_us is None else ""
        self._tx.notifying.save_chain(
            dataclasses.replace(chain, step=step, repeats=repeats, due_us=due_us, outcome=outcome)
        )

    def _tell(self, chain: Chain, policy: Policy, place: int, one: Candidate, facts: AlarmFacts) -> None:
        to = one.to or Addressee("", one.source, ChannelKind.EMAIL, "")
        key = (to.id, to.channel.value) if one.to else (one.source, one.obstacle)
        parts = (chain.event_id, chain.policy_id, str(chain.step), str(chain.repeats), *key)
        reason = one.obstacle or self._told_already(chain, to) or self._over_limit(to, facts)
        if not reason:
            self._told[chain.event_id].add((to.id, to.channel, chain.id))
        self._lines.append(
            NewDelivery(
                id=derived_id(chain.factory_id, "delivery", *parts),
                chain_id=chain.id,
                event_id=chain.event_id,
                alarm_id=chain.alarm_id,
                annunciation=chain.annunciation,
                event="renewed" if chain.renewal else "raised",
                policy=policy.name,
                step=place + 1,
                to=to,
                facts=facts,
                **self._fate(to, reason, policy),
            )
        )

    def _fate(self, to: Addressee, reason: str, policy: Policy) -> _Fate:
        """Whether and when a line of the ledger goes out; `reason` says why it does not."""
        if reason:
            return {"state": DeliveryState.SKIPPED.value, "reason": reason, "not_before_us": self._now_us}
        opens_us = self._opens(to, policy.gather_s)
        return {"state": DeliveryState.QUEUED.value, "reason": "", "not_before_us": opens_us}

    def _told_already(self, chain: Chain, to: Addressee) -> str:
        """Whether another policy tells the same person of the same event in the same way."""
        told = self._told.get(chain.event_id)
        if told is None:
            rows = self._tx.notifying.told(chain.factory_id, chain.alarm_id, chain.annunciation)
            told = {(row.to.id, row.to.channel, row.chain_id) for row in rows if row.event_id == chain.event_id}
            self._told[chain.event_id] = told
        if chain.step == 0 and any(
            (recipient, channel) == (to.id, to.channel) and other != chain.id for recipient, channel, other in told
        ):
            return "told already by another policy"
        return ""

    def _over_limit(self, to: Addressee, facts: AlarmFacts) -> str:
        contact = self._book.contacts.get(to.id)
        if contact is None or not contact.most_per_hour or facts.priority == 1:
            return ""
        key = (to.id, to.channel)
        if key not in self._sent:
            self._sent[key] = self._tx.notifying.messages_within_hour(self._book.factory_id, *key)
        is_over = self._sent[key] >= contact.most_per_hour
        return f"rate limit of {contact.most_per_hour} an hour" if is_over else ""

    def _opens(self, to: Addressee, gather_s: float) -> int:
        """When a message to somebody may go: at once after a quiet spell, else together with what follows."""
        key, gather_us = (to.id, to.channel), int(gather_s * US_PER_S)
        if key not in self._opens_us:
            newest = self._tx.notifying.newest_us(self._book.factory_id, *key)
            if newest + gather_us <= self._now_us:
                self._opens_us[key] = self._now_us
            else:
                self._opens_us[key] = newest if newest > self._now_us else newest + gather_us
        return self._opens_us[key]

    def _follow_up(self, event: OutboxEvent) -> None:
        """Tell those who were told of the alarm that it returned, or that somebody took it."""
        standing = self._standing.get(event.alarm_id)
        if event.kind not in _FOLLOW_UPS or standing is None:
            return
        rows = self._tx.notifying.told(event.factory_id, event.alarm_id, event.annunciation)
        lines: dict[str, NewDelivery] = {}
        for row in rows:
            policy = self._book.policies.get(row.policy_id)
            if policy is not None and _tells(policy, event.kind):
                line = self._followed(event, row, policy, standing.facts)
                lines.setdefault(line.id, line)
        self._tx.notifying.add_deliveries(event.factory_id, list(lines.values()))

    def _followed(self, event: OutboxEvent, row: ToldLine, policy: Policy, now: AlarmFacts) -> NewDelivery:
        """What somebody who was told of the alarm hears of what became of it."""
        facts = msgspec.structs.replace(row.facts, **_happened(event.kind, now))
        one = again(row.to.id, row.to.channel, self._book, Priority(facts.priority), self._now_us)
        to = one.to or row.to
        return NewDelivery(
            id=derived_id(event.factory_id, "delivery", event.id, to.id, to.channel.value),
            chain_id=row.chain_id,
            event_id=event.id,
            alarm_id=event.alarm_id,
            annunciation=event.annunciation,
            event=event.kind,
            policy=policy.name,
            step=0,
            to=to,
            facts=facts,
            **self._fate(to, one.obstacle or self._over_limit(to, facts), policy),
        )


def _tells(policy: Policy, kind: str) -> bool:
    """Whether a policy's people hear of a return, or of an acknowledgement."""
    return policy.is_enabled and (policy.tells_return if kind == "cleared" else policy.tells_acknowledge)


def _happened(kind: str, now: AlarmFacts) -> dict[str, object]:
    if kind == "cleared":
        return {"cleared_us": now.cleared_us}
    return {"acknowledged_us": now.acknowledged_us, "acknowledged_by": now.acknowledged_by, "comment": now.comment}


def _ending(chain: Chain, policy: Policy | None, standing: AlarmStanding | None) -> str:
    """Why a chain ends before its next step; "" when it goes on."""
    if policy is None or not policy.is_enabled or standing is None:
        return "withdrawn"
    if standing.answers(chain.annunciation, chain.renewal):
        return "acknowledged"
    if standing.annunciation > chain.annunciation:
        return "superseded"
    if standing.out_of_sight:
        return standing.out_of_sight
    if chain.step and not standing.is_active and policy.stops_on_return:
        return "returned"
    return ""
