"""What devices publish over MQTT, and how it is read: three dialects, and mappings for everything else.

Nothing in this package raises for any message: what cannot be used comes back as a `Rejection`.
"""

from factoryops.contracts.telemetry.dialect_a import decode, encode
from factoryops.contracts.telemetry.messages import (
    FUTURE_LIMIT_US,
    FUTURE_TIME,
    MOST_BYTES,
    Reading,
    Reason,
    Rejection,
)
from factoryops.contracts.telemetry.timestamps import parse_timestamp
from factoryops.contracts.telemetry.topics import (
    SUBSCRIPTION,
    Dialect,
    Topic,
    parse_topic,
    subscriptions,
    telemetry_topic,
)

__all__ = [
    "FUTURE_LIMIT_US", "FUTURE_TIME", "MOST_BYTES", "SUBSCRIPTION", "Dialect", "Reading", "Reason", "Rejection",
    "Topic", "decode", "encode", "parse_timestamp", "parse_topic", "subscriptions",
    "telemetry_topic",
]  # fmt: skip
