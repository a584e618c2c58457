"""The ingest role: devices in, journal out, acknowledgement last."""

from __future__ import annotations

import asyncio

from factoryops.ingest.config import BrokerConfig, EndpointConfig, IngestConfig

__all__ = ["BrokerConfig", "EndpointConfig", "IngestConfig", "IngestService"]


class IngestService:
    """Runs the sources, the guard and the group commit until it is told to stop."""

    def __init__(self, config: IngestConfig) -> None:
        self._config = config

    async def run(self, stop: asyncio.Event) -> None:
        """Receive until `stop` is set; what was received by then is committed and acknowledged.

        Raises:
            SetupError: the endpoint's port cannot be taken, or the journal was written by a newer program.
            StorageError: the data folder cannot be written.
        """
        await stop.wait()
