"""An InfluxDB 2 for tests: the real one that FACTORYOPS_TEST_INFLUX_URL points to, else the strict stub."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from factoryops.history.influx.transport import InfluxConfig
from tests.support.influx_stub import STUB_ORG, STUB_TOKEN, InfluxStub


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
        return InfluxConfig(self.url, self.org, self.token, bucket_prefix=prefix)


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
