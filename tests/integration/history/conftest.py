"""A data folder with journals, for the historian."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.history import backoff, historian
from factoryops.history.influx import tokens
from tests.support.historian_plant import HistorianPlant
from tests.support.influx_site import Site
from tests.support.influx_stub import InfluxStub


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[HistorianPlant]:
    with HistorianPlant(tmp_path) as plant:
        yield plant


@pytest.fixture
def site(plant: HistorianPlant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(tokens, "PROBE_S", 0)
    monkeypatch.setattr(backoff, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(historian, "_POLL_S", 0.02)
    monkeypatch.setattr(historian, "_REST_S", 0.02)
    with InfluxStub() as stub:
        yield Site(plant, stub)
