"""`rule back-test`: a rule from a file, tried on recorded history."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.jobs.back_tests import Known, carry_out, read_known
from factoryops.jobs.sources import history_now, open_history
from factoryops.server.bootstrap import history_source
from factoryops.server.console import parse_moment, say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.settings import data_folder

_SHOWN_EVENTS: Final = 50
_EFFECT: Final = {
    "per_day": "alarms a day",
    "per_hour": "alarms an hour",
    "per_10_min": "alarms in 10 min",
    "peak_10_min": "worst 10 min",
    "busy_intervals": "intervals of 10 min with too many",
    "busy_hours": "hours with too many",
    "flood_share": "time in flood",
    "priority_shares": "critical / high / medium / low",
    "top_share": "share of the ten most frequent",
    "chattering": "chattering alarms",
    "fleeting": "fleeting alarms",
    "stale": "stale alarms",
}
_SHARES: Final = frozenset({"busy_intervals", "busy_hours", "flood_share", "top_share"})
_TRIED: Final = ("limit", "deadband", "on-delay s", "off-delay s", "alarms/day", "hits", "misses", "under 60 s")


def back_test(
    context: typer.Context,
    factory: Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")],
    rule: Annotated[Path, typer.Option(help="A JSON file with one rule, as `rule export` writes it.")],
    start: Annotated[str, typer.Option("--from", help="The first day or moment, on the factory's clock.")],
    end: Annotated[str, typer.Option("--to", help="The end, not included.")],
    limit: Annotated[str, typer.Option(help="Limits to try, separated by commas.")] = "",
    deadband: Annotated[str, typer.Option(help="Deadbands to try.")] = "",
    on_delay: Annotated[str, typer.Option(help="On-delays to try, in seconds.")] = "",
    off_delay: Annotated[str, typer.Option(help="Off-delays to try, in seconds.")] = "",
) -> None:
    """Try a rule on recorded history: every raise and clear it would have made; nothing is saved."""
    ours = context_of(context)
    sweep = {
        "limits": _numbers(limit),
        "deadbands": _numbers(deadband),
        "on_delays_s": _numbers(on_delay),
        "off_delays_s": _numbers(off_delay),
    }
    with ours.database() as database:
        chosen = choose_factory(database, factory)
        zone = ZoneInfo(chosen.timezone)
        request = _request(rule, parse_moment(start, zone), parse_moment(end, zone), sweep)
        known = read_known(database, chosen.id, request)
    began = time.monotonic()
    outcome = _carried_out(ours, request, known)
    _show(outcome, zone, time.monotonic() - began)


def _request(rule: Path, start: datetime, end: datetime, sweep: dict[str, list[float]]) -> http.BackTestRequest:
    try:
        content = json.loads(rule.read_bytes())
        first = content[0] if isinstance(content, list) and len(content) == 1 else content
        request = http.BackTestRequest.model_validate({"rule": first, "start": start, "end": end, "sweep": sweep})
    except OSError as error:
        raise StorageError(f"{rule} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InvalidInputError(f"{rule} does not hold one rule, or the lists cannot be tried: {error}") from error
    request.check()
    return request


def _numbers(text: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",") if one.strip()]
    except ValueError as error:
        raise InvalidInputError(f"{text!r} is no list of numbers: write it as 4.8,5,5.2.") from error


def _carried_out(ours: Context, request: http.BackTestRequest, known: Known) -> http.BackTestOutcome:
    settings = ours.settings()
    with closing(open_history(history_source(settings))) as reader:
        history, _ = history_now(reader, data_folder(settings).journals)
        return carry_out(request, known, history, lambda share, message: None)


def _show(outcome: http.BackTestOutcome, zone: ZoneInfo, took_s: float) -> None:
    figures = outcome.figures
    say(
        f"{outcome.rule_name}: {figures.alarms:,} alarms, {figures.alarms_per_day:.2f} a day, from {outcome.samples:,} "
        f"samples in {took_s:.1f} s. Longest {_seconds(figures.longest_s)}, shortest {_seconds(figures.shortest_s)}, "
        f"over within a minute: {_share(figures.short_share)}."
    )
    if figures.suppressed:
        say(f"{figures.suppressed:,} more were suppressed by design: nobody would have been told of them.")
    _show_effect(outcome)
    if outcome.incidents:
        say(f"Incidents: {figures.hits} seen, {figures.misses} missed; {figures.apart} alarms during none.")
    if outcome.trials:
        show_table(_TRIED, [_row(one) for one in outcome.trials])
    rows = [
        (f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", one.device_key, _event(one), _number(one.value), one.why)
        for one in outcome.events[:_SHOWN_EVENTS]
    ]
    show_table(("time", "device", "event", "value", "why"), rows)
    if len(outcome.events) > _SHOWN_EVENTS:
        say(f"These are the first {_SHOWN_EVENTS} events.")
    for note in outcome.notes:
        say(note)


def _show_effect(outcome: http.BackTestOutcome) -> None:
    """The figures of the factory that the rule changes, and alarms a day in any case."""
    before, after = outcome.load_without, outcome.load_with
    if before is None or after is None:
        return
    rows = [
        (title, _figure(name, old), _figure(name, new))
        for name, title in _EFFECT.items()
        if (old := getattr(before, name)) != (new := getattr(after, name)) or name == "per_day"
    ]
    show_table(("figures of the factory", "without the rule", "with it"), rows)


def _figure(name: str, value: float | list[float] | None) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return " / ".join(f"{share:.1%}" for share in value)
    return f"{value:.1%}" if name in _SHARES else f"{value:.2f}".rstrip("0").rstrip(".")


def _row(trial: http.BackTestTrial) -> tuple[object, ...]:
    found = trial.figures
    return (
        _number(trial.limit), _number(trial.deadband), _number(trial.on_delay_s), _number(trial.off_delay_s),
        f"{found.alarms_per_day:.2f}", found.hits, found.misses, _share(found.short_share),
    )  # fmt: skip


def _event(event: http.BackTestEvent) -> str:
    is_kept_quiet = event.kind is AlarmEventKind.RAISED and not event.is_told
    return f"{event.kind.value}, suppressed" if is_kept_quiet else event.kind.value


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _seconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:,.0f} s"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"
