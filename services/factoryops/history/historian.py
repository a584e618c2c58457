"""The historian role: reads the journals from the store's checkpoints and keeps every sample in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factoryops.history.store import HistoryStore


@dataclass(frozen=True, slots=True)
class HistorianConfig:
    """What the historian works on.

    Attributes:
        journals: journal name ("journal", "derived", "import") -> file.
        checkpoints_folder / doorbell_folder / heartbeat_folder: of the installation.
        seal_every_s: how often samples go to the store.
        seal_at_samples: with so many waiting, at once; also the most that is held in memory.
    """

    journals: Mapping[str, Path]
    checkpoints_folder: Path
    doorbell_folder: Path
    heartbeat_folder: Path
    seal_every_s: float = 10.0
    seal_at_samples: int = 200_000


class Historian:
    """Runs until told to stop; holds the store's only writing connection."""

    def __init__(self, config: HistorianConfig, store: HistoryStore) -> None:
        self._config = config
        self._store = store

    async def run(self, stop: asyncio.Event) -> None:
        """Read, seal and tidy up until `stop`, then seal the rest."""
        await stop.wait()
