"""When a credential was last used at the endpoint, for whoever lists credentials."""

from __future__ import annotations

import asyncio

import pytest

from factoryops.domain.time import now_us
from factoryops.ingest.logins import read_logins
from factoryops.ingest.service import IngestService
from tests.support.ingest_folder import IngestFolder
from tests.support.mqtt_client import RawClient
from tests.support.waiting import until


async def test_who_is_connected_is_noted(folder: IngestFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.ingest.logins._SAVE_EVERY_S", 0.0)
    file = folder.root / "run" / "logins.json"
    stop = asyncio.Event()
    service = IngestService(folder.config(logins_path=file))
    task = asyncio.create_task(service.run(stop))
    await service.started.wait()
    began_us = now_us()
    client = await RawClient.logged_in(service.endpoint_port, "a", "pump-1")
    await until(lambda: set(read_logins(file)) == {"pump-1"})
    assert read_logins(file)["pump-1"] >= began_us
    await client.close()
    brief = await RawClient.logged_in(service.endpoint_port, "b", "gateway")
    await brief.close()
    await until(lambda: "gateway" in read_logins(file))
    stop.set()
    await task
    assert set(read_logins(file)) == {"pump-1", "gateway"}
