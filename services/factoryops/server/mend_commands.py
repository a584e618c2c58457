"""`propose-mends`: calmer rules for alarms that chatter or flicker."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.performance.proposing import REAL_AFTER_S
from factoryops.jobs.mends import carry_out, outages_in, read_nuisances
from factoryops.jobs.sources import history_now, open_history
from factoryops.server.bootstrap import history_source
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.settings import data_folder

_COLUMNS: Final = ("change", "", "raises", "most at once", "fleeting", "later", "by s", "missed")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("propose-mends")(propose_mends)


def propose_mends(
    context: typer.Context,
    factory: Annotated[str | None, typer.Argument(help="The factory's slug; the only one by default.")] = None,
    days: Annotated[float, typer.Option(min=0.01, max=400, help="How much history is tried.")] = 7.0,
    alarm: Annotated[list[str] | None, typer.Option(help="An alarm's id; those that chatter by default.")] = None,
    real_after: Annotated[float, typer.Option(help="What stood for so many seconds was real trouble.")] = REAL_AFTER_S,
    write: Annotated[Path | None, typer.Option(help="Write the proposed rules there, for `rule import`.")] = None,
) -> None:
    """For alarms that chatter or flicker, try deadbands and delays on their history; nothing is changed."""
    ours = context_of(context)
    until = datetime.now(UTC)
    request = _request(until - timedelta(days=days), until, alarm or [], real_after)
    outcome = _carried_out(ours, factory, request)
    if not outcome.mends:
        say("No alarm chatters or flickers.")
    for mend in outcome.mends:
        _show(mend)
    if outcome.left_out:
        say(f"{outcome.left_out} more alarms were not looked at: name them with --alarm.")
    if write is not None:
        _write(write, [one.content for one in outcome.mends if one.content is not None])


def _request(start: datetime, end: datetime, alarms: list[str], real_after_s: float) -> http.MendRequest:
    try:
        return http.MendRequest(start=start, end=end, alarm_ids=alarms, real_after_s=real_after_s)
    except ValidationError as error:
        raise InvalidInputError(f"This cannot be tried: {error.errors()[0]['msg']}.") from error


def _carried_out(ours: Context, factory: str | None, request: http.MendRequest) -> http.MendOutcome:
    settings = ours.settings()
    with ours.database() as database, closing(open_history(history_source(settings))) as reader:
        history, _ = history_now(reader, data_folder(settings).journals)
        scope = Scope(choose_factory(database, factory).id, "command line", Role.VIEWER)
        outages = outages_in(history, scope, request)
        nuisances = read_nuisances(database, scope, request, outages)
        return carry_out(request, nuisances, history, lambda share, message: None)


def _show(mend: http.AlarmMend) -> None:
    alarm = mend.alarm
    say(f"{alarm.rule_name} · {alarm.device_name}: raised {alarm.recorded:,} times; real trouble: {mend.occasions:,}.")
    if mend.before is not None:
        rows = [_row("as it is", "", mend.before)]
        rows += [
            _row(_change(mend.before, one), "proposed" if number == mend.proposed else "", one)
            for number, one in enumerate(mend.trials)
        ]
        show_table(_COLUMNS, rows)
    for note in mend.notes:
        say(note)


def _change(before: http.MendTrial, trial: http.MendTrial) -> str:
    if trial.deadband != before.deadband:
        return f"deadband {trial.deadband:g}"
    if trial.on_delay_s != before.on_delay_s:
        return f"on-delay {trial.on_delay_s:g} s"
    return f"off-delay {trial.off_delay_s:g} s"


def _row(change: str, mark: str, trial: http.MendTrial) -> tuple[object, ...]:
    longest_s = "" if trial.delay_longest_s is None else f"{trial.delay_longest_s:g}"
    return (
        change, mark, trial.raises, trial.most_in_span, trial.fleeting, trial.later, longest_s, trial.missed,
    )  # fmt: skip


def _write(target: Path, contents: list[http.RuleContent]) -> None:
    text = json.dumps([one.model_dump(mode="json") for one in contents], ensure_ascii=False, indent=2)
    try:
        target.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror or error}.") from error
    say(f"{len(contents)} proposed rules were written to {target}; `rule import` puts them in force.")
