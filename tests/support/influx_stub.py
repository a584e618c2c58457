"""A strict stand-in for InfluxDB 2's HTTP interface: what the real one refuses, it refuses.

Line protocol is parsed strictly, field types and retention are checked, buckets and tokens exist or not and a token may
do what it was made for; of Flux it understands our query templates and nothing else. Faults can be ordered by tests.
"""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.influx_stub_flux import FluxError, Place, answer, bucket_of
from tests.support.influx_stub_lines import LineError, Value, parse_line, split_lines

STUB_ORG = "stub-org"
STUB_TOKEN = "stub-token"
_ORG_ID = "0000000000000001"

Fault = Callable[["_Handler"], None]


@dataclass
class StubBucket:
    """A bucket and its points."""

    identity: str
    points: dict[Place, dict[int, Value]] = field(default_factory=dict)
    keep_s: int = 0


@dataclass
class StubToken:
    """An authorisation: (action, bucket id) pairs."""

    identity: str
    token: str
    description: str
    rights: set[tuple[str, str]]


class InfluxStub:
    """The server, in a thread of its own.

    Attributes:
        buckets: by name.
        tokens: made through the interface; STUB_TOKEN may do everything.
        requests: (method, path) of every request.
        most_bytes: larger bodies are answered 413.
        hang_up_always: whether it is as good as away.
        is_bad: lines it refuses with 400 for a reason of its own.
    """

    def __init__(self) -> None:
        self.buckets: dict[str, StubBucket] = {}
        self.tokens: dict[str, StubToken] = {}
        self.requests: list[tuple[str, str]] = []
        self.most_bytes = 50_000_000
        self.is_bad: Callable[[str], bool] = lambda _line: False
        self.numbers = itertools.count(2)
        self.hang_up_always = False
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

    def add_bucket(self, name: str, *, keep_s: int = 0) -> StubBucket:
        """Make a bucket, or find it."""
        return self.buckets.setdefault(name, StubBucket(self.new_id(), keep_s=keep_s))

    def new_id(self) -> str:
        return f"{next(self.numbers):016x}"

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

    def mend(self) -> None:
        """Forget the faults that were ordered."""
        with self.lock:
            self._faults.clear()

    def next_fault(self) -> Fault:
        if self.hang_up_always:
            return _Handler.hang_up
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
        self._begin("GET")
        query = self._query_arguments()
        path = urlsplit(self.path).path
        if path == "/health":
            self.answer(200, {"status": "pass"})
        elif not self._is_administrator():
            self._refuse()
        elif path == "/api/v2/orgs":
            self.answer(200, {"orgs": [{"id": _ORG_ID, "name": STUB_ORG}] if query.get("org") == STUB_ORG else []})
        elif path == "/api/v2/buckets":
            found = self.stub.buckets.get(query["name"])
            self.answer(200, {"buckets": [_bucket_answer(query["name"], found)] if found else []})
        elif path == "/api/v2/authorizations":
            self.answer(200, {"authorizations": [_token_answer(one) for one in self.stub.tokens.values()]})
        else:
            self.answer(404, {"code": "not found", "message": "path not found"})

    def do_POST(self) -> None:
        self._begin("POST")
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if path in ("/api/v2/write", "/api/v2/query"):
            self.stub.next_fault()(self)
        if self._is_done:
            return
        with self.stub.lock:
            {
                "/api/v2/write": self._write,
                "/api/v2/query": self._query,
                "/api/v2/buckets": self._create_bucket,
                "/api/v2/authorizations": self._create_token,
            }[path](body)

    def do_PATCH(self) -> None:
        self._begin("PATCH")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        identity = urlsplit(self.path).path.rsplit("/", 1)[1]
        if not self._is_administrator():
            self._refuse()
            return
        for name, bucket in self.stub.buckets.items():
            if bucket.identity == identity:
                bucket.keep_s = body["retentionRules"][0]["everySeconds"]
                self.answer(200, _bucket_answer(name, bucket))

    def do_DELETE(self) -> None:
        self._begin("DELETE")
        identity = urlsplit(self.path).path.rsplit("/", 1)[1]
        if not self._is_administrator():
            self._refuse()
            return
        self.stub.tokens = {text: one for text, one in self.stub.tokens.items() if one.identity != identity}
        self.answer(204)

    def _begin(self, method: str) -> None:
        self._is_done = False
        self.stub.requests.append((method, urlsplit(self.path).path))

    def _query_arguments(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    @property
    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Token ")

    def _is_administrator(self) -> bool:
        return self._token == STUB_TOKEN

    def _is_known(self) -> bool:
        return self._is_administrator() or self._token in self.stub.tokens

    def _may(self, action: str, bucket: StubBucket | None) -> bool:
        known = self.stub.tokens.get(self._token)
        return self._is_administrator() or bool(bucket and known and (action, bucket.identity) in known.rights)

    def _refuse(self) -> None:
        if self._is_known():
            self.answer(403, {"code": "forbidden", "message": "insufficient permissions for write"})
        else:
            self.answer(401, {"code": "unauthorized", "message": "unauthorized access"})

    def _create_bucket(self, body: bytes) -> None:
        if not self._is_administrator():
            self._refuse()
            return
        wanted = json.loads(body)
        keep_s = sum(rule["everySeconds"] for rule in wanted["retentionRules"])
        made = self.stub.add_bucket(wanted["name"], keep_s=keep_s)
        self.answer(201, _bucket_answer(wanted["name"], made))

    def _create_token(self, body: bytes) -> None:
        if not self._is_administrator():
            self._refuse()
            return
        wanted = json.loads(body)
        identity = self.stub.new_id()
        rights = {(one["action"], one["resource"]["id"]) for one in wanted["permissions"]}
        made = StubToken(identity, f"token-{identity}", wanted.get("description", ""), rights)
        self.stub.tokens[made.token] = made
        self.answer(201, _token_answer(made))

    def _write(self, body: bytes) -> None:
        query = self._query_arguments()
        bucket = self.stub.buckets.get(query["bucket"])
        if not self._is_known():
            self._refuse()
        elif query["org"] != STUB_ORG:
            self.answer(404, {"code": "not found", "message": f'organization name "{query["org"]}" not found'})
        elif query["precision"] != "us":
            self.answer(400, {"code": "invalid", "message": "wrong precision"})
        elif len(body) > self.stub.most_bytes:
            self.answer(413, {"code": "request too large", "message": "request too large"})
        elif bucket is None:
            self.answer(404, {"code": "not found", "message": f'bucket "{query["bucket"]}" not found'})
        elif not self._may("write", bucket):
            self._refuse()
        else:
            self._write_lines(bucket, body.decode())

    def _write_lines(self, bucket: StubBucket, text: str) -> None:
        try:
            parsed = [self._parsed(line) for line in split_lines(text)]
        except LineError as error:
            self.answer(400, {"code": "invalid", "message": str(error)})
            return
        earliest_us = int((time.time() - bucket.keep_s) * 1e6) if bucket.keep_s else -(1 << 63)
        fault = ""
        too_old = 0
        for measurement, device, fields, time_us in parsed:
            if time_us < earliest_us:
                too_old += 1
                fault = f"points beyond retention policy dropped={too_old}"
                continue
            for name, value in fields.items():
                kept = bucket.points.setdefault((measurement, device, name), {})
                if kept and not isinstance(value, type(next(iter(kept.values())))):
                    fault = f'field type conflict: input field "{name}" on measurement "{measurement}" dropped=1'
                else:
                    kept[time_us] = value
        if fault:
            message = f"failure writing points to database: partial write: {fault}"
            self.answer(422, {"code": "unprocessable entity", "message": message})
        else:
            self.answer(204)

    def _parsed(self, line: str) -> tuple[str, str, dict[str, Value], int]:
        if self.stub.is_bad(line):
            raise LineError(f"unable to parse '{line}': refused by order")
        return parse_line(line)

    def _query(self, body: bytes) -> None:
        flux: str = json.loads(body)["query"]
        try:
            name = bucket_of(flux)
            bucket = self.stub.buckets.get(name)
            if not self._is_known():
                self._refuse()
            elif bucket is None or not self._may("read", bucket):
                message = f'failed to initialize execute state: could not find bucket "{name}"'
                self.answer(404, {"code": "not found", "message": message})
            else:
                self.answer(200, answer(bucket.points, flux))
        except FluxError as error:
            self.answer(400, {"code": "invalid", "message": str(error)})


def _bucket_answer(name: str, bucket: StubBucket) -> dict[str, Any]:
    rules = [{"type": "expire", "everySeconds": bucket.keep_s}]
    return {"id": bucket.identity, "orgID": _ORG_ID, "name": name, "retentionRules": rules}


def _token_answer(token: StubToken) -> dict[str, Any]:
    return {
        "id": token.identity, "orgID": _ORG_ID, "token": token.token, "description": token.description,
        "permissions": [
            {"action": action, "resource": {"type": "buckets", "id": identity, "orgID": _ORG_ID}}
            for action, identity in sorted(token.rights)
        ],
    }  # fmt: skip
