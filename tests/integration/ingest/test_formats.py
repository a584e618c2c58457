"""Every dialect and a mapping through the endpoint of a real ingest role, and what it knows after a restart."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from factoryops.contracts.snapshot import SnapshotMapping
from factoryops.domain.mapping import MappedValue, TopicMapping, ValueType
from factoryops.domain.samples import SampleFlag, text_code
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import ClockOffset, Entry, MessageLedger
from factoryops.journal.writer import JournalWriter
from tests.integration.ingest.conftest import running
from tests.support.ingest_folder import PLANT, SNAPSHOT, IngestFolder
from tests.support.mqtt_client import RawClient

TENANT = "SH00000042"
MAPPING = TopicMapping(
    name="Compressors",
    topic="site/{device}/data",
    values=(MappedValue("pressure", "$.p"), MappedValue("program", "$.program", ValueType.TEXT)),
)


def folder_with_formats(tmp_path: Path) -> IngestFolder:
    folder = IngestFolder(tmp_path, dialect_b_factory="riverside")
    plant = msgspec.structs.replace(PLANT, tenant=TENANT)
    mappings = [SnapshotMapping("1", PLANT.id, 1, MAPPING)]
    folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, factories=[plant], mappings=mappings))
    return folder


async def test_all_formats_are_taken_side_by_side(tmp_path: Path) -> None:
    folder = folder_with_formats(tmp_path)
    async with running(folder) as service:
        client = await RawClient.logged_in(service.endpoint_port)
        await client.publish("factories/riverside/devices/a/telemetry", b'{"metrics":{"v":1}}')
        await client.publish("devices/b/telemetry", b'{"device_id":"b","v":2}')
        await client.publish(f"{TENANT}/devices/c/telemetry", b'{"device_id":"c","v":3,"device_metadata":{}}')
        await client.publish("site/d/data", b'{"p":4,"program":"A7"}')
        await client.close()
    found = {(device, parameter): value for device, parameter, _, value, _ in folder.samples()}
    code = text_code(PLANT.id, "A7")
    assert found == {
        ("a", "v"): 1.0, ("b", "v"): 2.0, ("c", "v"): 3.0, ("d", "pressure"): 4.0, ("d", "program"): float(code),
    }  # fmt: skip
    reader = JournalReader(folder.journal)
    reader.read()
    assert reader.texts[code] == (PLANT.id, "A7")
    reader.close()


async def test_a_recorded_clock_offset_holds_from_the_first_message_after_a_restart(tmp_path: Path) -> None:
    folder = IngestFolder(tmp_path)
    with JournalWriter(folder.journal) as writer:
        clock = ClockOffset(PLANT.id, "pump-1", 3_600 * US_PER_S)
        writer.append(Entry(now_us() - 60 * US_PER_S, MessageLedger(), clocks=(clock,)))
    async with running(folder) as service:
        client = await RawClient.logged_in(service.endpoint_port)
        hour_ago_s = (now_us() - 3_600 * US_PER_S) / US_PER_S
        payload = json.dumps({"timestamp": hour_ago_s, "metrics": {"v": 1}}).encode()
        await client.publish("factories/riverside/devices/pump-1/telemetry", payload)
        await client.publish("factories/riverside/devices/pump-2/telemetry", payload)
        await client.close()
    late = {device: bool(flags & SampleFlag.LATE) for device, _, _, _, flags in folder.samples()}
    assert late == {"pump-1": False, "pump-2": True}
