"""A plant trip: hundreds of alarms within one second, followed into the database, the API and a client."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from factoryops.client.http import HttpPlant
from factoryops.client.port import LiveLink
from factoryops.contracts import http, live
from factoryops.contracts.telemetry import telemetry_topic
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.identity import Role, Scope
from factoryops.domain.time import from_us, now_us, to_us
from factoryops_app.models.alarms import AlarmStore, by_area
from tests.benchmarks.figure import Figure
from tests.benchmarks.plant import SLUG
from tests.support.installation import Installation
from tests.support.mqtt_client import RawClient, publish_packet
from tests.support.rules import limit_content
from tests.support.waiting import until

ALARMS: Final = 500
STEP_US: Final = 1_900
SEED: Final = 7
_LOOKS_PER_S: Final = 8


def device_key(number: int) -> str:
    """The device whose alarm comes as the `number`-th."""
    return f"trip-{number:03}"


def trip_rule(number: int) -> http.RuleContent:
    """The rule of that alarm."""
    return limit_content(
        name=f"Trip {number:03}", parameter_key="trip", limit=0.5, priority=Priority.HIGH,
        device_keys=[device_key(number)],
    )  # fmt: skip


@dataclass
class _Course:
    """What was seen of it; moments are of `time.perf_counter`."""

    began: float = 0.0
    framed: dict[str, float] = field(default_factory=dict)
    stored: float = 0.0
    answers_s: list[float] = field(default_factory=list)


async def trip(made: Installation, plant: HttpPlant, secret: str) -> list[Figure]:
    """Let it happen once, and follow it."""
    course = _Course()
    link = await plant.open_live()
    async with asyncio.TaskGroup() as group:
        group.create_task(_hear(link, course))
        base_us = await _publish(made, secret, course)
        group.create_task(_look_at_the_list(plant, course))
        group.create_task(_wait_until_stored(made, course))
    await link.close()
    alarms = [one for one in await plant.alarms() if one.rule_name.startswith("Trip")]
    check_order(alarms, base_us)
    return _figures(course, alarms)


async def _publish(made: Installation, secret: str, course: _Course) -> int:
    """All of it in one burst of mixed order, each sample with its own time; answers the first of these."""
    device = await RawClient.logged_in(made.endpoint_port, "trip", "load", password=secret)
    numbers = [*range(ALARMS)]
    random.Random(SEED).shuffle(numbers)
    base_us = now_us() - ALARMS * STEP_US
    packets = [_packet(number, base_us + number * STEP_US) for number in numbers]
    course.began = time.perf_counter()
    device.send(b"".join(packets))
    for _ in range(ALARMS):
        assert (await device.packet(10.0))[:1] == b"\x40"
    await device.close()
    return base_us


def _packet(number: int, at_us: int) -> bytes:
    stamp = from_us(at_us).isoformat().replace("+00:00", "Z")
    payload = f'{{"timestamp":"{stamp}","metrics":{{"trip":1}}}}'.encode()
    return publish_packet(telemetry_topic(SLUG, device_key(number)).encode(), payload, number + 1)


async def _hear(link: LiveLink, course: _Course) -> None:
    async for message in link:
        if not isinstance(message, live.AlarmChanged):
            continue
        alarm = http.Alarm.model_validate_json(message.alarm)
        if alarm.rule_name.startswith("Trip"):
            course.framed.setdefault(alarm.id, time.perf_counter())
        if len(course.framed) == ALARMS:
            return


async def _look_at_the_list(plant: HttpPlant, course: _Course) -> None:
    """Ask for the list as an operator's client would, until all of it is stored."""
    while not course.stored:
        began = time.perf_counter()
        await plant.alarm_list()
        course.answers_s.append(time.perf_counter() - began)
        await asyncio.sleep(1 / _LOOKS_PER_S)


async def _wait_until_stored(made: Installation, course: _Course) -> None:
    with closing(Database.open(f"sqlite:///{made.data.metadata.as_posix()}")) as database:
        factory = database.read(lambda tx: tx.factories.list())[0]
        scope = Scope(factory.id, "bench", Role.VIEWER)
        await until(lambda: _stored(database, scope) == ALARMS, timeout_s=60)
    course.stored = time.perf_counter()


def _stored(database: Database, scope: Scope) -> int:
    return sum(one.rule_name.startswith("Trip") for one in database.read(lambda tx: tx.alarms(scope).list_abnormal()))


def check_order(alarms: Sequence[http.Alarm], base_us: int) -> None:
    """First-out order is that of the samples, to the microsecond; raises AssertionError otherwise."""
    ordered = sorted(alarms, key=lambda one: (to_us(one.raised_at) if one.raised_at else 0, one.order))
    told = [(one.rule_name, to_us(one.raised_at) if one.raised_at else 0) for one in ordered]
    assert told == [(f"Trip {number:03}", base_us + number * STEP_US) for number in range(ALARMS)]


def _figures(course: _Course, alarms: Sequence[http.Alarm]) -> list[Figure]:
    how = f"{ALARMS} alarms dated within {ALARMS * STEP_US / 1e6:.2f} s, sent in one burst in mixed order (seed {SEED})"
    framed_s = max(course.framed.values()) - course.began
    asked = sorted(course.answers_s)
    return [
        Figure(f"{ALARMS} alarms at once: all at a client", framed_s, "s", "", f"{how}; first-out order right"),
        Figure(f"{ALARMS} alarms at once: all stored", course.stored - course.began, "s", "all", how),
        Figure("alarm list meanwhile, median", statistics.median(asked) * 1e3, "ms", "usable",
               f"over HTTP, {len(asked)} times"),
        Figure("alarm list meanwhile, slowest", asked[-1] * 1e3, "ms", "usable", f"over HTTP, {len(asked)} times"),
        Figure(f"client: {ALARMS} alarms taken and arranged for a flood", _arranged_ms(alarms), "ms", "",
               "view model without a window"),
    ]  # fmt: skip


def _arranged_ms(alarms: Sequence[http.Alarm]) -> float:
    store = AlarmStore()
    began = time.perf_counter()
    for alarm in alarms:
        store.merge(alarm)
    groups = by_area(store.active, {})
    taken_s = time.perf_counter() - began
    assert sum(group.count for group in groups) == ALARMS
    return taken_s * 1e3
