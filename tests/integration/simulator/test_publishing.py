from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.domain.errors import InvalidInputError, SetupError, UnavailableError
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import US_PER_S, from_us, now_us, to_us
from factoryops.simulator.commands import FaultFile
from factoryops.simulator.connection import MqttTarget
from factoryops.simulator.plant import MACHINES
from factoryops.simulator.publisher import SimulatorConfig, SimulatorService
from factoryops.simulator.recording import read_recording
from factoryops.simulator.replay import ReplayOptions, ReplayProgress, replay
from tests.support.cutting_proxy import CuttingProxy
from tests.support.ingest_folder import SECRET, IngestFolder, IngestProcess
from tests.support.waiting import until

SKAB = Path(__file__).parents[3].parent / "shared" / "data" / "skab" / "valve1-0.csv"


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IngestFolder, int]]:
    folder = IngestFolder(tmp_path_factory.mktemp("ingest"))
    process = IngestProcess(folder)
    try:
        yield folder, process.port()
    finally:
        process.stop()


def target(port: int, *, username: str = "gateway", password: str = SECRET) -> MqttTarget:
    return MqttTarget("127.0.0.1", port, "riverside", username, password)


def write_recording(folder: Path, rows: int, *, step_s: float = 1.0) -> Path:
    start = datetime(2020, 3, 9, 10, tzinfo=UTC)
    lines = ["datetime;Pressure;Volume Flow"]
    for number in range(rows):
        moment = start + timedelta(seconds=number * step_s)
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S.%f};{number / 7!r};{number * 1e-3!r}")
    file = folder / "recording.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def arrived(folder: IngestFolder, device: str) -> list[tuple[str, int, float, int]]:
    return [(parameter, at, value, flags) for name, parameter, at, value, flags in folder.samples() if name == device]


def test_a_replay_arrives_whole_and_equal_with_its_last_row_at_the_chosen_time(
    ingest: tuple[IngestFolder, int], tmp_path: Path
) -> None:
    folder, port = ingest
    file = write_recording(tmp_path, 500, step_s=0.25)
    at = from_us(now_us() - 3_600 * US_PER_S)
    seen: list[ReplayProgress] = []
    result = replay(ReplayOptions(file, "rig", speed=0, at=at), target(port), on_progress=seen.append)
    assert (result.rows, result.values, result.acknowledged, result.is_complete) == (500, 1_000, 500, True)
    assert result.last_at == at
    expected = [
        (name, row.time_us + result.shift_us, value)
        for row in read_recording(file).rows
        for name, value in row.values.items()
    ]
    assert sorted(sample[:3] for sample in arrived(folder, "rig")) == sorted(expected)
    assert seen[-1] == ReplayProgress(500, 500, 500, is_connected=True)


def test_at_its_own_speed_every_row_is_on_time(ingest: tuple[IngestFolder, int], tmp_path: Path) -> None:
    folder, port = ingest
    started_us = now_us()
    result = replay(ReplayOptions(write_recording(tmp_path, 12, step_s=0.1), "live-rig"), target(port))
    samples = arrived(folder, "live-rig")
    assert len(samples) == 24
    assert {flags for *_, flags in samples} == {int(SampleFlag.NONE)}
    assert result.seconds > 1.0
    assert started_us <= to_us(result.first_at) < started_us + 2 * US_PER_S


@pytest.mark.skipif(not SKAB.exists(), reason="the SKAB recordings are not beside the project")
def test_the_skab_recording_arrives_with_every_row_and_signal(ingest: tuple[IngestFolder, int]) -> None:
    folder, port = ingest
    result = replay(ReplayOptions(SKAB, "skab", speed=0), target(port))
    expected = {
        (name, row.time_us + result.shift_us): value
        for row in read_recording(SKAB).rows
        for name, value in row.values.items()
    }
    samples = arrived(folder, "skab")
    assert len(samples) == len(expected) == 1_147 * 8
    assert {(name, at): value for name, at, value, _ in samples} == expected


def test_rows_that_were_not_acknowledged_are_sent_again_after_the_connection_was_cut(
    ingest: tuple[IngestFolder, int], tmp_path: Path
) -> None:
    folder, port = ingest
    file = write_recording(tmp_path, 3_000, step_s=0.01)
    with CuttingProxy(port, [20_000, 60_000]).running() as proxy:
        result = replay(ReplayOptions(file, "cut-rig", speed=0), target(proxy.port))
        assert proxy.connections >= 3
    assert result.acknowledged == 3_000
    pressure = [sample for sample in arrived(folder, "cut-rig") if sample[0] == "Pressure"]
    assert len({at for _, at, _, _ in pressure}) == 3_000
    assert len({(at, value) for _, at, value, _ in pressure}) == 3_000


def test_a_replay_that_is_stopped_says_how_far_it_came(ingest: tuple[IngestFolder, int], tmp_path: Path) -> None:
    stop = threading.Event()

    def stop_after_some(progress: ReplayProgress) -> None:
        if progress.acknowledged >= 3:
            stop.set()

    result = replay(
        ReplayOptions(write_recording(tmp_path, 600, step_s=0.1), "stopped-rig"),
        target(ingest[1]),
        on_progress=stop_after_some,
        stop=stop,
    )
    assert 3 <= result.acknowledged < 100
    assert not result.is_complete


def test_a_wrong_password_and_a_server_that_is_not_there_are_one_sentence_each(
    ingest: tuple[IngestFolder, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ReplayOptions(write_recording(tmp_path, 2), "rig")
    monkeypatch.setattr("factoryops.simulator.replay._CONNECT_WITHIN_S", 1.0)
    with pytest.raises(SetupError, match="refused the connection"):
        replay(options, target(ingest[1], password="wrong"))
    with pytest.raises(UnavailableError, match="No MQTT server answers"):
        replay(options, target(1))


@pytest.mark.parametrize(
    "options", [{"device_key": ""}, {"device_key": "a\n"}, {"speed": -1.0}, {"speed": float("nan")}]
)
def test_options_that_make_no_sense_are_refused_before_anything_is_sent(
    tmp_path: Path, options: dict[str, object]
) -> None:
    chosen = {"file": write_recording(tmp_path, 2), "device_key": "rig", **options}
    with pytest.raises(InvalidInputError):
        replay(ReplayOptions(**chosen), target(1))  # type: ignore[arg-type]  # the test names the fields


async def test_the_simulator_publishes_every_machine_on_time_obeys_faults_and_stops(
    ingest: tuple[IngestFolder, int], tmp_path: Path
) -> None:
    folder, port = ingest
    control = FaultFile(tmp_path / "faults.json")
    control.begin(["boiler-1:offline"])
    service = SimulatorService(SimulatorConfig(target(port), tmp_path / "faults.json", pace=5))
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    wanted = {machine.key for machine in MACHINES} - {"boiler-1"}

    def heard() -> Counter[str]:
        return Counter(device for device, *_ in folder.samples() if device in wanted | {"boiler-1"})

    await until(lambda: set(heard()) >= wanted, timeout_s=20, what="every machine")
    assert "boiler-1" not in heard()
    control.end("boiler-1")
    await until(lambda: "boiler-1" in heard(), timeout_s=20, what="the mended machine")
    assert service.connected == len(MACHINES)
    assert service.refusal is None
    started = asyncio.get_running_loop().time()
    stop.set()
    await asyncio.wait_for(task, 10)
    assert asyncio.get_running_loop().time() - started < 5
    flags = {flags for device, _, _, _, flags in folder.samples() if device in wanted}
    assert flags == {int(SampleFlag.NONE)}
