"""The history store is away for an hour of data (P2): nothing is lost, alarms do not wait, and it catches up by itself.

The hour is compressed: as many messages as 2,000 a second make in one hour come as fast as they are acknowledged. The
quick run takes a fortieth of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http, live
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.installation import Installation
from tests.support.mqtt_client import RawClient
from tests.support.rules import limit_content
from tests.support.waiting import until

L1_MESSAGES_PER_HOUR: Final = 2_000 * 3_600
METRICS: Final = 5
WITHOUT_WAITING_S: Final = 5.0
"""An alarm that waited for the store would take as long as the outage lasts."""

_TOPIC: Final = "factories/works/devices/press-1/telemetry"


class AlarmClock:
    """Crosses a limit again and again and notes how long each crossing takes to reach a live client."""

    def __init__(self, client: HttpPlant, device: RawClient) -> None:
        self._client = client
        self._device = device
        self.latencies_s: list[float] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Alternate above and below until `stop`."""
        link = await self._client.open_live()
        await link.subscribe(live.Subscribe())
        changes: asyncio.Queue[http.Alarm] = asyncio.Queue()
        listening = asyncio.create_task(_listen(link, changes))
        is_high = False
        while not stop.is_set():
            is_high = not is_high
            began = time.monotonic()
            value = 9.0 if is_high else 1.0
            await self._device.publish(_TOPIC, b'{"timestamp":%d,"metrics":{"p":%f}}' % (now_us() // 1_000, value))
            async with asyncio.timeout(30):
                while _is_active(await changes.get()) is not is_high:
                    continue
            self.latencies_s.append(time.monotonic() - began)
            await asyncio.sleep(0.1)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await link.close()


async def _listen(link: object, changes: asyncio.Queue[http.Alarm]) -> None:
    async for message in link:  # type: ignore[attr-defined]  # a LiveLink
        if isinstance(message, live.AlarmChanged):
            changes.put_nowait(http.Alarm.model_validate_json(message.alarm))


def _is_active(alarm: http.Alarm) -> bool:
    return alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


async def _publish_all(installation: Installation, secret: str, messages: int) -> int:
    """Have the load generator publish about `messages`; answers how many were acknowledged."""
    seconds = max(3.0, messages / 40_000)
    acked = 0
    while acked < messages:
        command = [
            sys.executable, "-m", "tests.benchmarks.load", "--port", str(installation.endpoint_port), "--username",
            "load", "--password", secret, "--slug", "works", "--devices", "200", "--metrics", str(METRICS),
            "--window", "20", "--seconds", str(seconds),
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        acked += int(json.loads(out)["acked"])
        seconds = max(1.0, (messages - acked) / 40_000)
    return acked


async def outage(installation: Installation, *, messages: int) -> None:
    installation.add_factory("works")
    load_secret = installation.add_credential("works", "load")
    press_secret = installation.add_credential("works", "press", device="press-1")
    installation.start()
    client = await installation.log_in("works")
    await client.create_rule(
        limit_content(name="High", parameter_key="p", comparison=Comparison.ABOVE, limit=5.0, priority=Priority.HIGH)
    )
    device = await RawClient.logged_in(installation.endpoint_port, "press", "press", password=press_secret)
    clock, stop = AlarmClock(client, device), asyncio.Event()
    await device.publish(_TOPIC, b'{"metrics":{"p":1}}')
    await until(lambda: _rule_holds(client), timeout_s=20, every_s=0.1, what="the rule")
    ticking = asyncio.create_task(clock.run(stop))
    historian = installation.role_process("historian")
    historian.suspend()
    try:
        acked = await _publish_all(installation, load_secret, messages)
    finally:
        historian.resume()
    during = list(clock.latencies_s)
    resumed = time.monotonic()
    await until(lambda: _is_drained(installation), timeout_s=900, every_s=0.2, what="the backlog to drain")
    spent_s, p99_s = time.monotonic() - resumed, float(np.percentile(during, 99))
    print(f"{acked} messages, drained in {spent_s:.1f} s; alarms meanwhile p99 {p99_s:.3f} s")  # noqa: T201 - for whoever runs it
    stop.set()
    await ticking
    await _check(installation, client, acked, clock)
    assert len(during) >= 3
    assert float(np.percentile(clock.latencies_s, 99)) < WITHOUT_WAITING_S
    assert psutil.Process(historian.pid).memory_info().rss < 600 << 20
    await device.close()
    await client.close()


async def _rule_holds(client: HttpPlant) -> bool:
    return all(rule.holds_from_seq is not None for rule in await client.rules())


def _is_drained(installation: Installation) -> bool:
    beats = read_heartbeats(installation.data.heartbeats)
    ingest, historian = beats["ingest"].figures, beats["historian"].figures
    return bool(historian["stored"] + historian["replaced"] >= ingest["values_accepted"])


async def _told(client: HttpPlant) -> list[tuple[int, str]]:
    return [(one.annunciation, one.kind.value) for one in (await client.alarm_events()).events]


async def _check(installation: Installation, client: HttpPlant, acked: int, clock: AlarmClock) -> None:
    """Every acknowledged value is kept, both ledgers balance, and each crossing is one event."""
    await until(lambda: _is_drained(installation), timeout_s=60, every_s=0.2, what="the last samples")
    health = await client.health()
    assert health.messages is not None
    assert health.values is not None
    assert health.messages.received == health.messages.accepted + health.messages.quarantined
    assert health.messages.accepted >= acked
    values = health.values
    assert values.accepted == values.stored + values.replaced + values.in_journal

    async def is_every_alarm_told() -> bool:
        return len(await _told(client)) >= min(len(clock.latencies_s), 200)

    await until(is_every_alarm_told, timeout_s=10, what="every alarm to be recorded")
    numbers = await _told(client)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.timeout(240)
async def test_a_store_that_stands_still_costs_nothing_and_delays_no_alarm(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "plant")
    try:
        await outage(installation, messages=L1_MESSAGES_PER_HOUR // 40)
    finally:
        installation.kill()


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_an_hour_of_outage_costs_nothing_and_delays_no_alarm(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "plant")
    try:
        await outage(installation, messages=L1_MESSAGES_PER_HOUR)
    finally:
        installation.kill()
