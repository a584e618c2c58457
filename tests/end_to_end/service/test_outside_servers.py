"""The same main job on the other column: MariaDB, InfluxDB 2 and a Mosquitto broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry
from tests.end_to_end.service.test_main_job import ROWS, read_back, series_of
from tests.support.influx_server import influx_server
from tests.support.installation import Installation, write_recording
from tests.support.mariadb import MariaDb
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


def secret_file(path: Path, secret: str) -> Path:
    path.write_text(secret, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def outside(tmp_path: Path, broker: Mosquitto, mariadb_server: MariaDb) -> Iterator[Installation]:
    """An installation that keeps nothing but its journals in its own folder."""
    password = secret_file(tmp_path / "broker.password", PASSWORD)
    with influx_server() as influx:
        secret_file(tmp_path / "influx.token", influx.token)
        made = Installation(
            tmp_path / "plant",
            f'[database]\nurl = "{mariadb_server.new_schema("whole_service")}"\n'
            f'[history]\nkind = "influx"\nseal_every_s = 2\n[history.influx]\nurl = "{influx.url}"\n'
            f'org = "{influx.org}"\nbucket_prefix = "{influx.fresh_prefix()}"\n'
            f'[[brokers]]\nname = "hall"\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "{USER}"\n'
            f'password_file = "{password}"\n',
            has_endpoint=False,
        )
        yield made
        made.kill()


async def test_the_main_job_gives_the_same_on_mariadb_influxdb_and_mosquitto(
    outside: Installation, broker: Mosquitto, tmp_path: Path
) -> None:
    recording = tmp_path / "rig.csv"
    write_recording(recording, ROWS)
    outside.add_factory("works")
    prepared = outside.command("influx", "setup", "--admin-token-file", str(tmp_path / "influx.token"))
    assert prepared.returncode == 0, prepared.stderr
    outside.start(timeout_s=90)
    client = await outside.log_in("works")
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    done = await asyncio.to_thread(
        outside.command,
        *("replay", str(recording), "--device", "rig", "--speed", "0", "--at", at.isoformat()),
        *("--broker", f"127.0.0.1:{broker.port}", "--username", USER),
        *("--password-file", str(tmp_path / "broker.password")),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    shift = at - datetime.fromisoformat(ROWS[-1][0]).replace(tzinfo=UTC)
    expected = {name: series_of(ROWS, name, shift) for name in ROWS[0][1]}
    await until(lambda: _is_stored(client, len(ROWS) * 3), timeout_s=60, every_s=0.1, what="everything in InfluxDB")
    assert await read_back(client, "rig") == expected
    await asyncio.to_thread(_is_checked_rotated_and_replayed, outside, tmp_path / "influx.token")
    assert await read_back(client, "rig") == expected
    await _alarm_is_raised_and_acknowledged(client, broker.port)
    await client.close()


def _is_checked_rotated_and_replayed(outside: Installation, token: Path) -> None:
    for words, said in (
        (("check",), "samples can be written and read"),
        (("setup", "--admin-token-file", str(token)), "everything is there already"),
        (("rotate-tokens", "--admin-token-file", str(token)), "in the place of an older one"),
        (("check",), "samples can be written and read"),
        (("replay",), f"{len(ROWS) * 3} samples were uploaded again"),
    ):
        done = outside.command("influx", *words)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout.replace("\n", " ")


async def _is_stored(client: HttpPlant, values: int) -> bool:
    counted = (await client.health()).values
    return counted is not None and (counted.accepted, counted.stored) == (values, values)


async def _alarm_is_raised_and_acknowledged(client: HttpPlant, port: int) -> None:
    await client.create_rule(
        limit_content(
            name="Pressure high",
            parameter_key="Pressure",
            comparison=Comparison.ABOVE,
            limit=5.0,
            priority=Priority.CRITICAL,
        )
    )
    device = DeviceConnection(MqttTarget("127.0.0.1", port, "works", USER, PASSWORD), "rig-2")
    device.start()
    device.wait_connected(10.0)

    async def is_raised() -> bool:
        device.publish("factories/works/devices/rig-2/telemetry", telemetry(now_us(), {"Pressure": 9.0}))
        return any(one.state is AlarmState.UNACKNOWLEDGED for one in await client.alarms())

    await until(is_raised, timeout_s=30, every_s=0.2, what="the alarm")
    raised = (await client.alarms())[0]
    item = http.AcknowledgeItem(alarm_id=raised.id, annunciation=raised.annunciation)
    answer = await client.acknowledge(http.AcknowledgeRequest(items=[item]))
    assert [one.state for one in answer] == [AlarmState.ACKNOWLEDGED]
    device.close()
