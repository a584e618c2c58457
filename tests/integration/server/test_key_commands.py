"""The installation's key is changed whole: what it sealed can be opened after it, wherever the change was cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.errors import SetupError, StorageError
from factoryops.domain.identity import Role, Scope, new_id
from factoryops.domain.notifying import HookKind
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.vault import Vault
from factoryops.server import key_commands
from factoryops.server.instance_lock import InstanceLock
from factoryops.server.settings import DataFolder
from tests.integration.server.test_command_line import Command, command, settings

__all__ = ["command", "settings"]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture(autouse=True)
def factory(command: Command) -> None:
    """An installation with a factory."""
    assert command("factory", "add", "works").code == 0


def add_hook(folder: DataFolder, secret: str) -> str:
    """A hook with its secret sealed; answers its id."""
    identity = new_id()
    sealed = Vault(load_or_create_instance_key(folder.instance_key)).seal(secret, identity)
    database = Database.open(f"sqlite:///{folder.metadata}")
    factory = database.read(lambda tx: tx.factories.list())[0].id
    content = http.HookContent(name="ERP", kind=HookKind.WEBHOOK)
    columns = {"host": "erp.example.com", "is_signed": False, "sealed": sealed}
    scope = Scope(factory, "test", Role.ADMIN)
    database.run(lambda tx: tx.notifications(scope).hooks.create(content, identity, **columns))
    database.close()
    return identity


def opened(folder: DataFolder, identity: str, key: bytes) -> str:
    database = Database.open(f"sqlite:///{folder.metadata}")
    (one,) = database.read(lambda tx: tx.notifying.sealed_secrets())
    database.close()
    return Vault(key).open(one.sealed, identity)


def test_after_a_change_secrets_open_with_the_new_key_alone(command: Command, folder: DataFolder) -> None:
    hook = add_hook(folder, "https://erp.example.com/sesame")
    before = folder.instance_key.read_bytes()
    said = command("change-key")
    assert (said.code, "1 secrets are sealed with it" in said.out) == (0, True)
    after = load_or_create_instance_key(folder.instance_key)
    assert after != before
    assert opened(folder, hook, after) == "https://erp.example.com/sesame"
    with pytest.raises(StorageError):
        opened(folder, hook, before)
    assert command("factory", "list").code == 0


@pytest.mark.parametrize("step", ["_reseal", "put_new_key", "write_snapshot"])
def test_a_change_that_was_cut_short_is_finished_by_another_one(
    command: Command, folder: DataFolder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    hook = add_hook(folder, "https://erp.example.com/sesame")

    def cut(*_: object) -> None:
        raise StorageError("The power went.")

    with monkeypatch.context() as broken:
        broken.setattr(key_commands, step, cut)
        assert command("change-key").code != 0
    if step != "write_snapshot":
        with pytest.raises(SetupError, match="run `factoryops-service change-key` again"):
            load_or_create_instance_key(folder.instance_key)
        assert "change-key" in command("factory", "list").err
    assert command("change-key").code == 0
    assert opened(folder, hook, load_or_create_instance_key(folder.instance_key)) == "https://erp.example.com/sesame"


def test_while_the_service_runs_its_key_stays(command: Command, folder: DataFolder) -> None:
    before = folder.instance_key.read_bytes()
    lock = InstanceLock(folder.lock)
    lock.acquire()
    try:
        said = command("change-key")
    finally:
        lock.release()
    assert said.code != 0
    assert folder.instance_key.read_bytes() == before
