"""Of Flux the stub understands our query templates and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from tests.support.influx_stub_lines import Value

Place = tuple[str, str, str]  # measurement, device, field
Points = Mapping[Place, Mapping[int, Value]]


class FluxError(Exception):
    """The query is none of ours."""


_STRING = r'"(?:[^"\\$]|\\.)*"'
_SERIES = re.compile(rf"r\.device == ({_STRING}) and r\._field == ({_STRING})")
_QUERY = re.compile(
    rf"from\(bucket: ({_STRING})\) \|> range\(start: time\(v: (-?\d+)\), stop: time\(v: (-?\d+)\)\)\n"
    r"  \|> filter\(fn: \(r\) => r\._measurement == \"(\w+)\"(?: and (.*?))?\)"
    r"(\n  \|> last\(\))?(?:\n  \|> limit\(n: (\d+)\))?\n"
    r"  \|> keep\(columns: \[(.*)\]\)(?:\n  \|> yield\(name: \"(\w+)\"\))?"
)


def bucket_of(flux: str) -> str:
    """The one bucket a query reads."""
    names = set(re.findall(rf"from\(bucket: ({_STRING})\)", flux))
    if len(names) != 1:
        raise FluxError("compilation failed")
    return unquote(names.pop())


def answer(points: Points, flux: str) -> str:
    """The CSV that InfluxDB gives; raises FluxError."""
    matches = list(_QUERY.finditer(flux))
    if not matches or "\n".join(match[0] for match in matches) != flux:
        raise FluxError("compilation failed")
    return "".join(_result(points, match) for match in matches)


def _result(points: Points, match: re.Match[str]) -> str:
    _, start, stop, measurement, filters, last, most, columns, result = match.groups()
    kept = re.findall(r'"(\w+)"', columns)
    lines: list[str] = []
    table = 0
    for device, field in _wanted(points, measurement, filters):
        rows = _within(points.get((measurement, device, field), {}), start, stop)
        rows = rows[-1:] if last else rows[: int(most)] if most else rows
        cells = {"_field": _csv(field), "device": _csv(device)}
        ending = "".join(f",{cells[column]}" for column in kept if column in cells)
        lines += [
            f",{result or '_result'},{table},{_stamp(time_us)},{_number(value)}{ending}" for time_us, value in rows
        ]
        table += bool(rows)
    return "\r\n".join([f",result,table,{','.join(kept)}", *lines, "", ""]) if lines else ""


def _wanted(points: Points, measurement: str, filters: str | None) -> list[tuple[str, str]]:
    if filters is None:
        return [(device, field) for one, device, field in points if one == measurement]
    return [(unquote(device), unquote(field)) for device, field in _SERIES.findall(filters)]


def unquote(literal: str) -> str:
    """What a Flux string literal means."""
    simple = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(
        r"\\(?:x([0-9a-fA-F]{2})|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else simple[found[2]],
        literal[1:-1],
    )


def _csv(text: str) -> str:
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if any(one in text for one in ',"\r\n') or text[:1] == " " else text


def _stamp(time_us: int) -> str:
    text = str(np.datetime64(time_us, "us"))
    return (text.rstrip("0") if not text.endswith(".000000") else text[:-7]) + "Z"


def _number(value: Value) -> str:
    if not isinstance(value, float):
        return str(value)
    return np.format_float_positional(value, trim="-")


def _within(values: Mapping[int, Value], start_ns: str, stop_ns: str) -> list[tuple[int, Value]]:
    return sorted((t, value) for t, value in values.items() if int(start_ns) <= t * 1_000 < int(stop_ns))
