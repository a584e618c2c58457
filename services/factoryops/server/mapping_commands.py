"""`mapping`: mappings as files, so that plant IT can keep, review and try them like any other text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from pydantic import TypeAdapter, ValidationError

from factoryops.contracts import http
from factoryops.contracts.http.trials import outcome_of
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.time import from_us
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
File = Annotated[Path, typer.Argument(help="A JSON file with one mapping or a list of them.")]

_FILE: Final = TypeAdapter(list[http.MappingContent] | http.MappingContent)


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="What messages of a format of their own mean.", no_args_is_help=True)
    group.command("list")(list_mappings)
    group.command("export")(export_mappings)
    group.command("import")(import_mappings)
    group.command("try")(try_mapping_file)
    app.add_typer(group, name="mapping")


def list_mappings(context: typer.Context, factory: Slug) -> None:
    """List the mappings of a factory."""
    rows = [
        (one.content.name, one.content.topic, "yes" if one.content.is_enabled else "no", one.version, one.changed_by)
        for one in _kept(context_of(context), factory)
    ]
    show_table(("name", "topic", "switched on", "version", "changed by"), rows)


def export_mappings(
    context: typer.Context,
    factory: Slug,
    name: Annotated[str | None, typer.Option(help="The only one to write; else all.")] = None,
) -> None:
    """Write mappings to standard output, in the form `import` reads."""
    kept = [one.content for one in _kept(context_of(context), factory) if name in (None, one.content.name)]
    if name is not None and not kept:
        raise NotFoundError(f"The factory has no mapping {name}.")
    plain = msgspec.json.encode([one.model_dump(mode="json", exclude_defaults=True) for one in kept])
    sys.stdout.write(msgspec.json.format(plain, indent=2).decode() + "\n")


def import_mappings(
    context: typer.Context,
    factory: Slug,
    file: File,
    enable: Annotated[
        bool | None, typer.Option(help="Switch all of them on or off; by default as the file says.")
    ] = None,
) -> None:
    """Take mappings from a file: those of a known name are changed, others added; all of them or none."""
    contents = _read(file)
    if enable is not None:
        contents = [one.model_copy(update={"is_enabled": enable}) for one in contents]
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "administration", Role.ADMIN)
        added, changed = database.run(lambda tx: _take(tx, scope, contents))
    say(f"{added} mappings were added and {changed} changed; those switched on hold within seconds.")


def try_mapping_file(
    file: File,
    topic: Annotated[str, typer.Argument(help="The topic of a message.")],
    payload: Annotated[str, typer.Argument(help="Its payload, or @FILE to read it from a file.")],
) -> None:
    """Show what the mappings of a file would make of a message; nothing is kept."""
    body = _bytes_of(payload)
    outcomes = [(one.name, outcome_of(_trial(one, topic, body))) for one in _read(file)]
    for name, outcome in outcomes:
        _show(name, outcome)
    if not any(outcome.samples for _, outcome in outcomes):
        raise typer.Exit(1)


def _kept(ours: Context, factory: str) -> list[http.KeptMapping]:
    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, "administration", Role.ADMIN)
        return database.read(lambda tx: tx.mappings(scope).list())


def _read(file: Path) -> list[http.MappingContent]:
    try:
        found = _FILE.validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"{file} holds no mappings: {first['msg']} (at {place or 'its start'}).") from error
    return found if isinstance(found, list) else [found]


def _take(tx: Transaction, scope: Scope, contents: Sequence[http.MappingContent]) -> tuple[int, int]:
    mappings = tx.mappings(scope)
    known = {one.content.name: one for one in mappings.list()}
    added = changed = 0
    for content in contents:
        held = known.get(content.name)
        if held is None:
            mappings.create(content)
            added += 1
        elif held.content != content:
            mappings.update(held.id, held.version, content)
            changed += 1
    return added, changed


def _bytes_of(payload: str) -> bytes:
    if not payload.startswith("@"):
        return payload.encode("utf-8", "surrogateescape")
    try:
        return Path(payload[1:]).read_bytes()
    except OSError as error:
        raise StorageError(f"{payload[1:]} cannot be read ({error.strerror}).") from error


def _trial(content: http.MappingContent, topic: str, body: bytes) -> http.MappingTrial:
    return http.MappingTrial(content=content, topic=topic, payload=body.hex(), is_hex=True)


def _show(name: str, outcome: http.MappingOutcome) -> None:
    if outcome.faults:
        for field, fault in outcome.faults.items():
            say(f"{name}: {field}: {fault}")
    elif not outcome.matches:
        say(f"{name}: the topic is none of this mapping's.")
    elif outcome.rejection is not None:
        say(f"{name}: the message would be quarantined: {outcome.rejection.detail}")
    else:
        say(f"{name}:")
        show_table(
            ("device", "parameter", "time", "value", "unit"),
            [
                (one.device, one.parameter, from_us(one.time_us).isoformat(), one.value, one.unit)
                for one in outcome.samples
            ],
        )
    for refusal in outcome.refused:
        say(f"{name}: {refusal.parameter or 'a record'} would be refused: {refusal.detail}")
