"""Rows of the database that no type of `domain` or `contracts` describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from factoryops.contracts.http import JobKind
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.identity import ArtifactId, DeviceId, FactoryId, Role, RunId, Scope, UserId
from factoryops.domain.plant import Factory


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A person's account in one factory.

    Attributes:
        password_hash: argon2id in its PHC text form; never leaves the service.
    """

    id: UserId
    factory_id: FactoryId
    name: str
    password_hash: str = field(repr=False)
    role: Role
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An open session with its user and factory.

    Attributes:
        token_sha256: hexadecimal SHA-256 of the opaque token; the token itself is never stored.
    """

    token_sha256: str
    user_id: UserId
    user_name: str
    role: Role
    factory: Factory
    created_at: datetime
    expires_at: datetime

    @property
    def scope(self) -> Scope:
        """What this session may see: its one factory, as its user."""
        return Scope(self.factory.id, self.user_name, self.role, self.user_id)


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """What an MQTT client logs in with.

    Attributes:
        username: unique over all factories.
        secret_sha256: hexadecimal SHA-256 of the secret.
        device_key: the only device it may publish for; None for any of its factory.
        broker_hash: of the same secret, as Mosquitto's password file wants it; "" when it was made without.
        previous_sha256 / previous_broker_hash: of the secret before the last rotation, None without one.
        previous_until: when that one ends.
    """

    factory_id: FactoryId
    username: str
    secret_sha256: str = field(repr=False)
    device_key: str | None
    created_at: datetime
    kind: CredentialKind = CredentialKind.GATEWAY
    broker_hash: str = field(default="", repr=False)
    previous_sha256: str | None = field(default=None, repr=False)
    previous_broker_hash: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EngineState:
    """Where the alarm engine stands.

    Attributes:
        seq: the last journal row evaluated, by journal name.
        blob: the engine's own snapshot.
    """

    seq: Mapping[str, int]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """What recording a set of transitions came to.

    Attributes:
        recorded: events that were new; repetitions are not counted.
        refused: transitions of a factory or rule this database does not know (it was restored from an older copy).
    """

    recorded: int
    refused: tuple[AlarmTransition, ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule of any factory, with what turns it into slots.

    Attributes:
        local_time: "HH:MM" on the factory's own clock.
        timezone: the factory's zone (IANA name).
        changed_at: when somebody changed it; no slot before that moment is due under it. None: as installed.
        since: when the factory was created; no slot before that is due either.
    """

    factory_id: FactoryId
    timezone: str
    kind: JobKind
    is_enabled: bool
    local_time: str
    changed_at: datetime | None
    since: datetime
    next_slot: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run a worker holds the lease of.

    Attributes:
        attempt: 1 for the first; the fencing token of `renew`, `finish` and `give_back`.
        slot: the scheduled moment; None when somebody asked for it.
        device_ids: the devices it covers; empty means all of the factory.
        arguments: what else its kind of work is told, plain JSON.
    """

    id: RunId
    factory: Factory
    kind: JobKind
    slot: datetime | None
    start: datetime
    end: datetime
    device_ids: tuple[DeviceId, ...]
    requested_by: str
    attempt: int
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """A file that a run left, at `artifacts/<factory id>/<artifact id>` in the data folder.

    Attributes:
        name: the file name a person is offered.
        sha256: hexadecimal.
    """

    id: ArtifactId
    factory_id: FactoryId
    run_id: RunId
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """A file that is already in its place on disk, to be recorded when its run finishes."""

    id: ArtifactId
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Counters that only grow; compare with the last ones seen to learn cheaply what to read again.

    Attributes:
        alarms: the largest `change` of any alarm.
        runs: the largest change number of any run.
        rules: grows with every change of a rule of any factory.
        access: grows when a factory, a device or an MQTT credential appears, changes or goes (the signed snapshot).
        inbox: grows when a message comes into an inbox of any factory, or is read.
        plant: per factory, grows with its devices, parameters and rules.
    """

    alarms: int
    runs: int
    rules: int
    access: int
    inbox: int
    plant: Mapping[FactoryId, int]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of a factory's audit trail.

    Attributes:
        number: 1 for the factory's first, without holes.
        old / new: plain JSON values of what was and what is; None where there is none.
        hash: hexadecimal SHA-256 over the previous entry's hash and this entry.
    """

    number: int
    at: datetime
    actor: str
    action: str
    object_id: str
    old: object
    new: object
    reason: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What checking an audit trail found.

    Attributes:
        count: entries checked.
        first_bad: number of the first entry that is missing or was altered; None when the chain holds.
    """

    count: int
    first_bad: int | None
