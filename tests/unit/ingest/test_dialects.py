"""Dialects B and C, and mapped messages at the guard: whose they are, what is kept, and what is refused why."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from factoryops.contracts.snapshot import SnapshotFactory, SnapshotMapping
from factoryops.contracts.telemetry import Dialect, Rejection, Topic, parse_topic, subscriptions
from factoryops.domain.mapping import (
    MappedValue,
    PayloadKind,
    TimeForm,
    TimeSource,
    TopicMapping,
    ValueGroup,
    ValueType,
)
from factoryops.domain.samples import SampleFlag, text_code
from factoryops.ingest import series_book
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Publisher
from tests.support.admitting import BROKER, GATEWAY, NOW_US, Admitting
from tests.support.ingest_folder import PLANT, SNAPSHOT, STRICT_PLANT

TENANT = "SH00000042"
WITH_TENANT = msgspec.structs.replace(SNAPSHOT, factories=[msgspec.structs.replace(PLANT, tenant=TENANT), STRICT_PLANT])
B = "devices/meter-7/telemetry"
C = f"{TENANT}/devices/meter-7/telemetry"
FLAT = {
    "device_id": "meter-7",
    "timestamp": NOW_US // 1_000_000,
    "schema_version": "v1",
    "voltage": 231.4,
    "power": 5200,
}
FIRMWARE = {
    "schema_version": "v2", "device_id": "meter-7", "tenant_id": TENANT, "timestamp": NOW_US // 1_000_000,
    "device_metadata": {"firmware_version": "1.4.2", "boot_reason": "power_on", "meter_serial": "0012"},
    "uptime_s": 86_400, "wifi_rssi": -61, "modbus_errors": 0, "voltage_l1": 230.1, "voltage_l2": 231, "power_w": 4_180,
    "energy_kwh": 9_120.4, "power_factor": 0.93, "frequency_hz": 50.01, "run_hours": 412,
}  # fmt: skip


def new_b() -> Admitting:
    return Admitting(dialect_b_factory="riverside")


def new_c() -> Admitting:
    return Admitting(WITH_TENANT)


def test_dialect_b_belongs_to_the_factory_of_the_settings() -> None:
    plant = new_b()
    plant.send(B, FLAT)
    assert plant.take() == [("meter-7", "voltage", NOW_US, 231.4, 0), ("meter-7", "power", NOW_US, 5200.0, 0)]


def test_dialect_b_is_off_without_a_factory() -> None:
    plant = Admitting()
    plant.send(B, FLAT)
    assert plant.reasons == ["unknown_factory"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"device_id": "meter-8"}, "wrong_identity"), ({"device_id": None}, "wrong_identity"),
        ({"device_id": 7}, "wrong_identity"), ({"timestamp": "yesterday"}, "invalid_timestamp"),
        ({"timestamp": NOW_US // 1_000_000 + 601}, "future_time"),
        ({"voltage": None, "power": []}, "no_usable_value"),
    ],
)  # fmt: skip
def test_dialect_b_what_does_not_agree_is_quarantined(change: dict[str, object], reason: str) -> None:
    plant = new_b()
    entry = plant.send(B, FLAT | change)
    assert plant.reasons == [reason]
    assert entry.quarantined[0].device == "meter-7"
    assert plant.guard.security_events["wrong_identity"] == (reason == "wrong_identity")


@pytest.mark.parametrize("message", [[], 5, b"\xff", b"", b'{"device_id":"meter-7","a":1,"a":2}', b"[" * 100_000])
def test_dialect_b_what_is_no_flat_object_is_quarantined(message: object) -> None:
    plant = new_b()
    plant.send(B, message)
    assert plant.reasons[0] in {"not_an_object", "invalid_json", "duplicate_name", "too_deep"}


@pytest.mark.parametrize(
    "timestamp", [None, "2027-01-15T08:00:00Z", "2027-01-15 08:00:00", NOW_US // 1_000, "1800000000"]
)
def test_dialect_b_takes_every_form_of_time(timestamp: object) -> None:
    plant = new_b()
    plant.send(B, FLAT | {"timestamp": timestamp})
    assert {time_us for _, _, time_us, _, _ in plant.take()} == {NOW_US}


def test_the_firmware_of_dialect_c_is_taken_as_it_is() -> None:
    plant = new_c()
    plant.send(C, FIRMWARE)
    assert set(plant.values()) == {
        "uptime_s", "wifi_rssi", "modbus_errors", "voltage_l1", "voltage_l2", "power_w", "energy_kwh", "power_factor",
        "frequency_hz", "run_hours",
    }  # fmt: skip
    assert not plant.ledger.values_refused


@pytest.mark.parametrize(
    ("topic", "change", "reason"),
    [
        (C, {"tenant_id": "SH00000043"}, "wrong_identity"),
        (C, {"device_id": "meter-8"}, "wrong_identity"),
        ("SH00000043/devices/meter-7/telemetry", {"tenant_id": "SH00000043"}, "unknown_factory"),
        (f"{TENANT}/devices/meter 7/telemetry", {"device_id": "meter 7"}, "invalid_topic"),
        ("SH0000042/devices/meter-7/telemetry", {}, "invalid_topic"),
        ("sh00000042/devices/meter-7/telemetry", {}, "invalid_topic"),
    ],
)
def test_dialect_c_tenant_and_device_must_agree(topic: str, change: dict[str, object], reason: str) -> None:
    plant = new_c()
    plant.send(topic, FIRMWARE | change)
    assert plant.reasons == [reason]


def test_row_46_a_device_of_another_factory_cannot_publish_under_a_tenant() -> None:
    plant = new_c()
    plant.send(C, FIRMWARE, publisher=Publisher("other", STRICT_PLANT.id))
    assert plant.reasons == ["not_authorised"]
    plant.send(C, FIRMWARE, publisher=Publisher("pump-1", PLANT.id, "pump-1"))
    assert plant.reasons == ["not_authorised"] * 2


def test_a_text_in_the_place_of_a_known_parameter_is_counted_and_others_tell_about_the_device() -> None:
    plant = new_b()
    plant.send(B, FLAT | {"operator": "Ada"})
    plant.send(B, FLAT | {"voltage": "broken", "operator": "Ada"})
    assert plant.ledger.values_refused == {"not_a_number": 1}


def test_the_topic_decides() -> None:
    assert parse_topic(b"devices/x/telemetry") == Topic(Dialect.B, "", "x")
    assert parse_topic(b"SH12345678/devices/x/telemetry") == Topic(Dialect.C, "SH12345678", "x")
    assert parse_topic(b"factories/f1/devices/x/telemetry") == Topic(Dialect.A, "f1", "x")
    for other in (b"devices/x/status", b"a/devices/x/telemetry", b"x/f1/devices/x/telemetry", b"telemetry"):
        assert isinstance(parse_topic(other), Rejection)


# --- mappings --------------------------------------------------------------------------------------------------------

MAPPING = TopicMapping(
    name="Compressors",
    topic="site/{device}/data",
    values=(
        MappedValue("pressure", "$.p"), MappedValue("running", "$.on", ValueType.BOOLEAN),
        MappedValue("program", "$.program", ValueType.TEXT, quality_path="$.q"),
    ),
)  # fmt: skip


def mapped(*mappings: TopicMapping, factory: SnapshotFactory = PLANT) -> Admitting:
    listed = [SnapshotMapping(str(number), factory.id, 1, one) for number, one in enumerate(mappings)]
    assert not [fault for one in mappings for fault in one.check()]
    return Admitting(msgspec.structs.replace(SNAPSHOT, mappings=listed))


def test_a_mapped_message_becomes_numbers_booleans_and_texts() -> None:
    plant = mapped(MAPPING)
    plant.send("site/c-1/data", {"p": 7.5, "on": True, "program": "A7", "q": "bad"})
    code = float(text_code(PLANT.id, "A7"))
    received = int(SampleFlag.RECEIVE_TIME)
    assert plant.take() == [
        ("c-1", "pressure", NOW_US, 7.5, received),
        ("c-1", "running", NOW_US, 1.0, received | SampleFlag.BOOLEAN),
        ("c-1", "program", NOW_US, code, received | SampleFlag.TEXT | SampleFlag.UNCERTAIN),
    ]


def test_a_text_has_its_record_in_the_commit_that_first_uses_it() -> None:
    plant = mapped(MAPPING)
    guard = plant.guard
    batch, other = OpenBatch(), OpenBatch()
    guard.admit(batch, GATEWAY, b"site/c-1/data", b'{"program":"A7"}', NOW_US)
    guard.admit(other, GATEWAY, b"site/c-1/data", b'{"program":"A7"}', NOW_US)
    assert (batch.new_texts, other.new_texts) == ([(PLANT.id, "A7")], [])
    guard.rewind([other, batch], {})
    again = OpenBatch()
    guard.admit(again, GATEWAY, b"site/c-1/data", b'{"program":"A7"}', NOW_US)
    assert again.new_texts == [(PLANT.id, "A7")]


def test_texts_are_bounded_per_series_and_per_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_book, "TEXTS_PER_SERIES", 3)
    monkeypatch.setattr(series_book, "TEXTS_PER_FACTORY", 5)
    plant = mapped(MAPPING)
    for number in range(10):
        plant.send("site/c-1/data", {"p": 1, "program": f"batch {number}"})
    for number in range(10):
        plant.send("site/c-2/data", {"p": 1, "program": f"order {number}"})
    texts = [sample for sample in plant.take() if sample[4] & SampleFlag.TEXT]
    assert [sample[0] for sample in texts] == ["c-1"] * 3 + ["c-2"] * 2
    assert plant.ledger.values_refused == {"too_many_texts": 15}
    plant.send("site/c-1/data", {"program": "batch 9"})
    assert plant.reasons == ["too_many_texts"]


def test_a_mapping_is_only_for_its_factory_and_for_who_may_publish_there() -> None:
    plant = mapped(MAPPING)
    plant.send("site/c-1/data", {"p": 1}, publisher=Publisher("other", STRICT_PLANT.id))
    plant.send("site/c-1/data", {"p": 1}, publisher=Publisher("c-2", PLANT.id, "c-2"))
    assert plant.reasons == ["invalid_topic", "not_authorised"]
    plant.send("site/c-1/data", {"p": 1}, publisher=Publisher("c-1", PLANT.id, "c-1"))
    plant.send("site/c-1/data", {"p": 1}, publisher=BROKER)
    assert len(plant.take()) == 2


def test_a_device_may_only_name_itself_in_its_messages() -> None:
    plant = mapped(replace(MAPPING, topic="site", device_path="$.id"))
    plant.send("site", {"id": "c-1", "p": 1}, publisher=Publisher("c-1", PLANT.id, "c-1"))
    plant.send("site", {"id": "c-2", "p": 1}, publisher=Publisher("c-1", PLANT.id, "c-1"))
    assert plant.reasons == ["not_authorised"]


def test_a_mapping_never_takes_a_topic_of_a_dialect() -> None:
    plant = mapped(replace(MAPPING, topic="factories/+/devices/{device}/telemetry"))
    plant.send("factories/riverside/devices/x/telemetry", {"metrics": {"a": 1}})
    assert plant.values() == {"a": 1.0}


def test_of_two_mappings_the_lower_order_counts() -> None:
    plant = mapped(
        replace(MAPPING, name="wide", topic="site/{device}/#", order=5),
        replace(MAPPING, name="narrow", values=(MappedValue("narrow", "$.p"),), order=1),
    )
    plant.send("site/c-1/data", {"p": 1})
    plant.send("site/c-1/other", {"p": 2})
    assert plant.values() == {"narrow": 1.0, "pressure": 2.0}


def test_a_topic_that_two_factories_claim_is_quarantined_where_a_broker_serves_both() -> None:
    both = [SnapshotMapping("1", PLANT.id, 1, MAPPING), SnapshotMapping("2", STRICT_PLANT.id, 1, MAPPING)]
    plant = Admitting(msgspec.structs.replace(SNAPSHOT, mappings=both))
    plant.send("site/press-1/data", {"p": 1}, publisher=BROKER)
    assert plant.reasons == ["ambiguous_topic"]
    plant.send("site/press-1/data", {"p": 1})
    assert plant.values() == {"pressure": 1.0}


def test_a_changed_mapping_counts_at_once() -> None:
    plant = mapped(MAPPING)
    plant.send("site/c-1/data", {"p": 1, "q": 2})
    changed = replace(MAPPING, values=(MappedValue("quality", "$.q"),))
    plant.guard.apply(msgspec.structs.replace(SNAPSHOT, mappings=[SnapshotMapping("0", PLANT.id, 2, changed)]))
    plant.take()
    plant.send("site/c-1/data", {"p": 1, "q": 2})
    assert plant.values() == {"quality": 2.0}


def test_row_49_a_mapped_device_that_is_not_adopted_waits_with_its_name() -> None:
    plant = mapped(MAPPING, factory=STRICT_PLANT)
    entry = plant.send("site/press-2/data", {"p": 1}, publisher=BROKER)
    assert (plant.reasons, entry.quarantined[0].device) == (["unknown_device"], "press-2")
    assert entry.quarantined[0].factory == STRICT_PLANT.id


def test_records_that_cannot_be_used_do_not_cost_the_others() -> None:
    mapping = replace(
        MAPPING, topic="gateway", device_path="$.id", records="$[*]", values=(), groups=(ValueGroup("$.v"),)
    )
    plant = mapped(mapping, factory=STRICT_PLANT)
    plant.send("gateway", [{"id": "press-1", "v": {"a": 1}}, {"id": "x", "v": {"a": 2, "b": 3}}], publisher=BROKER)
    assert plant.values() == {"a": 1.0}
    assert plant.ledger.values_refused == {"unknown_device": 2}
    assert (plant.ledger.accepted, plant.ledger.quarantined) == (1, 0)


def test_a_plain_value_names_its_parameter_by_topic() -> None:
    mapping = TopicMapping(
        "Plain", "hall/{device}/{parameter}", PayloadKind.PLAIN, values=(MappedValue("{parameter}"),)
    )
    plant = mapped(mapping)
    plant.send("hall/s-1/temperature", b"21.5")
    plant.send("hall/s-1/humidity", b"44")
    assert plant.values() == {"temperature": 21.5, "humidity": 44.0}


def test_a_broker_subscribes_to_what_can_be_taken_and_nothing_else() -> None:
    assert subscriptions(SNAPSHOT) == ["factories/+/devices/+/telemetry"]
    wide = msgspec.structs.replace(WITH_TENANT, mappings=[SnapshotMapping("1", PLANT.id, 1, MAPPING)])
    assert subscriptions(wide, has_dialect_b=True) == [
        "factories/+/devices/+/telemetry", "devices/+/telemetry", "+/devices/+/telemetry", "site/+/data",
    ]  # fmt: skip


def test_the_order_in_which_a_message_lists_its_records_makes_none_late() -> None:
    mapping = TopicMapping(
        name="Buffers", topic="site/{device}/data", records="$[*]", time=TimeSource("$.t", TimeForm.MICROSECONDS),
        values=(MappedValue("v", "$.v"),),
    )  # fmt: skip
    plant = Admitting(msgspec.structs.replace(SNAPSHOT, mappings=[SnapshotMapping("1", PLANT.id, 1, mapping)]))
    plant.send("site/m/data", [{"t": NOW_US - age, "v": age} for age in range(3)])
    assert plant.take() == [("m", "v", NOW_US - age, float(age), 0) for age in (2, 1, 0)]


def test_an_offset_found_within_a_message_of_many_records_holds_from_the_next_message_on() -> None:
    mapping = TopicMapping(
        name="Buffers", topic="site/{device}/data", records="$[*]", time=TimeSource("$.t", TimeForm.MICROSECONDS),
        values=(MappedValue("v", "$.v"),),
    )  # fmt: skip
    plant = Admitting(msgspec.structs.replace(SNAPSHOT, mappings=[SnapshotMapping("1", PLANT.id, 1, mapping)]))
    late: list[list[int]] = []
    while not plant.clocks:
        hour_ago_us = plant.now_us + 10_000_000 - 3_600_000_000
        plant.send("site/m/data", [{"t": hour_ago_us - age, "v": 1} for age in (0, 1, 2, 3)], after_s=10)
        late.append([flags & SampleFlag.LATE for *_, flags in plant.take()])
    assert late[-1] == [SampleFlag.LATE] * 4
    plant.send("site/m/data", [{"t": plant.now_us + 10_000_000 - 3_600_000_000, "v": 1}], after_s=10)
    assert [flags for *_, flags in plant.take()] == [0]


# --- budgets ---------------------------------------------------------------------------------------------------------


def names(start: int, count: int) -> dict[str, float]:
    return {f"name-{number}": 1.0 for number in range(start, start + count)}


def test_row_48_after_its_first_hour_a_device_brings_twenty_names_an_hour() -> None:
    plant = Admitting()
    topic = "factories/riverside/devices/pump-1/telemetry"
    plant.send(topic, {"metrics": names(0, 60)})
    plant.send(topic, {"metrics": names(60, 40)}, after_s=1_800)
    assert len(plant.values()) == 100
    plant.send(topic, {"metrics": names(90, 50)}, after_s=3_600)
    assert len(plant.values()) == 30
    for _ in range(5):
        plant.send(topic, {"metrics": names(90, 50)}, after_s=60)
    assert plant.guard.security_events["too_many_parameters"] == 1
    plant.take()
    plant.send(topic, {"metrics": names(90, 50)}, after_s=3_600)
    assert len(plant.values()) == 50


def test_row_48_a_factory_has_room_for_so_many_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_book, "DEVICES_PER_FACTORY", 5)
    plant = Admitting()
    sent = [plant.send(f"factories/riverside/devices/d-{n}/telemetry", {"metrics": {"a": 1}}) for n in range(8)]
    assert plant.reasons == ["too_many_devices"] * 3
    assert sent[-1].quarantined[0].device == "d-7"
    assert plant.guard.security_events["too_many_devices"] == 1
    plant.take()
    plant.send("factories/riverside/devices/d-1/telemetry", {"metrics": {"a": 1}})
    assert len(plant.take()) == 1


def test_row_48_invented_devices_without_a_usable_message_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_book, "MOST_IDLE", 50)
    plant = Admitting()
    for number in range(500):
        plant.send(f"factories/riverside/devices/d-{number}/telemetry", b"nonsense")
    assert len(list(plant.guard._book.entries())) <= 51
