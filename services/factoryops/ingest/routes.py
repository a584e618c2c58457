"""From a topic to a factory, a device and a way of reading: found once per topic, the slow way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from factoryops.contracts.snapshot import Snapshot, SnapshotFactory, SnapshotMapping
from factoryops.contracts.telemetry import Dialect, Reason, Rejection, Topic, parse_topic
from factoryops.contracts.telemetry.flat import is_device_id
from factoryops.contracts.telemetry.mapped import BoundMapping, CompiledMapping
from factoryops.domain.errors import InvalidInputError

_UNKNOWN_FACTORY: Final = Rejection(Reason.UNKNOWN_FACTORY, "No factory has the short name that the topic gives.")
_UNKNOWN_TENANT: Final = Rejection(Reason.UNKNOWN_FACTORY, "No factory has the tenant id that the topic gives.")
_NO_FACTORY_B: Final = Rejection(
    Reason.UNKNOWN_FACTORY, "No factory is set for topics of the form devices/<device>/telemetry."
)
_INVALID_DEVICE: Final = Rejection(
    Reason.INVALID_TOPIC, "A device in a topic with a tenant has letters, digits, underscores and hyphens only."
)
LONGEST_TOPIC_BYTES: Final = 1_024
"""What is remembered by topic must not cost more than that each."""

_LONG_TOPIC: Final = Rejection(Reason.INVALID_TOPIC, f"The topic is longer than {LONGEST_TOPIC_BYTES:,} bytes.")
_AMBIGUOUS: Final = Rejection(
    Reason.AMBIGUOUS_TOPIC, "Mappings of several factories are for this topic: it is not certain whose it is."
)


class Route(NamedTuple):
    """Where messages of a topic belong and how they are read.

    Attributes:
        factory_id: the factory.
        device: the device's key; "" where each message says it.
        dialect: how to read it; None where `mapping` says how.
        tenant: what a message of dialect C must agree with.
    """

    factory_id: str
    device: str
    dialect: Dialect | None = None
    tenant: str = ""
    mapping: BoundMapping | None = None


class Routes:
    """What the snapshot says about topics."""

    def __init__(self, dialect_b_factory: str = "") -> None:
        self._dialect_b_slug = dialect_b_factory
        self._by_slug: dict[str, SnapshotFactory] = {}
        self._by_tenant: dict[str, SnapshotFactory] = {}
        self._by_id: dict[str, SnapshotFactory] = {}
        self._listed: dict[str, frozenset[str]] = {}
        self._mappings: list[tuple[str, CompiledMapping]] = []
        self._compiled: dict[tuple[str, int], CompiledMapping] = {}

    def apply(self, snapshot: Snapshot) -> None:
        """Take over which factories, devices and mappings there are."""
        self._by_slug = {factory.slug: factory for factory in snapshot.factories}
        self._by_tenant = {factory.tenant: factory for factory in snapshot.factories if factory.tenant}
        self._by_id = {factory.id: factory for factory in snapshot.factories}
        self._listed = {factory.id: frozenset(factory.device_keys) for factory in snapshot.factories}
        self._take_mappings(snapshot.mappings)

    def _take_mappings(self, mappings: Iterable[SnapshotMapping]) -> None:
        """Compile those that are new or changed."""
        before, self._compiled = self._compiled, {}
        found: list[tuple[str, CompiledMapping]] = []
        for one in mappings:
            try:
                compiled = before.get((one.id, one.version)) or CompiledMapping(one.definition)
            except InvalidInputError:
                continue  # of a newer or older program, whose rules were others; its messages go to quarantine
            self._compiled[one.id, one.version] = compiled
            if one.factory_id in self._by_id:
                found.append((one.factory_id, compiled))
        self._mappings = sorted(found, key=lambda item: (item[1].definition.order, item[1].definition.name))

    def may_appear(self, factory_id: str, device: str) -> bool:
        """Whether a device may publish without having been added first."""
        return self._by_id[factory_id].adopts_automatically or device in self._listed[factory_id]

    def find(self, topic: bytes, factory_id: str | None) -> Route | Rejection:
        """Where a topic leads.

        Args:
            topic: as it came.
            factory_id: the only factory whose mappings count, where the publisher has one.
        """
        if len(topic) > LONGEST_TOPIC_BYTES:
            return _LONG_TOPIC
        parsed = parse_topic(topic)
        if isinstance(parsed, Topic):
            return self._of_dialect(parsed)
        if self._mappings:
            return self._of_mapping(topic, factory_id) or parsed
        return parsed

    def _of_dialect(self, topic: Topic) -> Route | Rejection:
        if topic.dialect is Dialect.A:
            factory, unknown = self._by_slug.get(topic.place), _UNKNOWN_FACTORY
        elif topic.dialect is Dialect.B:
            factory, unknown = self._by_slug.get(self._dialect_b_slug), _NO_FACTORY_B
        else:
            factory, unknown = self._by_tenant.get(topic.place), _UNKNOWN_TENANT
        if factory is None:
            return unknown
        if topic.dialect is Dialect.C and not is_device_id(topic.device):
            return _INVALID_DEVICE
        return Route(factory.id, topic.device, topic.dialect, topic.place if topic.dialect is Dialect.C else "")

    def _of_mapping(self, topic: bytes, factory_id: str | None) -> Route | Rejection | None:
        try:
            text = topic.decode("utf-8")
        except UnicodeDecodeError:
            return None
        first: Route | None = None
        for owner, compiled in self._mappings:
            if factory_id in {None, owner} and (bound := compiled.bind(text)) is not None:
                if first is not None and first.factory_id != owner:
                    return _AMBIGUOUS
                first = first or Route(owner, bound.device, mapping=bound)
        return first
