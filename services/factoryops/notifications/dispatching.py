"""From events to lines of the ledger: which policies an alarm follows, which step is due, and whom that tells.

Everything here is one unit of work in the database at a time; every line has an id derived from what it is about, so
that whatever is repeated after a restart is there once.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypedDict

import msgspec

from factoryops.contracts.http import DeliveryState
from factoryops.database.notification_rows import AlarmFacts, AlarmStanding, Chain, NewDelivery, OutboxEvent, ToldLine
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import AlarmEventKind, Mark, Priority
from factoryops.domain.identity import FactoryId, derived_id
from factoryops.domain.notification_plan import TOLD_ALREADY, again, candidates
from factoryops.domain.notification_repeats import REPEAT_US, Telling, announced_us, returned_us
from factoryops.domain.notifying import Addressee, Book, ChannelKind, Policy, chosen
from factoryops.domain.time import US_PER_S
from factoryops.notifications import chains

MOST_AT_ONCE: Final = 50
"""In one unit of work, so that whoever acknowledges meanwhile does not wait for a flood to be planned."""
_NO_POLICY: Final = "the policies that its rule names are no longer there, or are switched off"
_FOLLOW_UPS: Final = ("cleared", "acknowledged")
_GATHERED: Final = "told of this alarm within the last 15 minutes: repeats are gathered"


class _Fate(TypedDict):
    """What of a line of the ledger says whether and when it goes out."""

    state: str
    reason: str
    not_before_us: int


def plan(tx: Transaction, now_us: int) -> int:
    """Look at waiting events and at steps that are due; answers how many there were."""
    events = tx.notifying.events(MOST_AT_ONCE)
    due = tx.notifying.due_chains(now_us, MOST_AT_ONCE)
    by_factory: defaultdict[FactoryId, tuple[list[OutboxEvent], list[Chain]]] = defaultdict(lambda: ([], []))
    for event in events:
        by_factory[event.factory_id][0].append(event)
    for chain in due:
        by_factory[chain.factory_id][1].append(chain)
    for factory, (its_events, its_chains) in by_factory.items():
        _Planner(tx, tx.notifying.book(factory), now_us).plan(its_events, its_chains)
    tx.notifying.drop(events)
    return len(events) + len(due)


class _Planner:
    """The events and steps of one factory at one moment."""

    def __init__(self, tx: Transaction, book: Book, now_us: int) -> None:
        self._tx = tx
        self._book = book
        self._now_us = now_us
        self._standing: dict[str, AlarmStanding] = {}
        self._heads: dict[tuple[str, str], Chain] = {}
        self._tellings: defaultdict[str, list[Telling]] = defaultdict(list)
        self._lines: list[NewDelivery] = []
        self._opens_us: dict[tuple[str, ChannelKind, float], int] = {}
        self._sent: dict[tuple[str, ChannelKind], int] = {}
        self._told: dict[str, set[tuple[str, ChannelKind, str]]] = {}

    def plan(self, events: Sequence[OutboxEvent], due: Sequence[Chain]) -> None:
        """Begin chains, take due steps, and put what follows into the ledger."""
        alarms = {event.alarm_id for event in events} | {chain.alarm_id for chain in due}
        self._look_up(alarms)
        begun, replaced = self._begin(events)
        for chain in [*due, *begun.values()]:
            if chain.id not in replaced and chain.due_us is not None and chain.due_us <= self._now_us:
                self._advance(chain)
        self._put_down()
        for event in events:
            self._follow_up(event)
            self._put_down()

    def _put_down(self) -> None:
        """Put what was planned into the ledger."""
        self._tx.notifying.add_deliveries(self._book.factory_id, self._lines)
        self._lines.clear()

    def _look_up(self, alarms: set[str]) -> None:
        """How the alarms stand, how far their chains have come, and what was told of them lately."""
        notifying, factory = self._tx.notifying, self._book.factory_id
        self._standing = notifying.standing(factory, alarms)
        self._heads = {(chain.alarm_id, chain.policy_id): chain for chain in notifying.heads(factory, alarms)}
        for one in notifying.tellings(factory, alarms, self._now_us - REPEAT_US):
            standing = self._standing.get(one.alarm_id)
            if standing is not None and not standing.answers(*one.mark):
                self._tellings[one.alarm_id].append(one)

    def _begin(self, events: Sequence[OutboxEvent]) -> tuple[dict[str, Chain], set[str]]:
        """Begin the chains of events; answers those, and the ids of all that are replaced by them."""
        begun: dict[str, Chain] = {}
        replaced: dict[str, Chain] = {}
        for event in events:
            policies = dict(self._policies_of(event))
            if event.kind != AlarmEventKind.REPRIORITISED.value:
                replaced |= {one.id: chains.replaced(one) for one in self._unfitting(event, policies)}
            for policy_id, policy in policies.items():
                chain, before = self._next(event, policy_id, policy)
                replaced |= {before.id: chains.replaced(before)} if before else {}
                begun[chain.id] = self._heads[event.alarm_id, policy_id] = chain
        self._tx.notifying.add_chains([replaced.get(one.id, one) for one in begun.values()])
        for one in replaced.values():
            self._tx.notifying.save_chain(one)
        for one in begun.values():
            if one.step and one.id not in replaced:
                self._repeat(one)
        return begun, set(replaced)

    def _next(self, event: OutboxEvent, policy_id: str, policy: Policy) -> tuple[Chain, Chain | None]:
        """The chain an announcement begins in a policy, and the one it takes over."""
        before = self._heads.get((event.alarm_id, policy_id))
        begun = chains.begun(event, policy_id, policy)
        if before is None or before.id == begun.id:
            return begun, None
        if not chains.goes_on(before, policy, self._standing[event.alarm_id], event.created_us):
            return begun, None
        return chains.taken_over(event, before, policy), before

    def _unfitting(self, event: OutboxEvent, policies: Collection[str]) -> list[Chain]:
        """Chains under way in policies that an alarm no longer fits, as it was raised again."""
        return [
            chain
            for (alarm_id, policy_id), chain in self._heads.items()
            if policies and alarm_id == event.alarm_id and policy_id not in policies
            if chain.due_us is not None and chain.mark < (event.annunciation, event.renewal)
        ]

    def _policies_of(self, event: OutboxEvent) -> Iterator[tuple[str, Policy]]:
        """The policies whose steps an event begins."""
        standing = self._standing.get(event.alarm_id)
        if event.kind in _FOLLOW_UPS or standing is None or standing.out_of_sight:
            return
        policies = chosen(self._book.policies, standing.told)
        if standing.told.notify and not policies:
            self._leave_untold(event, standing)
        for policy_id in policies:
            before = self._heads.get((event.alarm_id, policy_id))
            if before is None or before.mark <= (event.annunciation, event.renewal):
                yield policy_id, self._book.policies[policy_id]

    def _leave_untold(self, event: OutboxEvent, standing: AlarmStanding) -> None:
        """The ledger says that nobody is told, for the policies a rule names are gone or switched off."""
        chain = chains.without_policy(event)
        self._tx.notifying.add_chains([chain])
        line = NewDelivery(
            id=derived_id(event.factory_id, "delivery", chain.id),
            chain_id=chain.id,
            event_id=event.id,
            alarm_id=event.alarm_id,
            annunciation=event.annunciation,
            event="renewed" if event.renewal else "raised",
            policy="",
            step=0,
            to=Addressee("", "", ChannelKind.EMAIL, ""),
            facts=msgspec.structs.replace(standing.facts, renewal=event.renewal),
            state=DeliveryState.SKIPPED.value,
            reason=_NO_POLICY,
            not_before_us=self._now_us,
        )
        self._note(line, chain.mark)

    def _repeat(self, chain: Chain) -> None:
        """The first step's people hear that an alarm was announced again while its steps go on."""
        policy, standing = self._book.policies[chain.policy_id], self._standing[chain.alarm_id]
        if not chains.ending(dataclasses.replace(chain, step=0), policy, standing):
            self._tell(chain, policy, standing, 0, is_repeat=True)

    def _advance(self, chain: Chain) -> None:
        """Take the step that is due, or end the chain."""
        policy, standing = self._book.policies.get(chain.policy_id), self._standing.get(chain.alarm_id)
        outcome = chains.ending(chain, policy, standing)
        if outcome or policy is None or standing is None:
            self._tx.notifying.save_chain(dataclasses.replace(chain, due_us=None, outcome=outcome))
            return
        self._tell(chain, policy, standing, min(chain.step, len(policy.steps) - 1))
        self._tx.notifying.save_chain(chains.stepped(chain, policy))

    def _tell(
        self, chain: Chain, policy: Policy, standing: AlarmStanding, place: int, *, is_repeat: bool = False
    ) -> None:
        """Put a step's people into the ledger; `is_repeat` when the step was taken before."""
        facts = msgspec.structs.replace(standing.facts, renewal=chain.renewal)
        taken = ("again",) if is_repeat else (str(chain.step), str(chain.repeats))
        is_first = is_repeat or chain.step == 0
        for one in candidates(policy.steps[place], self._book, standing.told.priority, self._now_us):
            to = one.to or Addressee("", one.source, ChannelKind.EMAIL, "")
            key = (to.id, to.channel.value) if one.to else (one.source, one.obstacle)
            told = self._told_of_event(chain)
            is_known = is_first and any(
                (recipient, channel) == (to.id, to.channel) and other != chain.id for recipient, channel, other in told
            )
            reason = one.obstacle or (TOLD_ALREADY if is_known else "") or self._over_limit(to, facts)
            if not reason:
                told.add((to.id, to.channel, chain.id))
            after_us = self._announced_us(chain, to, facts) if is_first else self._now_us
            line = NewDelivery(
                id=derived_id(chain.factory_id, "delivery", chain.event_id, chain.policy_id, *taken, *key),
                chain_id=chain.id,
                event_id=chain.event_id,
                alarm_id=chain.alarm_id,
                annunciation=chain.annunciation,
                event="renewed" if chain.renewal else "raised",
                policy=policy.name,
                step=place + 1,
                to=to,
                facts=facts,
                **self._fate(to, reason, policy, after_us),
            )
            self._note(line, chain.mark)

    def _announced_us(self, chain: Chain, to: Addressee, facts: AlarmFacts) -> int:
        """When somebody is told of an announcement, which may be one of many of the same alarm."""
        return announced_us(self._told_of(chain.alarm_id, to), facts.priority, self._now_us)

    def _told_of(self, alarm_id: str, to: Addressee) -> list[Telling]:
        """What somebody was told of an alarm lately; a machine behind a webhook wants everything when it happens."""
        if to.channel is ChannelKind.WEBHOOK:
            return []
        return [one for one in self._tellings[alarm_id] if (one.recipient_id, one.channel) == (to.id, to.channel)]

    def _note(self, line: NewDelivery, mark: Mark) -> None:
        """Keep a line for the ledger, and in mind for what else is planned at this moment."""
        self._lines.append(line)
        if line.state == DeliveryState.QUEUED.value:
            self._tellings[line.alarm_id].append(
                Telling(
                    line.alarm_id, line.to.id, line.to.channel, line.event, mark, line.facts.priority, self._now_us,
                    line.not_before_us,
                )
            )  # fmt: skip

    def _fate(self, to: Addressee, reason: str, policy: Policy, after_us: int) -> _Fate:
        """Whether and when a line of the ledger goes out; `reason` says why it does not."""
        if reason:
            return {"state": DeliveryState.SKIPPED.value, "reason": reason, "not_before_us": self._now_us}
        if after_us > self._now_us:
            return {"state": DeliveryState.QUEUED.value, "reason": _GATHERED, "not_before_us": after_us}
        opens_us = self._opens(to, policy.gather_s)
        return {"state": DeliveryState.QUEUED.value, "reason": "", "not_before_us": opens_us}

    def _told_of_event(self, chain: Chain) -> set[tuple[str, ChannelKind, str]]:
        """Whom the chains of an event have told by which channel: another policy tells nobody twice."""
        if chain.event_id not in self._told:
            rows = self._tx.notifying.told(chain.factory_id, chain.alarm_id, chain.annunciation)
            self._told[chain.event_id] = {
                (row.to.id, row.to.channel, row.chain_id) for row in rows if row.event_id == chain.event_id
            }
        return self._told[chain.event_id]

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
        key, gather_us = (to.id, to.channel, gather_s), int(gather_s * US_PER_S)
        if key not in self._opens_us:
            until_us = self._now_us + gather_us
            newest = self._tx.notifying.newest_us(self._book.factory_id, to.id, to.channel, until_us)
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
        known: set[str] = set()
        for row in self._tx.notifying.told(event.factory_id, event.alarm_id, event.annunciation):
            policy = self._book.policies.get(row.policy_id)
            if policy is not None and _tells(policy, event.kind):
                line = self._followed(event, row, policy, standing.facts)
                if line.id not in known:
                    self._note(line, (event.annunciation, event.renewal))
                known.add(line.id)

    def _followed(self, event: OutboxEvent, row: ToldLine, policy: Policy, now: AlarmFacts) -> NewDelivery:
        """What somebody who was told of the alarm hears of what became of it."""
        facts = msgspec.structs.replace(row.facts, **_happened(event.kind, now))
        one = again(row.to.id, row.to.channel, self._book, Priority(facts.priority), self._now_us)
        to = one.to or row.to
        is_return = event.kind == "cleared"
        after_us = returned_us(self._told_of(event.alarm_id, to), self._now_us) if is_return else self._now_us
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
            **self._fate(to, one.obstacle or self._over_limit(to, facts), policy, after_us),
        )


def _tells(policy: Policy, kind: str) -> bool:
    """Whether a policy's people hear of a return, or of an acknowledgement."""
    return policy.is_enabled and (policy.tells_return if kind == "cleared" else policy.tells_acknowledge)


def _happened(kind: str, now: AlarmFacts) -> dict[str, object]:
    if kind == "cleared":
        return {"cleared_us": now.cleared_us}
    return {"acknowledged_us": now.acknowledged_us, "acknowledged_by": now.acknowledged_by, "comment": now.comment}
