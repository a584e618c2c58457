"""What MQTT clients log in with, and what they are told so that they can."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MQTT_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""No `+`, `#` or `/`: brokers' access patterns would read them as wildcards (GHSA-vcg2-pq78-9mhr)."""

_WILD: Final = frozenset("+#/")


class CredentialKind(StrEnum):
    """What a credential opens: a device publishes for itself, a gateway for its factory, a tool only looks."""

    DEVICE = "device"
    GATEWAY = "gateway"
    TOOL = "tool"


def is_mqtt_name(text: str) -> bool:
    """Whether `text` can be a user name or a client id at every broker."""
    return MQTT_NAME.fullmatch(text) is not None


def fits_into_topic(device_key: str) -> bool:
    """Whether a device key can stand in a topic as one level that means itself."""
    return not _WILD & set(device_key)


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """Where devices connect.

    Attributes:
        host: as devices reach it.
        ca_sha256: hexadecimal SHA-256 of the authority's certificate, "" without TLS.
    """

    host: str
    port: int
    use_tls: bool = False
    ca_sha256: str = ""


def topic_of(kind: CredentialKind, slug: str, device_key: str | None) -> str:
    """The topic of a credential: to publish to, `+` standing for the device of a gateway; or to look at."""
    if kind is CredentialKind.TOOL:
        return f"factories/{slug}/#"
    return f"factories/{slug}/devices/{device_key or '+'}/telemetry"


def provisioning_text(address: DeviceAddress, *, username: str, secret: str, topic: str) -> str:
    """What a device needs to know, as one line of JSON: for a QR code, or to be typed in.

    `docs/reference/provisioning.md` describes it.
    """
    content = {
        "factoryops": 1,
        "host": address.host,
        "port": address.port,
        "tls": address.use_tls,
        "ca_sha256": address.ca_sha256,
        "username": username,
        "secret": secret,
        "topic": topic,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
