"""`retention`: how long history is kept, rule by rule."""

from __future__ import annotations

from typing import Annotated

import typer

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.retention import MOST_DAYS
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
Name = Annotated[str, typer.Argument(help="The rule's name.")]


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="How long history is kept; without rules for ever.", no_args_is_help=True)
    group.command("list")(list_rules)
    group.command("set")(set_rule)
    group.command("remove")(remove_rule)
    app.add_typer(group, name="retention")


def list_rules(context: typer.Context, factory: Slug) -> None:
    """List the rules; 0 days are for ever."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        held = database.read(lambda tx: tx.retention(scope).get())
    rows = [
        (one.name, ", ".join(one.parameters) or "all others", one.raw_days, one.minute_days, one.hour_days)
        for one in held.rules
    ]
    show_table(("name", "parameters", "samples, days", "minutes, days", "hours, days"), rows)


def set_rule(
    context: typer.Context,
    factory: Slug,
    name: Name,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter's key; may be given again. All others by default.")
    ] = None,
    raw_days: Annotated[int, typer.Option(min=0, max=MOST_DAYS, help="Days samples are kept; 0 for ever.")] = 0,
    minute_days: Annotated[int, typer.Option(min=0, max=MOST_DAYS, help="Days minutes are kept; 0 for ever.")] = 0,
    hour_days: Annotated[int, typer.Option(min=0, max=MOST_DAYS, help="Days hours are kept; 0 for ever.")] = 0,
) -> None:
    """Add a rule, or put it in the place of the one of that name; what it gives up cannot be brought back."""
    rule = http.RetentionRule(
        name=name, parameters=parameter or [], raw_days=raw_days, minute_days=minute_days, hour_days=hour_days
    )
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        database.run(lambda tx: _replace(tx, scope, name, [rule]))
    say(f"The rule {name} is kept; the running service applies it within minutes.")


def remove_rule(context: typer.Context, factory: Slug, name: Name) -> None:
    """Take a rule away; what it has given up stays away."""
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        if not database.run(lambda tx: _replace(tx, scope, name, [])):
            raise NotFoundError(f"There is no rule of the name {name}.")
    say(f"The rule {name} is no more.")


def _replace(tx: Transaction, scope: Scope, name: str, rules: list[http.RetentionRule]) -> bool:
    """Put `rules` in the place of those called `name`; says whether there were any."""
    held = tx.retention(scope).get()
    others = [one for one in held.rules if one.name != name]
    tx.retention(scope).replace(http.RetentionChange(version=held.version, rules=[*others, *rules]))
    return len(others) < len(held.rules)
