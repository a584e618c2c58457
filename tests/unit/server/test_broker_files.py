"""Who a broker lets in, and to what: read from the database, and changed only when it changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.certificates.authority import create_authority
from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.credentials import DeviceAddress
from factoryops.domain.errors import SetupError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.identity.credentials import create_credential, rotate_credential, secret_digest
from factoryops.ingest.mosquitto.configuration import BrokerPlan
from factoryops.server.bootstrap import device_address
from factoryops.server.broker_files import TlsFiles, own_secret_file, reload_broker, write_configuration, write_users
from factoryops.server.settings import DevicesSettings, EndpointSettings, Settings


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'plant.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def factory(database: Database) -> Factory:
    def store(tx: Transaction) -> Factory:
        made = tx.factories.create("riverside", "Riverside", "UTC", tenant="SH00000042")
        value = http.MappingValue(parameter="n", path="$.n")
        topics = {"meters/{device}/data": True, "off/{device}": False}
        for topic, is_enabled in topics.items():
            content = http.MappingContent(name=topic, topic=topic, values=[value], is_enabled=is_enabled)
            tx.mappings(Scope(made.id, "anna", Role.ADMIN)).create(content)
        return made

    return database.run(store)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_a_device_may_publish_in_every_form_its_factory_knows(
    database: Database, factory: Factory, tmp_path: Path
) -> None:
    create_credential(database, factory.id, username="press-1", device_key="press-1")
    write_users(database, tmp_path / "broker", tmp_path / "own", dialect_b_factory="riverside")
    access = lines(tmp_path / "broker" / "access")
    assert access[access.index("user press-1") + 1 :] == [
        "topic write factories/riverside/devices/press-1/telemetry",
        "topic write SH00000042/devices/press-1/telemetry",
        "topic write devices/press-1/telemetry",
        "topic write meters/press-1/data",
    ]


def test_files_are_written_when_something_changed_and_only_then(
    database: Database, factory: Factory, tmp_path: Path
) -> None:
    made = create_credential(database, factory.id, username="press-1", device_key="press-1")
    folder, own = tmp_path / "broker", tmp_path / "own"
    assert write_users(database, folder, own).has_changed
    assert not write_users(database, folder, own).has_changed
    rotate_credential(database, factory.id, "press-1", overlap_h=1)
    assert not write_users(database, folder, own).has_changed
    rotate_credential(database, factory.id, "press-1", overlap_h=0)
    assert write_users(database, folder, own).has_changed
    assert made.secret not in (folder / "passwords").read_text()
    assert {(folder / name).stat().st_mode & 0o777 for name in ("passwords", "access")} == {0o600}


def test_a_credential_without_a_brokers_hash_is_left_out_by_name(
    database: Database, factory: Factory, tmp_path: Path
) -> None:
    database.run(lambda tx: tx.credentials.create(factory.id, "older", secret_digest("x")))
    written = write_users(database, tmp_path / "broker", tmp_path / "own")
    assert (written.users, written.left_out) == (0, ("older",))


def test_a_lost_secret_of_our_own_is_made_anew(database: Database, factory: Factory, tmp_path: Path) -> None:
    folder, own = tmp_path / "broker", tmp_path / "own"
    write_users(database, folder, own)
    own_secret_file(own, "factoryops").unlink()
    assert write_users(database, folder, own).has_changed


def test_a_broker_that_does_not_run_cannot_be_told(tmp_path: Path) -> None:
    assert not reload_broker(tmp_path)
    (tmp_path / "mosquitto.pid").write_text("no number")
    assert not reload_broker(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="only Linux tells a process's name like this")
def test_another_program_that_has_a_killed_brokers_number_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "mosquitto.pid").write_text(str(other.pid))
    assert not reload_broker(tmp_path)
    other.communicate(b"\n", timeout=20)
    assert other.returncode == 0


def test_a_key_that_others_may_read_is_not_handed_on(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("certificate.pem", "key.pem", "ca.pem")}
    for file in files.values():
        file.write_text("x")
        file.chmod(0o644)
    tls = TlsFiles(files["certificate.pem"], files["key.pem"], files["ca.pem"])
    with pytest.raises(SetupError, match="chmod 600"):
        write_configuration(BrokerPlan(tmp_path / "broker", (2, 0)), tls)


def test_devices_are_told_to_connect_to_the_endpoint_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    plain = Settings(data_folder=tmp_path, endpoint=EndpointSettings(port=1884))
    assert device_address(plain) == DeviceAddress("127.0.0.1", 1884)
    authority = create_authority(tmp_path / "certificates")
    secured = EndpointSettings(
        tls_host="10.0.0.4", tls_port=8884, certificate_file=tmp_path / "c.pem", key_file=tmp_path / "k.pem"
    )
    fingerprint = authority.facts.fingerprint
    settings = Settings(data_folder=tmp_path, endpoint=secured)
    assert device_address(settings) == DeviceAddress("10.0.0.4", 8884, use_tls=True, ca_sha256=fingerprint)
    told = DevicesSettings(host="broker.plant.local", port=8883, use_tls=True, ca_file=authority.ca_file)
    settings = Settings(data_folder=tmp_path / "other", devices=told)
    assert device_address(settings) == DeviceAddress("broker.plant.local", 8883, use_tls=True, ca_sha256=fingerprint)
