"""`change-key`: a new key for the installation, with everything that was sealed under the old one."""

from __future__ import annotations

from typing import Final

import typer

from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.identity.instance_key import put_new_key, read_instance_key, staged_key
from factoryops.identity.snapshot_file import write_snapshot
from factoryops.identity.vault import Vault
from factoryops.server import bootstrap
from factoryops.server.console import say
from factoryops.server.context import context_of
from factoryops.server.instance_lock import InstanceLock
from factoryops.server.settings import DataFolder, data_folder

_ACTOR: Final = "command line"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("change-key")(change_key)


def change_key(context: typer.Context) -> None:
    """Make a new key for the installation and seal its secrets anew; the service has to be stopped.

    Cut short anywhere, it is finished by running it again; until then nothing else starts.
    """
    settings = context_of(context).settings()
    folder = data_folder(settings)
    lock = InstanceLock(folder.lock)
    lock.acquire()
    database = bootstrap.open_database(settings)
    try:
        database.migrate()
        count = _change(database, folder)
    finally:
        database.close()
        lock.release()
    say(f"The installation has a new key; {count} secrets are sealed with it. Start the service again.")


def _change(database: Database, folder: DataFolder) -> int:
    """The database first, then the file: in between both keys are there, and the next attempt knows either."""
    path = folder.instance_key
    old, new = Vault(read_instance_key(path)), staged_key(path)
    count = database.run(lambda tx: _reseal(tx, old, Vault(new)))
    put_new_key(path)
    write_snapshot(database, folder.snapshot, new)
    return count


def _reseal(tx: Transaction, old: Vault, new: Vault) -> int:
    secrets = tx.notifying.sealed_secrets()
    for one in secrets:
        tx.notifying.reseal(one.factory_id, one.id, new.seal(_opened(one.sealed, one.id, old, new), one.id))
    for factory in sorted({one.factory_id for one in secrets}):
        count = sum(one.factory_id == factory for one in secrets)
        tx.audit(Scope(factory, _ACTOR, Role.ADMIN)).add("secrets.reseal", "", None, {"count": count})
    return len(secrets)


def _opened(sealed: str, owner: str, old: Vault, new: Vault) -> str:
    try:
        return old.open(sealed, owner)
    except StorageError:
        return new.open(sealed, owner)
