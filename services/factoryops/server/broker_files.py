"""The files of an outside Mosquitto: who may log in comes from the database, the rest from its plan."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from factoryops.certificates.files import PRIVATE, PUBLIC, read_private, replace_file
from factoryops.database.database import Database
from factoryops.database.rows import CredentialRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, SetupError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, now_us
from factoryops.domain.topic_template import TopicTemplate
from factoryops.identity.credentials import broker_hash
from factoryops.ingest.mosquitto.configuration import ACCESS, CONFIGURATION, PASSWORDS, BrokerPlan, configuration
from factoryops.ingest.mosquitto.users import (
    PROBE_USER,
    SERVICE_USER,
    BrokerUser,
    FactoryTopics,
    access_file,
    check_files,
    check_user,
    password_file,
)

_SECRET_BYTES: Final = 32
PID_FILE: Final = "mosquitto.pid"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the broker shows to those who connect, and the authority that signed it."""

    certificate_file: Path
    key_file: Path
    ca_file: Path


def write_configuration(plan: BrokerPlan, tls: TlsFiles) -> None:
    """Write mosquitto.conf and the TLS files into the plan's folder.

    Raises:
        SetupError: others may read the key.
        StorageError: the folder cannot be written.
    """
    folder = plan.folder / "tls"
    key = read_private(tls.key_file)
    replace_file(plan.folder / CONFIGURATION, configuration(plan).encode(), mode=PUBLIC)
    replace_file(folder / "key.pem", key, mode=PRIVATE)
    replace_file(folder / "certificate.pem", _read(tls.certificate_file), mode=PUBLIC)
    replace_file(folder / "ca.pem", _read(tls.ca_file), mode=PUBLIC)


def own_secret(secrets_folder: Path, user: str) -> str:
    """The secret of one of our own users, made at first use; its file is the `password_file` of the settings."""
    file = own_secret_file(secrets_folder, user)
    if not file.exists():
        replace_file(file, secrets.token_urlsafe(_SECRET_BYTES).encode() + b"\n")
    return read_private(file).decode().strip()


def own_secret_file(secrets_folder: Path, user: str) -> Path:
    """Where it lies."""
    return secrets_folder / f"{user}.password"


@dataclass(frozen=True, slots=True)
class UsersWritten:
    """What came of writing who may log in.

    Attributes:
        has_changed: whether the broker must read its files again.
        left_out: credentials made before the broker's hash was kept: they must be rotated once.
    """

    users: int
    has_changed: bool
    left_out: tuple[str, ...]


def write_users(
    database: Database, folder: Path, secrets_folder: Path, *, dialect_b_factory: str | None = None
) -> UsersWritten:
    """Write the password file and the access file, both checked before either is replaced.

    Args:
        database: knows who may log in.
        folder: the broker's.
        secrets_folder: where the secrets of our own users lie.
        dialect_b_factory: the slug of the factory that topics without a factory belong to.

    Raises:
        UnavailableError: the database is away; the files stay as they are.
        InvalidInputError: a credential cannot be used at a broker; the files stay as they are.
        StorageError: the folder cannot be written.
    """
    records = database.read(lambda tx: _users(tx, dialect_b_factory))
    users = [user for _, user in records if user is not None]
    for user in users:
        check_user(user)
    known = _known_hashes(folder / PASSWORDS)
    own = {name: _hash_of_own(secrets_folder, name, known) for name in (SERVICE_USER, PROBE_USER)}
    texts = {PASSWORDS: password_file(users, own), ACCESS: access_file(users)}
    check_files(texts[PASSWORDS], texts[ACCESS])
    changed = {name: text for name, text in texts.items() if _text_of(folder / name) != text}
    # Access first: a user who is known and has no rights yet is harmless, one with another's rights is not.
    for name in sorted(changed):
        replace_file(folder / name, changed[name].encode(), mode=PRIVATE)
    left_out = tuple(record.username for record, user in records if user is None)
    return UsersWritten(len(users), bool(changed), left_out)


def reload_broker(folder: Path) -> bool:
    """Tell the broker to read its users again; whether it could be told. Connections of revoked users end."""
    try:
        process_id = int((folder / PID_FILE).read_text(encoding="ascii"))
        if not _is_broker(process_id):
            return False
        os.kill(process_id, signal.SIGHUP)
    except (OSError, ValueError, AttributeError):  # Windows has no SIGHUP
        return False
    return True


def _is_broker(process_id: int) -> bool:
    """Whether a process may be a Mosquitto: one that was killed leaves its number behind for others, whom we'd end."""
    try:
        name = Path(f"/proc/{process_id}/comm").read_text(encoding="utf-8")
    except OSError:  # no such process, or a system that does not tell
        return True
    return "mosquitto" in name


def _users(tx: Transaction, dialect_b_factory: str | None) -> list[tuple[CredentialRecord, BrokerUser | None]]:
    moment = from_us(now_us())
    topics = {
        factory.id: FactoryTopics(
            factory.slug, factory.tenant, factory.slug == dialect_b_factory, _templates(tx, factory)
        )
        for factory in tx.factories.list()
    }
    return [(one, _user(one, topics[one.factory_id], moment)) for one in tx.credentials.list_all()]


def _templates(tx: Transaction, factory: Factory) -> tuple[TopicTemplate, ...]:
    """Topics of the mappings in force; one of a program with other rules is in force nowhere."""
    found: list[TopicTemplate] = []
    for _, _, definition in tx.mappings(Scope(factory.id, "broker", Role.VIEWER)).in_force():
        with contextlib.suppress(InvalidInputError):
            found.append(definition.template)
    return tuple(found)


def _user(record: CredentialRecord, topics: FactoryTopics, moment: datetime) -> BrokerUser | None:
    """A password file holds one secret per user: during a rotation's overlap the older one (decision 0016)."""
    is_overlap = record.previous_until is not None and record.previous_until > moment
    hashed = (record.previous_broker_hash if is_overlap else "") or record.broker_hash
    if not hashed:
        return None
    return BrokerUser(record.username, hashed, record.kind, topics, record.device_key)


def _known_hashes(file: Path) -> dict[str, str]:
    return dict(line.split(":", 1) for line in _text_of(file).splitlines() if ":" in line)


def _hash_of_own(secrets_folder: Path, user: str, known: dict[str, str]) -> str:
    """The hash of one of our own secrets; one that fits stays, so that the file changes only with its content."""
    secret = own_secret(secrets_folder, user)
    held = known.get(user, "")
    return held if _fits(secret, held) else broker_hash(secret)


def _fits(secret: str, hashed: str) -> bool:
    parts = hashed.split("$")
    if len(parts) != 5 or parts[1] != "7" or not parts[2].isdigit():
        return False
    salt, expected = base64.b64decode(parts[3]), base64.b64decode(parts[4])
    found = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, int(parts[2]), len(expected))
    return hmac.compare_digest(found, expected)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SetupError(f"The certificate {file} cannot be read ({error.strerror}).") from error
