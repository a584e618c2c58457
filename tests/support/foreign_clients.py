"""MQTT clients that others wrote, each publishing a few messages; all take the same order and say what came of it."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import aiomqtt
import pytest
from gmqtt import Client as GmqttClient
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.support.ingest_folder import SECRET

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a foreign client is to do: connect, publish every payload, say goodbye.

    Attributes:
        level: 4 for MQTT 3.1.1, 5 for MQTT 5.
        ca_file: connects over TLS, trusting this authority.
    """

    port: int
    topic: str
    payloads: tuple[bytes, ...]
    quality: int = 1
    level: int = 4
    client_id: str = "foreign"
    username: str = "gateway"
    password: str = SECRET
    ca_file: Path | None = None


def host_of(order: Order) -> str:
    """Where to connect: by the name that stands in the certificate, where there is one."""
    return "localhost" if order.ca_file else "127.0.0.1"


class RefusedError(Exception):
    """The client was not let in, or gave up."""


Publish = Callable[[Order], None]
"""Carries an order out, blocking until every message is acknowledged; raises RefusedError."""


def missing(what: str) -> NoReturn:
    """Skip by name what is not installed, or fail where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


# --- Mosquitto's command line ----------------------------------------------------------------------------------------


def mosquitto_arguments(program: str, order: Order) -> list[str]:
    """The command of mosquitto_pub or mosquitto_sub, without what to publish or to subscribe to."""
    found = shutil.which(program)
    if found is None:
        missing(f"{program} (Debian: apt install mosquitto-clients)")
    version = "mqttv5" if order.level == 5 else "mqttv311"
    return [
        str(found), "-h", host_of(order), "-p", str(order.port), "-u", order.username,
        "-P", order.password, "-i", order.client_id, "-V", version, "-q", str(order.quality),
        *(["--cafile", str(order.ca_file)] if order.ca_file else []),
    ]  # fmt: skip


def mosquitto_pub(order: Order) -> None:
    """One process, a message per line."""
    done = subprocess.run(
        [*mosquitto_arguments("mosquitto_pub", order), "-t", order.topic, "-l"],
        input=b"".join(one + b"\n" for one in order.payloads), capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RefusedError(done.stderr.decode())


# --- Paho for Python -------------------------------------------------------------------------------------------------


def paho_client(order: Order) -> PahoClient:
    """A client that is set up, not connected."""
    version = MQTTProtocolVersion.MQTTv5 if order.level == 5 else MQTTProtocolVersion.MQTTv311
    client = PahoClient(CallbackAPIVersion.VERSION2, order.client_id, protocol=version)
    client.username_pw_set(order.username, order.password)
    if order.ca_file is not None:
        client.tls_set(str(order.ca_file))
    return client


def paho_connected(client: PahoClient, order: Order) -> None:
    """Connect and run the client's thread; raises RefusedError."""
    answered, answers = threading.Event(), list[ReasonCode]()

    def note(_client: PahoClient, _data: Any, _flags: ConnectFlags, code: ReasonCode, _more: Properties | None) -> None:
        answers.append(code)
        answered.set()

    client.on_connect = note
    client.connect(host_of(order), order.port)
    client.loop_start()
    assert answered.wait(PATIENCE_S)
    if answers[0].is_failure:
        client.loop_stop()
        raise RefusedError(str(answers[0]))


def paho_python(order: Order) -> None:
    """Paho with its own thread."""
    client = paho_client(order)
    paho_connected(client, order)
    try:
        sent = [client.publish(order.topic, one, order.quality) for one in order.payloads]
        for one in sent:
            one.wait_for_publish(PATIENCE_S)
            assert one.is_published()
        client.disconnect()
    finally:
        client.loop_stop()


# --- aiomqtt and gmqtt -----------------------------------------------------------------------------------------------


def aiomqtt_publish(order: Order) -> None:
    """aiomqtt on an event loop of its own."""
    asyncio.run(_aiomqtt(order))


async def _aiomqtt(order: Order) -> None:
    version = aiomqtt.ProtocolVersion.V5 if order.level == 5 else aiomqtt.ProtocolVersion.V311
    try:
        async with aiomqtt.Client(
            host_of(order),
            order.port,
            identifier=order.client_id,
            username=order.username,
            password=order.password,
            protocol=version,
            tls_params=aiomqtt.TLSParameters(ca_certs=str(order.ca_file)) if order.ca_file else None,
        ) as client:
            for one in order.payloads:
                await client.publish(order.topic, one, order.quality, timeout=PATIENCE_S)
    except aiomqtt.MqttError as error:
        raise RefusedError(str(error)) from error


def gmqtt_publish(order: Order) -> None:
    """gmqtt on an event loop of its own."""
    asyncio.run(_gmqtt(order))


async def _gmqtt(order: Order) -> None:
    client = GmqttClient(order.client_id)
    client.set_auth_credentials(order.username, order.password)
    client.set_config({"reconnect_retries": 0})
    context = ssl.create_default_context(cafile=str(order.ca_file)) if order.ca_file else False
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.connect(
                host_of(order), order.port, ssl=context, version=MQTTv50 if order.level == 5 else MQTTv311
            )
            for one in order.payloads:
                client.publish(order.topic, one, qos=order.quality)
            await client._persistent_storage.wait_empty()
    except MQTTConnectError as error:
        raise RefusedError(str(error)) from error
    finally:
        await client.disconnect()


# --- Paho for C ------------------------------------------------------------------------------------------------------


class _ConnectOptions(ctypes.Structure):
    """MQTTClient_connectOptions of MQTTClient.h 1.3, version 6."""

    _fields_ = (
        ("struct_id", ctypes.c_char * 4),
        ("struct_version", ctypes.c_int),
        ("keep_alive_s", ctypes.c_int),
        ("is_clean", ctypes.c_int),
        ("is_reliable", ctypes.c_int),
        ("will", ctypes.c_void_p),
        ("username", ctypes.c_char_p),
        ("password", ctypes.c_char_p),
        ("connect_timeout_s", ctypes.c_int),
        ("retry_s", ctypes.c_int),
        ("ssl", ctypes.c_void_p),
        ("server_uri_count", ctypes.c_int),
        ("server_uris", ctypes.c_void_p),
        ("version", ctypes.c_int),
        ("returned_uri", ctypes.c_char_p),
        ("returned_version", ctypes.c_int),
        ("returned_session_present", ctypes.c_int),
        ("binary_length", ctypes.c_int),
        ("binary_data", ctypes.c_void_p),
        ("most_in_flight", ctypes.c_int),
        ("is_clean_start", ctypes.c_int),
        ("http_headers", ctypes.c_void_p),
        ("http_proxy", ctypes.c_char_p),
        ("https_proxy", ctypes.c_char_p),
    )


class _CreateOptions(ctypes.Structure):
    """MQTTClient_createOptions."""

    _fields_ = (("struct_id", ctypes.c_char * 4), ("struct_version", ctypes.c_int), ("version", ctypes.c_int))


class _Response(ctypes.Structure):
    """MQTTResponse: what the functions of MQTT 5 return."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("reason", ctypes.c_int),
        ("reasons", ctypes.c_int),
        ("codes", ctypes.c_void_p),
        ("properties", ctypes.c_void_p),
    )


def _paho_library() -> ctypes.CDLL:
    found = ctypes.util.find_library("paho-mqtt3c")
    if found is None:
        missing("the Paho C library (Debian: apt install libpaho-mqtt1.3)")
    library = ctypes.CDLL(str(found))
    for name in ("MQTTClient_connect5", "MQTTClient_publish5"):
        getattr(library, name).restype = _Response
    return library


def paho_c(order: Order) -> None:
    """The Paho C library's synchronous client."""
    library, handle = _paho_library(), ctypes.c_void_p()
    uri = f"tcp://127.0.0.1:{order.port}".encode()
    create = _CreateOptions(b"MQCO", 0, order.level)
    made = library.MQTTClient_createWithOptions(
        ctypes.byref(handle), uri, order.client_id.encode(), 1, None, ctypes.byref(create)
    )
    assert made == 0
    try:
        _paho_c_session(library, handle, order)
    finally:
        library.MQTTClient_destroy(ctypes.byref(handle))


def _paho_c_session(library: ctypes.CDLL, handle: ctypes.c_void_p, order: Order) -> None:
    options = _ConnectOptions(
        struct_id=b"MQTC", struct_version=6, keep_alive_s=60, is_clean=order.level == 4, is_reliable=1,
        username=order.username.encode(), password=order.password.encode(), connect_timeout_s=10, version=order.level,
        most_in_flight=-1, is_clean_start=order.level == 5,
    )  # fmt: skip
    if order.level == 5:
        code = library.MQTTClient_connect5(handle, ctypes.byref(options), None, None).reason
    else:
        code = library.MQTTClient_connect(handle, ctypes.byref(options))
    if code:
        raise RefusedError(f"code {code}")
    for one in order.payloads:
        token = ctypes.c_int()
        arguments = (handle, order.topic.encode(), len(one), one, order.quality, 0)
        if order.level == 5:
            answer = library.MQTTClient_publish5(*arguments, None, ctypes.byref(token))
            assert answer.reason == 0
        else:
            assert library.MQTTClient_publish(*arguments, ctypes.byref(token)) == 0
        assert library.MQTTClient_waitForCompletion(handle, token, ctypes.c_ulong(int(PATIENCE_S * 1e3))) == 0
    if order.level == 5:
        library.MQTTClient_disconnect5(handle, 1_000, 0, None)
    else:
        library.MQTTClient_disconnect(handle, 1_000)


CLIENTS: dict[str, Publish] = {
    "mosquitto_pub": mosquitto_pub,
    "Paho for Python": paho_python,
    "aiomqtt": aiomqtt_publish,
    "gmqtt": gmqtt_publish,
    "Paho for C": paho_c,
}
