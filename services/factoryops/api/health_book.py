"""Which promises hold, in sentences: from the roles' heartbeats and the two ledgers."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from factoryops.contracts import http
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops.history.store import HistoryReader, StoreLedger
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import MessageLedger
from factoryops.observability.heartbeat import LOST_AFTER_S, Heartbeat, Problem, read_heartbeats

_FRESH_S: Final = 0.9
_MOST_LOOKS: Final = 20
_MEANING: Final = {
    "ingest": "nothing is received; devices keep their data until it is back",
    "historian": "samples wait in the journal and are not lost; charts show them from there",
    "engine": "no alarm is raised or cleared until it is back",
    "api": "clients cannot connect",
    "worker": "reports and other work wait",
}
_SUPERVISOR: Final = "supervisor"
_VITAL: Final = frozenset({"ingest", "historian", "engine"})

Balances: TypeAlias = tuple[http.MessageBalance, http.ValueBalance]


@dataclass(frozen=True, slots=True)
class Told:
    """A problem; `factory` is the id of the one factory it concerns, "" when it concerns all."""

    factory: str
    problem: http.HealthProblem


@dataclass(frozen=True, slots=True)
class Summary:
    """Health without the ledgers: cheap enough for every beat.

    Attributes:
        is_failing: a part that nothing can do without is lost.
        told: everything that is wrong anywhere.
    """

    is_failing: bool
    roles: list[http.RoleHealth]
    told: list[Told]

    @property
    def status(self) -> str:
        """How the whole installation is."""
        return _status(self.is_failing, self.told)

    def problems(self, factory: str) -> list[http.HealthProblem]:
        """What is wrong for a factory; what concerns another alone is not told."""
        return [one.problem for one in self.told if one.factory in {"", factory}]

    def status_for(self, factory: str) -> str:
        """How it is, as far as a factory is concerned."""
        return _status(self.is_failing, self.problems(factory))

    def sentences(self, factory: str) -> list[str]:
        """What is wrong for a factory, a sentence each."""
        return [problem.message for problem in self.problems(factory)]


def _status(is_failing: bool, problems: Sequence[object]) -> str:
    return "failing" if is_failing else "degraded" if problems else "ok"


class HealthBook:
    """Reads what the roles leave on disk. Blocks; safe from several threads."""

    def __init__(
        self,
        *,
        heartbeat_folder: Path,
        roles: tuple[str, ...],
        journals: Mapping[str, Path],
        reader: HistoryReader,
        version: str,
    ) -> None:
        self._folder = heartbeat_folder
        self._roles = roles
        self._readers = {name: JournalReader(path) for name, path in journals.items()}
        self._reader = reader
        self._version = version
        self._lock = threading.Lock()
        self._started_us = now_us()
        self._held: tuple[float, Balances] | None = None
        self.summary = Summary(False, [], [])

    def refresh(self) -> Summary:
        """Look at the heartbeats."""
        beats = read_heartbeats(self._folder)
        roles = [self._role(role, beats.get(role)) for role in self._roles]
        problems = [problem for role in roles for problem in self._problems(role, beats.get(role.role))]
        if _SUPERVISOR in beats:
            problems += [_described(_SUPERVISOR, problem) for problem in beats[_SUPERVISOR].problems]
        lost = {role.role for role in roles if not role.is_alive}
        self.summary = Summary(bool(lost & _VITAL), roles, problems)
        return self.summary

    def _role(self, role: str, beat: Heartbeat | None) -> http.RoleHealth:
        if beat is None:
            return http.RoleHealth(role=role, is_alive=False, beat_at=None)
        is_alive = now_us() - beat.beat_us <= LOST_AFTER_S * US_PER_S
        return http.RoleHealth(role=role, is_alive=is_alive, beat_at=from_us(beat.beat_us), figures=beat.figures)

    def _problems(self, role: http.RoleHealth, beat: Heartbeat | None) -> list[Told]:
        if not role.is_alive or beat is None:
            since = role.beat_at or from_us(self._started_us)
            meaning = _MEANING.get(role.role, "what it does waits")
            message = f"The {role.role} part of the service does not run: {meaning}. It is started again by itself."
            return [Told("", http.HealthProblem(role=role.role, code="role_lost", message=message, since=since))]
        return [_described(role.role, problem) for problem in beat.problems]

    def full(self, factory: str) -> http.Health:
        """Health with both ledgers, as far as a factory is concerned; the ledgers at most once a second anew."""
        with self._lock:
            if self._held is None or time.monotonic() - self._held[0] >= _FRESH_S:
                self.refresh()
                self._held = (time.monotonic(), self._balances())
            messages, values = self._held[1]
            summary = self.summary
        imbalances = _imbalances(messages, values)
        status = summary.status_for(factory)
        return http.Health(
            status="degraded" if status == "ok" and imbalances else status,
            version=self._version, roles=summary.roles, problems=[*summary.problems(factory), *imbalances],
            messages=messages, values=values,
        )  # fmt: skip

    def _balances(self) -> Balances:
        """Both ledgers, taken at one moment of store and journals: repeated while the historian moves on."""
        for _ in range(_MOST_LOOKS):
            before = self._reader.ledger(), self._fronts()
            counted = {name: self._count(name, front) for name, front in before[1].items()}
            if before == (self._reader.ledger(), self._fronts()):
                return _balance(counted, before[0])
        raise UnavailableError("The ledgers move too fast to be compared; ask again.", retry_after_s=1)

    def _fronts(self) -> dict[str, int]:
        return {name: self._reader.front(name) for name in self._readers}

    def _count(self, name: str, front: int) -> tuple[MessageLedger, int]:
        """Totals at the journal's end, and how many samples lie between the store's front and that end."""
        reader = self._readers[name]
        seq, ledger = reader.end()
        return ledger, reader.count_samples(after_seq=front, through_seq=seq)

    def close(self) -> None:
        """Let go of the journals."""
        for reader in self._readers.values():
            reader.close()


def _described(role: str, problem: Problem) -> Told:
    since = from_us(problem.since_us)
    told = http.HealthProblem(role=role, code=problem.code, message=problem.message, since=since)
    return Told(problem.factory, told)


def _balance(
    counted: Mapping[str, tuple[MessageLedger, int]], store: StoreLedger
) -> tuple[http.MessageBalance, http.ValueBalance]:
    ingest, _ = counted.get("journal", (MessageLedger(), 0))
    refused = dict(ingest.values_refused)
    for reason, count in store.refused.items():
        refused[f"store: {reason}"] = count
    values = http.ValueBalance(
        accepted=sum(ledger.values_accepted for ledger, _ in counted.values()),
        stored=store.stored,
        replaced=store.replaced,
        in_journal=sum(waiting for _, waiting in counted.values()) + store.held_back,
        late=ingest.values_late,
        refused=refused,
        suppressed=ingest.values_suppressed,
        expired=store.expired,
    )
    messages = http.MessageBalance(received=ingest.received, accepted=ingest.accepted, quarantined=ingest.quarantined)
    return messages, values


def _imbalances(messages: http.MessageBalance, values: http.ValueBalance) -> list[http.HealthProblem]:
    problems: list[http.HealthProblem] = []
    missing = messages.received - messages.accepted - messages.quarantined
    if missing:
        problems.append(_imbalance("ingest", f"{abs(missing)} messages", "received, accepted and quarantined"))
    by_store = sum(count for reason, count in values.refused.items() if reason.startswith("store: "))
    missing = values.accepted - values.stored - values.replaced - values.in_journal - by_store
    if missing:
        problems.append(_imbalance("historian", f"{abs(missing)} values", "accepted, stored, replaced and waiting"))
    return problems


def _imbalance(role: str, amount: str, between: str) -> http.HealthProblem:
    message = (
        f"The ledger of the {role} part does not balance: {amount} differ between {between}. "
        "A file may have been damaged or replaced; the gaps on the charts show where."
    )
    return http.HealthProblem(role=role, code="ledger", message=message, since=from_us(now_us()))
