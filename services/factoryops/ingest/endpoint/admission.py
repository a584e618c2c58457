"""Who is let in: credentials, limits, and what each may do once inside."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable

from factoryops.contracts.snapshot import Snapshot
from factoryops.domain.time import now_us
from factoryops.ingest.access import Access
from factoryops.ingest.config import EndpointConfig
from factoryops.ingest.devices import Publisher
from factoryops.ingest.endpoint.meter import Bucket, Meter
from factoryops.ingest.endpoint.packets import MQTT_5, Connect
from factoryops.ingest.endpoint.permits import Permits
from factoryops.ingest.endpoint.properties import Property
from factoryops.ingest.endpoint.reasons import ReasonCode
from factoryops.ingest.endpoint.session import Guest


class Admission:
    """Decides about CONNECTs from the snapshot in force, and gives out what each connection may send."""

    def __init__(self, config: EndpointConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._access = Access(Snapshot())
        self._slugs: dict[str, str] = {}
        self._buckets: dict[str, Bucket] = {}
        self._users: Counter[str] = Counter()

    def apply(self, snapshot: Snapshot) -> None:
        """Take over who may log in."""
        self._access = Access(snapshot)
        self._slugs = {factory.id: factory.slug for factory in snapshot.factories}

    def may_stay(self, publisher: Publisher) -> bool:
        """Whether a publisher that logged in before could do so now, for the same."""
        return self._access.may_stay(publisher, now_us())

    def has_overlap_ended(self) -> bool:
        """Whether an older secret has ended since the last call."""
        return self._access.has_overlap_ended(now_us())

    def judge(self, connect: Connect) -> Guest | tuple[ReasonCode, str]:
        """The guest a CONNECT makes, or the reason why it is refused and what to say of it in the log."""
        if Property.AUTHENTICATION_METHOD in connect.properties:
            return ReasonCode.BAD_AUTHENTICATION_METHOD, "asked for an authentication method; there is only a password"
        if connect.level == MQTT_5 and connect.will is not None and connect.will.is_retained:
            return ReasonCode.RETAIN_NOT_SUPPORTED, "has a will to be retained; nothing is retained here"
        if connect.level != MQTT_5 and not connect.client_id and not connect.is_clean:
            return ReasonCode.CLIENT_ID_INVALID, "wants a session kept without naming itself"
        if connect.username is None:
            return ReasonCode.NOT_AUTHORISED, "gave no user name"
        publisher = self._access.admit(connect.username, connect.password, now_us())
        if publisher is None:
            return ReasonCode.BAD_USER_OR_PASSWORD, "gave a wrong user name or password"
        if self._users[connect.username] >= self._config.most_per_user:
            return ReasonCode.QUOTA_EXCEEDED, "has too many connections with this user name"
        permits = Permits(publisher.may_subscribe, self._slugs.get(publisher.factory_id or "", ""))
        return Guest(publisher, connect.client_id or f"unnamed-{secrets.token_hex(8)}", permits)

    def enter(self, username: str) -> None:
        """Count a connection of a user."""
        self._users[username] += 1

    def leave(self, username: str) -> None:
        """Count it no more."""
        self._users[username] -= 1
        if not self._users[username]:
            del self._users[username]

    def meter_of(self, guest: Guest) -> Meter:
        """What a guest may send, and its factory altogether."""
        config, factory_id = self._config, guest.publisher.factory_id or ""
        bucket = None
        if config.factory_messages_per_s:
            bucket = self._buckets.get(factory_id)
            if bucket is None:
                bucket = self._buckets[factory_id] = Bucket(config.factory_messages_per_s, self._clock())
        return Meter(config.device_messages_per_s, config.device_bytes_per_s, bucket, self._clock)
