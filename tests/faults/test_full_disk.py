"""A disk that fills up under the whole service: it stops receiving in time, says so, lets people in and goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.client.http import HttpPlant
from tests.support.installation import Installation
from tests.support.mqtt_client import RawClient, publish_packet
from tests.support.waiting import until

TOPIC = "factories/works/devices/press-1/telemetry"
ALARM = "Nothing is received: disk full"
DISK_BYTES = 128 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let us make a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def is_told(client: HttpPlant) -> bool:
    return "disk_full" in {problem.code for problem in (await client.health()).problems}


async def is_recorded_alarm(client: HttpPlant) -> bool:
    return ALARM in {alarm.rule_name for alarm in await client.alarms() if alarm.is_recorded}


@pytest.mark.timeout(180)
async def test_before_a_disk_is_full_the_service_stops_receiving_and_everything_else_goes_on(small_disk: Path) -> None:
    installation = Installation(small_disk / "plant")
    installation.add_factory("works")
    secret = installation.add_credential("works", "gateway")
    try:
        installation.start()
        await fill_and_free(installation, small_disk, secret)
    finally:
        installation.kill()


async def fill_and_free(installation: Installation, disk: Path, secret: str) -> None:
    device = await RawClient.logged_in(installation.endpoint_port, "press-1", password=secret)
    await device.publish(TOPIC, b'{"timestamp":1700000000,"metrics":{"n":0}}')
    client = await installation.log_in("works")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - int(0.015 * DISK_BYTES)))
    await until(lambda: is_told(client), timeout_s=15, what="the problem")

    device.send(publish_packet(TOPIC.encode(), b'{"timestamp":1700000001,"metrics":{"n":1}}', 2))
    await until(lambda: is_recorded_alarm(client), timeout_s=20, what="the alarm")
    health = await client.health()
    assert all(role.is_alive for role in health.roles)
    assert health.messages is not None
    assert health.messages.received == 1
    await (await installation.log_in("works")).close()

    ballast.unlink()
    assert await device.packet(timeout_s=20) == b"\x40\x02\x00\x02"
    await until(lambda: _is_over(client), timeout_s=15, what="the end of the problem")
    await client.close()
    await device.close()


async def _is_over(client: HttpPlant) -> bool:
    return not await is_told(client)
