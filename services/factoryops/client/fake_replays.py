"""Trying and replaying quarantined messages of the imagined plant."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from typing import Final

from factoryops.contracts import http
from factoryops.contracts.http.trials import outcome_of
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.time import to_us

_UNKNOWN: Final = http.TrialRefusal(
    parameter="", reason="unknown_device", detail="The factory does not adopt devices by itself; add this one first."
)

Outcome = tuple[http.QuarantinedMessage, list[http.ReplaySample], http.TrialRefusal | None]


def outcomes(
    messages: Iterable[http.QuarantinedMessage], mappings: list[http.MappingContent], devices: Container[str]
) -> list[Outcome]:
    """What each message comes to, oldest first: its samples, or why it stays."""
    return [_outcome(one, mappings, devices) for one in sorted(messages, key=lambda one: one.number)]


def check_mapping(choice: http.QuarantineChoice) -> None:
    """Raise InvalidInputError when the mapping to read with has faults."""
    faults = choice.mapping.definition().check() if choice.mapping is not None else {}
    if faults:
        raise InvalidInputError("The mapping cannot be used.", fields=faults)


def _outcome(message: http.QuarantinedMessage, mappings: list[http.MappingContent], devices: Container[str]) -> Outcome:
    stays = http.TrialRefusal(parameter="", reason=message.reason, detail=message.detail)
    if message.reason == "unknown_device":
        return (
            message,
            (_telemetry(message) if message.device in devices else []),
            (None if message.device in devices else stays),
        )
    for mapping in mappings:
        trial = http.MappingTrial(
            content=mapping, topic=message.topic, payload=message.payload, is_hex=message.is_hex,
            received_at=message.received_at,
        )  # fmt: skip
        found = outcome_of(trial)
        if found.matches and any(one.device not in devices for one in found.samples):
            return message, [], _UNKNOWN
        if found.matches:
            return message, _samples(message, found), found.rejection
    return message, [], stays


def _samples(message: http.QuarantinedMessage, found: http.MappingOutcome) -> list[http.ReplaySample]:
    return [
        http.ReplaySample(
            number=message.number, device=one.device, parameter=one.parameter, time_us=one.time_us, value=one.value,
            has_own_time=one.has_own_time,
        )
        for one in found.samples
    ]  # fmt: skip


def _telemetry(message: http.QuarantinedMessage) -> list[http.ReplaySample]:
    metrics: dict[str, float] = json.loads(message.payload)["metrics"]
    return [
        http.ReplaySample(
            number=message.number, device=message.device, parameter=name, time_us=to_us(message.received_at),
            value=value,
        )
        for name, value in metrics.items()
    ]  # fmt: skip


def preview_of(found: list[Outcome]) -> http.ReplayPreview:
    """The same, counted."""
    refusals: dict[str, http.ReplayRefusal] = {}
    for message, _, refusal in found:
        if refusal is not None:
            before = refusals.get(refusal.reason)
            refusals[refusal.reason] = http.ReplayRefusal(
                reason=refusal.reason, detail=refusal.detail, count=1 if before is None else before.count + 1,
                example=message.number,
            )  # fmt: skip
    samples = [sample for _, made, _ in found for sample in made]
    accepted = sum(refusal is None for _, _, refusal in found)
    return http.ReplayPreview(
        messages=len(found), accepted=accepted, samples=len(samples), shown=samples[:500],
        refusals=list(refusals.values()),
    )  # fmt: skip
