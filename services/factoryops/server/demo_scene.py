"""What happens in the simulated plant before pictures are taken: two faults, an acknowledgement, a report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState
from factoryops.domain.errors import SetupError
from factoryops.server.demo_plant import DemoFolder
from factoryops.simulator.commands import FaultFile

_FAULTS: Final = ("pump-1:cavitation", "press-1:overheating")
_WITHIN_S: Final = 120.0


async def set_the_scene(place: DemoFolder) -> None:
    """Return when an alarm has been raised, one acknowledged, and a report made.

    Raises:
        SetupError: that did not happen in time.
    """
    await asyncio.to_thread(FaultFile(place.fault_file).begin, _FAULTS)
    client = HttpPlant(place.api_url)
    known = json.loads(await asyncio.to_thread(place.login.read_text, encoding="utf-8"))
    await client.login(known["factory"], known["user"], known["password"])
    try:
        run = await client.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT))
        await _until(lambda: _has_alarms(client, 2), "two alarms")
        await _acknowledge_one(client)
        await _until(lambda: _is_done(client, run.id), "the report")
    finally:
        await client.logout()
        await client.close()


async def _has_alarms(client: HttpPlant, count: int) -> bool:
    return len(await client.alarms()) >= count


async def _acknowledge_one(client: HttpPlant) -> None:
    open_alarms = [one for one in await client.alarms() if one.state is AlarmState.UNACKNOWLEDGED]
    if open_alarms:
        last = open_alarms[-1]
        item = http.AcknowledgeItem(alarm_id=last.id, annunciation=last.annunciation)
        await client.acknowledge(http.AcknowledgeRequest(items=[item], comment="Maintenance informed"))


async def _is_done(client: HttpPlant, run_id: str) -> bool:
    return any(one.id == run_id and one.state is http.RunState.SUCCEEDED for one in await client.runs())


async def _until(is_so: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + _WITHIN_S
    while not await is_so():
        if asyncio.get_running_loop().time() > deadline:
            raise SetupError(f"The pictures were not taken: {what} did not come within {_WITHIN_S:.0f} s.")
        await asyncio.sleep(0.5)
