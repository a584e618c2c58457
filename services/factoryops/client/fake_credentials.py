"""Credentials of the imagined plant: the part of `FakePlant` that implements `CredentialsClient`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

from factoryops.client import imagined
from factoryops.contracts import http
from factoryops.domain.credentials import (
    CredentialKind,
    DeviceAddress,
    fits_into_topic,
    provisioning_text,
    topic_of,
)
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Permission, new_id
from factoryops.domain.time import from_us

_ADDRESS = DeviceAddress("plant-server.riverside.local", 8883, use_tls=True, ca_sha256="5a" * 32)


class CredentialBook:
    """Credentials in memory."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._held: dict[str, http.Credential] = {}
        created = from_us(clock()) - timedelta(days=40)
        for kind, name, device_key in (
            (CredentialKind.DEVICE, "press-1", "press-1"),
            (CredentialKind.GATEWAY, "hall-2-gateway", None),
            (CredentialKind.TOOL, "maintenance-laptop", None),
        ):
            one = self._make(kind, name, device_key)
            used = from_us(clock()) - timedelta(seconds=3)
            self._held[one.id] = one.model_copy(update={"created_at": created, "last_used_at": used})

    def all(self) -> list[http.Credential]:
        """By user name."""
        return sorted(self._held.values(), key=lambda one: one.username)

    def create(self, request: http.CredentialRequest) -> http.NewSecret:
        """Make one."""
        if (request.kind is CredentialKind.DEVICE) != (request.device_key is not None):
            reason = "a device's credential names its device, and no other does"
            raise InvalidInputError(f"The credential cannot be made: {reason}.", fields={"device_key": reason})
        if request.device_key is not None and not fits_into_topic(request.device_key):
            reason = "it stands in a topic, where +, # and / mean something else"
            raise InvalidInputError(f"The device key cannot be used: {reason}.", fields={"device_key": reason})
        one = self._make(request.kind, request.name or secrets.token_hex(6), request.device_key)
        if any(held.username == one.username for held in self._held.values()):
            raise ConflictError(f"The MQTT user name {one.username} is taken: choose another.")
        self._held[one.id] = one
        return _told(one)

    def rotate(self, credential_id: str, overlap_h: float) -> http.NewSecret:
        """Give one another secret."""
        until = from_us(self._clock()) + timedelta(hours=overlap_h)
        return _told(self._change(credential_id, previous_until=until if overlap_h else None))

    def settle(self, credential_id: str) -> http.Credential:
        """End the overlap of a rotation."""
        return self._change(credential_id, previous_until=None)

    def revoke(self, credential_id: str) -> None:
        """Take one out of use."""
        self._get(credential_id)
        del self._held[credential_id]

    def _make(self, kind: CredentialKind, name: str, device_key: str | None) -> http.Credential:
        return http.Credential(
            id=new_id(), username=f"{imagined.SLUG}.{name}", kind=kind, device_key=device_key,
            created_at=from_us(self._clock()),
        )  # fmt: skip

    def _get(self, credential_id: str) -> http.Credential:
        if credential_id not in self._held:
            raise NotFoundError("There is no such credential.")
        return self._held[credential_id]

    def _change(self, credential_id: str, **update: object) -> http.Credential:
        self._held[credential_id] = self._get(credential_id).model_copy(update=update)
        return self._held[credential_id]


class FakeCredentials:
    """What MQTT clients log in with."""

    _credentials: CredentialBook

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def credentials(self) -> list[http.Credential]:
        """The factory's credentials."""
        await self._enter(Permission.EDIT_PLANT)
        return self._credentials.all()

    async def create_credential(self, request: http.CredentialRequest) -> http.NewSecret:
        """Make one; its secret is told once."""
        await self._enter(Permission.EDIT_PLANT)
        return self._credentials.create(request)

    async def rotate_credential(self, credential_id: str, request: http.RotationRequest) -> http.NewSecret:
        """Give one another secret."""
        await self._enter(Permission.EDIT_PLANT)
        return self._credentials.rotate(credential_id, request.overlap_h)

    async def settle_credential(self, credential_id: str) -> http.Credential:
        """End the overlap of a rotation."""
        await self._enter(Permission.EDIT_PLANT)
        return self._credentials.settle(credential_id)

    async def revoke_credential(self, credential_id: str) -> None:
        """Take one out of use."""
        await self._enter(Permission.EDIT_PLANT)
        self._credentials.revoke(credential_id)


def _told(one: http.Credential) -> http.NewSecret:
    secret = secrets.token_urlsafe(32)
    topic = topic_of(one.kind, imagined.SLUG, one.device_key)
    text = provisioning_text(_ADDRESS, username=one.username, secret=secret, topic=topic)
    return http.NewSecret(credential=one, secret=secret, provisioning=text)
