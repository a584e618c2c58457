"""`import` and `export`: history in and out as files, on the plant server itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel, ValidationError
from rich.progress import BarColumn, Progress, TextColumn

from factoryops.contracts.http import (
    Ambiguous,
    ExportForm,
    ExportPlan,
    ImportPlan,
    Interpolation,
    JobKind,
    Layout,
    TableFormat,
)
from factoryops.database.database import Database
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.history.queries import History
from factoryops.history.transfer.exporting import estimate
from factoryops.history.transfer.importing import ImportJob, ImportResult, Tell
from factoryops.jobs.sources import history_now, open_history
from factoryops.jobs.transfers import PlantNames, export_file, export_sentence, import_file, sentence_of
from factoryops.journal.import_writer import ImportWriter
from factoryops.server import bootstrap
from factoryops.server.console import is_terminal, parse_moment, say, show_table
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.settings import Settings, data_folder

P = TypeVar("P", bound=BaseModel)

_ACTOR: Final = "command line"
FactorySlug = Annotated[str | None, typer.Option(help="The factory's slug, where there are several.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import")(import_history)
    app.command("export")(export_history)


@dataclass(frozen=True, slots=True)
class _Plant:
    """What a transfer works with."""

    settings: Settings
    database: Database
    factory: Factory
    names: PlantNames
    history: History
    texts: dict[int, str]


@contextmanager
def _plant(ours: Context, slug: str | None) -> Iterator[_Plant]:
    settings = ours.settings()
    reader = open_history(bootstrap.history_source(settings))
    try:
        history, texts = history_now(reader, data_folder(settings).journals)
        with ours.database() as database:
            factory = choose_factory(database, slug)
            names = PlantNames.read(database, factory.id)
            yield _Plant(settings, database, factory, names, history, texts)
    finally:
        reader.close()


@contextmanager
def _progress() -> Iterator[Tell]:
    with Progress(BarColumn(), TextColumn("{task.description}"), disable=not is_terminal()) as shown:
        task = shown.add_task("", total=1.0)
        yield lambda share, message: shown.update(task, completed=share, description=message)


# --- import ----------------------------------------------------------------------------------------------------------


def import_history(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file with a header and a column of times.")],
    factory: FactorySlug = None,
    device: Annotated[str | None, typer.Option(help="The key of the device the file is about.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="A JSON file that says what the columns mean (see files.md).")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of times that name no zone; by default the factory's.")] = None,
    ambiguous: Annotated[Ambiguous | None, typer.Option(help="What an hour that exists twice means.")] = None,
    time_column: Annotated[str | None, typer.Option(help="The column of times, where it is not found out.")] = None,
    time_format: Annotated[str | None, typer.Option(help="In the letters of strptime, for unusual times.")] = None,
    texts: Annotated[bool, typer.Option("--texts", help="Keep cells that are no numbers as texts.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an import of this file stopped.")] = False,
) -> None:
    """Bring the history of before into the plant, from a table."""
    with _plant(context_of(context), factory) as plant:
        given = {
            "device": device, "timezone": timezone, "ambiguous": ambiguous, "time_column": time_column,
            "time_format": time_format, "has_texts": texts or None, "is_dry_run": dry_run or None,
        }  # fmt: skip
        wanted = _import_plan(plan, plant.factory, {name: value for name, value in given.items() if value is not None})
        job = _import_job(plant, file, wanted)
        if not resume:
            job.state_file.unlink(missing_ok=True)
        with _progress() as tell:
            result = _import(plant, job, tell)
    _show_import(result)


def _import_plan(file: Path | None, factory: Factory, given: dict[str, object]) -> ImportPlan:
    read: dict[str, Any] = {"timezone": factory.timezone}
    if file is not None:
        try:
            read |= ImportPlan.model_validate_json(file.read_bytes()).model_dump(exclude_unset=True)
        except OSError as error:
            raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}.") from error
        except ValidationError as error:
            raise InvalidInputError(f"{file} is no plan of an import: {_fault(error)}.") from error
    return _checked(ImportPlan, read | given)


def _import_job(plant: _Plant, file: Path, plan: ImportPlan) -> ImportJob:
    """Named by the file as it is and by the plan, so that nothing else is gone on with."""
    try:
        status = file.stat()
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}. Check the path.") from error
    what = f"{file.absolute()} {status.st_size} {status.st_mtime_ns} {plant.factory.id} {plan.model_dump_json()}"
    token = hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    state = data_folder(plant.settings).root / "run" / "imports" / f"{token}.json"
    return ImportJob(file, plan, plant.factory.id, plant.names.keys(), token, state)


def _import(plant: _Plant, job: ImportJob, tell: Tell) -> ImportResult:
    if job.plan.is_dry_run:
        return import_file(plant.database, plant.history, None, job, plant.names, tell)
    with ImportWriter(bootstrap.import_place(plant.settings)) as writer:
        _note(plant, JobKind.IMPORT, job.token, {"file": job.file.name, **_plain(job.plan)})
        return import_file(plant.database, plant.history, writer, job, plant.names, tell)


def _note(plant: _Plant, kind: JobKind, object_id: str, plan: dict[str, object]) -> None:
    """Write the audit entry, as the service does for what is asked of it."""
    scope = Scope(plant.factory.id, _ACTOR, Role.ADMIN)
    plant.database.run(lambda tx: tx.audit(scope).add(f"history.{kind.value}", object_id, None, plan))


def _plain(plan: BaseModel) -> dict[str, object]:
    return plan.model_dump(mode="json", exclude_defaults=True)


def _show_import(result: ImportResult) -> None:
    say(sentence_of(result))
    tally = result.tally
    say(
        f"{tally.rows} rows read; {tally.new_series} parameters are new, {tally.known_series} are there already; "
        f"{tally.replacing} values take the place of imported ones, {tally.device_wins} are left out because the "
        "device's own are stored."
    )
    if tally.ambiguous:
        say(f"{tally.ambiguous} local times existed twice and were placed as {result.plan.ambiguous.value}.")
    if tally.refused:
        rows = [(reason, count, _example(result, reason)) for reason, count in tally.refused.items()]
        show_table(("left out because", "count", "first case"), rows)


def _example(result: ImportResult, reason: str) -> str:
    found = next((one for one in result.tally.examples if one.reason == reason), None)
    return "" if found is None else f"row {found.row}, {found.column}: {found.cell}"


# --- export ----------------------------------------------------------------------------------------------------------


def export_history(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write; .parquet for Parquet, anything else is CSV.")],
    start: Annotated[str, typer.Option(help="The beginning, such as 2026-03-01 (the factory's time) or with a zone.")],
    end: Annotated[str, typer.Option(help="The end, not included.")],
    factory: FactorySlug = None,
    device: Annotated[
        list[str] | None, typer.Option(help="A device's key; may be given again. All by default.")
    ] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="A parameter's key; may be given again.")] = None,
    form: Annotated[ExportForm, typer.Option(help="Every sample, statistics per bin, or a grid.")] = ExportForm.RAW,
    width_s: Annotated[float | None, typer.Option(help="Of a bin, or between two points of the grid.")] = None,
    interpolation: Annotated[Interpolation, typer.Option(help="Between two samples.")] = Interpolation.STEP,
    layout: Annotated[Layout, typer.Option(help="A column per parameter, or a row per sample.")] = Layout.LONG,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="Decimal comma, semicolons, and a mark for spreadsheets.")
    ] = False,
) -> None:
    """Write a range of history to a file."""
    with _plant(context_of(context), factory) as plant:
        zone = ZoneInfo(plant.factory.timezone)
        wanted: dict[str, Any] = {
            "parameter_ids": _parameter_ids(plant.names, device or [], parameter or []),
            "start": parse_moment(start, zone), "end": parse_moment(end, zone), "form": form, "width_s": width_s,
            "interpolation": interpolation, "layout": layout,
            "format": TableFormat.PARQUET if file.suffix == ".parquet" else TableFormat.CSV,
        }  # fmt: skip
        if spreadsheet:
            wanted |= {"decimal": ",", "delimiter": ";", "has_bom": True}
        plan = _checked(ExportPlan, wanted)
        guess = estimate(plan, plant.names.series(plan.parameter_ids), plant.history)
        say(f"About {guess.rows} rows of {guess.parameters} parameters, {guess.size_bytes / 1e6:.1f} MB.")
        _note(plant, JobKind.EXPORT, plant.factory.id, {"file": file.name, **_plain(plan)})
        with _progress() as tell:
            result = export_file(plant.history, plant.names, plan, file, _ACTOR, tell, plant.texts)
    say(export_sentence(result))


def _parameter_ids(names: PlantNames, devices: list[str], parameters: list[str]) -> list[str]:
    """The ids of what is named; none when nothing is, which means all."""
    if not devices and not parameters:
        return []
    chosen = [
        one.id
        for one in names.parameters
        if (not devices or names.devices[one.device_id].key in devices) and (not parameters or one.key in parameters)
    ]
    if not chosen:
        raise NotFoundError("No parameter of this factory has such a device and key.")
    return [str(one) for one in chosen]


def _checked(kind: type[P], values: dict[str, Any]) -> P:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InvalidInputError(f"This cannot be done: {_fault(error)}.") from error


def _fault(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
