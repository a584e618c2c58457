"""Logging in, and what a session's token opens."""

from __future__ import annotations

from factoryops.database.database import Database
from factoryops.database.rows import SessionRecord
from factoryops.domain.identity import Scope, UserId


class Login:
    """Opens and knows sessions. Safe to use from several threads; every call may block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_session(
        self, factory_slug: str, user: str, password: str, source_address: str
    ) -> tuple[str, SessionRecord]:
        """The opaque token (shown once, never stored) and its session, good for 12 hours.

        Raises:
            NotLoggedInError: refused; the same words and the same time whatever was wrong.
            TooManyAttemptsError: this address must wait before it tries this account again.
            UnavailableError: the database is away or too many log in at once.
        """
        raise NotImplementedError

    def session(self, token: str) -> tuple[Scope, SessionRecord]:
        """Who a token is; known ones are remembered for 2 s, and while the database is away.

        Raises:
            NotLoggedInError: unknown, ended, expired or deactivated.
            UnavailableError: the database is away and the token was not seen before.
        """
        raise NotImplementedError

    def cached_session(self, token: str) -> tuple[Scope, SessionRecord] | None:
        """Who a token is if that is remembered and fresh; never blocks, so it may be called on an event loop."""
        raise NotImplementedError

    def close_session(self, token: str) -> None:
        """Log out; the token is worth nothing from here on."""
        raise NotImplementedError

    def set_user_active(self, scope: Scope, user_id: UserId | str, is_active: bool) -> None:
        """Deactivate a user of the scope's factory, ending every session at once, or bring one back."""
        raise NotImplementedError

    def change_password(self, scope: Scope, user_id: UserId | str, password: str) -> None:
        """Set a new password; every session of the user ends."""
        raise NotImplementedError

    def figures(self) -> dict[str, int]:
        """Counters of logins: opened, refused, throttled, and accounts under attack in the last hour."""
        raise NotImplementedError

    def close(self) -> None:
        """End the hashing threads."""
        raise NotImplementedError
