"""Talks to the InfluxDB server: bytes in, raw CSV out, and one table of which error means what.

influxdb-client carries the bytes; its batching and its retries, which lose data, are never used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException

from factoryops.domain.errors import UnavailableError

_MOST_WAIT_S: Final = 300
_PROBE_S: Final = 60
_ITS_FAULT: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_DIALECT: Final = Dialect(  # type: ignore[no-untyped-call]  # influxdb-client gives its models no types
    header=True, annotations=[], delimiter=",", comment_prefix="#", date_time_format="RFC3339Nano"
)


@dataclass(frozen=True, slots=True)
class InfluxConfig:
    """Where InfluxDB is and how to enter it.

    Attributes:
        url: "http://host:8086".
        token: one that may read and write the buckets; may it also create them, they are made as needed.
        bucket_prefix: a factory's bucket is named so, followed by the factory's id.
        timeout_s: for each request.
        most_lines: per request; halved while requests time out.
    """

    url: str
    org: str
    token: str = field(repr=False)
    bucket_prefix: str = "factoryops-"
    timeout_s: float = 10.0
    most_lines: int = 5_000

    def bucket(self, factory: str) -> str:
        """The name of a factory's bucket."""
        return self.bucket_prefix + factory


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server will not take these bytes, ever.

    Attributes:
        status: 400 or 422 (a line is bad), 413 (too much at once), 404 (no such bucket).
        words: the server's own.
    """

    status: int
    words: str


class Transport:
    """One server; safe from several threads."""

    def __init__(self, config: InfluxConfig) -> None:
        self._config = config
        self._client = InfluxDBClient(
            url=config.url, token=config.token, org=config.org, timeout=int(config.timeout_s * 1_000)
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)
        self._query_api = self._client.query_api()

    def write(self, bucket: str, body: bytes) -> Refusal | None:
        """Send lines; None when all of them are kept.

        Raises:
            UnavailableError: the server is away, busy, or does not let us in.
        """
        try:
            with self._translated():
                self._write_api.write(bucket=bucket, record=body, write_precision="us")  # type: ignore[arg-type]  # its enumeration holds plain strings
        except ApiException as error:
            return Refusal(int(error.status), _words(error))
        return None

    def query(self, flux: str) -> str:
        """The answer as CSV.

        Raises:
            UnavailableError: the server is away, busy, does not let us in or cannot answer.
        """
        try:
            with self._translated():
                response: Any = self._query_api.query_raw(flux, dialect=_DIALECT)
                return str(response.data.decode("utf-8"))
        except ApiException as error:
            raise UnavailableError(f"InfluxDB cannot answer the query: {_words(error)}") from error

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket that keeps samples for ever.

        Raises:
            UnavailableError: it cannot be made; says what to do.
        """
        try:
            with self._translated():
                self._client.buckets_api().create_bucket(bucket_name=bucket, org=self._config.org)
        except (ApiException, UnavailableError) as error:
            raise UnavailableError(
                f"InfluxDB has no bucket {bucket} and it cannot be created ({error}). Samples wait in the journal; "
                "create the bucket, or give a token that may.",
                retry_after_s=_PROBE_S,
            ) from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
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
            if status in _ITS_FAULT or (status == HTTPStatus.NOT_FOUND and "bucket" in _words(error)):
                raise
            raise self._away(status, error) from error

    def _away(self, status: int, error: ApiException) -> UnavailableError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            return UnavailableError(
                f"InfluxDB at {self._config.url} refuses us ({status}: {_words(error)}). Samples wait in the journal; "
                "check the token, the organisation and the bucket in the settings.",
                retry_after_s=_PROBE_S,
            )
        return UnavailableError(
            f"InfluxDB at {self._config.url} is not able to answer ({status}: {_words(error)}). "
            "Samples wait in the journal.",
            retry_after_s=_retry_after_s(error),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._write_api.close()  # type: ignore[no-untyped-call]  # not typed by influxdb-client
        self._client.close()  # type: ignore[no-untyped-call]  # as above


def is_timeout(error: UnavailableError) -> bool:
    """Whether the server took too long."""
    return isinstance(error.__cause__, urllib3.exceptions.TimeoutError)


def _retry_after_s(error: ApiException) -> int:
    headers: Any = error.headers or {}
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return max(1, min(_MOST_WAIT_S, int(text))) if text.isdigit() else 1


def _words(error: ApiException) -> str:
    body: Any = error.body or b""
    try:
        answer = msgspec.json.decode(body)
        return str(answer["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        return text or str(error.reason or "no reason given")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
