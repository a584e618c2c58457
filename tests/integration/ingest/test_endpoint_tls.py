"""The endpoint over TLS: which versions, whose certificates, and a renewal while devices are connected."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from factoryops.certificates.authority import Authority, create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.domain.errors import SetupError
from factoryops.ingest.config import EndpointConfig, TlsConfig
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient, connect_packet
from tests.support.waiting import until

TOPIC = "factories/riverside/devices/pump-1/telemetry"
SAMPLE = b'{"metrics":{"n":1}}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = create_authority(tmp_path / "authority")
    made.issue("server", Purpose.SERVER, ("localhost", "127.0.0.1"))
    made.issue("meter", Purpose.CLIENT, ())
    return made


@pytest.fixture
def tls(authority: Authority) -> TlsConfig:
    return TlsConfig("127.0.0.1", 0, authority.certificate_file("server"), authority.key_file("server"))


def trusting(authority: Authority, *, client: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    if client:
        context.load_cert_chain(authority.certificate_file(client), authority.key_file(client))
    return context


async def log_in(port: int, context: ssl.SSLContext) -> RawClient:
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port, ssl=context))
    client.send(connect_packet("meter"))
    try:
        assert await client.packet() == b"\x20\x02\x00\x00"
    except (AssertionError, OSError):
        await client.close()
        raise
    return client


async def serial_shown(port: int, context: ssl.SSLContext) -> object:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    certificate = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    return certificate["serialNumber"]


async def test_devices_connect_over_tls_and_without_it_at_once(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=tls))
    async with run_ingest(folder) as service:
        secured = await log_in(service.endpoint_tls_port, trusting(authority))
        plain = await RawClient.logged_in(service.endpoint_port, "other")
        for one in (secured, plain):
            await one.publish(TOPIC, SAMPLE)
        large = b'{"metrics":{"n":1},"more":"' + b"x" * 200_000 + b'"}'
        await secured.publish(TOPIC, large)
        await secured.close()
        await plain.close()
    assert len(folder.samples()) == 3


async def test_with_tls_alone_nothing_else_is_open(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(is_plain_enabled=False, tls=tls))
    async with run_ingest(folder) as service:
        assert service.endpoint_port == 0
        plain = await RawClient.open(service.endpoint_tls_port)
        plain.send(connect_packet("meter"))
        assert (await plain.packet())[:1] != b"\x20"
        await plain.close()
        secured = await log_in(service.endpoint_tls_port, trusting(authority))
        await secured.close()


async def test_old_versions_of_tls_and_strangers_are_refused(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=tls))
    async with run_ingest(folder) as service:
        old = trusting(authority)
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        for context in (old, ssl.create_default_context()):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await log_in(service.endpoint_tls_port, context)


async def test_devices_may_be_asked_for_a_certificate(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=replace(tls, client_ca_file=authority.ca_file)))
    async with run_ingest(folder) as service:
        known = await log_in(service.endpoint_tls_port, trusting(authority, client="meter"))
        await known.publish(TOPIC, SAMPLE)
        await known.close()
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            await log_in(service.endpoint_tls_port, trusting(authority))


async def test_a_renewed_certificate_is_shown_to_new_connections_and_ends_none(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=tls))
    context = trusting(authority)
    async with run_ingest(folder) as service:
        port = service.endpoint_tls_port
        before = await serial_shown(port, context)
        standing = await log_in(port, context)
        authority.renew("server")

        async def is_renewed() -> bool:
            return await serial_shown(port, context) != before

        await until(is_renewed)
        await standing.publish(TOPIC, SAMPLE)
        await standing.close()


async def test_a_certificate_that_cannot_be_used_changes_nothing_and_is_reported(
    tmp_path: Path, authority: Authority, tls: TlsConfig, run_ingest: Running
) -> None:
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=tls))
    async with run_ingest(folder) as service:
        kept = tls.certificate_file.read_bytes()
        tls.certificate_file.write_bytes(b"half a file")
        await until(lambda: "renewed certificate cannot be used" in str(folder.heartbeat()))
        client = await log_in(service.endpoint_tls_port, trusting(authority))
        await client.close()
        tls.certificate_file.write_bytes(kept)
        await until(lambda: (beat := folder.heartbeat()) and not beat.problems)


async def test_a_start_without_a_usable_certificate_is_one_clear_sentence(
    tmp_path: Path, tls: TlsConfig, run_ingest: Running
) -> None:
    shutil.copy(tls.certificate_file, tls.key_file)
    folder = IngestFolder(tmp_path, endpoint=EndpointConfig(port=0, tls=tls))
    with pytest.raises(SetupError, match="no matching certificate and key"):
        async with run_ingest(folder):
            pass
