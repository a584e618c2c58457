"""How far an import has come, so that one that was killed goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec

from factoryops.domain.errors import StorageError
from factoryops.domain.samples import SeriesKey
from factoryops.history.transfer.tally import Tally


class ImportState(msgspec.Struct, frozen=True):
    """One import's progress; written after the samples are on disk, so that at most one block is repeated.

    Attributes:
        token: names the import; the state of another is not taken up.
        position / row: where the next block begins.
        series: what got samples so far.
    """

    token: str
    position: int
    row: int
    tally: Tally
    series: tuple[SeriesKey, ...] = ()


def read_state(file: Path, token: str) -> ImportState | None:
    """Where an import stands; None when it has not begun, or its state cannot be read: it then begins anew."""
    try:
        state = msgspec.json.decode(file.read_bytes(), type=ImportState)
    except (OSError, msgspec.MsgspecError):
        return None
    return state if state.token == token else None


def write_state(file: Path, state: ImportState) -> None:
    """Remember it; raises StorageError."""
    temporary = file.with_name(file.name + ".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(state))
        temporary.replace(file)
    except OSError as error:
        raise StorageError(
            f"How far the import has come cannot be written to {file} ({error.strerror or error}). Free some space."
        ) from error
