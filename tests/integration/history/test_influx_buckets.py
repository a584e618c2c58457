"""Every factory's bucket has a pace of its own: one that does not let us in holds back nobody else."""

from __future__ import annotations

import random
import time
from contextlib import closing
from pathlib import Path

import pytest

from factoryops.domain.retention import Keep, RetentionPolicy
from factoryops.history.influx.administration import BUCKETS, Administration, bucket_days, faults_of
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.influx.tokens import Right
from tests.support.historian_plant import SERIES, HistorianPlant
from tests.support.history_model import FACTORY, OTHER_FACTORY, START_US, ModelHistory, rows_of
from tests.support.influx_site import OTHER, Site
from tests.support.influx_stub import STUB_TOKEN, InfluxStub
from tests.support.waiting import until

ALL = (0, 1 << 60)
A = SERIES[0]


def _values(store: InfluxHistory, series: int) -> list[float]:
    return [row[2] for row in rows_of(store.raw(series, *ALL, most=100_000))]


async def test_row_16_a_revoked_token_holds_back_its_own_factory_alone(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            first = plant.write([(A, START_US, 1.0), (OTHER, START_US, 1.0)])
            await until(lambda: site.trimmable() == first)
            site.revoke(FACTORY)
            for n in range(1, 4):
                last = plant.write([(A, START_US + n, 1.0 + n), (OTHER, START_US + n, 1.0 + n)])
            await until(lambda: store.front("journal") == last)
            assert _values(store, OTHER) == [1.0, 2.0, 3.0, 4.0]
            await until(lambda: "bucket_away" in plant.problems())
            assert store.ledger().held_back == 3
            assert plant.balance(store) == (8, 8)
            assert store.checkpoint("journal") == site.trimmable() == first
            assert site.config.bucket(FACTORY) in store.problems()[0].message
            site.prepare()
            await until(lambda: plant.is_contained(store))
            await until(lambda: site.trimmable() == last)
            await until(lambda: not plant.problems())
        assert _values(store, A) == _values(store, OTHER) == [1.0, 2.0, 3.0, 4.0]
        assert plant.balance(store) == (8, 8)
        assert (store.ledger().stored, store.ledger().replaced, store.ledger().held_back) == (8, 0, 0)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("after", [0, 1])
async def test_row_16_a_door_that_closes_for_a_moment_loses_nothing(site: Site, status: int, after: int) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            first = plant.write([(A, START_US, 1.0)])
            await until(lambda: store.front("journal") == first)
            site.stub.fail(status, after=after)
            plant.write([(A, START_US + n, 2.0) for n in range(1, 7)])
            await until(lambda: plant.is_contained(store))
        assert len(_values(store, A)) == 7
        assert plant.balance(store) == (7, 7)


async def test_row_16_what_was_held_back_is_not_forgotten_by_a_restart(site: Site) -> None:
    plant = site.plant
    site.revoke(FACTORY)
    plant.write([(A, START_US, 1.0), (OTHER, START_US, 1.0)])
    with closing(site.open()) as store:
        async with plant.running(store):
            await until(lambda: store.ledger().held_back == 1)
    plant.write([(A, START_US + 1, 2.0), (OTHER, START_US + 1, 2.0)])
    with closing(site.open()) as store:
        assert store.checkpoint("journal") == 0
        async with plant.running(store):
            await until(lambda: store.ledger().held_back == 2)
            site.prepare()
            await until(lambda: plant.is_contained(store))
        assert _values(store, A) == _values(store, OTHER) == [1.0, 2.0]
        assert plant.balance(store) == (4, 4)


async def test_row_16_a_bucket_that_is_gone_is_waited_for(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            site.stub.buckets.pop(site.config.bucket(FACTORY))
            plant.write([(A, START_US, 1.0), (OTHER, START_US, 1.0)])
            await until(lambda: "bucket_away" in plant.problems())
            assert "influx setup" in store.problems()[0].message
            assert plant.balance(store) == (2, 2)
            site.prepare()
            await until(lambda: plant.is_contained(store))
        assert _values(store, A) == [1.0]


async def test_tokens_are_rotated_under_load_without_a_pause(site: Site) -> None:
    plant = site.plant
    with closing(site.open()) as store:
        async with plant.running(store):
            for n in range(30):
                last = plant.write([(A, START_US + n, float(n)), (OTHER, START_US + n, float(n))])
                if n % 10 == 5:
                    before = store.front("journal")
                    await until(lambda before=before: store.front("journal") > before)  # type: ignore[misc]  # bound per round
                    old = {site.folder.get(FACTORY, right) for right in Right}
                    assert len(site.rotate()) == 4
                    assert not old & set(site.stub.tokens)
            await until(lambda: site.trimmable() == last)
            assert store.problems() == []
        assert _values(store, A) == _values(store, OTHER) == [float(n) for n in range(30)]
        assert store.ledger().stored == 60


def test_setting_up_again_changes_nothing_and_covers_new_factories(site: Site, tmp_path: Path) -> None:
    assert site.prepare() == []
    assert {token.description for token in site.stub.tokens.values()} == {
        f"FactoryOps: {right} {site.config.bucket(factory)}" for right in Right for factory in (FACTORY, OTHER_FACTORY)
    }
    assert all(len(token.rights) == 3 for token in site.stub.tokens.values())
    for path in (tmp_path / "influx-tokens").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text(encoding="utf-8").strip() != STUB_TOKEN
    with closing(Administration(site.config, STUB_TOKEN, site.folder)) as server:
        assert len(server.prepare("c" * 32, {"": 1, "minute": 2})) == 5
        assert _kept_s(site, "c" * 32) == [86_400, 172_800, 0]
        assert len(server.prepare("c" * 32, {"": 1, "minute": 3})) == 1
        assert _kept_s(site, "c" * 32) == [86_400, 259_200, 0]


def test_a_bucket_keeps_as_long_as_the_longest_rule() -> None:
    few, rest = RetentionPolicy("few", Keep(7, 30, 0), ("speed",)), RetentionPolicy("rest", Keep(30, 90, 365))
    assert bucket_days([]) == {}
    assert bucket_days([few]) == {}
    assert bucket_days([rest]) == {"": 30, "minute": 90, "hour": 365}
    assert bucket_days([few, rest]) == {"": 30, "minute": 90, "hour": 0}


def _kept_s(site: Site, factory: str) -> list[int]:
    return [site.stub.buckets[site.config.bucket(factory, form)].keep_s for form in BUCKETS]


def test_a_check_names_what_is_wrong_and_changes_nothing(site: Site) -> None:
    assert faults_of(site.config, FACTORY) == []
    site.revoke(FACTORY, Right.READ)
    assert "401" in faults_of(site.config, FACTORY)[0]
    assert "There is no usable InfluxDB token" in faults_of(site.config, "d" * 32)[0]
    assert faults_of(site.config, OTHER_FACTORY) == []
    site.folder.path(OTHER_FACTORY, Right.WRITE).chmod(0o644)
    assert "chmod 600" in faults_of(site.config, OTHER_FACTORY)[0]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_fails_in_whatever_order_every_sample_arrives_once(site: Site, seed: int) -> None:
    plant, chance, model = site.plant, random.Random(seed), ModelHistory()
    stub = site.stub
    faults = (
        lambda: stub.fail(503, times=chance.randrange(1, 3)),
        stub.break_connection,
        lambda: site.revoke(chance.choice((FACTORY, OTHER_FACTORY)), chance.choice(list(Right))),
        site.prepare,
        site.rotate,
    )
    for _ in range(3):
        with closing(site.open()) as store:
            async with plant.running(store):
                for turn in range(15):
                    number = len(model.samples)
                    steps = [number + n if chance.random() > 0.1 else chance.randrange(number + 1) for n in range(4)]
                    rows = [(chance.choice([*SERIES, OTHER]), START_US + step, float(step), 0) for step in steps]
                    last = plant.write([row[:3] for row in rows])
                    model.append(rows)
                    if turn % 4 == 3:
                        await until(lambda last=last: store.front("journal") == last or plant.problems())  # type: ignore[misc]  # bound per round
                    if chance.random() < 0.4:
                        try:
                            chance.choice(faults)()
                        except KeyError:
                            site.prepare()  # revoked twice
                accepted, accounted = plant.balance(store)
                assert accepted == accounted == model.given
    site.prepare()
    with closing(site.open()) as store:
        async with plant.running(store):
            await until(lambda: plant.is_contained(store), timeout_s=30)
        for series in [*SERIES, OTHER]:
            assert rows_of(store.raw(series, *ALL, most=100_000)) == model.raw(series, *ALL)
        assert plant.balance(store) == (model.given, model.given)
        assert store.ledger().held_back == 0


async def test_row_12_a_minute_without_the_server_loses_nothing_and_is_made_up_for(plant: HistorianPlant) -> None:
    """500 messages of 5 values a second for a minute, handed over at once."""
    with InfluxStub() as stub:
        site = Site(plant, stub)
        with closing(site.open()) as store:
            async with plant.running(store):
                plant.write([(A, START_US - 1, 0.0)])
                await until(lambda: plant.is_contained(store))
                stub.hang_up_always = True
                for number in range(100):
                    first = number * 300
                    plant.write(
                        [(series, START_US + first + n, 1.0) for n in range(300) for series in (*SERIES, OTHER)]
                    )
                await until(lambda: "store_away" in plant.problems())
                assert plant.balance(store) == (150_001, 150_001)
                stub.hang_up_always = False
                began = time.monotonic()
                await until(lambda: plant.is_contained(store), timeout_s=60)
                assert time.monotonic() - began < 60
            assert plant.balance(store) == (150_001, 150_001)
            assert store.ledger().stored == 150_001
