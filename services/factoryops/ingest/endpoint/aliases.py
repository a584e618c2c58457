"""Topic aliases of MQTT 5: small numbers that a device sends instead of its topic."""

from __future__ import annotations

from typing import ClassVar

from factoryops.ingest.endpoint.properties import Value
from factoryops.ingest.endpoint.reasons import ProtocolError, ReasonCode


class TopicAliases:
    """The aliases one client has set, bounded in number and length: they cost memory while it is connected."""

    MOST: ClassVar = 32
    LONGEST_TOPIC_BYTES: ClassVar = 1_024

    def __init__(self) -> None:
        self._topics: dict[Value, bytes] = {}

    def resolve(self, topic: bytes, alias: Value | None) -> bytes:
        """The topic a PUBLISH means; raises ProtocolError."""
        if alias is None:
            if not topic:
                raise ProtocolError("a PUBLISH has neither a topic nor an alias of one")
            return topic
        if not isinstance(alias, int) or not 1 <= alias <= self.MOST:
            raise ProtocolError(
                f"the topic alias {alias!r} is not from 1 to {self.MOST}", ReasonCode.TOPIC_ALIAS_INVALID
            )
        if not topic:
            known = self._topics.get(alias)
            if known is None:
                raise ProtocolError(f"the topic alias {alias} has not been set")
            return known
        if len(topic) > self.LONGEST_TOPIC_BYTES:
            raise ProtocolError("a topic is too long for an alias", ReasonCode.TOPIC_NAME_INVALID)
        self._topics[alias] = topic
        return topic
