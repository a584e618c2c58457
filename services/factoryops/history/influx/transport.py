"""Talks to the InfluxDB server: bytes in, raw CSV out, and one table of which error means what.

influxdb-client carries the bytes; its batching and its retries, which lose data, are never used.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException

from factoryops.domain.errors import UnavailableError
from factoryops.history.influx.tokens import ClosedBucketError, Right, Tokens

_MOST_WAIT_S: Final = 300
_ITS_FAULT: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_CLOSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_DIALECT: Final = Dialect(  # type: ignore[no-untyped-call]  # influxdb-client gives its models no types
    header=True, annotations=[], delimiter=",", comment_prefix="#", date_time_format="RFC3339Nano"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InfluxConfig:
    """Where InfluxDB is and how to enter it.

    Attributes:
        url: "http://host:8086".
        tokens: of each factory's bucket.
        bucket_prefix: a factory's bucket is named so, followed by the factory's id.
        timeout_s: for each request.
        most_lines: per request; halved while requests time out.
        is_compressed: gzip both ways: a tenth of the traffic for about twice the computing time.
    """

    url: str
    org: str
    tokens: Tokens = field(repr=False)
    bucket_prefix: str = "factoryops-"
    timeout_s: float = 10.0
    most_lines: int = 5_000
    is_compressed: bool = False

    def bucket(self, factory: str, form: str = "") -> str:
        """The name of a factory's bucket; `form` is "minute" or "hour" for that of the roll-ups."""
        return f"{self.bucket_prefix}{factory}{'-' if form else ''}{form}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server will not take these bytes, ever.

    Attributes:
        status: 400 or 422 (a line is bad), 413 (too much at once).
        words: the server's own.
    """

    status: int
    words: str


class _Client:
    """Connections with one token."""

    def __init__(self, config: InfluxConfig, token: str) -> None:
        self.token = token
        self._client = InfluxDBClient(
            url=config.url,
            token=token,
            org=config.org,
            timeout=int(config.timeout_s * 1_000),
            enable_gzip=config.is_compressed,
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)
        self._query_api = self._client.query_api()

    def write(self, bucket: str, body: bytes) -> None:
        self._write_api.write(bucket=bucket, record=body, write_precision="us")  # type: ignore[arg-type]  # its enumeration holds plain strings

    def query(self, flux: str) -> bytes:
        response: Any = self._query_api.query_raw(flux, dialect=_DIALECT)
        return bytes(response.data)

    def close(self) -> None:
        self._write_api.close()  # type: ignore[no-untyped-call]  # not typed by influxdb-client
        self._client.close()  # type: ignore[no-untyped-call]  # as above


class Transport:
    """One server; safe from several threads."""

    def __init__(self, config: InfluxConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, Right], _Client] = {}

    def write(self, factory: str, body: bytes, *, bucket: str | None = None) -> Refusal | None:
        """Send lines to a factory's bucket, or to `bucket` of its roll-ups; None when all of them are kept.

        Raises:
            ClosedBucketError: the bucket does not let us in, or is not there.
            UnavailableError: the server is away or busy.
        """
        try:
            with self._translated(factory):
                place = bucket or self._config.bucket(factory)
                self._asked(factory, Right.WRITE, lambda client: client.write(place, body))
        except ApiException as error:
            return Refusal(int(error.status), words_of(error))
        return None

    def touch(self, factory: str, bucket: str) -> None:
        """See whether lines could be written, without writing any; raises as `write` does."""
        self.write(factory, b"", bucket=bucket)

    def query(self, factory: str, flux: str) -> bytes:
        """The answer to a query of a factory's bucket, as CSV.

        Raises:
            ClosedBucketError: the bucket does not let us in, or is not there.
            UnavailableError: the server is away, busy or cannot answer.
        """
        try:
            with self._translated(factory):
                return self._asked(factory, Right.READ, lambda client: client.query(flux))
        except ApiException as error:
            raise UnavailableError(f"InfluxDB cannot answer the query: {words_of(error)}") from error

    def _asked(self, factory: str, right: Right, ask: Callable[[_Client], T]) -> T:
        """Ask, and once more when the token was just replaced by another."""
        client = self._client(factory, right)
        try:
            return ask(client)
        except ApiException as error:
            newer = self._client(factory, right)
            if int(error.status or 0) != HTTPStatus.UNAUTHORIZED or newer is client:
                raise
            return ask(newer)

    def _client(self, factory: str, right: Right) -> _Client:
        token = self._config.tokens.get(factory, right)
        with self._lock:
            client = self._clients.get((factory, right))
            if client is None or client.token != token:
                client = self._clients[factory, right] = _Client(self._config, token)
        return client

    @contextlib.contextmanager
    def _translated(self, factory: str) -> Iterator[None]:
        """Turn what is not the request's own fault into UnavailableError; what is passes as ApiException."""
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(
                f"InfluxDB at {self._config.url} does not answer ({_first_line(error)}). Samples wait in the journal; "
                "see whether the server runs and can be reached.",
                retry_after_s=1,
            ) from error
        except ApiException as error:
            status = int(error.status or 0)
            if status in _ITS_FAULT:
                raise
            if status in _CLOSED:
                raise self._closed(factory, status, error) from error
            raise UnavailableError(
                f"InfluxDB at {self._config.url} is not able to answer ({status}: {words_of(error)}). "
                "Samples wait in the journal.",
                retry_after_s=_retry_after_s(error),
            ) from error

    def _closed(self, factory: str, status: int, error: ApiException) -> ClosedBucketError:
        bucket = self._config.bucket(factory)
        advice = "check url and org in the settings, then run: factoryops-service influx setup"
        if status == HTTPStatus.NOT_FOUND:
            advice = (
                "it is gone, or the token may not see it: restore it from a backup; or run factoryops-service influx "
                "setup, which makes an empty one, and then influx replay for what the journal still holds"
            )
        return ClosedBucketError(
            f"InfluxDB does not let us into the bucket {bucket} ({status}: {words_of(error)}). Its samples wait in the "
            f"journal and no other factory is concerned; {advice}",
            is_missing=status == HTTPStatus.NOT_FOUND,
        )

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def is_timeout(error: UnavailableError) -> bool:
    """Whether the server took too long."""
    return isinstance(error.__cause__, urllib3.exceptions.TimeoutError)


def _retry_after_s(error: ApiException) -> int:
    headers: Any = error.headers or {}
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return max(1, min(_MOST_WAIT_S, int(text))) if text.isdigit() else 1


def words_of(error: ApiException) -> str:
    """The server's own words in an error."""
    body: Any = error.body or b""
    try:
        answer = msgspec.json.decode(body)
        return str(answer["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        return text or str(error.reason or "no reason given")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
