"""What the door would make of a message today: the very guard that stands there, with nobody behind it.

Messages from quarantine are tried and re-processed so. Their samples are history: lateness means nothing for them, and
no deadband holds any of them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np

from factoryops.contracts.snapshot import Snapshot, SnapshotFactory, SnapshotMapping
from factoryops.domain.mapping import TopicMapping
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id, text_code
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Publisher
from factoryops.ingest.guard import Guard
from factoryops.journal.records import MessageLedger

_FIRST: Final = -(1 << 31)
_ON_TIME: Final = np.uint8(~int(SampleFlag.LATE) & 0xFF)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message comes to.

    Attributes:
        reason / detail: why it is refused whole; "" when it is accepted.
        refused: values refused singly, by reason.
    """

    samples: SampleColumns
    reason: str = ""
    detail: str = ""
    refused: Mapping[str, int] = field(default_factory=dict)


class Rehearsal:
    """Tries messages of one factory, oldest first.

    Attributes:
        keys: what each series id in the samples stands for.
        texts: (factory, text) of each text code in the samples.
    """

    def __init__(
        self,
        factory: SnapshotFactory,
        mappings: list[SnapshotMapping],
        series: Mapping[int, SeriesKey],
        *,
        instead: TopicMapping | None = None,
    ) -> None:
        """Start from the present rules.

        Args:
            factory: with the devices that may publish.
            mappings: those in force.
            series: what is known, for the budgets of names.
            instead: a mapping that counts before all others, whether it is in force or not.
        """
        rules = [one for one in mappings if one.factory_id == factory.id]
        if instead is not None:
            rules.append(SnapshotMapping("", factory.id, 0, _first(instead)))
        self.keys = dict(series)
        self.texts: dict[int, tuple[str, str]] = {}
        # A message of dialect B lies in this factory's quarantine only because it is this factory's.
        self._guard = Guard(series, dialect_b_factory=factory.slug)
        self._guard.apply(Snapshot([msgspec.structs.replace(factory, deadbands=[])], [], rules))
        self._factory = factory.id

    def hear(self, topic: bytes, payload: bytes, received_us: int, client: str = "") -> Heard:
        """What a message comes to, as if it had just been received at that time."""
        batch = OpenBatch()
        self._guard.admit(batch, Publisher(client, self._factory), topic, payload, received_us)
        self.keys.update((series_id(key), key) for key in batch.new_series)
        self.texts.update((text_code(*text), text) for text in batch.new_texts)
        entry = batch.entry(MessageLedger())
        refused = entry.ledger.values_refused
        if entry.quarantined:
            held = entry.quarantined[0]
            return Heard(SampleColumns.empty(), held.reason, held.detail, refused)
        samples = entry.samples
        on_time = SampleColumns(samples.series, samples.time_us, samples.value, samples.flags & _ON_TIME)
        return Heard(on_time, refused=refused)


def _first(mapping: TopicMapping) -> TopicMapping:
    """The mapping with an order before every other's."""
    return replace(mapping, order=_FIRST)
