"""Kills ingest under load again and again, then compares what was acknowledged with what the journal holds."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.support.ingest_folder import IngestFolder, IngestProcess
from tests.support.numbered_publisher import FIRST_TIME_MS, NumberedPublisher


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run of kills left behind.

    Attributes:
        lost: acknowledged messages that are not in the journal.
        twice: samples of different value under one series and time: what a store could not tell apart.
        redelivered: messages that are in the journal more than once, equal in series, time and value.
        is_balanced: received = accepted + quarantined in every row, and totals never fall.
    """

    kills: int
    acked: int
    lost: int
    twice: int
    redelivered: int
    is_balanced: bool


async def crash_run(
    root: Path, *, kills: int, seed: int, publishers: int = 4, failpoints: tuple[str, ...] = ("",),
    after_s: tuple[float, float] = (0.15, 0.6),
) -> Verdict:  # fmt: skip
    """Publish all the time, kill ingest `kills` times, let the last process finish, and judge.

    Args:
        root: an empty folder.
        kills: how often the process dies.
        seed: of the instants.
        publishers: devices, each with a window of messages in flight, every other one with QoS 2.
        failpoints: where processes die in turn; "" for a kill at a random instant.
        after_s: the range the random instants are drawn from, after the process has started.
    """
    chance = random.Random(seed)
    folder = IngestFolder(root)
    stop, port = asyncio.Event(), asyncio.Queue[int]()
    devices = [NumberedPublisher(f"device-{number}", quality=1 + number % 2) for number in range(publishers)]
    tasks = [asyncio.create_task(device.run(port, stop)) for device in devices]
    for number in range(kills):
        place = failpoints[number % len(failpoints)]
        failpoint = f"{place}:{chance.randint(3, 30)}" if place else ""
        with IngestProcess(folder, failpoint=failpoint) as process:
            _announce(port, await asyncio.to_thread(process.port))
            if place:
                assert await asyncio.to_thread(process.process.wait, 20) == -9
            else:
                await asyncio.sleep(chance.uniform(*after_s))
            process.kill()
    with IngestProcess(folder) as process:
        _announce(port, await asyncio.to_thread(process.port))
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*tasks)
        await asyncio.to_thread(process.stop)
    return _judge(folder, devices, kills)


def _announce(port: asyncio.Queue[int], number: int) -> None:
    while not port.empty():
        port.get_nowait()
    port.put_nowait(number)


def _judge(folder: IngestFolder, devices: list[NumberedPublisher], kills: int) -> Verdict:
    rows = folder.samples()
    kept: dict[tuple[str, str, int], float] = {}
    times: Counter[tuple[str, str, int]] = Counter()
    twice = 0
    for device, parameter, time_us, value, _ in rows:
        place = (device, parameter, time_us)
        twice += place in kept and kept[place] != value
        kept[place] = value
        times[place] += 1
    lost = 0
    for publisher in devices:
        for number in publisher.acked:
            time_us = (FIRST_TIME_MS + number) * 1_000
            lost += any(kept.get((publisher.name, f"m{index}", time_us)) != number for index in range(2))
    return Verdict(
        kills=kills,
        acked=sum(len(device.acked) for device in devices),
        lost=lost,
        twice=twice,
        redelivered=sum(count > 1 for count in times.values()) // 2,
        is_balanced=_is_balanced(folder, len(rows)),
    )


def _is_balanced(folder: IngestFolder, samples: int) -> bool:
    ledgers = [batch.entry.ledger for batch in folder.batches()]
    each = all(ledger.received == ledger.accepted + ledger.quarantined for ledger in ledgers)
    grows = all(one.received <= other.received for one, other in itertools.pairwise(ledgers))
    return each and grows and ledgers[-1].values_accepted == samples
