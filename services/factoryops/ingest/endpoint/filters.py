"""SUBSCRIBE and UNSUBSCRIBE, and which topics a filter means (OASIS MQTT 5, sections 3.8, 3.10 and 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from factoryops.ingest.endpoint.packets import MQTT_5, check_packet_id
from factoryops.ingest.endpoint.properties import Place, Properties, Property, read_properties
from factoryops.ingest.endpoint.reasons import ProtocolError, malformed
from factoryops.ingest.endpoint.wire import Fields

_SHARED: Final = "$share"
_MOST_LEVELS: Final = 32


@dataclass(frozen=True, slots=True)
class Subscription:
    """One filter a client asks for, and how.

    Attributes:
        no_local: not what it published itself.
        keeps_retain: messages keep the retain flag they were published with.
        identifier: comes with every message, 0 for none.
    """

    filter: str
    no_local: bool = False
    keeps_retain: bool = False
    identifier: int = 0

    @property
    def is_shared(self) -> bool:
        """Whether it would take turns with others."""
        return self.filter == _SHARED or self.filter.startswith(_SHARED + "/")


def parse_subscribe(body: bytes, level: int) -> tuple[bytes, list[Subscription]]:
    """Packet id and filters of a SUBSCRIBE; raises ProtocolError."""
    fields = Fields(body)
    packet_id = check_packet_id(fields.take(2))
    properties = read_properties(fields, Place.SUBSCRIBE) if level == MQTT_5 else Properties()
    identifier = properties.number(Property.SUBSCRIPTION_ID, 0)
    asked: list[Subscription] = []
    while not fields.is_at_end:
        asked.append(_read_subscription(fields, level, identifier))
    if not asked:
        raise ProtocolError("a SUBSCRIBE names no topic")
    return packet_id, asked


def _read_subscription(fields: Fields, level: int, identifier: int) -> Subscription:
    wanted, options = fields.text(), fields.number(1)
    if options & 0x03 == 0x03 or options & (0xC0 if level == MQTT_5 else 0xFC):
        raise malformed("a SUBSCRIBE has impossible options")
    if options & 0x30 == 0x30:
        raise ProtocolError("a SUBSCRIBE has an impossible retain handling")
    one = Subscription(wanted, bool(options & 0x04), bool(options & 0x08), identifier)
    if one.no_local and one.is_shared:
        raise ProtocolError("a shared subscription may not be without one's own messages")
    return one


def parse_unsubscribe(body: bytes, level: int) -> tuple[bytes, list[str]]:
    """Packet id and filters of an UNSUBSCRIBE; raises ProtocolError."""
    fields = Fields(body)
    packet_id = check_packet_id(fields.take(2))
    if level == MQTT_5:
        read_properties(fields, Place.UNSUBSCRIBE)
    filters: list[str] = []
    while not fields.is_at_end:
        filters.append(fields.text())
    if not filters:
        raise ProtocolError("an UNSUBSCRIBE names no topic")
    return packet_id, filters


def is_filter(text: str) -> bool:
    """Whether a filter is well formed: `+` fills a level, `#` is the last one."""
    levels = text.split("/")
    if not text or len(levels) > _MOST_LEVELS or "#" in levels[:-1]:
        return False
    return all(level in {"+", "#"} or not set("+#") & set(level) for level in levels)


def matches(wanted: str, topic: str) -> bool:
    """Whether a topic is among those a well-formed filter means; `$` topics are only met by their own name."""
    levels, given = wanted.split("/"), topic.split("/")
    if topic.startswith("$") and levels[0] in {"+", "#"}:
        return False
    if levels[-1] == "#":
        levels.pop()
        if len(given) < len(levels):
            return False
        given = given[: len(levels)]
    return len(levels) == len(given) and all(level in {"+", name} for level, name in zip(levels, given, strict=True))
