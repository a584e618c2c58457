"""Dialects B and C: a flat JSON object that names its device (and, in C, its tenant) beside the values.

    {"device_id": "meter-7", "timestamp": 1790000000, "voltage": 231.4, "power": 5200}

Every number and boolean is a value, under the name it was sent with. Fields about the message are none, and neither are
texts and `device_metadata`, which tell about the device.
"""

from __future__ import annotations

import re
from typing import Final

from factoryops.contracts.telemetry.dialect_a import read_fields
from factoryops.contracts.telemetry.documents import read_document
from factoryops.contracts.telemetry.messages import Reading, Reason, Rejection

_ABOUT: Final = frozenset({"device_id", "tenant_id", "timestamp", "schema_version", "device_metadata"})
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_NOT_AN_OBJECT: Final = Rejection(Reason.NOT_AN_OBJECT, "The message is not a JSON object.")
_OTHER_DEVICE: Final = Rejection(
    Reason.WRONG_IDENTITY, "The message's device_id is missing, or another than its topic's."
)
_OTHER_TENANT: Final = Rejection(Reason.WRONG_IDENTITY, "The message's tenant_id is another than its topic's.")


def is_device_id(text: str) -> bool:
    """Whether `text` can be a device of dialect C: letters, digits, underscores and hyphens."""
    return _DEVICE.fullmatch(text) is not None


def read_flat(payload: bytes, received_us: int, *, device: str, tenant: str = "") -> Reading | Rejection:
    """Read one message of dialect B or C; never raises.

    Args:
        payload: the message as it came.
        received_us: when it came, for messages without a time.
        device: the device that the topic names.
        tenant: the tenant that the topic names, "" in dialect B.
    """
    message = read_document(payload)
    if isinstance(message, Rejection):
        return message
    if not isinstance(message, dict):
        return _NOT_AN_OBJECT
    if message.get("device_id") != device:
        return _OTHER_DEVICE
    if tenant and message.get("tenant_id", tenant) != tenant:
        return _OTHER_TENANT
    fields = {name: value for name, value in message.items() if name not in _ABOUT and not isinstance(value, str)}
    reading = read_fields(fields, message.get("timestamp"), received_us)
    if isinstance(reading, Rejection):
        return reading
    texts = tuple(name for name, value in message.items() if isinstance(value, str) and name not in _ABOUT)
    return Reading(reading.metrics, reading.time_us, reading.flags, reading.refused, reading.booleans, texts)
