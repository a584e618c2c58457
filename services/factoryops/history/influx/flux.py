"""The queries, from fixed templates; text of others enters them through one string encoder only."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.history.influx.lines import FLAGS, MARKER, SAMPLES, SeriesName

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


def series_query(bucket: str, names: Sequence[SeriesName], span: tuple[int, int], measurements: Sequence[str]) -> str:
    """All values of several series in [start, end), one result per measurement."""
    return "\n".join(_selected(bucket, names, span, measurement) for measurement in measurements)


def newest_query(bucket: str, names: Sequence[SeriesName], span: tuple[int, int]) -> str:
    """The newest value of several series in [start, end), and their newest flags."""
    return "\n".join(_selected(bucket, names, span, one, "\n  |> last()") for one in (SAMPLES, FLAGS))


def _selected(
    bucket: str, names: Sequence[SeriesName], span: tuple[int, int], measurement: str, reduced: str = ""
) -> str:
    series = " or ".join(f"({_is_series(name)})" for name in names)
    return (
        f"{_source(bucket, span)}\n"
        f"  |> filter(fn: (r) => r._measurement == {flux_string(measurement)} and ({series})){reduced}\n"
        '  |> keep(columns: ["_time", "_value", "_field", "device"])\n'
        f"  |> yield(name: {flux_string(measurement)})"
    )


def marker_query(bucket: str, span: tuple[int, int]) -> str:
    """The marker points of a bucket in [start, end)."""
    return (
        f"{_source(bucket, span)}\n"
        f"  |> filter(fn: (r) => r._measurement == {flux_string(MARKER)})\n"
        '  |> keep(columns: ["_time", "_value", "_field"])'
    )
