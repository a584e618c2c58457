"""History over HTTP: how long a client waits for a trend while the plant goes on publishing."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final

import httpx

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.identity import FactoryId, Role, Scope, device_id, parameter_id
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.samples import SeriesId, SeriesKey
from tests.benchmarks.figure import Figure
from tests.benchmarks.plant import SLUG, Load, figures_of
from tests.support.installation import Installation
from tests.support.waiting import wait_until

RATE: Final = 10_000
_TIMES: Final = 30
_MOST_BINS: Final = 1_000
_GIVEN_UP_S: Final = 120.0


def factory_of(made: Installation) -> FactoryId:
    """The one factory of an installation."""
    with _database(made) as database:
        return database.read(lambda tx: tx.factories.list())[0].id


def know(made: Installation, series: Mapping[int, SeriesKey]) -> None:
    """Enter the devices and parameters of series, which the engine only does for what ingest has met."""
    factory = factory_of(made)
    scope = Scope(factory, "bench", Role.ADMIN)
    keys = sorted({key.device for key in series.values()})
    devices = [Device(device_id(factory, key), factory, key, key) for key in keys]
    parameters = [
        Parameter(
            parameter_id(*key), factory, device_id(factory, key.device), SeriesId(one), key.parameter, key.parameter
        )
        for one, key in series.items()
    ]
    with _database(made) as database:
        database.run(lambda tx: tx.devices(scope).ensure_many(devices))
        database.run(lambda tx: tx.parameters(scope).ensure_many(parameters))


@contextmanager
def _database(made: Installation) -> Iterator[Database]:
    with closing(Database.open(f"sqlite:///{made.data.metadata.as_posix()}")) as database:
        yield database


def measure_requests(
    made: Installation, keys: Sequence[SeriesKey], day: tuple[int, int], month: tuple[int, int]
) -> list[Figure]:
    """Bins of one series and of fifty, asked for over and over on one connection; starts the service and a load."""
    secret = made.add_credential(SLUG, "load")
    made.start(timeout_s=90)
    load = Load(made.endpoint_port, "load", secret, seconds=_GIVEN_UP_S, rate=RATE)
    token = asyncio.run(_token(made))
    headers = {"Authorization": f"Bearer {token}"}
    with (
        subprocess.Popen(load.command(), stdout=subprocess.DEVNULL) as generator,
        httpx.Client(base_url=f"{made.url}/api/v1/", headers=headers, timeout=15, trust_env=False) as client,
    ):
        wait_until(lambda: figures_of(made, "ingest").get("messages_per_s", 0) > RATE * 0.8, timeout_s=30)
        figures = [
            _asked(client, "24 h of one series as 720 bins", keys[:1], day, "under 25"),
            _asked(client, "30 days of one series as 720 bins", keys[:1], month, "under 30"),
            _asked(client, "24 h of 50 series as 720 bins each", keys[:50], day, ""),
        ]
        assert generator.poll() is None, "the load ended before all was asked"
        generator.terminate()
    return figures


async def _token(made: Installation) -> str:
    plant = await made.log_in(SLUG)
    assert plant.token is not None
    await plant.close()
    return plant.token


def _asked(client: httpx.Client, what: str, keys: Sequence[SeriesKey], span: tuple[int, int], asked: str) -> Figure:
    query = httpx.QueryParams({"start_us": span[0], "end_us": span[1], "most_bins": _MOST_BINS}).merge(
        {"parameter_id": [parameter_id(*key) for key in keys]}
    )
    spent_ms: list[float] = []
    answer = client.get("history", params=query)
    # That one asked the database what parameters there are, which is kept for the others.
    for _ in range(_TIMES):
        begun = time.perf_counter()
        answer = client.get("history", params=query)
        spent_ms.append((time.perf_counter() - begun) * 1_000)
        assert answer.status_code == httpx.codes.OK, answer.text
    found = http.BinnedAnswer.model_validate_json(answer.content)
    assert [len(one.start_us) for one in found.columns] == [720] * len(keys)
    note = f"whole answer, while {RATE:,} messages/s come in; {_TIMES} times, the slowest {max(spent_ms):.0f} ms"
    return Figure(f"over HTTP: {what}", statistics.median(spent_ms), "ms", asked, note)
