"""kill -9 of the historian at any place: nothing lost, nothing twice, and the ledgers balance."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator

import pytest

from factoryops.history.influx.reader import InfluxHistoryReader
from factoryops.history.local.reader import LocalHistoryReader
from tests.support.historian_plant import SERIES, HistorianPlant
from tests.support.historian_process import start_historian
from tests.support.history_model import START_US, ModelHistory, Row, rows_of
from tests.support.influx_server import stub_config
from tests.support.influx_stub import InfluxStub
from tests.support.waiting import wait_until

ALL = (0, 1 << 60)
Reader = LocalHistoryReader | InfluxHistoryReader


@pytest.fixture(params=["local", "influx"])
def target(request: pytest.FixtureRequest, plant: HistorianPlant) -> Iterator[tuple[str, str, Reader]]:
    if request.param == "local":
        reader: Reader = LocalHistoryReader(plant.folder / "history.db")
        yield "local", "", reader
        reader.close()
        return
    with InfluxStub() as stub:
        reader = InfluxHistoryReader(stub_config(stub), plant.folder / "influx-state.db")
        yield "influx", stub.url, reader
        reader.close()


def _publish(plant: HistorianPlant, model: ModelHistory, count: int, chance: random.Random) -> None:
    """Journal rows of a few samples each; one in ten is a redelivery of an older one."""
    for _ in range(count):
        number = len(model.samples)
        steps = [number + n if chance.random() > 0.1 else chance.randrange(number + 1) for n in range(5)]
        rows: list[Row] = [(chance.choice(SERIES), START_US + step, float(step), 0) for step in steps]
        plant.write([row[:3] for row in rows])
        model.append(rows)


def _assert_exactly_once(plant: HistorianPlant, reader: Reader, model: ModelHistory) -> None:
    for series in SERIES:
        assert rows_of(reader.raw(series, *ALL, most=100_000)) == model.raw(series, *ALL)
    accepted, accounted = plant.balance(reader)
    assert accepted == accounted == model.given


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)


@pytest.mark.parametrize("place", ["before_upload", "after_upload_before_checkpoint"])
def test_a_death_between_the_store_and_the_checkpoint_repeats_nothing(
    plant: HistorianPlant, target: tuple[str, str, Reader], place: str
) -> None:
    kind, url, reader = target
    model, chance = ModelHistory(), random.Random(7)
    _publish(plant, model, 20, chance)
    dying = start_historian(plant.folder, kind, url, failpoint=place)
    assert dying.wait(30) != 0
    assert not plant.is_contained(reader)
    assert plant.balance(reader) == (model.given, model.given)
    _publish(plant, model, 20, chance)
    process = start_historian(plant.folder, kind, url)
    wait_until(lambda: plant.is_contained(reader), timeout_s=30)
    _end(process)
    _assert_exactly_once(plant, reader, model)
    if kind == "local":
        assert reader.ledger().stored == len(model.samples)


def test_random_kills_under_load_lose_nothing(plant: HistorianPlant, target: tuple[str, str, Reader]) -> None:
    kind, url, reader = target
    model, chance = ModelHistory(), random.Random(11)
    for _ in range(3):
        before = reader.checkpoint("journal")
        process = start_historian(plant.folder, kind, url)
        _publish(plant, model, 40, chance)
        wait_until(lambda before=before: reader.checkpoint("journal") > before, timeout_s=30)  # type: ignore[misc]  # bound per round
        _publish(plant, model, chance.randrange(1, 60), chance)
        _end(process)
    process = start_historian(plant.folder, kind, url)
    wait_until(lambda: plant.is_contained(reader), timeout_s=30)
    _end(process)
    _assert_exactly_once(plant, reader, model)
