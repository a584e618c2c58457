"""`outage`: declare time that the figures of alarms leave out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.calendar import zone_of
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Role, Scope
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
_TIME = 'such as "2026-11-20 06:00" on the factory\'s clock, or with a zone as 2026-11-20T06:00Z'


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="Declared outages, which the figures of alarms leave out.", no_args_is_help=True)
    group.command("list")(list_outages)
    group.command("declare")(declare_outage)
    group.command("withdraw")(withdraw_outage)
    app.add_typer(group, name="outage")


def list_outages(context: typer.Context, factory: Slug) -> None:
    """List the declared outages of a factory, withdrawn ones too; times are on the factory's clock."""
    with context_of(context).database() as database:
        found = choose_factory(database, factory)
        scope = Scope(found.id, "command line", Role.VIEWER)
        outages = database.read(lambda tx: tx.outages(scope).list())
    zone = zone_of(found.timezone)

    def shown(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    rows = [
        (
            one.id, shown(one.content.start), shown(one.content.end), one.content.reason, one.declared_by,
            "" if one.withdrawn_at is None else f"{shown(one.withdrawn_at)} by {one.withdrawn_by}",
        )
        for one in outages
    ]  # fmt: skip
    show_table(("id", "from", "to", "why", "declared by", "withdrawn"), rows)


def declare_outage(
    context: typer.Context,
    factory: Slug,
    start: Annotated[str, typer.Option(help=f"When it begins, {_TIME}.")],
    end: Annotated[str, typer.Option(help="When it is over, written likewise.")],
    reason: Annotated[str, typer.Option(help="Why the time is to be left out.")],
) -> None:
    """Leave a span out of the figures of alarms, past or to come; alarms themselves go on as ever."""
    with context_of(context).database() as database:
        found = choose_factory(database, factory)
        scope = Scope(found.id, "command line", Role.ADMIN)
        content = _content(_moment("--start", start, found.timezone), _moment("--end", end, found.timezone), reason)
        made = database.run(lambda tx: tx.outages(scope).declare(content))
    say(f"The outage {made.id} is declared: the figures of alarms leave it out.")


def withdraw_outage(
    context: typer.Context, factory: Slug, outage: Annotated[str, typer.Argument(help="Its id, as `list` shows it.")]
) -> None:
    """Take a declaration back: its time counts again."""

    def withdraw(tx: Transaction) -> http.Outage:
        return tx.outages(scope).withdraw(outage)

    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        database.run(withdraw)
    say(f"The outage {outage} is withdrawn: its time counts again.")


def _content(start: datetime, end: datetime, reason: str) -> http.OutageContent:
    try:
        return http.OutageContent(start=start, end=end, reason=reason)
    except ValidationError as error:
        raise InvalidInputError(f"This cannot be declared: {error.errors()[0]['msg']}.") from error


def _moment(option: str, text: str, timezone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{option} is a time {_TIME}; {text} is not.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_of(timezone))
