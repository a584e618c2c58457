"""Imports and exports as a person plans and reads them; knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops_resources.words import say
from factoryops_widgets.formatting import number


@dataclass(frozen=True, slots=True)
class Refused:
    """What an import left out, for one reason.

    Attributes:
        example: the first case, with its row and column.
    """

    reason: str
    count: int
    example: str


def transfers(runs: Sequence[http.Run]) -> list[http.Run]:
    """The imports and exports among the runs."""
    return [run for run in runs if run.kind in http.TRANSFERS]


def transfer_name(run: http.Run) -> str:
    """What a run is about: Dry run, Import or Export, and of what."""
    if run.kind is http.JobKind.EXPORT:
        return say("Export, {form}", form=form_name(http.ExportForm(str(run.arguments.get("form", "raw")))))
    plan = run.arguments.get("plan")
    is_dry = isinstance(plan, Mapping) and bool(plan.get("is_dry_run"))
    name = str(run.result.get("file", ""))
    title = say("Dry run") if is_dry else say("Import")
    return f"{title}: {name}" if name else title


def form_name(form: http.ExportForm) -> str:
    """A form of export."""
    names = {
        http.ExportForm.RAW: say("every sample"),
        http.ExportForm.BINNED: say("statistics per bin"),
        http.ExportForm.INTERPOLATED: say("values on a grid"),
    }
    return names[form]


def refusals(result: Mapping[str, object]) -> list[Refused]:
    """What an import left out, most first."""
    counts, examples = result.get("refused"), result.get("examples")
    if not isinstance(counts, Mapping):
        return []
    shown: dict[str, str] = {}
    for one in examples if isinstance(examples, list) else ():
        shown.setdefault(
            one["reason"], say("row {row}, {column}: {cell}", row=one["row"], column=one["column"], cell=one["cell"])
        )
    listed = [Refused(refusal_name(reason), int(count), shown.get(reason, "")) for reason, count in counts.items()]
    return sorted(listed, key=lambda one: -one.count)


def refusal_name(reason: str) -> str:
    """Why a cell or a row was left out."""
    names = {
        "invalid_timestamp": say("No readable time"),
        "skipped_local_time": say("A local time that daylight saving skipped"),
        "ambiguous_local_time": say("A local time that existed twice"),
        "before_1970": say("Before 1970"),
        "future_time": say("In the future"),
        "not_a_number": say("Not a number"),
        "not_finite": say("Not a finite number"),
        "too_many_texts": say("Too many different texts, or too long"),
        "wrong_number_of_cells": say("Another number of cells than the header"),
        "unreadable_row": say("A row that cannot be read"),
        "invalid_name": say("A name that cannot be"),
        "too_many_parameters": say("Too many parameters"),
        "name_collision": say("Two names with one id"),
    }
    return names.get(reason, reason)


def summary(result: Mapping[str, object]) -> str:
    """The figures of an import in sentences."""
    parts: list[str] = []

    def add(key: str, text: str) -> None:
        value = result.get(key)
        if isinstance(value, int) and value:
            parts.append(text.replace("#", number(value, 0)))

    add("new_series", say("# parameters are new."))
    add("known_series", say("# parameters are there already."))
    add("replacing", say("# values take the place of imported ones."))
    add("device_wins", say("# values are left out because the device's own are stored."))
    add("repeated", say("# values are given more than once; the last one counts."))
    add("ambiguous", say("# local times existed twice and were placed as chosen."))
    return " ".join(parts)


def estimate_text(estimate: http.ExportEstimate) -> str:
    """About how much an export will be."""
    size = estimate.size_bytes / 1_000_000
    size_text = number(size, 0 if size >= 10 else 1)
    return say(
        "About {rows} rows of {count} parameters, {size} MB.",
        rows=number(estimate.rows, 0), count=number(estimate.parameters, 0), size=size_text,
    )  # fmt: skip


def changed_column(plan: http.ImportPlan, changed: http.ImportColumn, *, is_used: bool) -> http.ImportPlan:
    """The plan with one of its columns changed, or left out."""
    columns = [changed if one.column == changed.column else one for one in plan.columns]
    if not is_used:
        columns = [one for one in columns if one.column != changed.column]
    return plan.model_copy(update={"columns": columns})
