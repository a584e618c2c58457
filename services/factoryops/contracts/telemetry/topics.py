"""Topics of the three dialects; the topic decides how a message is read."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from typing import Final, NamedTuple

from factoryops.contracts.snapshot import Snapshot
from factoryops.contracts.telemetry.messages import Reason, Rejection
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.plant import is_key, is_slug, is_tenant

SUBSCRIPTION: Final = "factories/+/devices/+/telemetry"
SUBSCRIPTION_B: Final = "devices/+/telemetry"
SUBSCRIPTION_C: Final = "+/devices/+/telemetry"

_INVALID_UTF8: Final = Rejection(Reason.INVALID_TOPIC, "The topic is not valid UTF-8.")
_NO_FACTORY: Final = Rejection(Reason.INVALID_TOPIC, "The topic's second part cannot be the short name of a factory.")
_NO_DEVICE: Final = Rejection(Reason.INVALID_TOPIC, "The topic's part after `devices` cannot be a device key.")
_OTHER: Final = Rejection(
    Reason.INVALID_TOPIC,
    "The topic is not factories/<factory>/devices/<device>/telemetry, nor one that a mapping of the factory is for.",
)


class Dialect(StrEnum):
    """How a message is read."""

    A = "a"
    """`factories/<slug>/devices/<key>/telemetry`: an object `metrics`."""
    B = "b"
    """`devices/<key>/telemetry`: a flat object that names its device."""
    C = "c"
    """`<tenant>/devices/<key>/telemetry`: flat, and it names its tenant as well."""


class Topic(NamedTuple):
    """What a topic of a dialect names.

    Attributes:
        place: the factory's slug in dialect A, its tenant id in C, "" in B.
    """

    dialect: Dialect
    place: str
    device: str


def parse_topic(topic: bytes) -> Topic | Rejection:
    """What a topic names; a rejection when it is of no dialect."""
    try:
        parts = topic.decode("utf-8").split("/")
    except UnicodeDecodeError:
        return _INVALID_UTF8
    found = _of_dialect(parts)
    if found is None:
        return _OTHER
    if found.dialect is Dialect.A and not is_slug(found.place):
        return _NO_FACTORY
    if not is_key(found.device) or "+" in found.device or "#" in found.device:
        return _NO_DEVICE
    return found


def _of_dialect(parts: list[str]) -> Topic | None:
    if parts[-1] != "telemetry" or len(parts) not in {3, 4, 5} or parts[-3] != "devices":
        return None
    device = parts[-2]
    if len(parts) == 5:
        return Topic(Dialect.A, parts[1], device) if parts[0] == "factories" else None
    if len(parts) == 3:
        return Topic(Dialect.B, "", device)
    return Topic(Dialect.C, parts[0], device) if is_tenant(parts[0]) else None


def subscriptions(snapshot: Snapshot, *, has_dialect_b: bool = False) -> list[str]:
    """The topic filters to subscribe to at a broker: the dialects in use, and the topics of mappings.

    Args:
        snapshot: tells which factories have a tenant id, and the mappings in force.
        has_dialect_b: whether a factory is set for topics of dialect B.
    """
    filters = [SUBSCRIPTION]
    if has_dialect_b:
        filters.append(SUBSCRIPTION_B)
    if any(factory.tenant for factory in snapshot.factories):
        filters.append(SUBSCRIPTION_C)
    for one in snapshot.mappings:
        with contextlib.suppress(InvalidInputError):  # of a program with other rules: it is not in force either
            filters.append(one.definition.template.filter)
    return list(dict.fromkeys(filters))


def telemetry_topic(slug: str, device_key: str) -> str:
    """The topic a device publishes to in dialect A."""
    return f"factories/{slug}/devices/{device_key}/telemetry"
