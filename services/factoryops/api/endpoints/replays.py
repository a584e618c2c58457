"""Trying quarantined messages against the present rules or a mapping, and putting them into the history after all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from factoryops.api.call import Asking, Call
from factoryops.api.endpoints.quarantine import in_quarantine
from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.identity.snapshot_file import rules_of
from factoryops.ingest.rehearsal import Heard, Rehearsal
from factoryops.journal.quarantine import Filter, HeldMessage, QuarantineReader

MOST_TRIED: Final = 2_000
_SHOWN: Final = 500
_TEXT: Final = int(SampleFlag.TEXT)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)
_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)


async def preview_replay(body: http.QuarantineChoice, asking: Asking) -> http.ReplayPreview:
    """What a replay of these messages would do; nothing is kept."""
    _check(body)
    rehearsal = await asking.read(lambda tx: _rehearsal(tx, asking, body))
    return await in_quarantine(asking, lambda reader: _preview(reader, rehearsal, body))


async def start_replay(body: http.QuarantineChoice, asking: Asking) -> http.Run:
    """Put these messages into the history with their own times; a second time changes nothing. They never alarm."""
    _check(body)
    numbers = await in_quarantine(asking, lambda reader: _numbers(reader, body))
    run = await asking.change(lambda tx: tx.work.start_replay(asking.scope, body, len(numbers)))
    asking.service.hub.tell_run(asking.scope.factory_id, run)
    return run


def _check(choice: http.QuarantineChoice) -> None:
    faults = choice.mapping.definition().check() if choice.mapping is not None else {}
    if faults:
        raise InvalidInputError("The mapping cannot be used.", fields=faults)


def _rehearsal(tx: Transaction, asking: Call, choice: http.QuarantineChoice) -> Rehearsal:
    factory, mappings = rules_of(tx, asking.scope)
    instead = None if choice.mapping is None else choice.mapping.definition()
    return Rehearsal(factory, mappings, tx.parameters(asking.scope).series(), instead=instead)


def _numbers(reader: QuarantineReader, choice: http.QuarantineChoice) -> list[int]:
    """The chosen messages that are still there, oldest first; NotFoundError when none is."""
    if choice.numbers:
        numbers = [one.number for one in reader.numbered(choice.numbers)]
    else:
        numbers = reader.numbers(Filter(choice.reason, choice.origin))
    if not numbers:
        raise NotFoundError("There are no such messages in quarantine.")
    return numbers


def _preview(reader: QuarantineReader, rehearsal: Rehearsal, choice: http.QuarantineChoice) -> http.ReplayPreview:
    numbers = _numbers(reader, choice)
    tally = _Tally(rehearsal)
    for held in reader.numbered(numbers[-MOST_TRIED:]):
        tally.take(held, rehearsal.hear(held.topic, held.payload, held.received_us, held.client))
    return http.ReplayPreview(
        messages=tally.messages, is_partial=len(numbers) > MOST_TRIED, accepted=tally.accepted, samples=tally.samples,
        shown=tally.shown, refusals=list(tally.refusals.values()), values_refused=tally.values_refused,
    )  # fmt: skip


class _Tally:
    """Counts what comes of messages, and keeps the first samples to be shown."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self.messages = self.accepted = self.samples = 0
        self.shown: list[http.ReplaySample] = []
        self.refusals: dict[str, http.ReplayRefusal] = {}
        self.values_refused: dict[str, int] = {}

    def take(self, held: HeldMessage, heard: Heard) -> None:
        """Count one message."""
        self.messages += 1
        for reason, count in heard.refused.items():
            self.values_refused[reason] = self.values_refused.get(reason, 0) + count
        if heard.reason:
            before = self.refusals.get(heard.reason)
            self.refusals[heard.reason] = http.ReplayRefusal(
                reason=heard.reason, detail=heard.detail, count=1 if before is None else before.count + 1,
                example=held.number,
            )  # fmt: skip
            return
        self.accepted += 1
        self.samples += len(heard.samples)
        if len(self.shown) < _SHOWN:
            self.shown += _shown(held.number, heard.samples, self._rehearsal.keys, self._rehearsal.texts)


def _shown(
    number: int, samples: SampleColumns, keys: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]]
) -> Iterator[http.ReplaySample]:
    columns = (samples.series.tolist(), samples.time_us.tolist(), samples.value.tolist(), samples.flags.tolist())
    for series, time_us, value, flags in zip(*columns, strict=True):
        key = keys[series]
        yield http.ReplaySample(
            number=number, device=key.device, parameter=key.parameter, time_us=time_us,
            value=_value(value, flags, texts), has_own_time=not flags & _RECEIVE_TIME,
        )  # fmt: skip


def _value(value: float, flags: int, texts: Mapping[int, tuple[str, str]]) -> bool | float | str:
    if flags & _TEXT:
        return texts[int(value)][1]
    return bool(value) if flags & _BOOLEAN else value
