"""Putting quarantined messages into the history after all: read anew, stored, and only then marked (decision 0020)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.samples import SampleColumns
from factoryops.history.transfer.stored import without_devices_own
from factoryops.history.transfer.tally import Tally
from factoryops.identity.snapshot_file import rules_of
from factoryops.ingest.rehearsal import Rehearsal
from factoryops.jobs.orders import Done, Order
from factoryops.jobs.sources import Sources, open_import_writer
from factoryops.journal.import_writer import ImportWriter
from factoryops.journal.quarantine import Filter, HeldMessage, QuarantineReader
from factoryops.reports.collect import Tell

_AT_ONCE: Final = 500
"""Messages stored and marked together; a run that is cut short repeats at most these, which changes nothing."""


@dataclass(slots=True)
class _Tally:
    """What came of the messages so far."""

    messages: int = 0
    replayed: int = 0
    samples: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    values_refused: Counter[str] = field(default_factory=Counter)
    stored: Tally = field(default_factory=Tally)

    def result(self) -> dict[str, object]:
        return {
            "messages": self.messages,
            "replayed": self.replayed,
            "samples": self.samples,
            "still_refused": dict(self.kept),
            "values_refused": dict(self.values_refused),
            "device_wins": self.stored.device_wins,
        }

    def sentence(self) -> str:
        said = f"{self.replayed} of {self.messages} messages were put into the history, {self.samples} samples."
        stay = self.messages - self.replayed
        return f"{said} {stay} stay in quarantine." if stay else said


def replay_quarantine(order: Order, sources: Sources, tell: Tell) -> Done:
    """Carry out a replay.

    Raises:
        InvalidInputError: the order does not say which messages.
        UnavailableError: somebody else is importing; try again later.
        StorageError: the import journal cannot be written.
    """
    choice = _choice_of(order)
    reader = QuarantineReader(Path(order.journals["journal"]), order.factory_id)
    try:
        numbers = choice.numbers or reader.numbers(Filter(choice.reason, choice.origin))
        with open_import_writer(order) as writer:
            tally = _Replay(order, sources, writer, choice).run(reader, sorted(set(numbers)), tell)
        sources.database.run(lambda tx: tx.quarantine_marks(_scope(order)).forget_before(reader.oldest()))
    finally:
        reader.close()
    return Done(tally.sentence(), tally.result(), ())


class _Replay:
    def __init__(self, order: Order, sources: Sources, writer: ImportWriter, choice: http.QuarantineChoice) -> None:
        self._scope = _scope(order)
        self._database = sources.database
        self._history = sources.history
        self._writer = writer
        self._choice = choice
        self._rehearsal = sources.database.read(self._rehearse)
        self._tally = _Tally()

    def _rehearse(self, tx: Transaction) -> Rehearsal:
        factory, mappings = rules_of(tx, self._scope)
        mapping = self._choice.mapping
        instead = None if mapping is None else mapping.definition()
        return Rehearsal(factory, mappings, tx.parameters(self._scope).series(), instead=instead)

    def run(self, reader: QuarantineReader, numbers: list[int], tell: Tell) -> _Tally:
        for done in range(0, len(numbers), _AT_ONCE):
            tell(done / len(numbers), f"{done} of {len(numbers)} messages")
            self._put(list(reader.numbered(numbers[done : done + _AT_ONCE])))
        return self._tally

    def _put(self, messages: list[HeldMessage]) -> None:
        """Store what the messages hold, and only then mark them."""
        parts: list[SampleColumns] = []
        accepted: list[tuple[int, int]] = []
        for one in messages:
            heard = self._rehearsal.hear(one.topic, one.payload, one.received_us, one.client)
            self._tally.values_refused.update(heard.refused)
            if heard.reason:
                self._tally.kept[heard.reason] += 1
            else:
                parts.append(heard.samples)
                accepted.append((one.number, one.received_us))
        heard_of = SampleColumns.joined(parts).sorted_unique()
        samples = without_devices_own(heard_of, self._history, self._tally.stored)
        if len(samples):
            self._writer.append(samples, self._rehearsal.keys, texts=self._rehearsal.texts)
        if accepted:
            self._database.run(lambda tx: tx.quarantine_marks(self._scope).mark(accepted))
        self._tally.messages += len(messages)
        self._tally.replayed += len(accepted)
        self._tally.samples += len(samples)


def _choice_of(order: Order) -> http.QuarantineChoice:
    try:
        return http.QuarantineChoice.model_validate_json(msgspec.json.encode(order.arguments))
    except ValueError as error:
        raise InvalidInputError("The order does not say which messages to replay. Start it again.") from error


def _scope(order: Order) -> Scope:
    return Scope(FactoryId(order.factory_id), order.requested_by, Role.ADMIN)
