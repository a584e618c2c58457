"""`scheduled-rule`: rules that the clock evaluates over history, as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from pydantic import TypeAdapter, ValidationError

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]

_FILE: Final = TypeAdapter(list[http.ScheduledRuleContent] | http.ScheduledRuleContent)


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="Rules that the clock evaluates over history.", no_args_is_help=True)
    group.command("list")(list_rules)
    group.command("export")(export_rules)
    group.command("import")(import_rules)
    group.command("remove")(remove_rule)
    app.add_typer(group, name="scheduled-rule")


def list_rules(context: typer.Context, factory: Slug) -> None:
    """List the scheduled rules of a factory."""
    rows = [
        (
            one.content.name, _devices_text(one.content), one.content.subject, one.content.aggregate.value,
            one.content.window.value, f"{one.content.comparison.value} {one.content.limit:g}", one.content.local_time,
            "yes" if one.content.is_enabled else "no",
        )
        for one in _kept(context, factory)
    ]  # fmt: skip
    show_table(("name", "devices", "looks at", "figure", "over", "when it is", "due", "switched on"), rows)


def export_rules(context: typer.Context, factory: Slug) -> None:
    """Write the scheduled rules to standard output, in the form `import` reads."""
    plain = msgspec.json.encode([one.content.model_dump(mode="json") for one in _kept(context, factory)])
    sys.stdout.write(msgspec.json.format(plain, indent=2).decode() + "\n")


def import_rules(
    context: typer.Context,
    factory: Slug,
    file: Annotated[Path, typer.Argument(help="A JSON file with one scheduled rule or a list of them.")],
) -> None:
    """Add scheduled rules, or put them in the place of those of the same name: all of the file, or none."""
    contents = _read(file)
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        database.run(lambda tx: _put(tx, scope, contents))
    say(f"{len(contents)} scheduled rules are kept.")


def remove_rule(
    context: typer.Context, factory: Slug, name: Annotated[str, typer.Argument(help="The rule's name.")]
) -> None:
    """Take a scheduled rule away and clear its alarms."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        database.run(lambda tx: tx.scheduled_rules(scope).delete(_named(tx, scope, name).id))
    say(f"The scheduled rule {name} is no more.")


def _devices_text(content: http.ScheduledRuleContent) -> str:
    parts = [*content.devices, *(f"every {one}" for one in content.kinds), *(f"area {one}" for one in content.areas)]
    return ", ".join(parts) or "every device that has it"


def _kept(context: typer.Context, factory: str) -> list[http.ScheduledRule]:
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        return database.read(lambda tx: tx.scheduled_rules(scope).list())


def _named(tx: Transaction, scope: Scope, name: str) -> http.ScheduledRule:
    for one in tx.scheduled_rules(scope).list():
        if one.content.name == name:
            return one
    raise NotFoundError(f"There is no scheduled rule of the name {name}.")


def _put(tx: Transaction, scope: Scope, contents: list[http.ScheduledRuleContent]) -> None:
    held = {one.content.name: one for one in tx.scheduled_rules(scope).list()}
    for content in contents:
        before = held.get(content.name)
        if before is None:
            tx.scheduled_rules(scope).create(content)
        else:
            tx.scheduled_rules(scope).update(before.id, before.version, content)


def _read(file: Path) -> list[http.ScheduledRuleContent]:
    try:
        found = _FILE.validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"{file} does not hold scheduled rules: {place}: {first['msg']}.") from error
    return found if isinstance(found, list) else [found]
