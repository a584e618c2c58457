"""A small installation for tests of scheduled work: a furnished plant with some hours of history, and workers on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen

from factoryops.contracts.http import JobKind, Run, RunRequest
from factoryops.database.database import Database
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, now_us
from factoryops.history.local.store import LocalHistory
from factoryops.jobs.attempt import Limits
from factoryops.jobs.orders import LocalSource
from factoryops.jobs.worker import WorkerConfig
from factoryops.journal.reader import JournalReader
from factoryops.simulator.backfill import backfill
from factoryops.simulator.describe import furnish
from tests.support.import_place import import_place

HOURS = 3


@dataclass(frozen=True, slots=True)
class JobPlant:
    """The folder of an installation."""

    root: Path

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root / 'factoryops.db'}"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    def open_database(self) -> Database:
        return Database.open(self.database_url)

    def config(self, **limits: object) -> WorkerConfig:
        settings: dict[str, object] = {"renew_s": 0.2, **limits}
        return WorkerConfig(
            artifacts_folder=self.artifacts,
            heartbeat_folder=self.root / "run" / "heartbeat",
            database_url=self.database_url,
            history=LocalSource(str(self.root / "history.db")),
            journals={name: self.root / f"{name}.db" for name in ("journal", "derived", "import")},
            imports=import_place(self.root),
            uploads_folder=self.root / "uploads",
            limits=Limits(**settings),  # type: ignore[arg-type]  # the tests name the fields
            lease_s=2.0,
            poll_s=0.05,
        )

    def visible_files(self) -> list[str]:
        """Files under the artifacts folder, half-done ones apart."""
        return [file.name for file in self.artifacts.glob("*/*") if file.is_file()]


def make_plant(root: Path) -> JobPlant:
    """A furnished plant whose last hours lie in history."""
    plant = JobPlant(root)
    database = plant.open_database()
    database.migrate()
    factory = database.run(lambda tx: tx.factories.create("riverside", "Riverside Works", "Europe/Berlin"))
    furnish(database, factory.id)
    database.close()
    backfill(import_place(root), root / "imported.json", factory.id, span_s=HOURS * 3_600)
    store = LocalHistory(root / "history.db")
    reader = JournalReader(root / "import.db")
    while batches := reader.read():
        for batch in batches:
            keys = {one: reader.series[one] for one in set(batch.samples.series.tolist())}
            store.append(batch.samples, keys, gaps=(), checkpoints={"import": batch.seq})
    reader.close()
    store.close()
    return plant


def factory_of(database: Database) -> Factory:
    """The plant's one factory."""
    return database.read(lambda tx: tx.factories.list())[0]


def scope_of(database: Database) -> Scope:
    """An operator of it."""
    return Scope(factory_of(database).id, "anna", Role.OPERATOR)


def ask_for(database: Database, *, kind: JobKind = JobKind.DAILY_REPORT, until: datetime | None = None) -> Run:
    """Queue a run over the last hours."""
    end = until or from_us(now_us())
    request = RunRequest(kind=kind, start=end - timedelta(hours=HOURS), end=end)
    scope = scope_of(database)
    return database.run(lambda tx: tx.work.queue(scope, request))


def run_of(database: Database, run_id: str) -> Run:
    """A run as it stands."""
    scope = scope_of(database)
    return database.read(lambda tx: tx.work.get(scope, run_id))


def start_worker(plant: JobPlant, *, environment: Mapping[str, str] | None = None) -> Popen[bytes]:
    """A worker in a process of its own."""
    return Popen(
        [sys.executable, "-m", "tests.support.worker_process", str(plant.root)],
        env={**os.environ, **(environment or {})},
        stdin=PIPE,
        stderr=PIPE,
    )
