"""A real API over real SQLite, journals and history, in a thread of its own, with two factories in it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from factoryops.api.app import build_app
from factoryops.api.context import ApiContext, ApiLimits
from factoryops.api.server_options import UVICORN_OPTIONS
from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition, Why, WhyLeaf, WhySample, encode_transition
from factoryops.database.database import Database
from factoryops.database.rows import NewArtifact
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import (
    ArtifactId,
    Role,
    Scope,
    UserId,
    alarm_id,
    device_id,
    new_id,
    parameter_id,
)
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import from_us, now_us
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.history.tail import Tail
from factoryops.history.transfer.uploads import Uploads
from factoryops.identity.login import Login
from factoryops.identity.passwords import PasswordHasher
from factoryops.identity.vault import Vault
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Entry, MessageLedger, QuarantinedMessage
from factoryops.journal.writer import JournalWriter
from tests.support.rules import limit_content
from tests.support.waiting import wait_until

PASSWORD = "valves and dials 4711"


@dataclass
class FactoryKit:
    """One factory with a user and a session per role, two devices, a rule, and whatever tests add."""

    factory: Factory
    tokens: dict[Role, str] = field(default_factory=dict)
    users: dict[Role, UserId] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    rule: http.Rule | None = None

    @property
    def scope(self) -> Scope:
        """An administrator's scope."""
        return Scope(self.factory.id, "admin", Role.ADMIN, self.users.get(Role.ADMIN))

    def keys(self) -> list[SeriesKey]:
        """What the series of its parameters are."""
        of = {device.id: device.key for device in self.devices}
        return [SeriesKey(self.factory.id, of[one.device_id], one.key) for one in self.parameters]

    def auth(self, role: Role = Role.ADMIN) -> dict[str, str]:
        """The header of a role's session."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


class ApiService:
    """Everything an API needs, started for real on a free port of loopback."""

    def __init__(
        self, folder: Path, *, limits: ApiLimits | None = None, certificate_file: Path | None = None,
        key_file: Path | None = None,
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._tls: dict[str, Any] = {"ssl_certfile": certificate_file, "ssl_keyfile": key_file}
        self.database_file = folder / "factoryops.db"
        self.database = Database.open(f"sqlite:///{self.database_file}")
        self.database.migrate()
        self.journals = {name: folder / f"{name}.db" for name in ("journal", "derived", "import")}
        self.writers = {name: JournalWriter(path) for name, path in self.journals.items()}
        self.store = LocalHistory(folder / "history.db")
        self.doorbell = Doorbell(folder / "run" / "doorbell")
        reader = LocalHistoryReader(folder / "history.db")
        tails = {name: Tail() for name in self.journals}
        self.login = Login(self.database)
        self.context = ApiContext(
            database=self.database, login=self.login, history=History(reader, tails), reader=reader, tails=tails,
            journals=self.journals, heartbeat_folder=folder / "run" / "heartbeat",
            doorbell_folder=folder / "run" / "doorbell", artifacts_folder=folder / "artifacts", version="0.1.0",
            uploads=Uploads(folder / "uploads", most_bytes=1 << 20), vault=Vault(bytes(32)),
            limits=limits or ApiLimits(), logins_path=folder / "run" / "logins.json",
        )  # fmt: skip
        self.app = build_app(self.context)
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Serve until `stop`."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, **self._tls, **UVICORN_OPTIONS))
        self._server = server
        self._thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), name="api-service")
        self._thread.start()
        wait_until(lambda: server.started, what="the API")

    def stop(self) -> None:
        """Stop serving and let go of everything."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(15)
            assert not self._thread.is_alive()
            self._server = None
        for writer in self.writers.values():
            writer.close()
        self.doorbell.close()
        self.store.close()
        self.login.close()
        self.database.close()

    @property
    def url(self) -> str:
        """Where it is."""
        scheme = "https" if self._tls["ssl_certfile"] else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def client(self, token: str | None = None) -> httpx.Client:
        """A plain HTTP client below /api/v1/."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=15, trust_env=False)

    # --- what there is -----------------------------------------------------------------------------------------------

    def add_factory(self, slug: str, *, has_passwords: bool = False) -> FactoryKit:
        """A factory with everything that a test of routes needs."""
        factory = self.database.run(lambda tx: tx.factories.create(slug, slug.title(), "Europe/Berlin"))
        kit = FactoryKit(factory)
        for role in (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN):
            self._add_user(kit, role, has_password=has_passwords)
        for key in ("pump-1", "press-1"):
            device = Device(device_id(factory.id, key), factory.id, key, key.title(), "machine", "Hall 1")
            kit.devices.append(device)
            kit.parameters += [_parameter(factory, device, name) for name in ("pressure", "temperature")]
        content = limit_content(
            name="Pressure high", parameter_key="pressure", comparison=Comparison.ABOVE, limit=5.0,
            priority=Priority.HIGH, response="Open the bypass.",
        )  # fmt: skip
        self.database.run(lambda tx: tx.devices(kit.scope).ensure_many(kit.devices))
        self.database.run(lambda tx: tx.parameters(kit.scope).ensure_many(kit.parameters))
        kit.rule = self.database.run(lambda tx: tx.rules(kit.scope).create(content, "admin"))
        return kit

    def _add_user(self, kit: FactoryKit, role: Role, *, has_password: bool) -> None:
        password_hash = "$argon2id$no-login"
        if has_password:
            hasher = PasswordHasher()
            password_hash = hasher.hash(PASSWORD)
            hasher.close()
        user = self.database.run(lambda tx: tx.users.create(kit.factory.id, role.value, password_hash, role))
        kit.users[role] = user.id
        kit.tokens[role] = self.open_session(kit, role)

    def open_session(self, kit: FactoryKit, role: Role) -> str:
        """A new session's token, without a login."""
        token = secrets.token_urlsafe(32)
        digest = hashlib.sha256(token.encode()).hexdigest()
        expires = from_us(now_us()) + timedelta(hours=1)
        self.database.run(lambda tx: tx.sessions.create(digest, kit.users[role], kit.factory.id, expires))
        return token

    def receive(self, kit: FactoryKit, rows: Sequence[tuple[int, int, float]], *, flags: int = 0) -> int:
        """Put samples (number of the parameter, time, value) into the journal as ingest would; returns the row."""
        samples = SampleColumns.of(
            [(kit.parameters[number].series_id, time_us, value) for number, time_us, value in rows], flags=flags
        )
        writer, old = self.writers["journal"], self.writers["journal"].ledger
        ledger = MessageLedger(old.received + 1, old.accepted + 1, old.quarantined, old.values_accepted + len(samples))
        moment = now_us()
        seq = writer.append(Entry(moment, ledger, samples, watermark_us=moment - 2_000_000), kit.keys())
        self.doorbell.ring()
        return seq

    def seal(self) -> None:
        """Move what the journal holds into the store, as the historian would."""
        reader = JournalReader(self.journals["journal"], after_seq=self.store.checkpoint("journal"))
        batches = reader.read(most_rows=100_000)
        samples = SampleColumns.joined([batch.samples for batch in batches])
        self.store.append(samples, reader.series, gaps=[], checkpoints={"journal": reader.position})
        reader.close()

    def quarantine(
        self, kit: FactoryKit, payload: bytes, reason: str = "invalid_json", *, device: str = "",
        topic: bytes = b"factories/x/devices/y/telemetry",
    ) -> None:  # fmt: skip
        """Put a message aside as ingest would."""
        writer, old = self.writers["journal"], self.writers["journal"].ledger
        ledger = MessageLedger(old.received + 1, old.accepted, old.quarantined + 1, old.values_accepted)
        message = QuarantinedMessage(now_us(), topic, payload, reason, "It is not JSON.", kit.factory.id, "c-1", device)
        writer.append(Entry(now_us(), ledger, quarantined=(message,)))

    def transition(
        self, kit: FactoryKit, kind: str = "raised", *, annunciation: int = 1, is_recorded: bool = True,
        is_applied: bool = True, device: int = 0,
    ) -> AlarmTransition:  # fmt: skip
        """Raise or clear the rule's alarm as the engine would; `is_applied` says whether the database hears of it."""
        assert kit.rule is not None
        machine = kit.devices[device]
        parameter = next(one for one in kit.parameters if one.device_id == machine.id and one.key == "pressure")
        transition = AlarmTransition(
            factory_id=kit.factory.id, alarm_id=alarm_id(kit.factory.id, kit.rule.id, machine.key),
            rule_id=kit.rule.id, rule_version=1, rule_name="Pressure high", device_id=machine.id,
            device_key=machine.key, device_name=machine.name, area=machine.area, parameter_key="pressure",
            series_id=parameter.series_id, unit="bar", priority=2, kind=kind, annunciation=annunciation,
            at_us=now_us(), value=5.3, message="Pressure is 5.3 bar, above the limit of 5 bar",
            response="Open the bypass.", seq=1, is_recorded=is_recorded, why=_why(machine.key, kind),
        )  # fmt: skip
        writer = self.writers["derived"]
        writer.append(Entry(now_us(), writer.ledger, events=(encode_transition(transition),)))
        self.doorbell.ring()
        if is_applied:
            self.apply(transition)
        return transition

    def apply(self, transition: AlarmTransition) -> None:
        """Record a transition in the database as the engine would."""

        def work(tx: Transaction) -> None:
            tx.engine.apply([transition])
            tx.whys.record([transition])

        self.database.run(work)

    def finished_run(self, kit: FactoryKit, content: bytes = b"%PDF-1.4 a report") -> http.Run:
        """A run that has left a file."""
        self.database.run(lambda tx: tx.work.queue(kit.scope, http.RunRequest(kind=http.JobKind.DAILY_REPORT)))
        claimed = self.database.run(lambda tx: tx.work.claim("worker-1", 60))
        assert claimed is not None
        artifact = ArtifactId(new_id())
        path = self.folder / "artifacts" / claimed.factory.id / artifact
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        row = NewArtifact(
            artifact, "Report Ä 1.pdf", "application/pdf", len(content), hashlib.sha256(content).hexdigest()
        )
        state = http.RunState.SUCCEEDED
        return self.database.run(lambda tx: tx.work.finish(claimed, state, "Done.", {"devices": 2}, [row]))

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Every question to the database fails as if its server were gone."""

        def refuse(work: Callable[[Any], Any]) -> Any:
            raise UnavailableError("The database is away.")

        kept = self.database.read, self.database.run
        self.database.read = self.database.run = refuse  # type: ignore[method-assign]  # taken back below
        try:
            yield
        finally:
            self.database.read, self.database.run = kept  # type: ignore[method-assign]  # as above


def _parameter(factory: Factory, device: Device, key: str) -> Parameter:
    return Parameter(
        parameter_id(factory.id, device.key, key), factory.id, device.id,
        series_id(SeriesKey(factory.id, device.key, key)), key, key.title(), "bar" if key == "pressure" else "°C",
    )  # fmt: skip


@contextmanager
def running_api(
    folder: Path, *, limits: ApiLimits | None = None, certificate_file: Path | None = None,
    key_file: Path | None = None,
) -> Iterator[ApiService]:  # fmt: skip
    """An API that runs as long as the block."""
    service = ApiService(folder, limits=limits, certificate_file=certificate_file, key_file=key_file)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def _why(device: str, kind: str) -> Why:
    at_us = now_us()
    sample = WhySample(device, "pressure", at_us, 5.3, 0)
    state = "true" if kind == "raised" else "false"
    return Why(at_us, (WhyLeaf("", "Pressure is above 5 bar", state, 5.3, 5.0, (sample,)),))
