"""`alarms`: look at alarms and handle them as operators do, where no client is at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import typer
from pydantic import BaseModel, ValidationError

from factoryops.contracts import alarm_orders, http
from factoryops.contracts.alarm_orders import Orders
from factoryops.contracts.alarm_view import listed
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.alarm_life import Deed
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.time import now_us
from factoryops.server.alarm_tables import show_alarm, show_alarms, show_events
from factoryops.server.console import parse_moment, say
from factoryops.server.context import choose_factory, context_of

R = TypeVar("R", bound=BaseModel)

Slug = Annotated[str | None, typer.Option("--factory", help="The factory's slug; needed where there are several.")]
Marks = Annotated[list[str], typer.Argument(help="Alarms as `alarms list` names them: the id, or ID@ANNUNCIATION.")]
Comment = Annotated[str | None, typer.Option(help="What is to be said about it; alarms of some classes ask for it.")]
Reason = Annotated[str, typer.Option(help="Why; it is shown beside the alarm.")]
Until = Annotated[str | None, typer.Option(help="A moment on the factory's clock, such as 2026-03-01T06:00.")]
AsJson = Annotated[bool, typer.Option("--json", help="As the API answers it, for programs.")]

_Name: TypeAlias = tuple[str, int | None, int | None]
_PRIORITIES: Final = {one.name.lower(): one for one in Priority}


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="Look at alarms and handle them as operators do.", no_args_is_help=True)
    group.command("list")(list_alarms)
    group.command("show")(show)
    group.command("history")(history)
    group.command("acknowledge")(acknowledge)
    group.command("reset")(reset)
    group.command("shelve")(shelve)
    group.command("unshelve")(unshelve)
    group.command("out-of-service")(take_out)
    group.command("return-to-service")(return_to_service)
    app.add_typer(group, name="alarms")


def list_alarms(
    context: typer.Context,
    factory: Slug = None,
    tab: Annotated[http.AlarmTab | None, typer.Option("--list", help="One of the lists; all by default.")] = None,
    state: Annotated[list[AlarmState] | None, typer.Option(help="Only those in these states.")] = None,
    priority: Annotated[list[str] | None, typer.Option(help="Only critical, high, medium or low ones.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Only those of these areas.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every alarm that is not normal, the most urgent first."""
    wanted = [_priority(one) for one in priority or []]
    with context_of(context).database() as database:
        scope, zone = _place(database, factory)
        found = database.read(lambda tx: listed(tx.alarms(scope).list_abnormal(), tab))
    kept = [
        one
        for one in found.alarms
        if (not state or one.state in state)
        and (not wanted or one.priority in wanted)
        and (not area or one.area in area)
    ]
    if as_json:
        _write(http.AlarmList(alarms=kept, counts=found.counts))
    else:
        show_alarms(kept, found.counts, zone)


def show(
    context: typer.Context,
    alarm: Annotated[str, typer.Argument(help="The alarm's id.")],
    factory: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Show one alarm: its state, who put it aside, and what is to be done about it."""
    identity, _, _ = _name(alarm)
    with context_of(context).database() as database:
        scope, zone = _place(database, factory)
        (found,) = database.read(lambda tx: tx.alarms(scope).get_many([identity]))
        sheet = database.read(lambda tx: tx.alarms(scope).sheet(identity))
    if as_json:
        _write(found, sheet=sheet.model_dump(mode="json"))
    else:
        show_alarm(found, sheet, zone)


def history(
    context: typer.Context,
    alarm: Annotated[str | None, typer.Argument(help="The alarm's id; all alarms by default.")] = None,
    factory: Slug = None,
    since: Annotated[str | None, typer.Option(help="Only from this moment on, on the factory's clock.")] = None,
    until: Annotated[str | None, typer.Option(help="Only before this moment.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000, help="How many lines.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what happened to alarms and who did it, newest first."""
    identity = None if alarm is None else _name(alarm)[0]
    with context_of(context).database() as database:
        scope, zone = _place(database, factory)
        start, end = (None if text is None else parse_moment(text, zone) for text in (since, until))
        page = database.read(lambda tx: tx.alarms(scope).events(None, most, start, end, identity))
    if as_json:
        _write(page)
    else:
        show_events(page.events, zone)


def acknowledge(context: typer.Context, alarms: Marks, factory: Slug = None, comment: Comment = None) -> None:
    """Say that alarms have been seen: the annunciation that is named, else the present one."""

    def orders(tx: Transaction, scope: Scope, deed: Deed) -> Orders:
        items = [
            {"alarm_id": one.id, "annunciation": annunciation, "renewal": renewal}
            for one, annunciation, renewal in _announced(tx, scope, alarms)
        ]
        request = _request(http.AcknowledgeRequest, {"items": items, "comment": comment})
        return alarm_orders.acknowledging(request, deed)

    _carry_out(context, factory, comment, orders, "")


def reset(context: typer.Context, alarms: Marks, factory: Slug = None, comment: Comment = None) -> None:
    """Reset latched alarms that have returned and are acknowledged."""

    def orders(tx: Transaction, scope: Scope, deed: Deed) -> Orders:
        items = [
            {"alarm_id": one.id, "annunciation": annunciation} for one, annunciation, _ in _announced(tx, scope, alarms)
        ]
        return alarm_orders.resetting(_request(http.ResetRequest, {"items": items, "comment": comment}), deed)

    _carry_out(context, factory, comment, orders, "alarm.reset")


def shelve(
    context: typer.Context,
    alarms: Marks,
    reason: Reason,
    factory: Slug = None,
    minutes: Annotated[float | None, typer.Option(help="For so long; as long as the class allows by default.")] = None,
    until: Until = None,
    one_shot: Annotated[bool, typer.Option("--one-shot", help="Only until it next returns to normal.")] = False,
) -> None:
    """Put alarms aside for a while, as far as their class permits."""

    def orders(tx: Transaction, scope: Scope, deed: Deed) -> Orders:
        values = {
            "alarm_ids": _ids(alarms), "reason": reason, "is_one_shot": one_shot,
            "for_s": None if minutes is None else minutes * 60, "until": _until(tx, scope, until),
        }  # fmt: skip
        return alarm_orders.shelving(_request(http.ShelveRequest, values), deed)

    _carry_out(context, factory, reason, orders, "alarm.shelve")


def unshelve(context: typer.Context, alarms: Marks, factory: Slug = None, comment: Comment = None) -> None:
    """Take up again what was shelved: what is still active is announced again."""
    _take_up(context, alarms, factory, comment, (alarm_orders.unshelving, "alarm.unshelve"))


def take_out(context: typer.Context, alarms: Marks, reason: Reason, factory: Slug = None, until: Until = None) -> None:
    """Take alarms out of service, until a moment or until somebody returns them."""

    def orders(tx: Transaction, scope: Scope, deed: Deed) -> Orders:
        values = {"alarm_ids": _ids(alarms), "reason": reason, "until": _until(tx, scope, until)}
        return alarm_orders.taking_out(_request(http.TakeOutRequest, values), deed)

    _carry_out(context, factory, reason, orders, "alarm.take_out")


def return_to_service(context: typer.Context, alarms: Marks, factory: Slug = None, comment: Comment = None) -> None:
    """Return alarms to service: what is still active is announced again."""
    _take_up(context, alarms, factory, comment, (alarm_orders.returning, "alarm.return"))


def _take_up(
    context: typer.Context,
    alarms: list[str],
    factory: str | None,
    comment: str | None,
    way: tuple[Callable[[http.TakeUpRequest, Deed], Orders], str],
) -> None:
    request = _request(http.TakeUpRequest, {"alarm_ids": _ids(alarms), "comment": comment})
    step, action = way
    _carry_out(context, factory, comment, lambda tx, scope, deed: step(request, deed), action)


def _carry_out(
    context: typer.Context,
    factory: str | None,
    said: str | None,
    make: Callable[[Transaction, Scope, Deed], Orders],
    action: str,
) -> None:
    """Do all of it in one transaction, or nothing, and say how the alarms now are."""
    with context_of(context).database() as database:
        scope, _ = _place(database, factory)
        deed = Deed(scope.actor, now_us(), said if said is None else said.strip())
        done = database.run(lambda tx: tx.alarm_handling(scope).carry_out(make(tx, scope, deed), action=action))
    for one in done:
        say(f"{one.rule_name}, {one.device_name}: {one.state.replace('_', ' ')}.")


def _announced(tx: Transaction, scope: Scope, names: list[str]) -> list[tuple[http.Alarm, int, int]]:
    """The alarms named, each with the annunciation and renewal that is answered."""
    wanted = [_name(name) for name in names]
    found = tx.alarms(scope).get_many([identity for identity, _, _ in wanted])
    return [
        (alarm, alarm.annunciation, alarm.renewal) if annunciation is None else (alarm, annunciation, renewal or 0)
        for alarm, (_, annunciation, renewal) in zip(found, wanted, strict=True)
    ]


def _ids(names: list[str]) -> list[str]:
    return [_name(name)[0] for name in names]


def _name(text: str) -> _Name:
    """ID, ID@ANNUNCIATION or ID@ANNUNCIATION.RENEWAL."""
    identity, has_mark, mark = text.partition("@")
    annunciation, _, renewal = mark.partition(".")
    try:
        return identity, int(annunciation) if has_mark else None, int(renewal) if renewal else None
    except ValueError as error:
        raise InvalidInputError(
            f"{text} names no alarm: write its id, or ID@ANNUNCIATION, as `alarms list` does."
        ) from error


def _priority(text: str) -> Priority:
    found = _PRIORITIES.get(text.lower())
    if found is None:
        raise InvalidInputError(f"There is no priority {text}: choose from {', '.join(_PRIORITIES)}.")
    return found


def _until(tx: Transaction, scope: Scope, text: str | None) -> object:
    return None if text is None else parse_moment(text, ZoneInfo(tx.factories.get(scope.factory_id).timezone))


def _place(database: Database, slug: str | None) -> tuple[Scope, ZoneInfo]:
    chosen = choose_factory(database, slug)
    return Scope(chosen.id, "command line", Role.ADMIN), ZoneInfo(chosen.timezone)


def _request(kind: type[R], values: dict[str, Any]) -> R:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"This cannot be done: {place}: {first['msg']}.") from error


def _write(answer: BaseModel, **beside: object) -> None:
    plain = msgspec.json.encode(answer.model_dump(mode="json") | beside)
    sys.stdout.write(msgspec.json.format(plain, indent=2).decode() + "\n")
