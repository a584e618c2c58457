"""What MQTT devices, gateways and tools of the factory log in with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from factoryops.api.call import Asking, Call
from factoryops.contracts import http
from factoryops.database.rows import CredentialRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.credentials import CredentialKind, provisioning_text, topic_of
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, derived_id
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, now_us
from factoryops.identity.credentials import NewCredential, create_credential, rotate_credential
from factoryops.ingest.logins import read_logins

_LONGEST_PREFIX: Final = 39
_SHORTENED: Final = 30
_NONE: Final = "There is no such credential."


async def list_credentials(asking: Asking) -> http.CredentialList:
    """The factory's credentials, by user name; secrets are never shown."""
    records = await asking.read(lambda tx: tx.credentials.list(asking.scope))
    used = await asking.service.pool.run(_last_used, asking.service.context.logins_path)
    return http.CredentialList(credentials=[_described(one, used.get(one.username)) for one in records])


async def create_credential_of_factory(body: http.CredentialRequest, asking: Asking) -> http.NewSecret:
    """Make a credential; its secret is in this answer and nowhere else. It works within seconds."""
    if (body.kind is CredentialKind.DEVICE) != (body.device_key is not None):
        reason = "a device's credential names its device, and no other does"
        raise InvalidInputError(f"The credential cannot be made: {reason}.", fields={"device_key": reason})
    made = await asking.service.pool.run(_create, asking, body)
    return await _told(asking, made)


async def rotate_credential_of_factory(
    credential_id: http.Identifier, body: http.RotationRequest, asking: Asking
) -> http.NewSecret:
    """Give a credential another secret, told in this answer alone; the one before stays good for a while."""
    known = await asking.read(lambda tx: _find(tx, asking.scope, credential_id))
    made = await asking.service.pool.run(_rotate, asking, known.username, body.overlap_h)
    return await _told(asking, made)


async def settle_credential(credential_id: http.Identifier, asking: Asking) -> http.Credential:
    """End the overlap of a rotation: the secret before it is good no more."""

    def settle(tx: Transaction) -> CredentialRecord:
        known = _find(tx, asking.scope, credential_id)
        return tx.credentials.settle(asking.scope.factory_id, known.username, actor=asking.scope.actor)

    return _described(await asking.change(settle), None)


async def revoke_credential(credential_id: http.Identifier, asking: Asking) -> None:
    """Take a credential out of use; whoever is connected with it is sent away within seconds."""

    def revoke(tx: Transaction) -> None:
        known = _find(tx, asking.scope, credential_id)
        tx.credentials.revoke(asking.scope.factory_id, known.username, actor=asking.scope.actor)

    await asking.change(revoke)


def _create(asking: Call, body: http.CredentialRequest) -> NewCredential:
    return create_credential(
        asking.service.context.database,
        asking.scope.factory_id,
        username=f"{_own_prefix(asking.session.factory)}.{body.name}" if body.name else None,
        device_key=body.device_key,
        is_tool=body.kind is CredentialKind.TOOL,
        actor=asking.scope.actor,
    )


def _own_prefix(factory: Factory) -> str:
    """What user names of a factory begin with, before a dot, which no slug has.

    No other factory's begin so, so that a name that is taken tells nothing of others.
    """
    slug = factory.slug
    return slug if len(slug) <= _LONGEST_PREFIX else f"{slug[:_SHORTENED]}-{factory.id[-8:]}"


def _rotate(asking: Call, username: str, overlap_h: float) -> NewCredential:
    scope = asking.scope
    database = asking.service.context.database
    return rotate_credential(database, scope.factory_id, username, overlap_h=overlap_h, actor=scope.actor)


async def _told(asking: Call, made: NewCredential) -> http.NewSecret:
    record = await asking.read(lambda tx: tx.credentials.get(asking.scope.factory_id, made.username))
    topic = topic_of(made.kind, asking.session.factory.slug, made.device_key)
    address = asking.service.context.device_address
    text = provisioning_text(address, username=made.username, secret=made.secret, topic=topic)
    return http.NewSecret(credential=_described(record, None), secret=made.secret, provisioning=text)


def _find(tx: Transaction, scope: Scope, credential_id: str) -> CredentialRecord:
    for record in tx.credentials.list(scope):
        if _id_of(record) == credential_id:
            return record
    raise NotFoundError(_NONE)


def _id_of(record: CredentialRecord) -> str:
    return derived_id(record.factory_id, "credential", record.username)


def _last_used(path: Path | None) -> dict[str, int]:
    return read_logins(path) if path is not None else {}


def _described(record: CredentialRecord, used_us: int | None) -> http.Credential:
    return http.Credential(
        id=_id_of(record),
        username=record.username,
        kind=record.kind,
        device_key=record.device_key,
        created_at=record.created_at,
        last_used_at=None if used_us is None else from_us(used_us),
        previous_until=_still_good(record.previous_until),
    )


def _still_good(until: datetime | None) -> datetime | None:
    return until if until is not None and until > from_us(now_us()) else None
