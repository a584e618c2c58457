"""Import and export of history: what a file's columns mean, what is asked for, and uploaded files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Key, Received, Sent, SentMoment, example

ColumnName = Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]


class Layout(StrEnum):
    """How a table holds samples: a column per parameter, or a row per sample."""

    WIDE = "wide"
    LONG = "long"


class Ambiguous(StrEnum):
    """What a local time means that the end of daylight saving makes exist twice."""

    EARLIER = "earlier"
    LATER = "later"
    REFUSE = "refuse"


class ImportColumn(Sent):
    """A column of values in a wide file.

    Attributes:
        column: its name in the header.
        device: the device's key; None where the file or the plan says it for all columns.
        scale / offset: what is stored is the cell times `scale` plus `offset`.
        unit: of what is stored; given to the parameter when it is new.
    """

    column: ColumnName
    parameter: Key
    device: Key | None = None
    scale: Finite = 1.0
    offset: Finite = 0.0
    unit: Annotated[str, Field(max_length=50, pattern=LINE)] = ""


class ImportPlan(Sent):
    """How a file is to be read; what is None is found out by looking at it.

    Attributes:
        encoding / delimiter / decimal: of CSV files.
        time_format: in the letters of strptime; None for ISO 8601, day.month.year or Unix seconds and milliseconds.
        timezone: of times that name no zone themselves (IANA name).
        device: the key of the one device the file is about.
        device_column / parameter_column / value_column: their names in the header.
        columns: of a wide file, what each column becomes; empty: every other column is a parameter named by its header.
        has_texts: keep cells that are neither numbers nor true or false as texts; else they are refused.
        is_dry_run: say exactly what would happen and write nothing.
    """

    model_config = example({"device": "press-1", "timezone": "Europe/Berlin", "is_dry_run": True})

    layout: Layout | None = None
    encoding: Literal["utf-8", "utf-16", "windows-1252"] | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] | None = None
    time_column: ColumnName | None = None
    time_format: Annotated[str, Field(min_length=2, max_length=60, pattern=LINE)] | None = None
    timezone: Annotated[str, Field(min_length=1, max_length=64, pattern=LINE)] = "UTC"
    ambiguous: Ambiguous = Ambiguous.EARLIER
    device: Key | None = None
    device_column: ColumnName | None = None
    parameter_column: ColumnName | None = None
    value_column: ColumnName | None = None
    columns: Annotated[list[ImportColumn], Field(max_length=200)] = []
    has_texts: bool = False
    is_dry_run: bool = False


class ImportRequest(Sent):
    """Import an uploaded file."""

    model_config = example({"upload_id": "01932f0c8e7a7c3fa1b2c3d4e5f60718", "plan": {"device": "press-1"}})

    upload_id: Identifier
    plan: ImportPlan = ImportPlan()


class Upload(Received):
    """A file that was uploaded to be imported; it is removed after seven days.

    Attributes:
        name: what it was called where it came from.
        plan: how it would be read as it is.
        header: the names of its columns.
        rows: its first rows, as text.
        problem: why it cannot be read as it is, in one sentence; "" when it can.
    """

    id: Identifier
    name: str
    size_bytes: int
    uploaded_at: datetime
    plan: ImportPlan
    header: list[str] = []
    rows: list[list[str]] = []
    problem: str = ""


class UploadList(Received):
    """Newest first."""

    uploads: list[Upload]


class ExportForm(StrEnum):
    """Every sample, statistics per bin, or values on a regular grid."""

    RAW = "raw"
    BINNED = "binned"
    INTERPOLATED = "interpolated"


class Interpolation(StrEnum):
    """Between two samples the value stays, or moves in a straight line."""

    STEP = "step"
    LINEAR = "linear"


class TableFormat(StrEnum):
    """The file's format."""

    CSV = "csv"
    PARQUET = "parquet"


class ExportPlan(Sent):
    """What to export, and how it is written.

    Attributes:
        parameter_ids: empty means all parameters of the factory.
        width_s: of a bin, or between two points of the grid; None for the narrowest of at most 100,000 per parameter.
        interpolation: between two samples, for a grid.
        longest_gap_s: between samples further apart a grid stays empty, as it does in recorded gaps.
        has_quality: write what is known about each sample (late, imported, …) in columns of its own.
        decimal / delimiter / has_bom: of CSV; a byte order mark helps spreadsheets.
        has_origin: begin a CSV file with lines that say where it comes from.
    """

    model_config = example(
        {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "form": "raw", "format": "csv"}
    )

    parameter_ids: Annotated[list[Identifier], Field(max_length=1_000)] = []
    start: SentMoment
    end: SentMoment
    form: ExportForm = ExportForm.RAW
    width_s: Annotated[float, Field(gt=0.001, le=604_800, allow_inf_nan=False)] | None = None
    interpolation: Interpolation = Interpolation.STEP
    longest_gap_s: Annotated[float, Field(gt=0, le=604_800, allow_inf_nan=False)] = 600.0
    layout: Layout = Layout.LONG
    format: TableFormat = TableFormat.CSV
    has_quality: bool = True
    decimal: Literal[".", ","] = "."
    delimiter: Literal[",", ";", "\t"] = ","
    has_bom: bool = False
    has_origin: bool = True


class ExportEstimate(Received):
    """About how much an export will be.

    Attributes:
        rows / size_bytes: rough; reality lies within a factor of two for even sampling.
    """

    parameters: int
    rows: int
    size_bytes: int
