"""`notify`, its book: contacts, rosters, hooks and policies as a file, and what would be sent for a rule."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
import typer
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.contracts.http.notification_preview import preview
from factoryops.database.notification_book import NotificationBook
from factoryops.database.notification_standing import told_of
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError
from factoryops.domain.identity import Role, Scope, new_id
from factoryops.domain.notifying import HookKind, Language
from factoryops.domain.time import now_us
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.vault import Vault
from factoryops.notifications.book_file import BookFile, exported, remove, shelves, take
from factoryops.notifications.hook_secrets import HookSecrets, check_url
from factoryops.server.bootstrap import hook_rules
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.settings import data_folder, read_secret

Slug = Annotated[str | None, typer.Option("--factory", help="The factory's slug; needed where there are several.")]

_ACTOR: Final = "command line"


class Kind(StrEnum):
    """What the book holds."""

    CONTACT = "contact"
    ROSTER = "roster"
    HOOK = "hook"
    POLICY = "policy"


def register_book(group: typer.Typer) -> None:
    """Add the commands to the group `notify`."""
    group.command("list")(list_book)
    group.command("show")(show_one)
    group.command("export")(export_book)
    group.command("import")(import_book)
    group.command("set-hook")(set_hook)
    group.command("remove")(remove_one)
    group.command("preview")(preview_rule)


def list_book(context: typer.Context, factory: Slug = None) -> None:
    """List contacts, rosters, hooks and policies."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)
        rows = database.read(
            lambda tx: [
                (kind, row.name, "yes" if getattr(shelf.read(row), "is_enabled", True) else "no", row.changed_by)
                for kind, shelf in shelves(tx.notifications(scope)).items()
                for row in shelf.all()
            ]
        )
    show_table(("kind", "name", "in use", "changed by"), rows)


def show_one(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What it is.")],
    name: Annotated[str, typer.Argument(help="What it is called.")],
    factory: Slug = None,
) -> None:
    """Write one of them to standard output, in the form `import` reads."""
    plural = "policies" if kind is Kind.POLICY else f"{kind.value}s"
    found = [one for one in _exported(context_of(context), factory)[plural] if one["name"] == name]
    if not found:
        raise NotFoundError(f"There is no {kind.value} named {name}: notify list says what there is.")
    _write({plural: found}, None)


def export_book(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output by default.")] = None,
    factory: Slug = None,
) -> None:
    """Write the whole book as JSON, in the form `import` reads; hooks without their addresses and keys."""
    _write(_exported(context_of(context), factory), file)


def import_book(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A JSON file as `export` writes it; a kind it leaves out stays.")],
    factory: Slug = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it, only say what would change.")] = False,
    removes: Annotated[
        bool, typer.Option("--remove", help="Take away what the file's kinds do not have any more.")
    ] = False,
) -> None:
    """Make the book what a file says, all of it or nothing: known names are changed, others added."""
    wanted = _read(file)
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)

        def work(tx: Transaction) -> list[str]:
            changes = take(tx.notifications(scope), wanted, removes=removes)
            if not apply:
                raise _RehearsedError(changes)
            return changes

        try:
            changes = database.run(work)
        except _RehearsedError as rehearsed:
            changes = rehearsed.changes
    for line in changes:
        say(line)
    if not changes:
        say("The book is as the file says.")
    else:
        say("That was done." if apply else "Nothing was changed; repeat it with --apply.")


def set_hook(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    kind: Annotated[HookKind, typer.Option(help="What waits there.")],
    language: Annotated[Language, typer.Option(help="In which language it is told.")] = Language.ENGLISH,
    address_file: Annotated[Path | None, typer.Option(help="A file with its address; else you are asked.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="A file with the key that signs; else it has none.")] = None,
    factory: Slug = None,
) -> None:
    """Add a hook, or give it another address; both are secrets and stand in no list of processes."""
    ours = context_of(context)
    settings = ours.settings()
    url = read_secret(address_file) if address_file else typer.prompt("The hook's address", hide_input=True)
    check_url(url, hook_rules(settings))
    secrets = HookSecrets(url, read_secret(key_file) if key_file else "")
    vault = Vault(load_or_create_instance_key(data_folder(settings).instance_key))
    try:
        content = http.HookContent(name=name, kind=kind, language=language)
    except ValidationError as error:
        raise InvalidInputError(f"The hook cannot be kept: {error.errors()[0]['msg']}.") from error
    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)
        database.run(lambda tx: _keep_hook(tx.notifications(scope), content, secrets, vault))
    say(f"The hook {name} is kept; try it with: notify test {name} --channel {kind.channel.value}")


def remove_one(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What it is.")],
    name: Annotated[str, typer.Argument(help="What it is called.")],
    factory: Slug = None,
) -> None:
    """Take one of them away; refused while something names it."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)

        def work(tx: Transaction) -> None:
            book = tx.notifications(scope)
            remove(book, kind.value, shelves(book)[kind.value].named(name).id)

        database.run(work)
    say(f"The {kind.value} {name} is no more.")


def preview_rule(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(help="The rule's name or id.")],
    factory: Slug = None,
) -> None:
    """Say what would be sent if an alarm of a rule were raised now, to whom and why."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)

        def work(tx: Transaction) -> http.NotificationPreview:
            found = [one for one in tx.rules(scope).list() if rule in {one.id, one.content.name}]
            if len(found) != 1:
                raise NotFoundError(f"There is no rule {rule}, or there are several: give its id.")
            definition = found[0].content.definition()
            told = told_of(definition, next(iter(definition.scope.areas), ""))
            return preview(tx.notifying.book(scope.factory_id), told, now_us())

        said = database.read(work)
    say(said.summary)
    for line in said.lines:
        say(f"  {line.policy}: {line.text}")


class _RehearsedError(Exception):
    """Undoes an import that was only to be shown: what it would have changed is known, down to what refuses it."""

    def __init__(self, changes: list[str]) -> None:
        super().__init__()
        self.changes = changes


def _keep_hook(book: NotificationBook, content: http.HookContent, secrets: HookSecrets, vault: Vault) -> None:
    held = [row for row in book.hooks.all() if row.name == content.name]
    identity = book.hooks.named(content.name).id if held else new_id()
    columns: dict[str, object] = {
        "host": urlsplit(secrets.url).hostname or "",
        "is_signed": bool(secrets.signing_key),
        "sealed": vault.seal(msgspec.json.encode(secrets).decode(), identity),
    }
    if held:
        book.hooks.update(identity, held[0].version, content, **columns)
    else:
        book.hooks.create(content, identity, **columns)


def _exported(ours: Context, factory: str | None) -> dict[str, list[dict[str, Any]]]:
    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)
        return database.read(lambda tx: exported(tx.notifications(scope)))


def _read(file: Path) -> BookFile:
    try:
        return BookFile.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its start"
        raise InvalidInputError(f"{file} holds no notification book: {first['msg']} (at {place}).") from error


def _write(plain: object, file: Path | None) -> None:
    text = msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file} cannot be written ({error.strerror}).") from error
