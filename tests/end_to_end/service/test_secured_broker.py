"""A plant that follows the how-to: its own authority, a configured Mosquitto, a device with a credential."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.mosquitto import find_mosquitto, free_port
from tests.support.waiting import until, wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def plant(tmp_path: Path, port: int) -> Iterator[Installation]:
    folder, own = tmp_path / "mosquitto", tmp_path / "plant" / "data" / "broker"
    made = Installation(
        tmp_path / "plant",
        f'[[brokers]]\nname = "hall"\nhost = "127.0.0.1"\nport = {port}\nusername = "factoryops"\n'
        f'password_file = "{own / "factoryops.password"}"\nuse_tls = true\nca_file = "{folder / "tls" / "ca.pem"}"\n'
        f'configuration_file = "{folder / "mosquitto.conf"}"\n',
        has_endpoint=False,
    )
    yield made
    made.kill()


@pytest.fixture
def broker(tmp_path: Path, plant: Installation, port: int) -> Iterator[Path]:
    """A running Mosquitto with the files that the command line wrote; answers its folder."""
    folder = tmp_path / "mosquitto"
    plant.add_factory("works")
    done(plant, "certificate", "create-ca")
    done(plant, "broker", "configure", str(folder), "--host", "127.0.0.1", "--port", str(port),
         "--mosquitto", find_mosquitto())  # fmt: skip
    more = "user root\n" if os.geteuid() == 0 else ""  # it could not read a private temporary folder otherwise
    (folder / "test.conf").write_text((folder / "mosquitto.conf").read_text() + more)
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen([find_mosquitto(), "-c", str(folder / "test.conf")], stdout=log, stderr=log)
    wait_until(lambda: "running" in (folder / "mosquitto.log").read_text(), what="the broker")
    yield folder
    process.kill()
    process.wait(10)


def done(plant: Installation, *arguments: str) -> str:
    said = plant.command(*arguments)
    assert said.returncode == 0, said.stderr
    return said.stdout


def publish(folder: Path, port: int, secret: str, value: float) -> int:
    """With the distribution's own client; answers its exit code."""
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed (Debian: apt install mosquitto-clients)")
    return subprocess.run(
        [program, "-h", "127.0.0.1", "-p", str(port), "--cafile", str(folder / "tls" / "ca.pem"), "-V", "mqttv5",
         "-u", "press-1", "-P", secret, "-q", "1", "-t", "factories/works/devices/press-1/telemetry",
         "-m", f'{{"metrics":{{"pressure":{value}}}}}'],
        capture_output=True, check=False, timeout=20,
    ).returncode  # fmt: skip


async def test_a_device_behind_a_secured_broker_reaches_the_control_room_and_a_revoked_one_does_not(
    plant: Installation, broker: Path, port: int
) -> None:
    secret = await asyncio.to_thread(plant.add_credential, "works", "press-1", device="press-1")
    assert "1 users were written" in await asyncio.to_thread(done, plant, "broker", "users", str(broker))
    assert "does what it must" in await asyncio.to_thread(done, plant, "broker", "probe")
    plant.start(timeout_s=90)
    client = await plant.log_in("works")

    async def is_shown() -> bool:
        return 4.25 in [one.value for one in await client.latest()]

    assert await asyncio.to_thread(publish, broker, port, secret, 4.25) == 0
    await until(is_shown, timeout_s=30, every_s=0.2)
    health = await client.health()
    assert [problem.code for problem in health.problems if "broker" in problem.code] == []
    assert health.messages is not None
    assert health.messages.received == health.messages.accepted + health.messages.quarantined
    await asyncio.to_thread(done, plant, "credential", "revoke", "works", "press-1")
    await asyncio.to_thread(done, plant, "broker", "users", str(broker))
    await until(lambda: asyncio.to_thread(lambda: publish(broker, port, secret, 9.0) != 0), timeout_s=15, every_s=0.2)
    await client.close()
