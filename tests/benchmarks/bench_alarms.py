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
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import AllOf, Compare, Comparison, Constant, Parameter
from factoryops.domain.time import now_us, to_us
from tests.benchmarks.figure import Figure
from tests.benchmarks.load import walk
from tests.benchmarks.plant import SLUG, Load, Watch, figures_of, installation, load_key
from tests.benchmarks.trip_of_alarms import ALARMS, device_key, trip, trip_rule
from tests.support.installation import Installation
from tests.support.rules import limit_content
from tests.support.waiting import wait_until

DEVICES = 1_250
RULES = 10_000
RATE = 10_000
SECONDS = 60.0
METRICS = 8
CROSSED_EVERY = 100
COMPOUND_EVERY = 5

_HOW = (
    f"{RULES:,} rules, one in {COMPOUND_EVERY} of two comparisons, {DEVICES:,} devices, {RATE:,} messages/s of "
    f"{METRICS} values, all roles and the load on the same cores"
)


def measure() -> list[Figure]:
    """How old a raise is when a client hears of it, and what the engine takes."""
    more = [device_key(number) for number in range(ALARMS)]
    with (
        tempfile.TemporaryDirectory() as name,
        installation(Path(name), devices=DEVICES, rules=RULES, make_rule=_rule, more_devices=more) as made,
    ):
        secret = made.add_credential(SLUG, "load")
        wait_until(lambda: _is_let_in(made, secret), timeout_s=60, what="the credential to be known")
        load = Load(made.endpoint_port, "load", secret, devices=DEVICES, metrics=METRICS, seconds=240, rate=RATE)
        with subprocess.Popen(load.command(), stdout=subprocess.DEVNULL) as generator:
            try:
                return asyncio.run(_listen(made, secret))
            finally:
                generator.terminate()


def _is_let_in(made: Installation, secret: str) -> bool:
    try:
        Load(made.endpoint_port, "load", secret, devices=1, metrics=1, seconds=0.2).run()
    except subprocess.CalledProcessError:
        return False
    return True


async def _listen(made: Installation, secret: str) -> list[Figure]:
    """Once the load has come up and the new parameters are known, hear every raise for a while."""
    plant = await made.log_in(SLUG)
    await asyncio.to_thread(
        wait_until, lambda: figures_of(made, "ingest").get("messages_per_s", 0) > RATE * 0.8, timeout_s=30
    )
    await _heard(plant, 10.0)
    with Watch(made) as watch:
        ages_ms = await _heard(plant, SECONDS)
    of_trip = await trip(made, plant, secret)
    await plant.close()
    share = 100 * watch.cpu_s["engine"] / watch.seconds
    how = f"{len(ages_ms)} raises; {_HOW}"
    return [
        *(
            Figure(f"publish to alarm frame, p{part}", float(np.percentile(ages_ms, part)), "ms", asked, how)
            for part, asked in ((50, ""), (95, ""), (99, "under 100"))
        ),
        Figure("engine meanwhile", share, "% of a core", "under 60", _HOW),
        *of_trip,
    ]


def _rule(number: int) -> http.RuleContent:
    """Trip rules first; of the others some limits lie amid what a device's values wander through, most beyond it."""
    if number < ALARMS:
        return trip_rule(number)
    device, parameter = number % DEVICES, number % METRICS
    values = [row[parameter] for row in walk(device, METRICS)]
    is_crossed = number % CROSSED_EVERY == 0
    limit = limit_content(
        name=f"Rule {number}",
        parameter_key=f"parameter_{parameter}",
        limit=(max(values) + min(values)) / 2 if is_crossed else 500.0,
        priority=Priority.LOW,
        device_keys=[load_key(device)],
        deadband=(max(values) - min(values)) / 10,
    )
    return _compound(limit, parameter) if number % COMPOUND_EVERY == 1 else limit


def _compound(limit: http.RuleContent, parameter: int) -> http.RuleContent:
    """The same limit on two parameters of the device."""
    beside = Compare(Parameter(f"parameter_{(parameter + 1) % METRICS}"), Comparison.ABOVE, Constant(500.0))
    return limit.model_copy(update={"condition": AllOf((limit.condition, beside))})


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
