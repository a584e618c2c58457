"""An InfluxDB that lost what it had confirmed is found out, and the journal brings back what it still holds."""

from __future__ import annotations

import copy
import random
from contextlib import closing

import pytest

from factoryops.domain.time import now_us
from factoryops.history.influx.replay import Replay
from factoryops.history.influx.store import InfluxHistory
from tests.support.historian_plant import SERIES
from tests.support.history_model import FACTORY, OTHER_FACTORY, START_US, rows_of
from tests.support.influx_site import OTHER, Site
from tests.support.influx_stub import InfluxStub
from tests.support.waiting import until

ALL = (0, 1 << 60)
A = SERIES[0]
S = 1_000_000


def _replay(site: Site, store: InfluxHistory, start_us: int = 0, end_us: int | None = None) -> int:
    journals = site.plant.paths
    fronts = {name: store.front(name) for name in journals}
    span = start_us, now_us() if end_us is None else end_us
    return sum(Replay(site.config, one, journals, lambda: fronts).run(*span) for one in (FACTORY, OTHER_FACTORY))


def _points(stub: InfluxStub) -> object:
    """All but markers and flags that say nothing."""
    return {
        (name, *place): {time_us: value for time_us, value in points.items() if value or place[0] != "flags"}
        for name, bucket in stub.buckets.items()
        for place, points in bucket.points.items()
        if place[0] != "marker"
    }


@pytest.mark.parametrize("seed", range(4))
async def test_row_19_a_replay_of_any_window_changes_nothing(site: Site, seed: int) -> None:
    plant, chance = site.plant, random.Random(seed)
    began_us = now_us() - 120 * S
    for number in range(60):
        journal = "import" if chance.random() < 0.2 else "journal"  # imported samples are flagged
        steps = [number * 3 + n if chance.random() > 0.3 else chance.randrange(number * 3 + 1) for n in range(4)]
        moments = [START_US + step - (1_000 if journal == "import" else 0) for step in steps]
        rows = [(chance.choice([*SERIES, OTHER]), moment, chance.random()) for moment in moments]
        plant.write(rows, journal=journal, received_us=began_us + number * S)
    with closing(site.open()) as store:
        async with plant.running(store, plant.config(seal_at_samples=chance.randrange(10, 100))):
            await until(lambda: plant.is_contained(store))
        before, ledger = copy.deepcopy(_points(site.stub)), store.ledger()
        for _ in range(12):
            window = sorted(began_us + chance.randrange(-2, 62) * S for _ in range(2))
            _replay(site, store, window[0], window[1])
            assert _points(site.stub) == before, (seed, window)
        assert store.ledger() == ledger


async def test_row_20_an_instance_that_came_back_empty_is_named_until_it_was_filled(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            for n in range(5):
                plant.write([(A, START_US + n, float(n)), (OTHER, START_US + n, float(n))])
            await until(lambda: plant.is_contained(store))
    site.stub.buckets.clear()
    site.stub.tokens.clear()
    site.prepare()
    with closing(site.open()) as store:
        async with plant.running(store):
            plant.write([(A, START_US + 5, 5.0), (OTHER, START_US + 5, 5.0)])
            await until(lambda: plant.problems().count("history_lost") == 2)
            assert "influx replay" in store.problems()[0].message
            await until(lambda: plant.is_contained(store))
    with closing(site.open()) as store:
        async with plant.running(store):
            last = plant.write([(A, START_US + 6, 6.0), (OTHER, START_US + 6, 6.0)])
            await until(lambda: store.front("journal") == last)
            await until(lambda: plant.problems().count("history_lost") == 2)
            assert _replay(site, store) == 14
            _look_again(store)
            plant.write([(A, START_US + 7, 7.0), (OTHER, START_US + 7, 7.0)])
            await until(lambda: plant.is_contained(store))
            await until(lambda: not plant.problems())
        for series in (A, OTHER):
            assert [row[2] for row in rows_of(store.raw(series, *ALL, most=100))] == [float(n) for n in range(8)]
        assert plant.balance(store) == (16, 16)
        assert (store.ledger().stored, store.ledger().replaced) == (16, 0)


async def test_row_19_a_server_that_forgot_the_newest_is_found_out_after_its_crash(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            plant.write([(A, START_US, 0.0)])
            await until(lambda: plant.is_contained(store))
            backup = copy.deepcopy(site.stub.buckets)
            plant.write([(A, START_US + 1, 1.0)])
            await until(lambda: plant.is_contained(store))
            site.stub.buckets = backup
            site.stub.break_connection()
            plant.write([(A, START_US + 2, 2.0)])
            await until(lambda: "history_lost" in plant.problems())
            await until(lambda: plant.is_contained(store))
        assert [row[2] for row in rows_of(store.raw(A, *ALL, most=100))] == [0.0, 2.0]
        _replay(site, store)
        assert [row[2] for row in rows_of(store.raw(A, *ALL, most=100))] == [0.0, 1.0, 2.0]


async def test_markers_are_few_and_nobody_takes_them_for_samples(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            for n in range(4):
                last = plant.write([(A, START_US + n, float(n))])
                await until(lambda last=last: store.front("journal") == last)  # type: ignore[misc]  # bound per round
        points = site.stub.buckets[site.config.bucket(FACTORY)].points
        assert len(points["marker", "", "upload"]) <= 2
        assert store.problems() == []


def _look_again(store: InfluxHistory) -> None:
    for lane in store._lanes.values():
        lane.promise.doubt()
