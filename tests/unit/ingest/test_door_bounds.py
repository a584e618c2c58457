"""What hostile or unlucky messages can cost at the door: memory, a name's place, the sentence that tells about them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from factoryops.contracts.snapshot import SnapshotMapping
from factoryops.domain.mapping import TopicMapping, ValueGroup
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.ingest import series_book
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.broker_memory import BrokerMemory
from factoryops.ingest.devices import LARGEST_LAYOUT_BYTES, MOST_LAYOUTS, DeviceEntry, Publisher, layout_of
from factoryops.ingest.endpoint.audience import Audience, Message
from factoryops.ingest.endpoint.filters import Subscription
from factoryops.ingest.routes import LONGEST_TOPIC_BYTES
from factoryops.journal.writer import JournalWriter
from tests.support.admitting import GATEWAY, NOW_US, Admitting
from tests.support.ingest_folder import PLANT, SNAPSHOT

TOPIC = "factories/riverside/devices/pump-1/telemetry"
GROUPED = TopicMapping(name="Meters", topic="site/+/{device}", groups=(ValueGroup("$.values", ""),))
WITH_GROUP = msgspec.structs.replace(SNAPSHOT, mappings=[SnapshotMapping("1", PLANT.id, 1, GROUPED)])


def names(start: int, count: int) -> dict[str, float]:
    return {f"name-{number}": 1.0 for number in range(start, start + count)}


@pytest.mark.parametrize(
    "name", ["\ud800", "\0", "x" * 100_000, "a\u202eb"], ids=["surrogate", "NUL", "long", "turned"]
)
def test_a_name_of_a_refused_value_never_keeps_the_message_from_being_recorded(name: str, tmp_path: Path) -> None:
    plant = Admitting(WITH_GROUP)
    entry = plant.send("site/north/m-1", f'{{"values":{{{json.dumps(name)}:1e999}}}}'.encode())
    assert plant.reasons == ["no_usable_value"]
    assert len(entry.quarantined[0].detail) < 1_000
    with JournalWriter(tmp_path / "journal.db") as writer:
        writer.append(entry)


def test_a_tool_may_not_send_what_names_its_device_in_the_message_either() -> None:
    named = TopicMapping(name="Named", topic="named/all", device_path="$.id", groups=(ValueGroup("$.values", ""),))
    plant = Admitting(msgspec.structs.replace(SNAPSHOT, mappings=[SnapshotMapping("1", PLANT.id, 1, named)]))
    for message in ({"id": "m-1", "values": {"a": 1}}, {}, b"nonsense"):
        plant.send("named/all", message, publisher=Publisher("tool", PLANT.id, "", may_subscribe=True))
    assert plant.reasons == ["not_authorised"] * 3
    plant.send("named/all", {"id": "m-1", "values": {"a": 1}})
    assert len(plant.take()) == 1


def test_what_is_remembered_of_a_devices_sets_of_names_is_bounded() -> None:
    entry = DeviceEntry(PLANT.id, "pump-1", set())
    layout = layout_of([], [], 0, {})
    assert entry.remember(("x" * LARGEST_LAYOUT_BYTES,), layout) == 0
    assert entry.remember(tuple(map(str, range(5_000))), layout) == 0
    assert entry.layouts == {}
    grown = [entry.remember((f"{number:>40}",), layout) for number in range(3 * MOST_LAYOUTS)]
    assert sum(grown) == entry.layouts_bytes
    assert 0 < len(entry.layouts) <= MOST_LAYOUTS


def test_all_devices_sets_of_names_together_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_book, "MOST_LAYOUTS_BYTES", 50_000)
    plant = Admitting()
    for number in range(200):
        plant.send(TOPIC.replace("pump-1", f"d-{number}"), {"metrics": names(number, 10)})
    book = plant.guard._book
    assert sum(entry.layouts_bytes for entry in book.entries()) == book._layouts_bytes <= 50_000
    assert len(plant.take()) == 2_000


def test_a_device_with_too_many_names_is_not_looked_up_anew_with_every_message(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Admitting()
    plant.send(TOPIC, {"metrics": names(0, 201)})
    asked: list[str] = []

    def series_of(key: SeriesKey) -> int:
        asked.append(key.parameter)
        return series_id(key)

    monkeypatch.setattr(series_book, "series_id", series_of)
    for _ in range(50):
        plant.send(TOPIC, {"metrics": names(0, 201)}, after_s=0.1)
    assert asked == []


@pytest.mark.parametrize("hours", [0, 3])
def test_names_of_a_batch_that_could_not_be_kept_use_up_no_budget(hours: int) -> None:
    plant = Admitting()
    if hours:
        plant.send(TOPIC, {"metrics": names(100, 1)})
    for step in range(3):
        plant.now_us += hours * series_book.HOUR_US
        dropped = OpenBatch()
        wanted = names(0, 15 if hours else 60)
        plant.guard.admit(dropped, GATEWAY, TOPIC.encode(), msgspec.json.encode({"metrics": wanted}), plant.now_us)
        assert len(dropped.new_series) == len(wanted), step
        plant.guard.rewind([dropped], plant._keys)


def test_a_topic_longer_than_is_remembered_is_quarantined() -> None:
    plant = Admitting(WITH_GROUP)
    plant.send("site/north/m-1", {"values": {"a": 1}})
    plant.send(f"site/{'n' * LONGEST_TOPIC_BYTES}/m-1", {"values": {"a": 1}})
    assert plant.reasons == ["invalid_topic"]
    assert len(plant.guard._others) == 1


def test_long_topics_are_not_remembered_for_listeners() -> None:
    class Ear:
        heard = 0

        def deliver(self, *_: object) -> bool:
            self.heard += 1
            return True

    audience, ear = Audience(), Ear()
    audience.subscribe("f", ear, Subscription("#"))
    for topic in (b"short", b"x" * 60_000):
        audience.deliver("f", None, Message(topic, b"", 0, b"", NOW_US))
    assert ear.heard == 2
    assert list(audience._rooms["f"]._wanted) == [b"short"]


def test_a_brokers_memory_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    memory = BrokerMemory(tmp_path / "file" / "broker.hall-1")
    memory.note_connected(NOW_US, is_kept=False)
    memory.save_seen(1)
    assert memory.gap_until(NOW_US + 1) is not None
