"""How a table is to be read: the plan of a person, completed by looking at the table itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from factoryops.contracts.http import ImportColumn, ImportPlan, Layout
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.plant import is_key
from factoryops.history.transfer.blocks import Column, TableFile
from factoryops.history.transfer.csv_table import CsvTable
from factoryops.history.transfer.moments import TimeRule, read_times

_TIME_NAMES: Final = ("time", "timestamp", "datetime", "date_time", "date", "ts", "zeit", "zeitstempel", "datum")
_DEVICE_NAMES: Final = ("device", "device_key", "gerät", "geraet", "machine", "asset", "anlage")
_PARAMETER_NAMES: Final = ("parameter", "metric", "tag", "signal", "variable", "kanal", "channel", "messgröße")
_VALUE_NAMES: Final = ("value", "wert", "messwert")
_QUALITY_NAMES: Final = ("quality", "unit", "einheit", "flags")
_MOST_PARAMETERS: Final = 200


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column of values.

    Attributes:
        place: which column.
        parameter: the parameter's key; None in a long table, where each row names it.
        device: the device's key; None where each row names it.
    """

    place: int
    parameter: str | None
    device: str | None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan in places of columns.

    Attributes:
        plan: the plan with all that was found out filled in.
        device_place / parameter_place: the columns that name them, where rows do.
        meant: names and texts as they were meant; see TableFile.
        text_place / flags_place: of a Parquet file in our own layout, texts and what is known beside the value.
    """

    plan: ImportPlan
    rule: TimeRule
    time_place: int
    device_place: int | None
    parameter_place: int | None
    values: tuple[ValueColumn, ...]
    decimal: str
    meant: Callable[[str], str]
    text_place: int | None = None
    flags_place: int | None = None


def complete(table: TableFile, sample: Sequence[Column], plan: ImportPlan) -> ImportPlan:
    """The plan with all filled in that the table itself tells; what it does not tell stays None."""
    header = table.header
    lowered = [name.lower() for name in header]
    parameter, value = _named(plan.parameter_column, _PARAMETER_NAMES, header), plan.value_column
    value = _named(value, _VALUE_NAMES, header)
    layout = plan.layout or (Layout.LONG if parameter and value else Layout.WIDE)
    found: dict[str, object] = {
        "layout": layout,
        "time_column": plan.time_column or _time_column(header, lowered, sample, plan),
        "device_column": None if plan.device else _named(plan.device_column, _DEVICE_NAMES, header),
    }
    if layout is Layout.LONG:
        found |= {"parameter_column": parameter, "value_column": value}
    if isinstance(table, CsvTable):
        encoding = "utf-16" if table.form.encoding.startswith("utf-16") else table.form.encoding
        found |= {"encoding": encoding, "delimiter": table.form.delimiter, "decimal": table.form.decimal}
    completed = plan.model_copy(update=found)
    if layout is Layout.WIDE and not plan.columns:
        completed = completed.model_copy(update={"columns": _all_others(table, completed)})
    return completed


def _named(given: str | None, usual: Sequence[str], header: Sequence[str]) -> str | None:
    if given is not None:
        return given
    lowered = [name.lower() for name in header]
    return next((header[lowered.index(name)] for name in usual if name in lowered), None)


def _time_column(
    header: Sequence[str], lowered: Sequence[str], sample: Sequence[Column], plan: ImportPlan
) -> str | None:
    for name in _TIME_NAMES:
        if name in lowered:
            return header[lowered.index(name)]
    rule = _rule(plan)
    for name, column in zip(header, sample, strict=True):
        if not len(column):
            return None
        _, faults = read_times(column[:50], rule)
        looks_like_number = isinstance(column, list) and column[0].strip("+-.0123456789 ") == ""
        if not faults.any() and not looks_like_number:
            return name
    return None


def _all_others(table: TableFile, plan: ImportPlan) -> list[ImportColumn]:
    header = table.header
    used = {plan.time_column, plan.device_column}
    others = [name for name in header if name and name not in used and name.lower() not in _QUALITY_NAMES]
    named = [name for name in others if is_key(name.partition("/")[2] or name) and not _is_beside(name, header)]
    is_one_device = plan.device is not None or plan.device_column is not None
    return [_column(name, table.meant(name), is_one_device=is_one_device) for name in named[:_MOST_PARAMETERS]]


def _is_beside(name: str, header: Sequence[str]) -> bool:
    """Whether a column only says more of another one, as wide exports do."""
    return any(name.removesuffix(end) in header for end in (" quality", " text") if name.endswith(end))


def _column(name: str, meant: str, *, is_one_device: bool) -> ImportColumn:
    """A wide export names its columns device/parameter."""
    device, slash, parameter = meant.partition("/")
    if is_one_device or not (slash and device and parameter):
        return ImportColumn(column=name, parameter=meant)
    return ImportColumn(column=name, device=device, parameter=parameter)


def resolve(table: TableFile, plan: ImportPlan) -> Reading:
    """The places of a completed plan's columns.

    Raises:
        InvalidInputError: the plan does not fit the table; `fields` says where.
    """
    places = {name: number for number, name in enumerate(table.header)}
    if plan.time_column is None:
        raise InvalidInputError(
            "None of the columns holds times; say which one does (it has: " + ", ".join(table.header[:20]) + ").",
            fields={"time_column": "name the column of times"},
        )
    device_place = None if plan.device_column is None else _place(places, plan.device_column, "device_column")
    if plan.layout is Layout.LONG:
        parameter_place, values = _long(places, plan, device_place)
    else:
        parameter_place, values = None, _wide(places, plan, device_place)
    is_ours = plan.layout is Layout.LONG and {"value", "text", "flags"} <= places.keys()
    return Reading(
        plan=plan, rule=_rule(plan), time_place=_place(places, plan.time_column, "time_column"),
        device_place=device_place, parameter_place=parameter_place, values=values, decimal=plan.decimal or ".",
        meant=table.meant,
        text_place=places["text"] if is_ours else None, flags_place=places["flags"] if is_ours else None,
    )  # fmt: skip


def _long(places: dict[str, int], plan: ImportPlan, device_place: int | None) -> tuple[int, tuple[ValueColumn, ...]]:
    if plan.parameter_column is None or plan.value_column is None:
        raise InvalidInputError(
            "A file with a row per sample needs a column that names the parameter and one that holds the value.",
            fields={"parameter_column": "name it", "value_column": "name it"},
        )
    _check_device(plan.device, device_place)
    value = ValueColumn(_place(places, plan.value_column, "value_column"), None, plan.device)
    return _place(places, plan.parameter_column, "parameter_column"), (value,)


def _wide(places: dict[str, int], plan: ImportPlan, device_place: int | None) -> tuple[ValueColumn, ...]:
    if not plan.columns:
        raise InvalidInputError("The file has no column of values beside its times.", fields={"columns": "name some"})
    if any(one.device is None for one in plan.columns):
        _check_device(plan.device, device_place)
    return tuple(
        ValueColumn(
            _place(places, one.column, "columns"), one.parameter, one.device or plan.device,
            one.scale, one.offset, one.unit,
        )
        for one in plan.columns
    )  # fmt: skip


def _check_device(device: str | None, device_place: int | None) -> None:
    if device is None and device_place is None:
        raise InvalidInputError(
            "The file does not say which device it is about; name the device, or the column that does.",
            fields={"device": "name the device"},
        )


def _place(places: dict[str, int], name: str, field: str) -> int:
    if name not in places:
        raise InvalidInputError(
            f"The file has no column called {name[:80]} (it has: {', '.join([*places][:20])}).",
            fields={field: "there is no such column"},
        )
    return places[name]


def _rule(plan: ImportPlan) -> TimeRule:
    try:
        zone = ZoneInfo(plan.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(
            f"'{plan.timezone}' is not a time zone; use a name such as Europe/Berlin.",
            fields={"timezone": "is not a time zone"},
        ) from None
    return TimeRule(zone, plan.ambiguous, plan.time_format)
