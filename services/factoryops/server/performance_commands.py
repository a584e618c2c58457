"""`performance`: how many alarms reach an operator, and which are a nuisance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from factoryops.contracts import http
from factoryops.database.alarm_history import read_alarm_history
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.performance.figures import Performance
from factoryops.domain.performance.judging import Band
from factoryops.domain.performance.left_out import left_out_sentences
from factoryops.domain.performance.thresholds import Target
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
            gaps = [(gap.start_us, gap.end_us) for gap in reader.gaps(scope.factory_id, *span)]
            lines = read_alarm_history(database, scope, span)
            declared = database.read(lambda tx: tx.outages(scope).spans(*span))
            limits = database.read(lambda tx: tx.philosophy(scope).get()).thresholds
            chosen = database.read(lambda tx: _position(tx, scope, position)) if position is not None else None
    finally:
        reader.close()
    _show(http.AlarmPerformance.of(lines, span, gaps, declared, chosen, limits))


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
    for sentence in left_out_sentences(figures):
        say(sentence)
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
    load, judged, limits = figures.rates, figures.judgement, figures.limits
    of_time, busy = _percent(limits.share_of_time), f"10 min with more than {limits.busy_interval}"
    word = judged.load.value if judged.load else ""
    shares = " / ".join(_share(one.share) for one in figures.priorities)
    return [
        ("annunciations", str(load.annunciations), "", ""),
        ("per day", _number(load.per_day), _range(limits.rate_per_day), ""),
        ("per hour", _number(load.per_hour), _range(limits.rate_per_hour), judged.rate.value),
        ("per 10 min", _number(load.per_interval), _range(limits.rate_per_interval), word),
        ("largest in 10 min", str(load.busiest), f"up to {_plain(limits.busiest.good)}", judged.busiest.value),
        (busy, _share(load.busy_intervals), of_time, judged.busy_intervals.value),
        (f"hours with more than {limits.busy_hour}", _share(load.busy_hours), of_time, judged.busy_hours.value),
        ("time in flood", _share(load.flood_share), of_time, judged.flood.value),
        ("ten most frequent", _share(figures.top_share), _percent(limits.top_ten), _top_ten(figures)),
        ("stale at once", str(figures.stale_at_once), f"up to {_plain(limits.stale_at_once.good)}", judged.stale.value),
        ("critical / high / medium / low", shares, "< 1 / 5 / 15 / 80 %", ""),
        ("raised while put aside", str(figures.quiet_raises), "", ""),
    ]


def _range(target: Target) -> str:
    return f"up to {_plain(target.good)}, at most {_plain(target.most)}"


def _plain(value: float) -> str:
    return f"{round(value, 2):,.10g}"


def _percent(target: Target) -> str:
    return f"up to {_plain(100 * target.good)} %"


def _top_ten(figures: Performance) -> str:
    band = figures.judgement.top_ten
    return "too few alarms to judge" if band is Band.UNKNOWN and figures.top else band.value


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
