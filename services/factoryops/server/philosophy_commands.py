"""`philosophy`: how alarms are handled, as a file: classes, priority matrix, thresholds, shifts, positions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from pydantic import Field, TypeAdapter, ValidationError

from factoryops.contracts import http
from factoryops.contracts.http.parts import Sent
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.performance.thresholds import Thresholds
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.organisation_commands import put_position, put_shift

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
File = Annotated[Path, typer.Argument(help="A JSON file as `export` writes it; what is not in it stays as it is.")]

_ACTOR: Final = "administration"
_THRESHOLDS: Final = TypeAdapter(Thresholds)


class _File(Sent):
    """All of it or some: what is missing stays, and so does each threshold, shift and position that is not named."""

    classes: list[http.AlarmClass] | None = None
    matrix: http.PriorityMatrix | None = None
    thresholds: Annotated[dict[str, Any], Field(default_factory=dict)]
    shifts: Annotated[list[http.ShiftContent], Field(default_factory=list)]
    positions: Annotated[list[http.PositionContent], Field(default_factory=list)]


class _OnlyTriedError(Exception):
    """Ends a dry run, so that nothing of it is kept."""


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(
        help="The alarm philosophy: classes, priorities, thresholds, shifts and positions.", no_args_is_help=True
    )
    group.command("show")(show_philosophy)
    group.command("export")(export_philosophy)
    group.command("import")(import_philosophy)
    app.add_typer(group, name="philosophy")


def show_philosophy(context: typer.Context, factory: Slug) -> None:
    """Show the alarm philosophy of a factory."""
    rows = [(path, _word(value)) for path, value in _flat(_held(context_of(context), factory))]
    show_table(("what", "value"), rows)


def export_philosophy(context: typer.Context, factory: Slug) -> None:
    """Write the alarm philosophy, shifts and operating positions to standard output, in the form `import` reads."""
    plain = msgspec.json.encode(_held(context_of(context), factory))
    sys.stdout.write(msgspec.json.format(plain, indent=2).decode() + "\n")


def import_philosophy(
    context: typer.Context,
    factory: Slug,
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
) -> None:
    """Take the alarm philosophy from a file, all of it or nothing; shifts and positions go by their names."""
    wanted = _read(file)
    before, after = _taken(context_of(context), factory, wanted, is_tried=dry_run)
    rows = [
        (path, _word(before.get(path)), _word(after.get(path)))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    ]
    if rows:
        show_table(("what", "before", "after"), rows)
    else:
        say("The file says what holds already.")
    if dry_run:
        say("Nothing was changed; repeat it without --dry-run.")
    elif rows:
        say("It holds within seconds.")


def _taken(
    ours: Context, factory: str, wanted: _File, *, is_tried: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """What was and what is then, by path."""
    found: list[dict[str, object]] = []

    def work(tx: Transaction) -> None:
        found[:] = [dict(_flat(_content(tx, scope)))]
        _take(tx, scope, wanted)
        found.append(dict(_flat(_content(tx, scope))))
        if is_tried:
            raise _OnlyTriedError

    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)
        with contextlib.suppress(_OnlyTriedError):
            database.run(work)
    return found[0], found[1]


def _take(tx: Transaction, scope: Scope, wanted: _File) -> None:
    held = tx.philosophy(scope).get()
    change = http.PhilosophyChange(
        version=held.version, classes=held.classes if wanted.classes is None else wanted.classes,
        matrix=wanted.matrix or held.matrix, thresholds=_thresholds(held.thresholds, wanted.thresholds),
    )  # fmt: skip
    if (change.classes, change.matrix, change.thresholds) != (held.classes, held.matrix, held.thresholds):
        tx.philosophy(scope).replace(change)
    for shift in wanted.shifts:
        put_shift(tx, scope, shift)
    for position in wanted.positions:
        put_position(tx, scope, position)


def _thresholds(held: Thresholds, given: dict[str, Any]) -> Thresholds:
    known = asdict(held)
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        raise InvalidInputError(f"There is no threshold {strange!r}: choose one of {', '.join(known)}.")
    try:
        return _THRESHOLDS.validate_python(known | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(f"The threshold {first['loc'][0]} cannot be used: {first['msg']}.") from error


def _held(ours: Context, factory: str) -> dict[str, Any]:
    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)
        return database.read(lambda tx: _content(tx, scope))


def _content(tx: Transaction, scope: Scope) -> dict[str, Any]:
    """As the file has it."""
    philosophy = tx.philosophy(scope).get().model_dump(mode="json", include={"classes", "matrix", "thresholds"})
    shifts, positions = tx.shifts(scope).list(), tx.positions(scope).list()
    return philosophy | {
        "shifts": [one.content.model_dump(mode="json") for one in shifts],
        "positions": [one.content.model_dump(mode="json") for one in positions],
    }


def _read(file: Path) -> _File:
    try:
        return _File.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInputError(
            f"{file} holds no alarm philosophy: {first['msg']} (at {place or 'its start'})."
        ) from error


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """What lies in a file, by path; lists of plain values stay whole, things with a name go by it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for number, inner in enumerate(value):
            name = inner.get("id") or inner.get("name") if isinstance(inner, dict) else None
            yield from _flat(inner, f"{path}.{name or number + 1}")
    else:
        yield path, value


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
