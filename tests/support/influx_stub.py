"""A strict stand-in for InfluxDB 2's HTTP interface: what the real one refuses, it refuses.

Line protocol is parsed strictly, field types are checked, buckets and tokens exist or not, and of Flux it understands
our two query templates and nothing else. Faults can be ordered by tests.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np

from factoryops.domain.bins import bin_samples

STUB_ORG = "stub-org"
STUB_TOKEN = "stub-token"

Value = float | int
Fault = Callable[["_Handler"], None]
Place = tuple[str, str, str]  # measurement, device, field


class LineError(Exception):
    """The line is not line protocol."""


class InfluxStub:
    """The server, in a thread of its own.

    Attributes:
        buckets: name -> (measurement, device, field) -> time in µs -> value.
        requests: (method, path) of every request.
        may_create: whether the token may make buckets.
        most_bytes: larger bodies are answered 413.
        is_bad: lines it refuses with 400 for a reason of its own.
    """

    def __init__(self) -> None:
        self.buckets: dict[str, dict[Place, dict[int, Value]]] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens = {STUB_TOKEN}
        self.may_create = True
        self.most_bytes = 50_000_000
        self.is_bad: Callable[[str], bool] = lambda _line: False
        self._faults: list[Fault] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.stub = self  # type: ignore[attr-defined]  # how a handler finds its stub
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, status: int, *, times: int = 1, after: int = 0, retry_after: str | None = None) -> None:
        """Answer `times` writes or queries with `status`, after `after` good ones."""
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._faults += [_Handler.carry_on] * after
        self._faults += [lambda handler: handler.answer(status, {"message": f"ordered {status}"}, headers)] * times

    def break_connection(self, *, times: int = 1) -> None:
        """Close the connection in the middle of `times` requests."""
        self._faults += [_Handler.hang_up] * times

    def hang(self, *, times: int = 1) -> None:
        """Do not answer until `released` is set."""
        self._faults += [_Handler.wait_for_release] * times

    def next_fault(self) -> Fault:
        with self.lock:
            return self._faults.pop(0) if self._faults else _Handler.carry_on


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer: a header alone would wait for the client's delayed acknowledgement
    _is_done = False

    @property
    def stub(self) -> InfluxStub:
        found: InfluxStub = self.server.stub  # type: ignore[attr-defined]  # set by InfluxStub
        return found

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def answer(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        data = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/csv" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        self._is_done = True

    def carry_on(self) -> None:
        """No fault."""

    def hang_up(self) -> None:
        self.close_connection = True
        self._is_done = True
        self.connection.close()

    def wait_for_release(self) -> None:
        self.stub.released.wait(30)
        self.hang_up()

    def do_GET(self) -> None:
        self.stub.requests.append(("GET", self.path))
        path = urlsplit(self.path).path
        if path == "/health":
            self.answer(200, {"status": "pass"})
        elif path == "/api/v2/orgs":
            self.answer(200, {"orgs": [{"id": "0000000000000001", "name": STUB_ORG}]})
        else:
            self.answer(404, {"code": "not found", "message": "path not found"})

    def do_POST(self) -> None:
        self._is_done = False
        parts = urlsplit(self.path)
        self.stub.requests.append(("POST", parts.path))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.stub.next_fault()(self)
        if self._is_done:
            return
        if self.headers.get("Authorization") not in {f"Token {token}" for token in self.stub.tokens}:
            self.answer(401, {"code": "unauthorized", "message": "unauthorized access"})
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.stub.lock:
            {"/api/v2/write": self._write, "/api/v2/query": self._query, "/api/v2/buckets": self._create}[parts.path](
                body, query
            )

    def _create(self, body: bytes, _query: dict[str, str]) -> None:
        if not self.stub.may_create:
            self.answer(403, {"code": "forbidden", "message": "insufficient permissions to create a bucket"})
            return
        name = json.loads(body)["name"]
        self.stub.buckets.setdefault(name, {})
        self.answer(201, {"id": "0000000000000002", "name": name, "retentionRules": []})

    def _write(self, body: bytes, query: dict[str, str]) -> None:
        bucket = self.stub.buckets.get(query["bucket"])
        if query["org"] != STUB_ORG or query["precision"] != "us":
            self.answer(400, {"code": "invalid", "message": "wrong organisation or precision"})
        elif len(body) > self.stub.most_bytes:
            self.answer(413, {"code": "request too large", "message": "request too large"})
        elif bucket is None:
            self.answer(404, {"code": "not found", "message": f'bucket "{query["bucket"]}" not found'})
        else:
            self._write_lines(bucket, body.decode())

    def _write_lines(self, bucket: dict[Place, dict[int, Value]], text: str) -> None:
        try:
            points = [self._parsed(line) for line in text.split("\n") if line]
        except LineError as error:
            self.answer(400, {"code": "invalid", "message": str(error)})
            return
        conflict = ""
        for measurement, device, fields, time_us in points:
            for name, value in fields.items():
                kept = bucket.setdefault((measurement, device, name), {})
                if kept and not isinstance(value, type(next(iter(kept.values())))):
                    conflict = f'input field "{name}" on measurement "{measurement}" has another type already'
                else:
                    kept[time_us] = value
        if conflict:
            self.answer(422, {"code": "unprocessable entity", "message": f"failure writing points: {conflict}"})
        else:
            self.answer(204)

    def _parsed(self, line: str) -> tuple[str, str, dict[str, Value], int]:
        if self.stub.is_bad(line):
            raise LineError(f"unable to parse '{line}': refused by order")
        return parse_line(line)

    def _query(self, body: bytes, _query: dict[str, str]) -> None:
        request = json.loads(body)
        flux: str = request["query"]
        bucket_name = _unquote(_RAW_BUCKET.findall(flux)[0])
        bucket = self.stub.buckets.get(bucket_name)
        if bucket is None:
            self.answer(404, {"code": "not found", "message": f"could not find bucket {bucket_name!r}"})
        elif match := _BINNED.fullmatch(flux):
            self.answer(200, _binned_answer(bucket, match))
        elif matches := list(_RAW.finditer(flux)):
            if "\n".join(match[0] for match in matches) != flux:
                self.answer(400, {"code": "invalid", "message": "compilation failed"})
            else:
                self.answer(200, "".join(_raw_answer(bucket, match) for match in matches))
        else:
            self.answer(400, {"code": "invalid", "message": "compilation failed"})


def _split(text: str, separator: str) -> list[str]:
    """Split at unescaped separators."""
    return re.split(rf"(?<!\\){separator}", text)


def _unescape(text: str) -> str:
    if not text or text.endswith("\\") or re.search(r"\\(?![,= ])", text) or re.search(r"(?<!\\)[,= ]", text):
        raise LineError(f"unable to parse name {text!r}")
    return re.sub(r"\\([,= ])", r"\1", text)


def parse_line(line: str) -> tuple[str, str, dict[str, Value], int]:
    """Measurement, device, fields and time of one line; raises LineError."""
    parts = _split(line, " ")
    if len(parts) != 3 or line.startswith("#"):
        raise LineError(f"unable to parse '{line}': three parts are needed")
    head, fields_text, time_text = parts
    measurement, *tags = _split(head, ",")
    if len(tags) != 1 or len(tag := _split(tags[0], "=")) != 2 or tag[0] != "device":
        raise LineError(f"unable to parse '{line}': one tag, device, is needed")
    fields: dict[str, Value] = {}
    for text in _split(fields_text, ","):
        pair = _split(text, "=")
        if len(pair) != 2:
            raise LineError(f"unable to parse '{line}': missing field value")
        name = _unescape(pair[0])
        if name == "time" or name.startswith("_"):
            raise LineError(f"unable to parse '{line}': the name {name} is reserved")
        fields[name] = _number(pair[1])
    if not re.fullmatch(r"-?\d+", time_text):
        raise LineError(f"unable to parse '{line}': bad timestamp")
    return _unescape(measurement), _unescape(tag[1]), fields, int(time_text)


def _number(text: str) -> Value:
    if re.fullmatch(r"-?\d+i", text):
        return int(text[:-1])
    if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text):
        raise LineError(f"invalid number {text}")
    return float(text)


_STRING = r'"(?:[^"\\$]|\\.)*"'
_SERIES = rf"r\.device == ({_STRING}) and r\._field == ({_STRING})"
_SOURCE = rf"from\(bucket: ({_STRING})\) \|> range\(start: time\(v: (-?\d+)\), stop: time\(v: (-?\d+)\)\)\n"
_RAW_BUCKET = re.compile(rf"from\(bucket: ({_STRING})\)")
_RAW = re.compile(
    rf"{_SOURCE}  \|> filter\(fn: \(r\) => r\._measurement == \"(\w+)\" and {_SERIES}\)\n"
    r"  \|> limit\(n: (\d+)\)\n  \|> keep\(columns: \[\"_time\", \"_value\"\]\)\n  \|> yield\(name: \"(\w+)\"\)"
)
_WINDOW = (
    r"\ndata \|> aggregateWindow\(every: (\d+)us, fn: {0}, createEmpty: false, timeSrc: \"_start\"\)\n"
    r"  \|> keep\(columns: \[\"_time\", \"_value\", \"_field\", \"device\"\]\)\n  \|> yield\(name: \"{0}\"\)"
)
_FUNCTIONS = ("min", "max", "mean", "count")
_BINNED = re.compile(
    rf"data = {_SOURCE}  \|> filter\(fn: \(r\) => r\._measurement == \"samples\" and \((.*)\)\)"
    + "".join(_WINDOW.format(function) for function in _FUNCTIONS)
)


def _unquote(literal: str) -> str:
    simple = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(
        r"\\(?:x([0-9a-fA-F]{2})|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else simple[found[2]],
        literal[1:-1],
    )


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _stamp(time_us: int) -> str:
    return f"{np.datetime64(time_us, 'us')}Z"


def _within(values: dict[int, Value], start_ns: str, stop_ns: str) -> list[tuple[int, Value]]:
    return sorted((t, value) for t, value in values.items() if int(start_ns) <= t * 1_000 < int(stop_ns))


def _raw_answer(bucket: dict[Place, dict[int, Value]], match: re.Match[str]) -> str:
    _, start, stop, measurement, device, name, most, result = match.groups()
    kept = bucket.get((measurement, _unquote(device), _unquote(name)), {})
    rows = _within(kept, start, stop)[: int(most)]
    if not rows:
        return ""
    lines = [f",{result},0,{_stamp(time_us)},{value!r}" for time_us, value in rows]
    return "\r\n".join([",result,table,_time,_value", *lines, "", ""])


def _binned_answer(bucket: dict[Place, dict[int, Value]], match: re.Match[str]) -> str:
    _, start, stop, filters, *widths = match.groups()
    series = [(_unquote(device), _unquote(name)) for device, name in re.findall(_SERIES, filters)]
    text = ""
    for function, width in zip(_FUNCTIONS, widths, strict=True):
        lines = [",result,table,_time,_value,_field,device"]
        for table, (device, name) in enumerate(series):
            rows = _within(bucket.get(("samples", device, name), {}), start, stop)
            bins = bin_samples(
                np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows]), int(width)
            )
            values: list[Value] = {"min": bins.minimum, "max": bins.maximum, "mean": bins.mean, "count": bins.count}[
                function
            ].tolist()
            for first, value in zip(bins.start_us.tolist(), values, strict=True):
                moment = max(first, -(-int(start) // 1_000))
                lines.append(f",{function},{table},{_stamp(moment)},{value!r},{_csv(name)},{_csv(device)}")
        if len(lines) > 1:
            text += "\r\n".join([*lines, "", ""])
    return text
