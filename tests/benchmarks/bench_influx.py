"""The InfluxDB adapter: encoding and sending, reading a million rows back."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.history.influx.answers import parse_answer
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.influx.transport import InfluxConfig
from tests.benchmarks.figure import Figure
from tests.support.influx_server import OneToken

_START_US: Final = 1_700_006_400_000_000
_DEVICES: Final = 200
_FIELDS: Final = 10
_ROUNDS: Final = 5
_POINTS: Final = 20_000
_ROWS: Final = 1_000_000


def _keys() -> dict[int, SeriesKey]:
    keys = (
        SeriesKey("f" * 32, f"machine-{n // _FIELDS}", f"parameter-{n % _FIELDS}") for n in range(_DEVICES * _FIELDS)
    )
    return {int(series_id(key)): key for key in keys}


def _samples(keys: dict[int, SeriesKey], first: int, random: np.random.Generator) -> SampleColumns:
    """As ingest writes them: message after message, two decimals."""
    messages = _POINTS // _DEVICES
    series = np.tile(np.array(list(keys), np.int64), messages)
    times = _START_US + np.repeat(first + np.arange(messages), len(keys)) * 1_000_000
    values = np.round(50 + np.cumsum(random.normal(0, 0.05, (messages, len(keys))), axis=0), 2).ravel()
    return SampleColumns(series, times, values, np.zeros(len(series), np.uint8))


@contextmanager
def _sink() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.influx_sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _upload(folder: Path) -> Figure:
    random, keys = np.random.default_rng(1), _keys()
    rates: list[float] = []
    with _sink() as url:
        config = InfluxConfig(url, "bench", OneToken("bench"))
        with closing(InfluxHistory(config, folder / "influx-state.db", {})) as store:
            for turn in range(_ROUNDS + 1):
                samples = _samples(keys, turn * (_POINTS // _DEVICES), random)
                begun = time.process_time()
                store.append(samples, keys, gaps=(), checkpoints={"journal": turn + 1})
                rates.append(_POINTS / (time.process_time() - begun))
    note = "the whole append: sorted, encoded, sent, confirmed, checkpoint moved; points of 10 fields per CPU-second"
    return Figure("influx: points uploaded", median(rates[1:]), "points/s", "at least 100,000", note)


def _read_back() -> Figure:
    moments = np.datetime64(_START_US, "us") + np.arange(_ROWS) * np.timedelta64(1_003, "ms")
    values = np.round(np.random.default_rng(2).normal(50, 3, _ROWS), 2).tolist()
    rows = (
        f",samples,0,{moment}Z,{value!r}" for moment, value in zip(np.datetime_as_string(moments), values, strict=True)
    )
    body = "\r\n".join([",result,table,_time,_value", *rows, "", ""]).encode()
    spent: list[float] = []
    for _ in range(3):
        begun = time.process_time()
        found = sum(len(answer.value) for answer in parse_answer(body).values())
        spent.append(time.process_time() - begun)
        assert found == _ROWS
    return Figure("influx: a million rows read from the answer", median(spent), "s", "under 1 s", "CPU time")


def measure() -> list[Figure]:
    """Everything about InfluxDB."""
    with tempfile.TemporaryDirectory() as folder:
        return [_upload(Path(folder)), _read_back()]
