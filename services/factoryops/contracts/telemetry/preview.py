"""What a mapping would make of a message, for people who try it before it goes live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from factoryops.contracts.telemetry.mapped import CompiledMapping, Record, detail_of
from factoryops.contracts.telemetry.mapped_values import Refusal
from factoryops.contracts.telemetry.messages import FUTURE_LIMIT_US, FUTURE_TIME, Reason, Rejection
from factoryops.domain.mapping import TopicMapping
from factoryops.domain.samples import SampleFlag

_UNCERTAIN: Final = int(SampleFlag.UNCERTAIN)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)
_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)


class PreviewSample(msgspec.Struct, frozen=True):
    """A sample that a message would make.

    Attributes:
        value: a number, true or false, or a text.
        is_uncertain: its quality says that it is not good.
        has_own_time: the time is the device's, not that of receipt.
    """

    device: str
    parameter: str
    time_us: int
    value: float | bool | str
    unit: str = ""
    is_uncertain: bool = False
    has_own_time: bool = True


class Preview(msgspec.Struct, frozen=True):
    """What a mapping would make of one message.

    Attributes:
        matches: whether the topic is one of the mapping's.
        rejection: why the whole message would be quarantined; None when it would be accepted.
        refused: (parameter, reason, sentence) of values that would be refused singly; "" stands for a whole record.
    """

    matches: bool
    samples: list[PreviewSample] = []
    refused: list[tuple[str, str, str]] = []
    rejection: Rejection | None = None


def try_mapping(definition: TopicMapping, topic: str, payload: bytes, received_us: int) -> Preview:
    """What a mapping would make of one message, for people; raises InvalidInputError when the mapping has faults."""
    bound = CompiledMapping(definition).bind(topic)
    if bound is None:
        return Preview(matches=False)
    mapped = bound.read(payload, received_us)
    if isinstance(mapped, Rejection):
        return Preview(matches=True, rejection=mapped)
    latest_us = received_us + FUTURE_LIMIT_US
    early = [record for record in mapped.records if record.time_us <= latest_us]
    ahead = len(mapped.records) - len(early)
    refused = [*mapped.refused, *[Refusal(Reason.FUTURE_TIME, "")] * ahead]
    return Preview(
        matches=True,
        samples=[sample for record in early for sample in _preview(record, bound.units)],
        refused=[(one.parameter, one.reason.value, detail_of(one)) for one in refused],
        rejection=None if early else FUTURE_TIME,
    )


def _preview(record: Record, units: dict[str, str]) -> Iterable[PreviewSample]:
    for flags, values in record.values.items():
        for name, value in values.items():
            yield PreviewSample(
                record.device,
                name,
                record.time_us,
                bool(value) if flags & _BOOLEAN else value,
                units.get(name, ""),
                is_uncertain=bool(flags & _UNCERTAIN),
                has_own_time=not flags & _RECEIVE_TIME,
            )
