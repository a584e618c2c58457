"""A dispatcher that is driven step by step and may die after any of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops.notifications.channel import ACCEPTED, Outcome, Outgoing
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.desk import Desk
from factoryops.notifications.dispatching import plan
from factoryops.notifications.sending import Attempt, Lane
from tests.support.databases import Clock
from tests.support.notified_site import VAULT, NotifiedSite

EMAIL = ChannelKind.EMAIL


STEPS = ("raise", "plan", "send", "refused for now", "dies before", "dies after", "time")


class Mailbox:
    """What arrived, and whether the next message is taken."""

    kind = EMAIL

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.alarms: Counter[tuple[str, str]] = Counter()
        self.outcome = ACCEPTED

    async def send(self, message: Outgoing) -> Outcome:
        if self.outcome.is_accepted:
            self.arrived[message.id] += 1
            if self.arrived[message.id] == 1:
                self.alarms.update((message.address, one.alarm_id) for one in message.deliveries)
        return self.outcome


class DispatcherRun:
    """One plant, one mailbox, and a dispatcher that is started anew after each death."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.clock = Clock()
        self.told = NotifiedSite(folder, self.clock, url)
        self.mailbox = Mailbox()
        self.unnoted: set[str] = set()
        self.raised = 0
        self.lane = self._lane()
        people = [self.told.contact(name, email=f"{name}@example.com", most_per_hour=0) for name in ("jana", "ben")]
        self.told.policy((0, [(TargetKind.CONTACT, one, EMAIL) for one in people]), gather_s=3)

    def _lane(self) -> Lane:
        return Lane(
            self.mailbox, Desk(self.told.database), MessageComposer(VAULT), clock=self.clock, jitter=lambda: 1.0
        )  # fmt: skip

    def do(self, step: str) -> None:
        if step == "raise":
            self.raised += 1
            rule = self.told.site.add_rule(name=f"Alarm {self.raised}")
            self.told.site.apply(self.told.site.transition(rule, "raised", 1))
        elif step == "plan":
            self.told.database.run(lambda tx: plan(tx, self.clock()))
        elif step == "time":
            self.clock.advance(20)
        else:
            self._send(step)

    def _send(self, step: str) -> None:
        attempts = self.told.database.run(lambda tx: self.lane._begin(tx, 8))
        if step == "dies before":
            self.lane = self._lane()
            return
        self.mailbox.outcome = Outcome("451 later") if step == "refused for now" else ACCEPTED
        if step == "dies after":
            self.unnoted.update(one.message.id for one in attempts)
            asyncio.run(self._arrive(attempts))
            self.lane = self._lane()
            return
        for attempt in attempts:
            asyncio.run(self.lane._send(attempt))

    async def _arrive(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            await self.mailbox.send(attempt.message)

    def finish(self) -> None:
        for _ in range(4):
            for step in ("plan", "time", "send"):
                self.do(step)
            self.clock.advance(600)

    def check(self) -> None:
        """Every alarm was told, none twice, but for a message whose answer was never noted."""
        assert set(self.mailbox.alarms.values()) <= {1}
        assert len(self.mailbox.alarms) == 2 * self.raised
        assert {one for one, count in self.mailbox.arrived.items() if count > 1} <= self.unnoted
        assert all(one.state.value == "accepted" for one in self.told.ledger())
