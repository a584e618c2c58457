"""Runs the ingest role alone: its configuration as JSON on standard input, its port into the file that is named."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import msgspec
import uvloop

from factoryops.ingest.config import IngestConfig
from factoryops.ingest.service import IngestService


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = msgspec.json.decode(sys.stdin.buffer.read(), type=IngestConfig, dec_hook=_rich)
    uvloop.run(run(config, Path(sys.argv[1])))


async def run(config: IngestConfig, port_file: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    service = IngestService(config)
    announcing = asyncio.create_task(_announce(service, port_file))
    await service.run(stop)
    await announcing


async def _announce(service: IngestService, port_file: Path) -> None:
    await service.started.wait()
    temporary = port_file.with_suffix(".new")
    temporary.write_text(str(service.endpoint_port))
    temporary.rename(port_file)


def _rich(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)


if __name__ == "__main__":
    main()
