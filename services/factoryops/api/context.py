"""What the API is built from: every port is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factoryops.certificates.expiry import WatchedCertificate
from factoryops.database.database import Database
from factoryops.domain.credentials import DeviceAddress
from factoryops.history.queries import History
from factoryops.history.store import HistoryReader
from factoryops.history.tail import Tail
from factoryops.history.transfer.uploads import Uploads
from factoryops.identity.login import Login
from factoryops.identity.vault import Vault
from factoryops.notifications.hook_secrets import HookRules


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """What one client may ask of the service; an operator at work never meets them.

    Attributes:
        body_bytes: largest request body.
        light_per_min / history_per_min / work_per_min: requests per session and cost class.
        history_at_once: history queries of one session that run at the same time; more wait.
        query_s: after this long a question to the database or the history is given up.
        most_series: parameters in one history query.
        most_bins / most_samples: per parameter in one answer.
        connections: live connections in all.
        connections_per_user: live connections of one user.
        hello_s: within this a live connection must have said who it is.
        queue_frames / queue_bytes: what waits for a slow live client before it is closed; a flood of alarms, each a
            frame that comes at the same moment as the others, must fit in.
    """

    body_bytes: int = 1 << 20
    light_per_min: int = 1_200
    history_per_min: int = 600
    work_per_min: int = 30
    history_at_once: int = 3
    query_s: float = 10.0
    most_series: int = 200
    most_bins: int = 20_000
    most_samples: int = 200_000
    connections: int = 100
    connections_per_user: int = 10
    hello_s: float = 5.0
    queue_frames: int = 4_096
    queue_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Everything the API stands on.

    Attributes:
        reader: the history store alone: its checkpoints and totals.
        tails: the very tails `history` merges; the live hub fills them.
        journals: "journal", "derived" and "import" -> file.
        artifacts_folder: files lie at <factory id>/<artifact id> in it.
        uploads: files that wait to be imported.
        roles: whose heartbeats must be there.
        certificates: those in use: their ends are announced.
        device_address: where devices are told to connect.
        vault: seals what of hooks is secret.
        hook_rules: where hooks may lead.
        logins_path: where ingest notes when credentials were last used.
    """

    database: Database
    login: Login
    history: History
    reader: HistoryReader
    tails: Mapping[str, Tail]
    journals: Mapping[str, Path]
    heartbeat_folder: Path
    doorbell_folder: Path
    artifacts_folder: Path
    version: str
    uploads: Uploads
    vault: Vault
    limits: ApiLimits = field(default_factory=ApiLimits)
    roles: tuple[str, ...] = ("ingest", "historian", "engine", "api", "worker")
    certificates: tuple[WatchedCertificate, ...] = ()
    device_address: DeviceAddress = field(default_factory=lambda: DeviceAddress("127.0.0.1", 1883))
    logins_path: Path | None = None
    hook_rules: HookRules = field(default_factory=HookRules)
