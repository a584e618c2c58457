"""P5: every message ends in exactly one place, whatever its dialect; what is expected is known for each one."""

from __future__ import annotations

import json
import random
from collections import Counter

import msgspec

from factoryops.contracts.snapshot import SnapshotMapping
from factoryops.domain.mapping import MappedValue, TimeForm, TimeSource, TopicMapping, ValueType
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Publisher
from factoryops.ingest.guard import Guard
from factoryops.journal.records import MessageLedger
from tests.support.admitting import BROKER, GATEWAY, NOW_US
from tests.support.ingest_folder import PLANT, SNAPSHOT, STRICT_PLANT

SEED = 5
MESSAGES = 20_000
TENANT = "SH00000042"
MAPPING = TopicMapping(
    name="Compressors",
    topic="site/{device}/data",
    time=TimeSource("$.t", TimeForm.SECONDS),
    values=(MappedValue("p", "$.p"), MappedValue("s", "$.s", ValueType.TEXT)),
)
FORMATS = msgspec.structs.replace(
    SNAPSHOT,
    factories=[msgspec.structs.replace(PLANT, tenant=TENANT), STRICT_PLANT],
    mappings=[SnapshotMapping("1", PLANT.id, 1, MAPPING)],
)
NOW_S = NOW_US // 1_000_000
A = "factories/riverside/devices/d-{}/telemetry"
C = TENANT + "/devices/d-{}/telemetry"
PUMP = Publisher("pump-1", PLANT.id, "pump-1")

Case = tuple[str, bytes, Publisher, str, int, dict[str, int]]
"""Topic, payload, publisher, why it is quarantined ("" when accepted), values kept, values refused by reason."""


def payload(**fields: object) -> bytes:
    return json.dumps(fields).encode()


GOOD: list[Case] = [
    (A, b'{"timestamp":%d,"metrics":{"a":1,"b":2.5}}' % NOW_S, GATEWAY, "", 2, {}),
    (A, b'{"metrics":{"a":1,"on":true,"bad":null}}', GATEWAY, "", 2, {"not_a_number": 1}),
    ("devices/d-{}/telemetry", b'{"device_id":"d-{}","voltage":230,"note":"x"}', GATEWAY, "", 1, {}),
    (C, b'{"device_id":"d-{}","tenant_id":"SH00000042","p":1,"q":2}', GATEWAY, "", 2, {}),
    ("site/d-{}/data", payload(t=NOW_S, p=1, s="running"), GATEWAY, "", 2, {}),
]
HOSTILE: list[Case] = [
    (A, b"", GATEWAY, "invalid_json", 0, {}),
    (A, b"\xff", GATEWAY, "invalid_json", 0, {}),
    (A, b"[" * 40_000, GATEWAY, "too_deep", 0, {}),
    (A, b"[1]", GATEWAY, "not_an_object", 0, {}),
    (A, b'{"metrics":{}}', GATEWAY, "invalid_metrics", 0, {}),
    (A, b'{"metrics":{"a":1,"a":2}}', GATEWAY, "duplicate_name", 0, {}),
    (A, b'{"metrics":{"a":NaN}}', GATEWAY, "no_usable_value", 0, {}),
    (A, b'{"metrics":{"a":1},"timestamp":""}', GATEWAY, "invalid_timestamp", 0, {}),
    (A, b'{"metrics":{"a":1},"timestamp":%d}' % (NOW_S + 3_600), GATEWAY, "future_time", 0, {}),
    (A, b'{"metrics":{"a":1}}' + b" " * 262_144, GATEWAY, "too_large", 0, {}),
    (A, b'{"metrics":{"a":1}}', PUMP, "not_authorised", 0, {}),
    ("factories/nowhere/devices/d/telemetry", b'{"metrics":{"a":1}}', BROKER, "unknown_factory", 0, {}),
    ("factories/hillside/devices/d/telemetry", b'{"metrics":{"a":1}}', BROKER, "unknown_device", 0, {}),
    ("factories/riverside/devices//telemetry", b'{"metrics":{"a":1}}', GATEWAY, "invalid_topic", 0, {}),
    ("elsewhere", b"5", GATEWAY, "invalid_topic", 0, {}),
    ("devices/d-{}/telemetry", b'{"device_id":"other","v":1}', GATEWAY, "wrong_identity", 0, {}),
    ("devices/d-{}/telemetry", b'{"device_id":"d-{}","v":null}', GATEWAY, "no_usable_value", 0, {}),
    (C, b'{"device_id":"d-{}","tenant_id":"SH1","p":1}', GATEWAY, "wrong_identity", 0, {}),
    ("SH99999999/devices/d/telemetry", b'{"device_id":"d","p":1}', BROKER, "unknown_factory", 0, {}),
    ("site/d-{}/data", payload(p=1), GATEWAY, "invalid_timestamp", 0, {}),
    ("site/d-{}/data", payload(t=NOW_S), GATEWAY, "no_usable_value", 0, {}),
    ("site/d-{}/data", payload(t=NOW_S + 3_600, p=1), GATEWAY, "future_time", 0, {}),
    ("site/d-{}/data", payload(t=NOW_S, p=1), PUMP, "not_authorised", 0, {}),
    ("site/d-{}/data", payload(t=NOW_S, p="x", s="\x00"), GATEWAY, "no_usable_value", 0, {}),
]


def test_p5_twenty_thousand_messages_balance_exactly_per_reason() -> None:
    print("seed", SEED)  # noqa: T201 - to repeat a failure
    chance = random.Random(SEED)
    guard = Guard({}, dialect_b_factory="riverside")
    guard.apply(FORMATS)
    batch, ledger = OpenBatch(), MessageLedger()
    expected, found, refused = Counter[str](), Counter[str](), Counter[str]()
    kept = 0
    for number in range(MESSAGES):
        topic, body, publisher, reason, values, lost = chance.choice(HOSTILE if chance.random() < 0.4 else GOOD)
        place = str(number % 50)
        guard.admit(
            batch, publisher, topic.format(place).encode(), body.replace(b"d-{}", f"d-{place}".encode()), NOW_US
        )
        expected[reason] += 1
        kept += values
        refused.update(lost)
        if batch.is_full or number == MESSAGES - 1:
            entry = batch.entry(ledger)
            ledger, batch = entry.ledger, OpenBatch()
            found.update(one.reason for one in entry.quarantined)
    accepted = expected.pop("")
    assert found == expected
    assert (ledger.received, ledger.accepted, ledger.quarantined) == (MESSAGES, accepted, MESSAGES - accepted)
    assert (ledger.values_accepted, ledger.values_refused) == (kept, dict(refused))
    assert 0.35 < ledger.quarantined / MESSAGES < 0.45
