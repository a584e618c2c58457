"""`performance`: how many alarms reach an operator, and which are a nuisance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.performance.figures import Performance
from factoryops.domain.time import to_us
from factoryops.jobs.sources import open_history
from factoryops.server import bootstrap
from factoryops.server.console import say, show_table
from factoryops.server.context import choose_factory, context_of


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("performance")(show_performance)


def show_performance(
    context: typer.Context,
    factory: Annotated[str | None, typer.Argument(help="The factory's slug; the only one by default.")] = None,
    days: Annotated[float, typer.Option(min=0.01, max=400, help="How far back.")] = 30.0,
    position: Annotated[str | None, typer.Option(help="An operating position; the whole factory by default.")] = None,
) -> None:
    """Figures of the alarms of the last days, based on ISA-18.2 and EEMUA 191."""
    ours = context_of(context)
    until = datetime.now(UTC)
    span = to_us(until - timedelta(days=days)), to_us(until)
    reader = open_history(bootstrap.history_source(ours.settings()))
    try:
        with ours.database() as database:
            scope = Scope(choose_factory(database, factory).id, "command line", Role.VIEWER)
            outages = [(gap.start_us, gap.end_us) for gap in reader.gaps(scope.factory_id, *span)]
            lines = database.read(lambda tx: tx.alarm_performance(scope).lines(*span))
            chosen = database.read(lambda tx: _position(tx, scope, position)) if position is not None else None
    finally:
        reader.close()
    _show(http.AlarmPerformance.of(lines, span, outages, chosen))


def _position(tx: Transaction, scope: Scope, name: str) -> http.Position:
    for one in tx.positions(scope).list():
        if one.content.name == name:
            return one
    raise NotFoundError(f"There is no operating position of the name {name}.")


def _show(found: http.AlarmPerformance) -> None:
    figures = found.figures
    say(found.position_name or "Whole factory")
    if figures.is_indicative:
        say("Less than 30 days could be judged: the figures are indicative only.")
    if figures.rates.excluded_s:
        say(f"{_hours(figures.rates.excluded_s)} in which nothing could be received are left out.")
    show_table(("figure", "value", "guidance", "judged"), _rows(figures))
    names = {one.number: f"{one.rule_name} · {one.device_name}" for one in found.alarms}
    show_table(
        ("most frequent", "annunciations", "share"),
        [(names[one.alarm], one.annunciations, f"{one.share:.1%}") for one in figures.top],
    )
    for title, listed in (
        ("chattering", [one.alarm for one in figures.chattering]),
        ("fleeting", [one.alarm for one in figures.fleeting]),
        ("stale", [one.alarm for one in figures.stale]),
        ("standing", [one.alarm for one in figures.standing]),
    ):
        show_table((f"{title}: {len(listed)}",), [(names[number],) for number in listed])


def _rows(figures: Performance) -> list[tuple[str, str, str, str]]:
    load, judged = figures.rates, figures.judgement
    shares = " / ".join(_share(one.share) for one in figures.priorities)
    return [
        ("annunciations", str(load.annunciations), "", ""),
        ("per day", _number(load.per_day), "up to 144, at most 288", ""),
        ("per hour", _number(load.per_hour), "up to 6, at most 12", judged.rate.value),
        ("per 10 min", _number(load.per_interval), "up to 1, at most 2", judged.load.value if judged.load else ""),
        ("largest in 10 min", str(load.busiest), "up to 10", judged.busiest.value),
        ("10 min with more than 10", _share(load.busy_intervals), "under 1 %", judged.busy_intervals.value),
        ("hours with more than 30", _share(load.busy_hours), "under 1 %", judged.busy_hours.value),
        ("time in flood", _share(load.flood_share), "under 1 %", judged.flood.value),
        ("ten most frequent", _share(figures.top_share), "under 5 %", judged.top_ten.value),
        ("stale at once", str(figures.stale_at_once), "under 5", judged.stale.value),
        ("critical / high / medium / low", shares, "< 1 / 5 / 15 / 80 %", ""),
        ("raised while put aside", str(figures.quiet_raises), "", ""),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3_600:.1f} h"
