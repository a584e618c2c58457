"""An outside broker that restarts, vanishes, falls silent, or is not whom we trust; both ledgers after each."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from factoryops.certificates.authority import create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.contracts.telemetry.topics import SUBSCRIPTION, SUBSCRIPTION_C
from factoryops.ingest.broker_pace import ReconnectPace
from factoryops.ingest.config import BrokerConfig
from factoryops.ingest.mosquitto.users import SERVICE_USER
from factoryops.journal.records import Gap
from tests.integration.ingest.conftest import Running
from tests.support.ingest_folder import PLANT, SNAPSHOT, IngestFolder
from tests.support.mqtt_client import RawClient, connect_packet
from tests.support.numbered_publisher import NumberedPublisher
from tests.support.plant_broker import PlantBroker
from tests.support.switching_proxy import Mode, SwitchingProxy
from tests.support.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PlantBroker]:
    made = PlantBroker(tmp_path)
    made.add("riverside", "gateway")
    made.write_users()
    made.start()
    yield made
    made.close()


def folder_for(root: Path, config: BrokerConfig) -> IngestFolder:
    data = root / "data"
    data.mkdir(exist_ok=True)
    return IngestFolder(data, brokers=(config,), endpoint=None)


def said(folder: IngestFolder) -> str:
    beat = folder.heartbeat()
    problems = beat.problems if beat is not None else ()
    return " ".join(f"{one.code}: {one.message}" for one in problems)


def is_connected(folder: IngestFolder) -> bool:
    beat = folder.heartbeat()
    return beat is not None and bool(beat.figures["brokers"]["plant"]["is_connected"])


def stored(folder: IngestFolder) -> set[int]:
    """The numbers in the journal."""
    return {int(value) for _, name, _, value, _ in folder.samples() if name == "m0"}


def gaps(folder: IngestFolder) -> list[Gap]:
    return [gap for batch in folder.batches() for gap in batch.entry.gaps]


def assert_ledger_balances(folder: IngestFolder) -> None:
    ledger = folder.batches()[-1].entry.ledger
    assert ledger.received == ledger.accepted + ledger.quarantined
    assert ledger.values_accepted == len(folder.samples())


class _Unhurried(NumberedPublisher):
    """A few hundred messages a second, so that the test's own reading of the journal does not hold everybody up."""

    async def _take_ack(self, client: RawClient) -> None:
        await asyncio.sleep(0.005)
        await super()._take_ack(client)


@asynccontextmanager
async def publishing(broker: PlantBroker) -> AsyncIterator[NumberedPublisher]:
    device = _Unhurried("press-1", password=broker.secrets["gateway"])
    port: asyncio.Queue[int] = asyncio.Queue()
    port.put_nowait(broker.plain_port)
    stop = asyncio.Event()
    task = asyncio.create_task(device.run(port, stop))
    try:
        yield device
    finally:
        stop.set()
        await task


def missing(folder: IngestFolder, device: NumberedPublisher) -> set[int]:
    return device.acked - stored(folder)


def unexplained(folder: IngestFolder, device: NumberedPublisher) -> set[int]:
    """Numbers that were acknowledged and are not there, although no gap lies over that moment."""
    spans = [(gap.start_us, gap.end_us) for gap in gaps(folder)]
    moments = {number: device.acked_us[number] for number in missing(folder, device)}
    return {number for number, at_us in moments.items() if not any(low <= at_us <= high for low, high in spans)}


async def ride(
    broker: PlantBroker, folder: IngestFolder, run_ingest: Running, ends: list[Callable[[], None]]
) -> NumberedPublisher:
    """Publish through one end of the broker after the other; what it acknowledged is stored, or a gap says so."""
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
        async with publishing(broker) as device:
            for end in ends:
                wanted = len(device.acked) + 40
                await until(lambda: len(device.acked) >= wanted and is_connected(folder), timeout_s=20)  # noqa: B023
                end()
                met = broker.log().count(" as factoryops ")
                broker.start()
                since_s = time.monotonic()
                await until(lambda: broker.log().count(" as factoryops ") > met, timeout_s=20)  # noqa: B023
                assert time.monotonic() - since_s < 5
        await until(lambda: not unexplained(folder, device), timeout_s=20, every_s=0.2, what="all stored or in a gap")
    assert_ledger_balances(folder)
    return device


async def test_what_a_restarted_broker_acknowledged_is_stored(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    folder = folder_for(tmp_path, broker.config())
    device = await ride(broker, folder, run_ingest, [broker.stop, broker.stop])
    assert missing(folder, device) == set()


async def test_what_a_killed_broker_acknowledged_is_stored_or_a_gap_says_so(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    await ride(broker, folder_for(tmp_path, broker.config()), run_ingest, [broker.kill, broker.kill])


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_twenty_ends_of_the_broker_lose_nothing_silently(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    ends = [broker.stop] * 10 + [broker.kill] * 10
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    random.Random(seed).shuffle(ends)
    await ride(broker, folder_for(tmp_path, broker.config()), run_ingest, ends)


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
async def test_what_waits_in_the_broker_for_a_service_that_is_away_outlives_the_broker(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running, is_killed: bool
) -> None:
    folder = folder_for(tmp_path, broker.config())
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
    async with publishing(broker) as device:
        await until(lambda: len(device.acked) >= 200, timeout_s=20)
    if is_killed:
        saved = broker.folder / "mosquitto.db"
        before_ns = saved.stat().st_mtime_ns if saved.exists() else 0
        published_ns = time.time_ns()
        await until(lambda: saved.exists() and saved.stat().st_mtime_ns > max(before_ns, published_ns), timeout_s=15)
        broker.kill()
    else:
        broker.stop()
    broker.start()
    async with run_ingest(folder):
        await until(lambda: not missing(folder, device), timeout_s=20, every_s=0.2, what="everything stored")
    assert gaps(folder) == []
    assert_ledger_balances(folder)


@pytest.mark.parametrize(
    ("mode", "words"),
    [(Mode.REFUSE, "Nobody listens there"), (Mode.SWALLOW, "It does not answer")],
)
async def test_a_broker_that_cannot_be_reached_is_taken_up_again_when_it_can(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running, monkeypatch: pytest.MonkeyPatch, mode: Mode, words: str
) -> None:
    """Row 9: refused; a connection that falls silent without being closed, and new ones that are never answered."""
    monkeypatch.setattr("factoryops.ingest.broker._CONNECT_TIMEOUT_S", 1.0)
    async with SwitchingProxy(broker.port).running() as proxy:
        config = dataclasses.replace(broker.config(port=proxy.port), keep_alive_s=1)
        folder = folder_for(tmp_path, config)
        async with run_ingest(folder):
            await until(lambda: is_connected(folder))
            async with publishing(broker) as device:
                await until(lambda: len(device.acked) > 20)
                await proxy.switch(mode)
                await until(lambda: words in said(folder), timeout_s=15, what=f"{words!r} among the problems")
                before, spent_s = proxy.connections, time.process_time()
                await proxy.switch(Mode.PASS, cuts=True)
                await until(lambda: is_connected(folder), timeout_s=35)
                assert proxy.connections - before <= 4
                assert time.process_time() - spent_s < 30
            await until(lambda: not missing(folder, device), timeout_s=20, what="everything stored", every_s=0.2)
        assert gaps(folder) == []
        assert_ledger_balances(folder)


async def test_a_broker_of_another_authority_is_not_connected_to(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    stranger = create_authority(tmp_path / "stranger", name="Somebody else")
    folder = folder_for(tmp_path, broker.config(ca_file=stranger.ca_file))
    async with run_ingest(folder):
        await until(lambda: "not issued by the authority" in said(folder))
        assert not is_connected(folder)


async def test_a_broker_of_another_name_is_not_connected_to(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    folder = folder_for(tmp_path, broker.config(host="127.0.0.2"))
    async with run_ingest(folder):
        await until(lambda: "for another name" in said(folder))


async def test_a_broker_without_tls_is_never_spoken_to_in_plain(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    folder = folder_for(tmp_path, broker.config(port=broker.plain_port))
    async with run_ingest(folder):
        await until(lambda: "broker_away" in said(folder) and "not been made" not in said(folder))
        assert not is_connected(folder)
    assert broker.own_secret("factoryops") not in broker.log()
    assert "as factoryops" not in broker.log()


async def test_a_certificate_that_has_ended_is_named_and_one_that_ends_soon_is_announced(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_for(tmp_path, broker.config())
    broker.stop()
    broker.authority.renew("broker", valid_days=10)
    broker.show(broker.authority)
    broker.start()
    async with run_ingest(folder):
        await until(lambda: "certificate_ends:plant" in said(folder) and "within 14 days" in said(folder))
    long_ago_us = (time.time_ns() // 1_000) - 40 * 86_400_000_000
    with monkeypatch.context() as earlier:
        earlier.setattr("factoryops.certificates.authority.now_us", lambda: long_ago_us)
        old = create_authority(tmp_path / "old")
        old.issue("broker", Purpose.SERVER, ["127.0.0.1"], valid_days=30)
    broker.stop()
    broker.show(old)
    broker.start()
    async with run_ingest(folder_for(tmp_path, broker.config(ca_file=old.ca_file))):
        await until(lambda: "certificate has ended" in said(folder))


async def test_a_client_that_keeps_taking_over_our_session_is_noticed(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    folder = folder_for(tmp_path, broker.config())

    async with run_ingest(folder):
        for number in range(4):
            await until(lambda: broker.log().count(" as factoryops ") > 2 * number, timeout_s=15)  # noqa: B023
            twin = await RawClient.open(broker.plain_port)
            twin.send(connect_packet("x", SERVICE_USER, broker.own_secret(SERVICE_USER), is_clean=False))
            assert await twin.packet() == b"\x20\x02\x01\x00"
            await twin.close()
        await until(lambda: "broker_unstable:plant" in said(folder))
        await until(lambda: is_connected(folder))
    assert gaps(folder) == []


async def test_an_unsafe_configuration_is_named_while_it_is_one(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factoryops.ingest.mosquitto.standing_review._EVERY_S", 0.0)
    file = broker.folder / "mosquitto.conf"
    folder = folder_for(tmp_path, dataclasses.replace(broker.config(), configuration_file=file))
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
        assert "broker_configuration" not in said(folder)
        broker.change("max_queued_messages 1000000", "max_queued_messages 1000")
        await until(lambda: "max_queued_messages is 1000" in said(folder))
        broker.change("max_queued_messages 1000", "max_queued_messages 1000000")
        await until(lambda: "broker_configuration" not in said(folder))


async def test_subscriptions_follow_the_snapshot_and_old_ones_are_given_back(
    tmp_path: Path, broker: PlantBroker, run_ingest: Running
) -> None:
    folder = folder_for(tmp_path, broker.config())
    tenant = msgspec.structs.replace(PLANT, tenant="SH00000042")
    remembered = folder.checkpoints / "broker.plant"
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
        folder.write_snapshot(msgspec.structs.replace(SNAPSHOT, factories=[tenant]))
        await until(lambda: f'"{SUBSCRIPTION_C}"' in remembered.read_text())
    folder.write_snapshot(SNAPSHOT)
    async with run_ingest(folder):
        await until(lambda: is_connected(folder))
        await until(lambda: f'"{SUBSCRIPTION_C}"' not in remembered.read_text())
    assert SUBSCRIPTION in remembered.read_text()


def test_pauses_grow_to_half_a_minute_and_start_again_after_a_steady_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment_s = 0.0
    monkeypatch.setattr("factoryops.ingest.broker_pace.time.monotonic", lambda: moment_s)
    pace = ReconnectPace()
    pauses = [pace.next_pause_s() for _ in range(8)]
    assert all(0.5 * most <= pause <= most for pause, most in zip(pauses, [1, 2, 4, 8, 16, 30, 30, 30], strict=True))
    pace.made()
    moment_s += 11
    pace.lost()
    assert pace.next_pause_s() <= 1
    for _ in range(4):
        pace.made()
        moment_s += 0.1
        pace.lost()
        assert pace.next_pause_s() <= 4
    assert pace.is_unstable
    moment_s += 61
    assert not pace.is_unstable
