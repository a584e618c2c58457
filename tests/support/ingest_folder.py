"""A data folder for ingest, with one or two factories in its snapshot, and the ingest process to run on it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from factoryops.contracts.snapshot import Snapshot, SnapshotCredential, SnapshotFactory, seal_snapshot
from factoryops.ingest.config import BrokerConfig, EndpointConfig, IngestConfig
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Batch
from factoryops.observability.heartbeat import Heartbeat, read_heartbeats
from tests.support.waiting import wait_until

KEY = bytes(range(32))
SECRET = "correct-horse-battery-staple-0001"

PLANT = SnapshotFactory("f" * 32, "riverside", adopts_automatically=True, device_keys=[])
STRICT_PLANT = SnapshotFactory("e" * 32, "hillside", adopts_automatically=False, device_keys=["press-1"])


def credential(
    username: str, factory_id: str, device_key: str | None = None, *, may_subscribe: bool = False
) -> SnapshotCredential:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return SnapshotCredential(username, digest, factory_id, device_key, may_subscribe)


SNAPSHOT = Snapshot(
    factories=[PLANT, STRICT_PLANT],
    credentials=[
        credential("gateway", PLANT.id),
        credential("pump-1", PLANT.id, "pump-1"),
        credential("hillside-gateway", STRICT_PLANT.id),
        credential("tool", PLANT.id, "", may_subscribe=True),
        credential("hillside-tool", STRICT_PLANT.id, may_subscribe=True),
    ],
)


@dataclass
class IngestFolder:
    """Paths of one installation's data folder, and what the journal in it holds."""

    root: Path
    brokers: tuple[BrokerConfig, ...] = ()
    endpoint: EndpointConfig | None = field(default_factory=lambda: EndpointConfig(port=0))
    size_limit_bytes: int = 20 << 30
    dialect_b_factory: str = ""

    def __post_init__(self) -> None:
        self.write_snapshot(SNAPSHOT)

    @property
    def journal(self) -> Path:
        return self.root / "journal.db"

    @property
    def heartbeats(self) -> Path:
        return self.root / "run" / "heartbeat"

    @property
    def checkpoints(self) -> Path:
        return self.root / "run" / "checkpoints"

    def write_snapshot(self, snapshot: Snapshot) -> None:
        temporary = self.root / "snapshot.new"
        temporary.write_bytes(seal_snapshot(snapshot, KEY))
        temporary.replace(self.root / "snapshot.bin")

    def config(self, **changes: Any) -> IngestConfig:
        fields: dict[str, Any] = {
            "journal_path": self.journal,
            "checkpoints_folder": self.checkpoints,
            "doorbell_folder": self.root / "run" / "doorbell",
            "heartbeat_folder": self.heartbeats,
            "snapshot_path": self.root / "snapshot.bin",
            "snapshot_key": KEY,
            "endpoint": self.endpoint,
            "brokers": self.brokers,
            "size_limit_bytes": self.size_limit_bytes,
            "dialect_b_factory": self.dialect_b_factory,
        }
        return IngestConfig(**fields | changes)

    def batches(self) -> list[Batch]:
        """Every row of the journal that can be read now."""
        reader = JournalReader(self.journal)
        found: list[Batch] = []
        while batches := reader.read():
            found += batches
        reader.close()
        return found

    def samples(self) -> list[tuple[str, str, int, float, int]]:
        """(device, parameter, time, value, flags) of every sample in the journal, in its order."""
        reader = JournalReader(self.journal)
        found: list[tuple[str, str, int, float, int]] = []
        while batches := reader.read():
            for batch in batches:
                columns = batch.samples
                found += [
                    (reader.series[series].device, reader.series[series].parameter, time_us, value, flags)
                    for series, time_us, value, flags in zip(
                        columns.series.tolist(), columns.time_us.tolist(), columns.value.tolist(),
                        columns.flags.tolist(), strict=True,
                    )
                ]  # fmt: skip
        reader.close()
        return found

    def heartbeat(self) -> Heartbeat | None:
        return read_heartbeats(self.heartbeats).get("ingest")


class IngestProcess:
    """The ingest role as a process of its own, which can be killed."""

    def __init__(self, folder: IngestFolder, *, failpoint: str = "", prefix: tuple[str, ...] = ()) -> None:
        self._folder = folder
        (folder.root / "port").unlink(missing_ok=True)
        config = msgspec.json.encode(folder.config(), enc_hook=_plain)
        environment = os.environ | {"FACTORYOPS_FAILPOINT": failpoint}
        self._log = (folder.root / "ingest.log").open("ab")
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tests.support.ingest_process", str(folder.root / "port")],
            stdin=subprocess.PIPE, stdout=self._log, stderr=self._log, env=environment,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(config)
        self.process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def port(self, timeout_s: float = 20.0) -> int:
        """Where it listens, once it does."""
        file = self._folder.root / "port"
        wait_until(lambda: file.exists() or self.process.poll() is not None, timeout_s=timeout_s)
        assert self.process.poll() is None, self.log()
        return int(file.read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self, timeout_s: float = 10.0) -> int:
        """Stop it in good order; returns its exit code."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        assert time.monotonic() - started < timeout_s
        self._log.close()
        return code

    def log(self) -> str:
        return (self._folder.root / "ingest.log").read_text(encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))
