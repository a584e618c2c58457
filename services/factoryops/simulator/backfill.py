"""A day of history for the simulated plant, imported in seconds, so that nothing is ever empty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from factoryops.domain.errors import StorageError
from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import US_PER_S, now_us
from factoryops.journal.import_writer import ImportPlace, ImportWriter
from factoryops.simulator.plant import Machine, Plant

_CHUNK_S: Final = 3_600
_SHORTEST_STEP_S: Final = 5.0


class _State(msgspec.Struct, frozen=True):
    """How far the import has come, so that one that was killed goes on where it stopped."""

    start_us: int
    end_us: int
    done_us: int


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """What was imported.

    Attributes:
        samples: written now; 0 when the day had been imported before.
        start_us / end_us: the span of the import, whenever it was made.
    """

    samples: int
    start_us: int
    end_us: int


def backfill(
    place: ImportPlace,
    state_file: Path,
    factory_id: FactoryId,
    *,
    span_s: int = 86_400,
    seed: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> BackfillResult:
    """Import the plant's last day, once; a later call finds it done, and gaps since then stay gaps.

    Args:
        place: the import journal.
        state_file: remembers how far it came.
        factory_id: whose history it becomes.
        span_s: how much, ending now.
        seed: the plant's.
        on_progress: called with 0 to 1.

    Raises:
        UnavailableError: somebody else is importing at the moment.
        StorageError: the journal or the state file cannot be written.
    """
    state = _read_state(state_file) or _first_state(span_s)
    if state.done_us >= state.end_us:
        return BackfillResult(0, state.start_us, state.end_us)
    plant = Plant(seed=seed)
    samples = 0
    with ImportWriter(place) as writer:
        for start_us in range(state.done_us, state.end_us, _CHUNK_S * US_PER_S):
            end_us = min(start_us + _CHUNK_S * US_PER_S, state.end_us)
            samples += _import_chunk(writer, plant, factory_id, start_us, end_us)
            _write_state(state_file, _State(state.start_us, state.end_us, end_us))
            if on_progress is not None:
                on_progress((end_us - state.start_us) / (state.end_us - state.start_us))
    return BackfillResult(samples, state.start_us, state.end_us)


def _first_state(span_s: int) -> _State:
    end_us = now_us() // US_PER_S * US_PER_S
    return _State(end_us - span_s * US_PER_S, end_us, end_us - span_s * US_PER_S)


def _import_chunk(writer: ImportWriter, plant: Plant, factory_id: FactoryId, start_us: int, end_us: int) -> int:
    parts: list[SampleColumns] = []
    keys: dict[int, SeriesKey] = {}
    for machine in plant.machines.values():
        for key, columns in _measured(plant, machine, factory_id, start_us, end_us):
            keys[series_id(key)] = key
            parts.append(columns)
    samples = SampleColumns.joined(parts)
    writer.append(samples, keys)
    return len(samples)


def _measured(
    plant: Plant, machine: Machine, factory_id: FactoryId, start_us: int, end_us: int
) -> list[tuple[SeriesKey, SampleColumns]]:
    step_us = round(max(machine.period_s, _SHORTEST_STEP_S) * US_PER_S)
    first_us = -(-start_us // step_us) * step_us
    times_us = np.arange(first_us, end_us, step_us, dtype=np.int64)
    columns: list[tuple[SeriesKey, SampleColumns]] = []
    for parameter, values in plant.signals(machine.key, times_us).items():
        key = SeriesKey(factory_id, machine.key, parameter)
        present = np.isfinite(values)
        count = int(present.sum())
        columns.append((key, SampleColumns(
            np.full(count, series_id(key), np.int64), times_us[present], values[present],
            np.zeros(count, np.uint8),
        )))  # fmt: skip
    return columns


def _read_state(file: Path) -> _State | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_State)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(
            f"{file} does not tell how far the example history was imported ({error}). Delete it to import a new day."
        ) from error


def _write_state(file: Path, state: _State) -> None:
    temporary = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(state))
        temporary.replace(file)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror or error}. Check the data folder.") from error
