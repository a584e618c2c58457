"""A small installation around the alarm engine: a journal written by the test, a real database, the real role."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from factoryops.alarms.service import EngineConfig, EngineService
from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition, decode_transition
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Condition
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Entry, Gap
from factoryops.journal.writer import JournalWriter
from tests.support.databases import Site
from tests.support.rules import changed_content

KEY = b"k" * 32
US = 1_000_000


def config_in(folder: Path) -> EngineConfig:
    return EngineConfig(
        journal_path=folder / "journal.db",
        derived_path=folder / "derived.db",
        checkpoints_folder=folder / "checkpoints",
        doorbell_folder=folder / "doorbell",
        heartbeat_folder=folder / "heartbeat",
        snapshot_path=folder / "snapshot.bin",
        retention_path=folder / "retention.json",
        snapshot_key=KEY,
        import_path=folder / "import.db",
        save_every_s=0.2,
    )


@dataclass
class EngineSite:
    """What a test of the engine role needs; times are in seconds."""

    site: Site
    folder: Path
    writer: JournalWriter = field(init=False)
    bell: Doorbell = field(init=False)

    def __post_init__(self) -> None:
        self.config = config_in(self.folder)
        self.writer = JournalWriter(self.config.journal_path)
        self.bell = Doorbell(self.config.doorbell_folder)

    def key(self, device: str = "pump-1", parameter: str = "pressure") -> SeriesKey:
        return SeriesKey(self.site.factory.id, device, parameter)

    def write(
        self,
        samples: Iterable[tuple[float, float]] = (),
        *,
        watermark_s: float = 0,
        key: SeriesKey | None = None,
        flags: int = 0,
        gaps: tuple[Gap, ...] = (),
    ) -> int:
        """One row of the journal: (time, value) samples of one series, and a watermark."""
        of = key or self.key()
        rows = [(int(series_id(of)), int(time_s * US), value) for time_s, value in samples]
        old = self.writer.ledger
        ledger = msgspec.structs.replace(old, values_accepted=old.values_accepted + len(rows))
        received_us = int(max([watermark_s, *(row[1] / US for row in rows)]) * US) + 2 * US
        columns = SampleColumns.of(rows, flags=flags)
        entry = Entry(received_us, ledger, columns, watermark_us=int(watermark_s * US), gaps=gaps)
        seq = self.writer.append(entry, [of] if rows else ())
        self.bell.ring()
        return seq

    def add_rule(self, **fields: object) -> http.Rule:
        return self.site.add_rule(**fields)

    def add_condition(self, name: str, condition: Condition, **fields: Any) -> http.Rule:
        """A rule that is more than a limit."""
        definition = RuleDefinition(name, condition, Priority.HIGH, **fields)
        content = http.RuleContent.of(definition)
        return self.site.database.run(lambda tx: tx.rules(self.site.scope).create(content, "op1"))

    def change_rule(self, rule: http.Rule, **fields: object) -> http.Rule:
        content = changed_content(rule.content, **fields)
        return self.site.database.run(
            lambda tx: tx.rules(self.site.scope).update(rule.id, rule.version, content, "op1")
        )

    def events(self) -> list[tuple[int, str]]:
        return self.site.events()

    def dated_events(self) -> list[tuple[str, int, str, float, float | None]]:
        """Every event but acknowledgements: alarm, annunciation, kind, time in seconds, value."""
        page = self.site.database.read(lambda tx: tx.alarms(self.site.scope).events(most=10_000))
        found = [
            (event.alarm_id, event.annunciation, event.kind.value, event.at.timestamp(), event.value)
            for event in page.events
            if event.kind.value != "acknowledged"
        ]
        return sorted(found, key=lambda event: (event[0], event[1], event[3], event[2] == "cleared"))

    def told(self) -> list[AlarmTransition]:
        """What the live side was told, repetitions included."""
        reader = JournalReader(self.config.derived_path)
        found: list[AlarmTransition] = []
        while batches := reader.read():
            found += [decode_transition(event) for batch in batches for event in batch.entry.events]
        reader.close()
        return found

    def checkpoint(self) -> int:
        state = self.site.database.read(lambda tx: tx.engine.load_state())
        return 0 if state is None else state.seq["journal"]

    @contextlib.asynccontextmanager
    async def running(self, database: Database | None = None) -> AsyncIterator[EngineService]:
        """The role at work; stopped in an orderly way at the end."""
        stop = asyncio.Event()
        service = EngineService(self.config, database or self.site.database)
        task = asyncio.create_task(service.run(stop))
        try:
            yield service
        finally:
            stop.set()
            await asyncio.wait_for(task, 5)

    def close(self) -> None:
        self.writer.close()
        self.bell.close()
