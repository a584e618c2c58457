"""The two queries, from fixed templates; text of others enters them through one string encoder only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import UnavailableError
from factoryops.history.influx.lines import FLAGS, SAMPLES, SeriesName

_STRING_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "\\x24"})


def flux_string(text: str) -> str:
    """A Flux string literal that means exactly `text`."""
    return f'"{text.translate(_STRING_ESCAPES)}"'


def _source(bucket: str, span: tuple[int, int]) -> str:
    start, stop = (f"time(v: {moment * 1_000})" for moment in span)
    return f"from(bucket: {flux_string(bucket)}) |> range(start: {start}, stop: {stop})"


def _is_series(name: SeriesName) -> str:
    return f"r.device == {flux_string(name.device)} and r._field == {flux_string(name.field)}"


def raw_query(bucket: str, name: SeriesName, span: tuple[int, int], *, most: int) -> str:
    """The first `most` values of a series in [start, end), and the flags in their span."""
    return "\n".join(
        f"{_source(bucket, span)}\n"
        f"  |> filter(fn: (r) => r._measurement == {flux_string(measurement)} and {_is_series(name)})\n"
        f"  |> limit(n: {most})\n"
        '  |> keep(columns: ["_time", "_value"])\n'
        f"  |> yield(name: {flux_string(measurement)})"
        for measurement in (SAMPLES, FLAGS)
    )


def binned_query(bucket: str, names: Sequence[SeriesName], span: tuple[int, int], width_us: int) -> str:
    """Minimum, maximum, mean and count per bin of every series that has values in [start, end)."""
    series = " or ".join(f"({_is_series(name)})" for name in names)
    parts = [
        f"data = {_source(bucket, span)}\n"
        f"  |> filter(fn: (r) => r._measurement == {flux_string(SAMPLES)} and ({series}))"
    ]
    parts += [
        f'data |> aggregateWindow(every: {width_us}us, fn: {function}, createEmpty: false, timeSrc: "_start")\n'
        '  |> keep(columns: ["_time", "_value", "_field", "device"])\n'
        f"  |> yield(name: {flux_string(function)})"
        for function in ("min", "max", "mean", "count")
    ]
    return "\n".join(parts)


@dataclass
class Answer:
    """The rows of one result and series, as text."""

    times: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def time_us(self) -> npt.NDArray[np.int64]:
        """int64[n], microseconds since 1970."""
        return np.array([text.rstrip("Z") for text in self.times], "datetime64[us]").astype(np.int64)

    def value(self) -> npt.NDArray[np.float64]:
        """float64[n]."""
        return np.array(self.values, np.float64)


def parse_answer(text: str) -> dict[tuple[str, str, str], Answer]:
    """Rows by (result, device, field); device and field are "" where the query does not keep them.

    Raises:
        UnavailableError: the server broke off with an error.
    """
    answers: dict[tuple[str, str, str], Answer] = {}
    for header, row in _rows(text):
        if "error" in header:
            raise UnavailableError(f"InfluxDB broke off the query: {row[header['error']]}")
        place = tuple(row[header[name]] if name in header else "" for name in ("result", "device", "_field"))
        answer = answers.setdefault((place[0], place[1], place[2]), Answer())
        answer.times.append(row[header["_time"]])
        answer.values.append(row[header["_value"]])
    return answers


def _rows(text: str) -> Iterator[tuple[dict[str, int], list[str]]]:
    """Every row with its table's header; an empty row ends a table."""
    header: dict[str, int] | None = None
    for row in csv.reader(io.StringIO(text, newline="")):
        if not row:
            header = None
        elif header is None:
            header = {name: place for place, name in enumerate(row) if name}
        else:
            yield header, row
