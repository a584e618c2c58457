"""Clients that others wrote work against the endpoint unmodified: each publishes, comes again, is refused, listens."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from factoryops.certificates.authority import create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.ingest.config import EndpointConfig, TlsConfig
from factoryops.ingest.service import IngestService
from tests.integration.ingest.conftest import Running
from tests.support.foreign_clients import (
    CLIENTS,
    Order,
    Publish,
    RefusedError,
    mosquitto_arguments,
    paho_client,
    paho_connected,
)
from tests.support.ingest_folder import SECRET, IngestFolder
from tests.support.mqtt_client import RawClient
from tests.support.waiting import until, wait_until

TOPIC = "factories/riverside/devices/pump-1/telemetry"
FOREIGN = pytest.mark.parametrize("publish", CLIENTS.values(), ids=CLIENTS.keys())
LEVELS = pytest.mark.parametrize("level", [4, 5], ids=["3.1.1", "5"])
OVER_TLS = {name: one for name, one in CLIENTS.items() if name != "Paho for C"}


def numbered(first: int, count: int) -> tuple[bytes, ...]:
    return tuple(
        b'{"timestamp":%d,"metrics":{"n":%d}}' % (1_700_000_000 + number, number)
        for number in range(first, first + count)
    )


def values(folder: IngestFolder) -> list[float]:
    return [value for *_, value, _ in folder.samples()]


@FOREIGN
@LEVELS
async def test_it_publishes_with_every_quality_and_comes_again(
    port: int, folder: IngestFolder, publish: Publish, level: int
) -> None:
    for quality in (0, 1, 2):
        order = Order(port, TOPIC, numbered(quality * 10, 10), quality, level)
        await asyncio.to_thread(publish, order)
        wanted = 10 * (quality + 1)
        await until(lambda wanted=wanted: len(folder.samples()) == wanted)  # type: ignore[misc]  # bound at once
    assert values(folder) == [float(number) for number in range(30)]


@FOREIGN
@LEVELS
async def test_a_wrong_password_is_understood(port: int, publish: Publish, level: int) -> None:
    order = Order(port, TOPIC, numbered(0, 1), level=level, password="wrong")
    with pytest.raises(RefusedError):
        await asyncio.to_thread(publish, order)


@FOREIGN
@LEVELS
async def test_large_messages_pass_and_larger_ones_end_only_their_connection(
    port: int, folder: IngestFolder, publish: Publish, level: int
) -> None:
    filling = b'{"metrics":{"n":1},"more":"' + b"x" * 200_000 + b'"}'
    await asyncio.to_thread(publish, Order(port, TOPIC, (filling,), level=level))
    await until(lambda: len(folder.samples()) == 1)
    neighbour = await RawClient.logged_in(port)
    too_large = await RawClient.logged_in(port, "too-large", "pump-1")
    too_large.send(b"\x32" + b"\x81\x80\x10" + b"x" * 100)
    assert await too_large.is_closed()
    await too_large.close()
    await neighbour.publish(TOPIC, numbered(1, 1)[0])
    await neighbour.close()


@pytest.fixture
async def secured(tmp_path: Path, run_ingest: Running) -> AsyncIterator[tuple[IngestService, IngestFolder, Path]]:
    authority = create_authority(tmp_path / "authority")
    authority.issue("server", Purpose.SERVER, ("localhost", "127.0.0.1"))
    tls = TlsConfig("127.0.0.1", 0, authority.certificate_file("server"), authority.key_file("server"))
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(is_plain_enabled=False, tls=tls))
    async with run_ingest(folder) as service:
        yield service, folder, authority.ca_file


@pytest.mark.parametrize("publish", OVER_TLS.values(), ids=OVER_TLS.keys())
@LEVELS
async def test_it_publishes_over_tls(
    secured: tuple[IngestService, IngestFolder, Path], publish: Publish, level: int
) -> None:
    service, folder, ca_file = secured
    order = Order(service.endpoint_tls_port, TOPIC, numbered(0, 5), level=level, ca_file=ca_file)
    await asyncio.to_thread(publish, order)
    await until(lambda: values(folder) == [0.0, 1.0, 2.0, 3.0, 4.0])


# --- wills, what is refused, and listening ---------------------------------------------------------------------------


@LEVELS
async def test_pahos_will_follows_a_lost_connection_and_not_a_goodbye(
    port: int, folder: IngestFolder, level: int
) -> None:
    for is_polite in (True, False):
        order = Order(port, TOPIC, (), level=level, client_id=f"polite {is_polite}")
        client = paho_client(order)
        client.will_set(TOPIC, b'{"metrics":{"is_polite":%d}}' % is_polite, 1)
        await asyncio.to_thread(paho_connected, client, order)
        if is_polite:
            client.disconnect()
        else:
            sock = client.socket()
            assert sock is not None
            client.disconnect = lambda *_: None  # type: ignore[method-assign,assignment]  # it must not say goodbye
            sock.close()
        await asyncio.to_thread(client.loop_stop)
    await until(lambda: values(folder) == [0.0])


async def test_paho_is_told_why_a_message_was_refused(port: int) -> None:
    order = Order(port, TOPIC, (), level=5, username="pump-1")
    client, told = paho_client(order), list[ReasonCode]()
    client.on_publish = lambda _client, _data, _id, code, _more: told.append(code)
    await asyncio.to_thread(paho_connected, client, order)
    client.publish(TOPIC.replace("pump-1", "pump-2"), numbered(0, 1)[0], 1)
    await until(lambda: [str(code) for code in told] == ["Not authorized"])
    client.publish(TOPIC, numbered(0, 1)[0], 2)
    await until(lambda: [str(code) for code in told] == ["Not authorized", "Success"])
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)


async def test_pahos_aliases_are_understood(port: int, folder: IngestFolder) -> None:
    order = Order(port, TOPIC, (), level=5)
    client = paho_client(order)
    await asyncio.to_thread(paho_connected, client, order)
    alias: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # Paho's is not annotated
    alias.TopicAlias = 3
    client.publish(TOPIC, numbered(0, 1)[0], 1, properties=alias)
    client.publish("", numbered(1, 1)[0], 1, properties=alias)
    await until(lambda: values(folder) == [0.0, 1.0])
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)


@LEVELS
async def test_mosquitto_sub_listens_as_a_tool_and_is_refused_as_a_device(port: int, level: int) -> None:
    tool = Order(port, TOPIC, (), level=level, username="tool", client_id="sub")
    command = [*mosquitto_arguments("mosquitto_sub", tool), "-t", "factories/+/devices/#", "-C", "2", "-v", "-W", "15"]
    device = Order(port, TOPIC, (), level=level, username="pump-1", client_id="sub")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
        publisher = await RawClient.logged_in(port, "device", "pump-1")
        while listening.poll() is None:
            await publisher.publish(TOPIC, numbered(7, 1)[0])
            await asyncio.sleep(0.02)
        await publisher.close()
        heard, _ = await asyncio.to_thread(listening.communicate)
    assert heard == f"{TOPIC} {numbered(7, 1)[0].decode()}\n" * 2
    done = await asyncio.to_thread(
        subprocess.run, [*mosquitto_arguments("mosquitto_sub", device), "-t", "#"], capture_output=True, text=True,
        timeout=10, check=False,
    )  # fmt: skip
    assert "denied" in done.stderr


@LEVELS
async def test_aiomqtt_and_paho_listen(port: int, level: int) -> None:
    version = aiomqtt.ProtocolVersion.V5 if level == 5 else aiomqtt.ProtocolVersion.V311
    heard = list[bytes]()
    order = Order(port, TOPIC, (), level=level, username="tool", client_id="paho")
    paho = paho_client(order)
    paho.on_message = lambda _client, _data, message: heard.append(_payload(message))
    granted = list[list[ReasonCode]]()
    paho.on_subscribe = lambda _client, _data, _id, codes, _more: granted.append(codes)
    await asyncio.to_thread(paho_connected, paho, order)
    paho.subscribe(TOPIC, 2)
    await asyncio.to_thread(wait_until, lambda: granted)
    assert str(granted[0][0]) == "Granted QoS 0"
    loop_safe = aiomqtt.Client(
        "127.0.0.1", port, identifier="aiomqtt", username="tool", password=SECRET, protocol=version
    )
    async with loop_safe as client, asyncio.timeout(10):
        await client.subscribe("#")
        await asyncio.to_thread(CLIENTS["mosquitto_pub"], Order(port, TOPIC, numbered(0, 3), level=level))
        received = [(await anext(client.messages)).payload for _ in range(3)]
    assert received == list(numbered(0, 3))
    await until(lambda: heard == list(numbered(0, 3)))
    paho.disconnect()
    await asyncio.to_thread(paho.loop_stop)


def _payload(message: MQTTMessage) -> bytes:
    return bytes(message.payload)
