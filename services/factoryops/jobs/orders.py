"""What travels between a worker and its child process: one order on stdin, lines of progress and an end on stdout."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from factoryops.contracts.http import JobKind


class InfluxSource(msgspec.Struct, frozen=True, tag="influx"):
    """History in an InfluxDB server; tokens are read from their files."""

    url: str
    org: str
    tokens_folder: str
    bucket_prefix: str
    timeout_s: float
    state_path: str


class LocalSource(msgspec.Struct, frozen=True, tag="local"):
    """History in `history.db`."""

    path: str


HistorySource = LocalSource | InfluxSource


class ImportTarget(msgspec.Struct, frozen=True):
    """The import journal, for kinds of work that write it (`factoryops.journal.import_writer.ImportPlace`)."""

    journal: str
    checkpoints_folder: str
    doorbell_folder: str
    size_limit_bytes: int


class Order(msgspec.Struct, frozen=True):
    """One run, with all a child needs to carry it out.

    Attributes:
        folder: an empty folder of this attempt's own; files left in it become artifacts.
        journals: journal name -> file, for what the store does not hold yet.
        memory_limit_bytes: what the child may allocate.
        arguments: what else the kind of work is told.
        uploads_folder: where uploaded files wait to be imported.
        imports: the import journal; None where nothing may be imported.
    """

    kind: JobKind
    run_id: str
    factory_id: str
    start: datetime
    end: datetime
    device_ids: tuple[str, ...]
    requested_by: str
    database_url: str
    history: HistorySource
    journals: dict[str, str]
    folder: str
    memory_limit_bytes: int
    arguments: dict[str, object] = {}
    uploads_folder: str = ""
    imports: ImportTarget | None = None


class LeftFile(msgspec.Struct, frozen=True):
    """A file in the order's folder.

    Attributes:
        file: its name in the folder.
        name: the file name a person is offered.
    """

    file: str
    name: str
    media_type: str


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far it is (0 to 1), and what it is doing."""

    progress: float
    message: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It worked."""

    message: str
    result: dict[str, object]
    files: tuple[LeftFile, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It did not.

    Attributes:
        is_final: trying again would give the same.
    """

    reason: str
    is_final: bool


Report = Progress | Done | Failed

ORDER: Final = msgspec.json.Decoder(Order)
REPORT: Final = msgspec.json.Decoder(Report)
ENCODE: Final = msgspec.json.Encoder()
LONGEST_LINE: Final = 1 << 20
"""Bytes of one line of a child; a longer one ends the child."""
