"""`shift` and `position`: how a factory works, and who watches which part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.schedules import EVERY_DAY
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
ShiftName = Annotated[str, typer.Argument(help="The shift's name.")]
PositionName = Annotated[str, typer.Argument(help="The operating position's name.")]

T = TypeVar("T")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def register(app: typer.Typer) -> None:
    """Add the command groups to the program."""
    shifts = typer.Typer(help="When the factory works, on its own clock.", no_args_is_help=True)
    shifts.command("list")(list_shifts)
    shifts.command("set")(set_shift)
    shifts.command("remove")(remove_shift)
    app.add_typer(shifts, name="shift")
    positions = typer.Typer(help="Which areas' alarms reach which operator.", no_args_is_help=True)
    positions.command("list")(list_positions)
    positions.command("set")(set_position)
    positions.command("remove")(remove_position)
    app.add_typer(positions, name="position")


def list_shifts(context: typer.Context, factory: Slug) -> None:
    """List the shifts."""
    rows = [
        (one.content.name, "; ".join(_window(window) for window in one.content.windows), one.changed_by)
        for one in _read(context, factory, lambda tx, scope: tx.shifts(scope).list())
    ]
    show_table(("name", "works", "changed by"), rows)


def set_shift(
    context: typer.Context,
    factory: Slug,
    name: ShiftName,
    window: Annotated[list[str], typer.Option(help="06:00-14:00, or 22:00-06:00@Mon,Tue; may be given again.")],
) -> None:
    """Add a shift, or put other windows in the place of those it has; days are those on which a window starts."""
    try:
        content = http.ShiftContent(name=name, windows=[_parsed(one) for one in window])
    except ValidationError as error:
        raise InvalidInputError(f"The shift cannot be kept: {error.errors()[0]['msg']}.") from error
    _change(context, factory, lambda tx, scope: put_shift(tx, scope, content))
    say(f"The shift {name} is kept; rules that use it follow within seconds.")


def remove_shift(context: typer.Context, factory: Slug, name: ShiftName) -> None:
    """Take a shift away; refused while a rule uses it."""
    _change(context, factory, lambda tx, scope: tx.shifts(scope).delete(_shift(tx, scope, name).id))
    say(f"The shift {name} is no more.")


def list_positions(context: typer.Context, factory: Slug) -> None:
    """List the operating positions; without any the whole factory is one."""
    rows = [
        (one.content.name, ", ".join(area or "(no area)" for area in one.content.areas), one.changed_by)
        for one in _read(context, factory, lambda tx, scope: tx.positions(scope).list())
    ]
    show_table(("name", "areas", "changed by"), rows)


def set_position(
    context: typer.Context,
    factory: Slug,
    name: PositionName,
    area: Annotated[list[str], typer.Option(help="An area; may be given again.")],
) -> None:
    """Add an operating position, or put other areas in the place of those it has."""
    try:
        content = http.PositionContent(name=name, areas=area)
    except ValidationError as error:
        raise InvalidInputError(f"The position cannot be kept: {error.errors()[0]['msg']}.") from error
    _change(context, factory, lambda tx, scope: put_position(tx, scope, content))
    say(f"The operating position {name} is kept.")


def remove_position(context: typer.Context, factory: Slug, name: PositionName) -> None:
    """Take an operating position away."""
    _change(context, factory, lambda tx, scope: tx.positions(scope).delete(_position(tx, scope, name).id))
    say(f"The operating position {name} is no more.")


def put_shift(tx: Transaction, scope: Scope, content: http.ShiftContent) -> None:
    """Add a shift, or change the one of its name; one that says the same already stays as it is."""
    held = next((one for one in tx.shifts(scope).list() if one.content.name == content.name), None)
    if held is None:
        tx.shifts(scope).create(content)
    elif held.content != content:
        tx.shifts(scope).update(held.id, held.version, content)


def put_position(tx: Transaction, scope: Scope, content: http.PositionContent) -> None:
    """Add an operating position, or change the one of its name; one that says the same already stays as it is."""
    held = next((one for one in tx.positions(scope).list() if one.content.name == content.name), None)
    if held is None:
        tx.positions(scope).create(content)
    elif held.content != content:
        tx.positions(scope).update(held.id, held.version, content)


def _shift(tx: Transaction, scope: Scope, name: str) -> http.Shift:
    for one in tx.shifts(scope).list():
        if one.content.name == name:
            return one
    raise NotFoundError(f"There is no shift of the name {name}.")


def _position(tx: Transaction, scope: Scope, name: str) -> http.Position:
    for one in tx.positions(scope).list():
        if one.content.name == name:
            return one
    raise NotFoundError(f"There is no operating position of the name {name}.")


def _parsed(text: str) -> http.ShiftWindow:
    """The window of "22:00-06:00@Mon,Tue"."""
    span, _, days = text.partition("@")
    start, dash, end = span.strip().partition("-")
    wanted = [one.strip().title() for one in days.split(",") if one.strip()]
    if not dash or not set(wanted) <= set(_DAYS):
        raise InvalidInputError(f"'{text}' is not a window: write it as 06:00-14:00 or 22:00-06:00@Mon,Tue.")
    return http.ShiftWindow(
        start=start.strip(), end=end.strip(), days=[_DAYS.index(one) + 1 for one in wanted] or [*EVERY_DAY]
    )


def _window(window: http.ShiftWindow) -> str:
    is_daily = len(window.days) == len(EVERY_DAY)
    days = "" if is_daily else "@" + ",".join(_DAYS[day - 1] for day in window.days)
    return f"{window.start}-{window.end}{days}"


def _read(context: typer.Context, factory: str, work: Callable[[Transaction, Scope], T]) -> T:
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        return database.read(lambda tx: work(tx, scope))


def _change(context: typer.Context, factory: str, work: Callable[[Transaction, Scope], None]) -> None:
    with context_of(context).database() as database:
        scope = Scope(choose_factory(database, factory).id, "command line", Role.ADMIN)
        database.run(lambda tx: work(tx, scope))
