from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from factoryops.contracts.snapshot import open_snapshot
from factoryops.database.database import Database
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, SetupError, StorageError
from factoryops.domain.identity import Role, Scope, device_id
from factoryops.domain.plant import Device
from factoryops.domain.time import now_us
from factoryops.identity.administration import NewFactory
from factoryops.identity.credentials import (
    create_credential,
    revoke_credential,
    rotate_credential,
    secret_digest,
    settle_credential,
)
from factoryops.identity.instance_key import load_or_create_instance_key, read_instance_key
from factoryops.identity.snapshot_file import write_snapshot

KEY = bytes(range(32))
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def test_the_snapshot_has_what_ingest_must_know(database: Database, made: NewFactory, tmp_path: Path) -> None:
    scope = Scope(made.factory.id, "op1", Role.ADMIN)
    for key in ("pump-2", "pump-1"):
        device = Device(device_id(made.factory.id, key), made.factory.id, key, key)
        database.run(lambda tx, device=device: tx.devices(scope).ensure(device))  # type: ignore[misc] # bound per turn
    gateway = create_credential(database, made.factory.id)
    single = create_credential(database, made.factory.id, username="pump.1", device_key="pump-1")
    path = tmp_path / "snapshot.bin"
    assert write_snapshot(database, path, KEY)
    snapshot = open_snapshot(path.read_bytes(), KEY)
    (factory,) = snapshot.factories
    assert (factory.slug, factory.adopts_automatically, factory.device_keys) == (
        "riverside",
        True,
        ["pump-1", "pump-2"],
    )
    found = {item.username: (item.secret_sha256, item.device_key) for item in snapshot.credentials}
    assert found == {
        gateway.username: (secret_digest(gateway.secret), None),
        "pump.1": (secret_digest(single.secret), "pump-1"),
    }
    assert gateway.secret.encode() not in path.read_bytes()


def test_the_snapshot_is_written_only_when_it_changed(database: Database, made: NewFactory, tmp_path: Path) -> None:
    path = tmp_path / "run" / "snapshot.bin"
    assert write_snapshot(database, path, KEY)
    assert not write_snapshot(database, path, KEY)
    credential = create_credential(database, made.factory.id)
    assert write_snapshot(database, path, KEY)
    revoke_credential(database, made.factory.id, credential.username)
    assert write_snapshot(database, path, KEY)
    assert open_snapshot(path.read_bytes(), KEY).credentials == []
    assert list(path.parent.iterdir()) == [path]


def test_the_snapshot_carries_rotations_and_tools(database: Database, made: NewFactory, tmp_path: Path) -> None:
    old = create_credential(database, made.factory.id, username="gate")
    new = rotate_credential(database, made.factory.id, "gate", overlap_h=1)
    create_credential(database, made.factory.id, username="looker", is_tool=True)
    path = tmp_path / "snapshot.bin"
    write_snapshot(database, path, KEY)
    gate, looker = open_snapshot(path.read_bytes(), KEY).credentials
    assert (gate.secret_sha256, gate.previous_sha256) == (secret_digest(new.secret), secret_digest(old.secret))
    assert 3_590_000_000 < gate.previous_until_us - now_us() < 3_600_000_000
    assert (looker.may_subscribe, looker.device_key) == (True, "")
    settle_credential(database, made.factory.id, "gate")
    write_snapshot(database, path, KEY)
    assert open_snapshot(path.read_bytes(), KEY).credentials[0].previous_sha256 == ""


@pytest.mark.parametrize("hours", [-1.0, 721.0])
def test_an_overlap_is_at_most_30_days(database: Database, made: NewFactory, hours: float) -> None:
    create_credential(database, made.factory.id, username="gate")
    with pytest.raises(InvalidInputError, match="30 days"):
        rotate_credential(database, made.factory.id, "gate", overlap_h=hours)


@pytest.mark.parametrize("key", ["a+b", "#", "a/b"])
def test_a_device_key_that_means_something_else_in_a_topic_gets_no_credential(
    database: Database, made: NewFactory, key: str
) -> None:
    with pytest.raises(InvalidInputError, match="topic"):
        create_credential(database, made.factory.id, device_key=key)


@pytest.mark.usefixtures("made")
@posix_only
def test_only_the_service_reads_the_snapshot(database: Database, tmp_path: Path) -> None:
    write_snapshot(database, tmp_path / "snapshot.bin", KEY)
    assert (tmp_path / "snapshot.bin").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("made")
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root makes files of others")
def test_a_snapshot_written_by_root_is_the_services(database: Database, tmp_path: Path) -> None:
    """Else ingest could not read it, nor the engine replace it: nobody would be let in or sent away any more."""
    folder = tmp_path / "run"
    folder.mkdir()
    os.chown(folder, 12_345, 12_345)
    write_snapshot(database, folder / "snapshot.bin", KEY)
    assert (folder / "snapshot.bin").stat().st_uid == 12_345


@pytest.mark.usefixtures("made")
def test_a_snapshot_that_cannot_be_read_is_replaced(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "snapshot.bin").write_bytes(b"another user's")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", _forbidden)
        assert write_snapshot(database, tmp_path / "snapshot.bin", KEY)
    assert not write_snapshot(database, tmp_path / "snapshot.bin", KEY)


def _forbidden(path: Path) -> bytes:
    raise PermissionError(13, "Permission denied", path)


@pytest.mark.usefixtures("made")
def test_a_snapshot_that_cannot_be_written_says_what_it_means(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="new ones are not let in"):
        write_snapshot(database, tmp_path / "file" / "snapshot.bin", KEY)


@pytest.mark.parametrize("name", ["a/b", "a+b", "a#", "", "ä", "x" * 101, "a b"])
def test_a_user_name_that_a_broker_could_misread_is_refused(database: Database, made: NewFactory, name: str) -> None:
    with pytest.raises(InvalidInputError):
        create_credential(database, made.factory.id, username=name)


def test_credentials_of_a_taken_name_or_an_unknown_factory_are_refused(database: Database, made: NewFactory) -> None:
    create_credential(database, made.factory.id, username="gate")
    with pytest.raises(ConflictError):
        create_credential(database, made.factory.id, username="gate")
    with pytest.raises(NotFoundError):
        create_credential(database, type(made.factory.id)("0" * 32))


def test_secrets_are_long_and_never_shown_in_logs(database: Database, made: NewFactory) -> None:
    first, second = (create_credential(database, made.factory.id) for _ in range(2))
    assert len(first.secret) >= 43
    assert first.secret != second.secret
    assert first.secret not in repr(first)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "instance.key"
    with ThreadPoolExecutor(1) as pool:
        keys = set(pool.map(lambda _turn: load_or_create_instance_key(path), range(3)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert [file.name for file in tmp_path.iterdir()] == ["instance.key"]


@posix_only
def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "instance.key"
    load_or_create_instance_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        load_or_create_instance_key(path)


def test_a_short_or_missing_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "instance.key"
    with pytest.raises(SetupError, match="cannot be read"):
        read_instance_key(path)
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(SetupError, match="damaged"):
        load_or_create_instance_key(path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be written"):
        load_or_create_instance_key(tmp_path / "none" / "instance.key")
