"""Import and export as work: what the worker's child and the command line do alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from pydantic import ValidationError

from factoryops.contracts.http import ExportPlan, ImportRequest, TableFormat
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import DeviceId, FactoryId, Role, Scope, device_id, parameter_id
from factoryops.domain.naming import readable_name
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.time import from_us
from factoryops.history.queries import History
from factoryops.history.transfer.exporting import ExportJob, ExportResult, run_export
from factoryops.history.transfer.frames import OutSeries
from factoryops.history.transfer.importing import ImportJob, ImportResult, Tell, run_import
from factoryops.history.transfer.uploads import Uploads
from factoryops.jobs.orders import Done, LeftFile, Order
from factoryops.jobs.sources import Sources, open_import_writer
from factoryops.journal.import_writer import ImportWriter
from factoryops.reports.text import count

P = TypeVar("P", ImportRequest, ExportPlan)

MEDIA_TYPES: Final = {TableFormat.CSV: "text/csv", TableFormat.PARQUET: "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class PlantNames:
    """A factory's series and what they are called."""

    factory: Factory
    devices: Mapping[DeviceId, Device]
    parameters: Sequence[Parameter]

    @classmethod
    def read(cls, database: Database, factory: FactoryId) -> PlantNames:
        """Ask the database; raises NotFoundError and UnavailableError."""
        scope = _scope(factory)

        def work(tx: Transaction) -> PlantNames:
            found = next((one for one in tx.factories.list() if one.id == factory), None)
            if found is None:
                raise NotFoundError("There is no such factory.")
            devices = {device.id: device for device in tx.devices(scope).list()}
            return cls(found, devices, tx.parameters(scope).list())

        return database.read(work)

    def keys(self) -> tuple[SeriesKey, ...]:
        """Every series."""
        return tuple(SeriesKey(self.factory.id, self.devices[one.device_id].key, one.key) for one in self.parameters)

    def series(self, parameter_ids: Sequence[str]) -> tuple[OutSeries, ...]:
        """The series of these parameters, or of all when none are named.

        Raises:
            NotFoundError: a parameter is not of this factory.
        """
        wanted = set(parameter_ids)
        chosen = [one for one in self.parameters if not wanted or one.id in wanted]
        if len(wanted - {one.id for one in chosen}):
            raise NotFoundError("There is no such parameter.")
        listed = [OutSeries(int(one.series_id), self.devices[one.device_id].key, one.key, one.unit) for one in chosen]
        return tuple(sorted(listed, key=lambda one: (one.device, one.parameter)))


# --- import ----------------------------------------------------------------------------------------------------------


def import_history(order: Order, sources: Sources, tell: Tell) -> Done:
    """Import an uploaded file, or look what would happen.

    Raises:
        FactoryOpsError: it cannot be done, and why.
    """
    request = _told(ImportRequest, order.arguments)
    upload = Uploads(Path(order.uploads_folder)).get(order.factory_id, request.upload_id)
    names = PlantNames.read(sources.database, FactoryId(order.factory_id))
    job = ImportJob(upload.path, request.plan, names.factory.id, names.keys(), order.run_id, upload.state_file)
    if request.plan.is_dry_run:
        result = run_import(job, sources.history, None, tell)
    else:
        with open_import_writer(order) as writer:
            result = run_import(job, sources.history, writer, tell)
        name_new(sources.database, names, result)
        upload.state_file.unlink(missing_ok=True)
    return Done(sentence_of(result), {**figures_of(result), "file": upload.name}, ())


def import_file(
    database: Database, history: History, writer: ImportWriter | None, job: ImportJob, names: PlantNames, tell: Tell
) -> ImportResult:
    """Import a file that lies on this machine; without a writer, look what would happen."""
    result = run_import(job, history, writer, tell)
    if writer is not None:
        name_new(database, names, result)
        job.state_file.unlink(missing_ok=True)
    return result


def name_new(database: Database, names: PlantNames, result: ImportResult) -> None:
    """Add the devices and parameters of new series, with the units the plan gives them; what is known stays."""
    known = set(names.keys())
    new = [key for key in result.series if key not in known]
    units = {(one.device or result.plan.device, one.parameter): one.unit for one in result.plan.columns if one.unit}
    factory = names.factory.id
    scope = _scope(factory)
    devices = [Device(device_id(factory, one), factory, one, readable_name(one)) for one in {key.device for key in new}]

    def work(tx: Transaction) -> None:
        tx.devices(scope).ensure_many(devices)
        tx.parameters(scope).ensure_many(_parameter(factory, key) for key in new)
        for key in new:
            unit = units.get((key.device, key.parameter)) or units.get((None, key.parameter))
            if unit:
                tx.parameters(scope).change(parameter_id(factory, key.device, key.parameter), unit=unit)

    if new:
        database.run(work)


def _parameter(factory: FactoryId, key: SeriesKey) -> Parameter:
    identity = parameter_id(factory, key.device, key.parameter)
    return Parameter(
        identity, factory, device_id(factory, key.device), series_id(key), key.parameter, readable_name(key.parameter)
    )


def sentence_of(result: ImportResult) -> str:
    """What an import came to, in one sentence."""
    tally = result.tally
    series = tally.new_series + tally.known_series
    verb = "would be imported" if result.plan.is_dry_run else "were imported"
    span = (
        f", {from_us(tally.first_us):%Y-%m-%d %H:%M} to {from_us(tally.last_us):%Y-%m-%d %H:%M} UTC" if series else ""
    )
    refused = sum(tally.refused.values())
    left_out = f"; {count(refused)} cells or rows left out" if refused else ""
    return f"{count(tally.samples)} samples of {count(series)} parameters {verb}{span}{left_out}."


def figures_of(result: ImportResult) -> dict[str, object]:
    """What an import came to, as plain JSON."""
    figures: dict[str, object] = msgspec.to_builtins(result.tally)
    figures["plan"] = result.plan.model_dump(mode="json", exclude_defaults=True)
    for name in ("first_us", "last_us"):
        moment = getattr(result.tally, name)
        figures[name.removesuffix("_us")] = from_us(moment).isoformat() if moment else None
    return figures


# --- export ----------------------------------------------------------------------------------------------------------


def export_history(order: Order, sources: Sources, tell: Tell) -> Done:
    """Write the file of an export.

    Raises:
        FactoryOpsError: it cannot be done, and why.
    """
    plan = _told(ExportPlan, order.arguments)
    names = PlantNames.read(sources.database, FactoryId(order.factory_id))
    target = Path(order.folder) / f"export.{plan.format.value}"
    result = export_file(sources.history, names, plan, target, order.requested_by, tell, sources.texts)
    left = LeftFile(target.name, file_name(names.factory, plan), MEDIA_TYPES[plan.format])
    return Done(export_sentence(result), {"rows": result.rows, "series": result.series, "gaps": result.gaps}, (left,))


def export_file(
    history: History,
    names: PlantNames,
    plan: ExportPlan,
    target: Path,
    requested_by: str,
    tell: Tell,
    tail_texts: Mapping[int, str],
) -> ExportResult:
    """Write an export to `target`; `tail_texts` are texts that history does not hold yet."""

    def texts_of(codes: Sequence[int]) -> dict[int, str]:
        return {code: tail_texts[code] for code in codes if code in tail_texts} | history.texts(codes)

    series = names.series(plan.parameter_ids)
    job = ExportJob(plan, names.factory, series, requested_by, version("factoryops"), texts_of)
    return run_export(job, history, target, tell)


def export_sentence(result: ExportResult) -> str:
    """What an export came to, in one sentence."""
    gaps = f"; {count(result.gaps)} recorded gaps lie in the span" if result.gaps else ""
    return f"{count(result.rows)} rows of {count(result.series)} parameters were exported{gaps}."


def file_name(factory: Factory, plan: ExportPlan) -> str:
    """What an export is called."""
    return f"{factory.slug}-{plan.form.value}-{plan.start:%Y%m%dT%H%MZ}-{plan.end:%Y%m%dT%H%MZ}.{plan.format.value}"


def _told(kind: type[P], arguments: Mapping[str, object]) -> P:
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        raise InvalidInputError(f"What the run is to do cannot be understood ({error.errors()[0]['msg']}).") from error


def _scope(factory: str) -> Scope:
    return Scope(FactoryId(factory), "import", Role.ADMIN)
