"""Trying a mapping on a message before it goes live."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from factoryops.contracts.http.mappings import MAPPING_EXAMPLE, MappingContent
from factoryops.contracts.http.parts import Received, Sent, SentMoment, example
from factoryops.contracts.telemetry.preview import Preview, try_mapping
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import now_us, to_us

MOST_PAYLOAD: Final = 512 * 1024
"""Characters; hexadecimal takes two per byte."""


class MappingTrial(Sent):
    """A mapping and a message to try it on; nothing is kept.

    Attributes:
        payload: text, or hexadecimal with `is_hex`.
        received_at: when the message was received; now by default.
    """

    model_config = example(
        {
            "content": MAPPING_EXAMPLE,
            "topic": "hall2/press-7/state",
            "payload": '{"t": 1772323200000, "d": {"force": 512}}',
        }
    )

    content: MappingContent
    topic: Annotated[str, Field(max_length=4_000)]
    payload: Annotated[str, Field(max_length=MOST_PAYLOAD)]
    is_hex: bool = False
    received_at: SentMoment | None = None


class TrialSample(Received):
    """A sample that a message would make; `value` is a number, true or false, or a text.

    Attributes:
        has_own_time: the time is the device's, not that of receipt.
        is_uncertain: its quality says that it is not good.
    """

    device: str
    parameter: str
    time_us: int
    value: bool | float | str
    unit: str = ""
    has_own_time: bool = True
    is_uncertain: bool = False


class TrialRefusal(Received):
    """A value, or a whole record or message (parameter ""), that would be refused."""

    parameter: str
    reason: str
    detail: str


class MappingOutcome(Received):
    """What a mapping would make of a message.

    Attributes:
        faults: by field, why the mapping itself cannot be used; then there is nothing else.
        matches: whether the topic is one of the mapping's.
        rejection: why the whole message would be quarantined; None when it would be accepted.
    """

    faults: dict[str, str] = {}
    matches: bool = False
    samples: list[TrialSample] = []
    refused: list[TrialRefusal] = []
    rejection: TrialRefusal | None = None


def outcome_of(trial: MappingTrial) -> MappingOutcome:
    """What a mapping would make of a message; raises InvalidInputError when the payload is not what it says it is."""
    definition = trial.content.definition()
    faults = definition.check()
    if faults:
        return MappingOutcome(faults=faults)
    received_us = now_us() if trial.received_at is None else to_us(trial.received_at)
    return _described(try_mapping(definition, trial.topic, _payload_of(trial), received_us))


def _payload_of(trial: MappingTrial) -> bytes:
    if not trial.is_hex:
        return trial.payload.encode("utf-8", "surrogatepass")
    try:
        return bytes.fromhex(trial.payload)
    except ValueError as error:
        raise InvalidInputError(
            "The payload is not hexadecimal.", fields={"payload": "write two digits per byte"}
        ) from error  # fmt: skip


def _described(preview: Preview) -> MappingOutcome:
    rejection = preview.rejection
    return MappingOutcome(
        matches=preview.matches,
        samples=[
            TrialSample(
                device=one.device, parameter=one.parameter, time_us=one.time_us, value=one.value, unit=one.unit,
                has_own_time=one.has_own_time, is_uncertain=one.is_uncertain,
            )
            for one in preview.samples
        ],
        refused=[
            TrialRefusal(parameter=parameter, reason=reason, detail=detail)
            for parameter, reason, detail in preview.refused
        ],
        rejection=None
        if rejection is None
        else TrialRefusal(parameter="", reason=rejection.reason.value, detail=rejection.detail),
    )  # fmt: skip
