"""Alarms at plant speed: 10,000 rules over 1,250 devices at 10,000 messages/s, from publishing to a client's frame."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from factoryops.client.http import HttpPlant
from factoryops.contracts import http, live
from factoryops.domain.time import now_us, to_us
from tests.benchmarks.figure import Figure
from tests.benchmarks.plant import SLUG, Load, Watch, figures_of, installation
from tests.support.installation import Installation
from tests.support.waiting import wait_until

DEVICES = 1_250
RULES = 10_000
RATE = 10_000
SECONDS = 20.0

_HOW = (
    f"{RULES:,} rules, {DEVICES:,} devices, {RATE:,} messages/s of 8 values, all roles and the load on the same cores"
)


def measure() -> list[Figure]:
    """How old a raise is when a client hears of it, and what the engine takes."""
    with tempfile.TemporaryDirectory() as name, installation(Path(name), devices=DEVICES, rules=RULES) as made:
        secret = made.add_credential(SLUG, "load")
        wait_until(lambda: _is_let_in(made, secret), timeout_s=60, what="the credential to be known")
        load = Load(made.endpoint_port, "load", secret, devices=DEVICES, metrics=8, seconds=90, rate=RATE)
        with subprocess.Popen(load.command(), stdout=subprocess.DEVNULL) as generator:
            try:
                return asyncio.run(_listen(made))
            finally:
                generator.terminate()


def _is_let_in(made: Installation, secret: str) -> bool:
    try:
        Load(made.endpoint_port, "load", secret, devices=1, metrics=1, seconds=0.2).run()
    except subprocess.CalledProcessError:
        return False
    return True


async def _listen(made: Installation) -> list[Figure]:
    """Once the load has come up and the new parameters are known, hear every raise for a while."""
    plant = await made.log_in(SLUG)
    await asyncio.to_thread(
        wait_until, lambda: figures_of(made, "ingest").get("messages_per_s", 0) > RATE * 0.8, timeout_s=30
    )
    await _heard(plant, 10.0)
    with Watch(made) as watch:
        ages_ms = await _heard(plant, SECONDS)
    await plant.close()
    share = 100 * watch.cpu_s["engine"] / watch.seconds
    how = f"{len(ages_ms)} raises; {_HOW}"
    return [
        Figure("publish to alarm frame, p50", float(np.percentile(ages_ms, 50)), "ms", "", how),
        Figure("publish to alarm frame, p99", float(np.percentile(ages_ms, 99)), "ms", "under 100", how),
        Figure("engine meanwhile", share, "% of a core", "under 60", _HOW),
    ]


async def _heard(plant: HttpPlant, seconds: float) -> list[float]:
    """The ages in milliseconds of raises as their frames arrive; a sample's time is the moment of its publishing."""
    ages: list[float] = []
    seen: set[tuple[str, int]] = set()
    link = await plant.open_live()
    ends = time.monotonic() + seconds
    async for message in link:
        if time.monotonic() > ends:
            break
        if isinstance(message, live.AlarmChanged):
            alarm = http.Alarm.model_validate_json(message.alarm)
            mark = (alarm.id, alarm.annunciation)
            if alarm.is_active and mark not in seen and alarm.raised_at is not None:
                ages.append((now_us() - to_us(alarm.raised_at)) / 1_000)
            seen.add(mark)
    await link.close()
    return ages
