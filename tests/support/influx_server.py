"""An InfluxDB 2 for tests: the real one that FACTORYOPS_TEST_INFLUX_URL points to, else the strict stub."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from influxdb_client.client.influxdb_client import InfluxDBClient

from factoryops.history.influx.administration import BUCKETS
from factoryops.history.influx.tokens import Right
from factoryops.history.influx.transport import InfluxConfig
from tests.support.history_model import FACTORY, OTHER_FACTORY
from tests.support.influx_stub import STUB_ORG, STUB_TOKEN, InfluxStub


@dataclass(frozen=True)
class OneToken:
    """The same token for every bucket."""

    token: str = field(repr=False)

    def get(self, factory: str, right: Right) -> str:
        return self.token


@dataclass
class InfluxServer:
    """Where it is, and bucket prefixes nobody else uses."""

    url: str
    org: str
    token: str = field(repr=False)
    _run: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh_prefix(self) -> str:
        return f"test-{self._run}-{next(self._numbers)}-"

    def config(self, prefix: str) -> InfluxConfig:
        return InfluxConfig(self.url, self.org, OneToken(self.token), bucket_prefix=prefix)

    def fresh(self, factories: Sequence[str] = (FACTORY, OTHER_FACTORY)) -> InfluxConfig:
        """Empty buckets of these factories."""
        config = self.config(self.fresh_prefix())
        with InfluxDBClient(url=self.url, org=self.org, token=self.token) as client:
            for factory in factories:
                for form in BUCKETS:
                    client.buckets_api().create_bucket(bucket_name=config.bucket(factory, form), org=self.org)
        return config


@contextmanager
def influx_server() -> Iterator[InfluxServer]:
    url = os.environ.get("FACTORYOPS_TEST_INFLUX_URL")
    if url:
        yield InfluxServer(
            url, os.environ.get("FACTORYOPS_TEST_INFLUX_ORG", "factoryops"), os.environ["FACTORYOPS_TEST_INFLUX_TOKEN"]
        )
        return
    with InfluxStub() as stub:
        yield InfluxServer(stub.url, STUB_ORG, STUB_TOKEN)


def stub_config(
    stub: InfluxStub, factories: Sequence[str] = (FACTORY, OTHER_FACTORY), **changes: object
) -> InfluxConfig:
    """The stub with a bucket for each of these factories."""
    for factory in factories:
        for form in BUCKETS:
            stub.add_bucket(f"factoryops-{factory}{'-' if form else ''}{form}")
    return InfluxConfig(stub.url, STUB_ORG, OneToken(STUB_TOKEN), **changes)  # type: ignore[arg-type]  # fields by name
