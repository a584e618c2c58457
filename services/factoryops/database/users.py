"""Users, their sessions, and the credentials of MQTT clients."""

from __future__ import annotations

import builtins
from datetime import datetime

from factoryops.database.rows import CredentialRecord, SessionRecord, UserRecord
from factoryops.domain.identity import FactoryId, Role, Scope, UserId


class Users:
    """People's accounts."""

    def create(self, factory_id: FactoryId, name: str, password_hash: str, role: Role) -> UserRecord:
        """Add an account; raises ConflictError when the factory has one of that name."""
        raise NotImplementedError

    def find(self, factory_id: FactoryId, name: str) -> UserRecord | None:
        """The account of a name, active or not."""
        raise NotImplementedError

    def get(self, user_id: UserId) -> UserRecord:
        """The account of an id, or NotFoundError."""
        raise NotImplementedError

    def list(self, scope: Scope) -> builtins.list[UserRecord]:
        """All accounts of the factory, by name."""
        raise NotImplementedError

    def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Replace the password's hash."""
        raise NotImplementedError

    def set_active(self, user_id: UserId, is_active: bool) -> None:
        """Deactivate (their sessions end with it) or bring back; accounts are never deleted."""
        raise NotImplementedError


class Sessions:
    """Open sessions by the hash of their token."""

    def create(self, token_sha256: str, user_id: UserId, factory_id: FactoryId, expires_at: datetime) -> None:
        """Open one; beyond 5 of one user the oldest ends."""
        raise NotImplementedError

    def find(self, token_sha256: str) -> SessionRecord | None:
        """The session with its user and factory; None when unknown, expired, or the user was deactivated."""
        raise NotImplementedError

    def delete(self, token_sha256: str) -> None:
        """End one; an unknown one is no error."""
        raise NotImplementedError

    def delete_of_user(self, user_id: UserId) -> int:
        """End all of one user; answers how many there were."""
        raise NotImplementedError

    def purge(self, now: datetime) -> int:
        """Forget the expired ones; answers how many."""
        raise NotImplementedError


class Credentials:
    """What MQTT clients log in with."""

    def create(
        self, factory_id: FactoryId, username: str, secret_sha256: str, device_key: str | None = None
    ) -> CredentialRecord:
        """Add one; raises ConflictError when the user name is taken, by whichever factory."""
        raise NotImplementedError

    def list_all(self) -> builtins.list[CredentialRecord]:
        """All of every factory, for the signed snapshot."""
        raise NotImplementedError

    def revoke(self, factory_id: FactoryId, username: str) -> None:
        """Take one out of use; NotFoundError when the factory has none of that name."""
        raise NotImplementedError
