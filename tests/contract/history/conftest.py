"""Places where a history store can live: each adapter with its server, empty for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from factoryops.history.influx.reader import InfluxHistoryReader
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.influx.transport import InfluxConfig
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.store import HistoryReader, HistoryStore
from tests.support.influx_server import InfluxServer, influx_server


class Home(Protocol):
    """One store's home, which outlives its opening and closing."""

    def open(self) -> HistoryStore: ...
    def reader(self) -> HistoryReader: ...


class Place(Protocol):
    """Makes homes."""

    def fresh(self) -> Home: ...


class _LocalHome:
    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> HistoryStore:
        return LocalHistory(self._path)

    def reader(self) -> HistoryReader:
        return LocalHistoryReader(self._path)


class _InfluxHome:
    def __init__(self, config: InfluxConfig, state_path: Path) -> None:
        self._config = config
        self._state_path = state_path

    def open(self) -> HistoryStore:
        return InfluxHistory(self._config, self._state_path, {})

    def reader(self) -> HistoryReader:
        return InfluxHistoryReader(self._config, self._state_path)


class _LocalPlace:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def fresh(self) -> Home:
        return _LocalHome(self._folder / f"history-{next(self._numbers)}.db")


class _InfluxPlace:
    def __init__(self, folder: Path, server: InfluxServer) -> None:
        self._folder = folder
        self._server = server

    def fresh(self) -> Home:
        config = self._server.fresh()
        return _InfluxHome(config, self._folder / f"{config.bucket_prefix}state.db")


@pytest.fixture(scope="session")
def influx() -> Iterator[InfluxServer]:
    with influx_server() as server:
        yield server


@pytest.fixture(params=["local", "influx"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("history")
    if request.param == "local":
        return _LocalPlace(folder)
    return _InfluxPlace(folder, request.getfixturevalue("influx"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what stood in for InfluxDB, so that nobody takes the stub for the real one."""
    url = os.environ.get("FACTORYOPS_TEST_INFLUX_URL")
    what = f"the server at {url}" if url else "the strict stub (FACTORYOPS_TEST_INFLUX_URL is not set)"
    terminalreporter.write_line(f"The InfluxDB adapter ran its contract suite against {what}.")
