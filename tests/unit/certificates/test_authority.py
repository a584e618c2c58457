"""The plant's own authority: what it issues is trusted for its names and no others, and nobody else reads its keys."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.api.certificate_watch import CertificateWatch
from factoryops.certificates.authority import Authority, create_authority
from factoryops.certificates.expiry import WatchedCertificate, expiry_warning, expiry_warnings
from factoryops.certificates.facts import inspect
from factoryops.certificates.files import replace_file
from factoryops.certificates.ledger import Purpose
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, SetupError

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return create_authority(tmp_path / "certificates")


def complaints(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """What either side says against a connection; "" when both are content."""
    ours, theirs = socket.socketpair()
    said: list[str] = []

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as connection:
                connection.recv(1)
        except OSError as error:
            said.append(str(error))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours, client.wrap_socket(ours, server_hostname=name) as connection:
            connection.send(b"!")
            thread.join(5)
    except OSError as error:
        said.append(str(error))
    finally:
        thread.join(5)
    return "; ".join(said)


def server_context(authority: Authority, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate_file(name), authority.key_file(name))
    return context


@pytest.mark.parametrize("name", ["broker.plant.local", "127.0.0.1"])
def test_a_server_is_trusted_under_its_own_names(authority: Authority, name: str) -> None:
    authority.issue("broker", Purpose.SERVER, ["broker.plant.local", "127.0.0.1"])
    client = ssl.create_default_context(cafile=str(authority.ca_file))
    assert complaints(server_context(authority, "broker"), client, name) == ""


def test_a_server_is_not_trusted_under_another_name(authority: Authority) -> None:
    authority.issue("broker", Purpose.SERVER, ["broker.plant.local"])
    client = ssl.create_default_context(cafile=str(authority.ca_file))
    assert "Hostname mismatch" in complaints(server_context(authority, "broker"), client, "other.plant.local")


def test_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    authority.issue("broker", Purpose.SERVER, ["broker.plant.local"])
    stranger = create_authority(tmp_path / "other", name="Somebody else")
    client = ssl.create_default_context(cafile=str(stranger.ca_file))
    assert "certificate verify failed" in complaints(server_context(authority, "broker"), client, "broker.plant.local")


def test_a_revoked_client_is_refused_and_another_is_not(authority: Authority) -> None:
    authority.issue("broker", Purpose.SERVER, ["broker.plant.local"])
    for name in ("press-1", "press-2"):
        authority.issue(name, Purpose.CLIENT)
    authority.renew("press-1")
    authority.revoke("press-1")
    server = server_context(authority, "broker")
    server.load_verify_locations(str(authority.ca_file))
    server.load_verify_locations(str(authority.crl_file))
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for name, is_refused in (("press-1", True), ("press-2", False)):
        client = ssl.create_default_context(cafile=str(authority.ca_file))
        client.load_cert_chain(authority.certificate_file(name), authority.key_file(name))
        said = complaints(server, client, "broker.plant.local")
        assert ("revoked" in said) if is_refused else (said == "")


def test_a_clients_certificate_is_no_servers(authority: Authority) -> None:
    authority.issue("press-1", Purpose.CLIENT, ["broker.plant.local"])
    client = ssl.create_default_context(cafile=str(authority.ca_file))
    assert "purpose" in complaints(server_context(authority, "press-1"), client, "broker.plant.local")


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
def test_keys_are_readable_by_their_owner_alone(authority: Authority, tmp_path: Path) -> None:
    authority.issue("broker", Purpose.SERVER, ["broker.plant.local"])
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert len(keys) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    keys[0].chmod(0o644)
    (tmp_path / "certificates" / "ca.key").chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        Authority(tmp_path / "certificates")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_whoever_the_folder_belongs_to(tmp_path: Path) -> None:
    os.chown(tmp_path, 4_711, 4_712)
    replace_file(tmp_path / "new" / "deeper" / "secret", b"x")
    for path in ("new", "new/deeper", "new/deeper/secret"):
        status = (tmp_path / path).stat()
        assert (status.st_uid, status.st_gid) == (4_711, 4_712)


def test_renewing_keeps_the_names_and_moves_the_end(authority: Authority) -> None:
    first = authority.issue("broker", Purpose.SERVER, ["broker.plant.local", "10.0.0.4"], valid_days=10)
    before = inspect(authority.certificate_file("broker"))
    renewed = authority.renew("broker")
    after = inspect(authority.certificate_file("broker"))
    assert after.hosts == before.hosts == ("broker.plant.local", "10.0.0.4")
    assert renewed.ends_us > first.ends_us
    assert after.serial != before.serial
    assert [one.serial for one in authority.listed()] == [after.serial]


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    short = create_authority(tmp_path / "short", valid_days=5)
    short.issue("broker", Purpose.SERVER, ["broker.plant.local"])
    assert inspect(short.certificate_file("broker")).ends_at == short.facts.ends_at


def test_what_cannot_be_done_is_said(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="authority"):
        create_authority(tmp_path / "certificates")
    with pytest.raises(SetupError, match="create-ca"):
        Authority(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match="--host"):
        authority.issue("broker", Purpose.SERVER)
    with pytest.raises(InvalidInputError, match="cannot name"):
        authority.issue("../broker", Purpose.SERVER, ["a"])
    with pytest.raises(NotFoundError, match="no good certificate"):
        authority.renew("broker")
    authority.issue("broker", Purpose.SERVER, ["a"])
    with pytest.raises(ConflictError, match="renew"):
        authority.issue("broker", Purpose.SERVER, ["a"])


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=31), ""),
        (timedelta(days=30), "within 30 days"),
        (timedelta(days=14), "within 14 days"),
        (timedelta(days=3), "within 3 days"),
        (timedelta(0), "has ended"),
    ],
)
def test_an_end_is_announced_30_14_and_3_days_ahead(left: timedelta, words: str) -> None:
    warning = expiry_warning("The certificate of the API", NOW + left, NOW)
    assert words in warning
    assert bool(warning) == bool(words)


def test_a_file_that_cannot_be_watched_is_named(authority: Authority, tmp_path: Path) -> None:
    authority.issue("broker", Purpose.SERVER, ["a"])
    watched = [
        WatchedCertificate("api", "The certificate of the API", authority.certificate_file("broker")),
        WatchedCertificate("hall-1", "The certificate of the broker hall-1", tmp_path / "gone.pem"),
    ]
    found = expiry_warnings(watched, datetime.now(UTC))
    assert list(found) == ["certificate_ends:hall-1"]
    assert "gone.pem" in found["certificate_ends:hall-1"]


def test_the_health_page_says_that_a_certificate_ends_until_it_is_renewed(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.issue("api", Purpose.SERVER, ["a"], valid_days=10)
    api = WatchedCertificate("api", "The certificate of the API", authority.certificate_file("api"))
    watch = CertificateWatch([api])
    (problem,) = watch.look()
    assert problem.code == "certificate_ends:api"
    assert "within 14 days" in problem.message
    authority.renew("api")
    monkeypatch.setattr("factoryops.api.certificate_watch._LOOK_EVERY_S", 0.0)
    assert watch.look() == ()
