"""One channel's queue and workers: what is due goes out, and the ledger says what became of it.

The ledger's rows are the queue; a worker takes all that is due for one recipient as one message. What it records
before and after an attempt is such that a message is sent once, or, after a crash between the other side's answer and
our record of it, once more under the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from factoryops.contracts.http import DeliveryState
from factoryops.database.notification_rows import Queued, Recipient
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import derived_id
from factoryops.domain.notifying import ChannelKind, mask
from factoryops.domain.time import US_PER_S, now_us
from factoryops.notifications.channel import Channel, Outcome, Outgoing
from factoryops.notifications.desk import Desk
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

T = TypeVar("T")
WORKERS: Final = 4
GIVE_UP_US: Final = 24 * 3_600 * US_PER_S
_LOOK_EVERY_S: Final = 0.5
_MOST_TOGETHER: Final = 2_000
"""Deliveries in one message; what is beyond goes into the next."""
_FIRST_RETRY_S: Final = 5.0
_LONGEST_RETRY_S: Final = 300.0
_DATABASE_PAUSE_S: Final = 1.0
_FINISH_S: Final = 5.0


def jittered() -> float:
    """A factor by which pauses differ, so that not everything is tried again at once."""
    return random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


_FAULT: Final = Outcome("The service itself failed to send it; its log says how.", is_permanent=True)
"""One message that brings the code down ends as failed, and all others are sent."""


class Composer(Protocol):
    """Makes a message of deliveries."""

    def compose(self, tx: Transaction, message_id: str, deliveries: Sequence[Queued]) -> Outgoing | str:
        """The message, in the transaction that begins the attempt; a reason when it can never be sent."""
        ...

    def illustrate(self, message: Outgoing) -> Outgoing:
        """The message with its pictures, made outside any transaction."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """A message that goes out now."""

    deliveries: Sequence[Queued]
    message: Outgoing


class Lane:
    """A channel at work.

    Args:
        jitter: a factor around 1 by which pauses differ.
    """

    def __init__(
        self,
        channel: Channel,
        desk: Desk,
        composer: Composer,
        *,
        clock: Callable[[], int] = now_us,
        jitter: Callable[[], float] = jittered,
    ) -> None:
        self._channel = channel
        self._desk = desk
        self._composer = composer
        self._clock = clock
        self._jitter = jitter
        self._busy: set[Recipient] = set()
        self._queue: asyncio.Queue[Attempt] = asyncio.Queue(WORKERS)
        self.login_refused: str = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; an attempt that is under way then is made again after the next start."""
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work()) for _ in range(WORKERS)]
            while not stop.is_set():
                if not await self._feed():
                    await is_set_within(stop, _LOOK_EVERY_S)
            await self._finish_sending()
            for worker in workers:
                worker.cancel()

    async def _finish_sending(self) -> None:
        """Let attempts that are under way end, for a short while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S):
                await self._queue.join()

    async def _feed(self) -> int:
        """Begin the attempts there is room for; answers how many."""
        room = 2 * WORKERS - len(self._busy)
        if room <= 0:
            return 0
        try:
            if not await self._desk.read(lambda tx: self._recipients(tx, 1)):
                return 0
            attempts = await self._desk.run(lambda tx: self._begin(tx, room))
        except UnavailableError:
            return 0
        for attempt in attempts:
            self._busy.add(_recipient(attempt.deliveries))
        for attempt in attempts:
            await self._queue.put(attempt)
        return len(attempts)

    def _recipients(self, tx: Transaction, most: int) -> list[Recipient]:
        """Who is due and is not being sent anything, the longest waiting first."""
        due = tx.notifying.due_recipients(self._channel.kind, self._clock(), most + len(self._busy))
        return [one for one in due if one not in self._busy][:most]

    def _begin(self, tx: Transaction, most: int) -> list[Attempt]:
        """Choose what goes out now, and record that it does."""
        begun = (self._begin_one(tx, recipient) for recipient in self._recipients(tx, most))
        return [attempt for attempt in begun if attempt is not None]

    def _begin_one(self, tx: Transaction, recipient: Recipient) -> Attempt | None:
        due = tx.notifying.due(self._channel.kind, recipient, self._clock(), _MOST_TOGETHER)
        wanted = _first_message(_still_wanted(tx, due))
        if not wanted:
            return None
        message_id = wanted[0].message_id or derived_id(recipient[0], "message", *(one.id for one in wanted))
        message = self._composer.compose(tx, message_id, wanted)
        if isinstance(message, str):
            tx.notifying.note(wanted, state=DeliveryState.FAILED.value, reason=message)
            return None
        tx.notifying.attempt(wanted, message_id)
        return Attempt(wanted, message)

    async def _work(self) -> None:
        while True:
            attempt = await self._queue.get()
            try:
                await self._send(attempt)
            except Exception:
                logger.exception("A message by %s failed through a fault of the service", self._channel.kind)
                await self._insist(lambda tx, one=attempt: self._record(tx, one, one.message, _FAULT))  # type: ignore[misc]  # bound per round
            finally:
                self._busy.discard(_recipient(attempt.deliveries))
                self._queue.task_done()

    async def _send(self, attempt: Attempt) -> None:
        message = await asyncio.to_thread(self._composer.illustrate, attempt.message)
        outcome = await self._channel.send(message)
        self.login_refused = outcome.reason if outcome.is_login_refused else ""
        if not outcome.is_accepted:
            logger.warning(
                "A message by %s to %s was not accepted: %s", self._channel.kind, mask_of(attempt), outcome.reason
            )
        await self._insist(lambda tx: self._record(tx, attempt, message, outcome))

    async def _insist(self, work: Callable[[Transaction], None]) -> None:
        """Record an outcome, however long the database is away: what was sent is not sent again."""
        while True:
            try:
                await self._desk.run(work)
            except UnavailableError:
                await asyncio.sleep(_DATABASE_PAUSE_S)
            else:
                return

    def _record(self, tx: Transaction, attempt: Attempt, message: Outgoing, outcome: Outcome) -> None:
        now = self._clock()
        if outcome.is_accepted:
            is_inbox = self._channel.kind is ChannelKind.IN_APP
            kept = {"subject": message.subject, "body": message.text} if is_inbox else {}
            tx.notifying.accept(attempt.deliveries, now, **kept)
            return
        oldest = min(one.created_us for one in attempt.deliveries)
        if outcome.is_permanent or now - oldest > GIVE_UP_US:
            tx.notifying.note(attempt.deliveries, state=DeliveryState.FAILED.value, reason=outcome.reason)
            return
        tries = max(one.attempts for one in attempt.deliveries)
        pause_s = min(_FIRST_RETRY_S * 3.0 ** min(tries, 8), _LONGEST_RETRY_S) * self._jitter()
        tx.notifying.note(
            attempt.deliveries, state=DeliveryState.QUEUED.value, reason=outcome.reason,
            not_before_us=now + int(pause_s * US_PER_S),
        )  # fmt: skip


def mask_of(attempt: Attempt) -> str:
    """The recipient as a log may show them."""
    first = attempt.deliveries[0]
    is_hook = first.channel in {ChannelKind.WEBHOOK, ChannelKind.CHAT}
    return first.recipient_id if is_hook else mask(attempt.message.address)


def _recipient(deliveries: Sequence[Queued]) -> Recipient:
    return deliveries[0].factory_id, deliveries[0].recipient_id


def _still_wanted(tx: Transaction, deliveries: Sequence[Queued]) -> list[Queued]:
    """Those that somebody still has to hear of; the ledger says why not of the others."""
    standing = tx.notifying.standing(deliveries[0].factory_id, {one.alarm_id for one in deliveries if one.alarm_id})
    wanted: list[Queued] = []
    for one in deliveries:
        alarm = standing.get(one.alarm_id)
        is_news = one.event in {"cleared", "acknowledged", "test"} or alarm is None
        reason = "" if is_news or alarm is None else alarm.out_of_sight
        if not reason and not is_news and alarm is not None and alarm.answers(one.annunciation, one.facts.renewal):
            reason = "acknowledged"
        if reason:
            tx.notifying.note([one], state=DeliveryState.SKIPPED.value, reason=reason)
        else:
            wanted.append(one)
    return wanted


def _first_message(deliveries: Sequence[Queued]) -> list[Queued]:
    """What goes out together: a message that was tried before as it was, or all that is new."""
    tried = next((one.message_id for one in deliveries if one.message_id), "")
    return [one for one in deliveries if one.message_id == tried]
