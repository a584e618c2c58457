"""Ingest running in this process, on a folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from factoryops.ingest.service import IngestService
from tests.support.ingest_folder import IngestFolder
from tests.support.mosquitto import Mosquitto

Running = Callable[[IngestFolder], AbstractAsyncContextManager[IngestService]]


@asynccontextmanager
async def running(folder: IngestFolder) -> AsyncIterator[IngestService]:
    """The role, started; stopped in good order at the end."""
    stop = asyncio.Event()
    service = IngestService(folder.config())
    task = asyncio.create_task(service.run(stop))
    started = asyncio.create_task(service.started.wait())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    try:
        if task.done():
            await task
        yield service
    finally:
        stop.set()
        async with asyncio.timeout(8):
            await task


@pytest.fixture
def run_ingest() -> Running:
    return running


@pytest.fixture
def folder(tmp_path: Path) -> IngestFolder:
    return IngestFolder(tmp_path)


@pytest.fixture
async def port(folder: IngestFolder) -> AsyncIterator[int]:
    """Where a running endpoint listens."""
    async with running(folder) as service:
        yield service.endpoint_port


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.stop()
