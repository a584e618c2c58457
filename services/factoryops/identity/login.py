"""Logging in, and what a session's token opens."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from factoryops.database.database import Database
from factoryops.database.rows import SessionRecord, UserRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import ConflictError, NotFoundError, NotLoggedInError, UnavailableError
from factoryops.domain.identity import FactoryId, Scope, UserId
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, now_us
from factoryops.identity.passwords import PasswordHasher, check_new_password
from factoryops.identity.session_cache import SessionCache
from factoryops.identity.throttle import Throttle

SESSION_LIFE: Final = timedelta(hours=12)
_TOKEN_BYTES: Final = 32
_NO_FACTORY: Final = FactoryId("0" * 32)


class Login:
    """Opens and knows sessions. Safe to use from several threads; every call may block."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], int] = now_us,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._throttle = Throttle(clock_s)
        self._cache = SessionCache(clock, clock_s)
        self._clock = clock
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def open_session(
        self, factory_slug: str, user: str, password: str, source_address: str
    ) -> tuple[str, SessionRecord]:
        """The opaque token (shown once, never stored) and its session, good for 12 hours.

        Raises:
            NotLoggedInError: refused; the same words and the same time whatever was wrong.
            TooManyAttemptsError: this address must wait before it tries this account again.
            UnavailableError: the database is away or too many log in at once.
        """
        name = normal_name(user)
        attempt = (factory_slug, name, source_address)
        try:
            self._throttle.begin(attempt)
        except UnavailableError:
            self._count("throttled")
            raise
        try:
            found = self._verified(factory_slug, name, password)
        except UnavailableError:
            self._throttle.undecided(attempt)
            raise
        if found is None:
            self._throttle.failed(attempt)
            self._count("refused")
            raise NotLoggedInError("The login was refused: check the factory, the user name and the password.")
        self._throttle.cleared(attempt)
        return self._open(*found, password)

    def _verified(self, factory_slug: str, name: str, password: str) -> tuple[Factory, UserRecord] | None:
        """The factory and user whose password it is; takes as long when there is none."""
        factory, user = self._database.read(lambda tx: _look_up(tx, factory_slug, name))
        is_right = self._hasher.verify(None if user is None else user.password_hash, password)
        if factory is None or user is None or not user.is_active or not is_right:
            return None
        return factory, user

    def _open(self, factory: Factory, user: UserRecord, password: str) -> tuple[str, SessionRecord]:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        created_at = from_us(self._clock())
        record = SessionRecord(
            _digest(token), user.id, user.name, user.role, factory, created_at, created_at + SESSION_LIFE
        )
        better_hash = self._hasher.hash(password) if self._hasher.needs_rehash(user.password_hash) else None

        def store(tx: Transaction) -> None:
            if better_hash is not None:
                tx.users.set_password_hash(user.id, better_hash, actor=None)
            tx.sessions.purge(created_at)
            tx.sessions.create(record.token_sha256, user.id, factory.id, record.expires_at)

        self._database.run(store)
        self._cache.put(record)
        self._count("opened")
        return token, record

    def session(self, token: str) -> tuple[Scope, SessionRecord]:
        """Who a token is; known ones are remembered for 2 s, and while the database is away.

        Raises:
            NotLoggedInError: unknown, ended, expired or deactivated.
            UnavailableError: the database is away and the token was not seen before.
        """
        digest = _digest(token)
        record = self._cache.fresh(digest)
        if record is None:
            record = self._looked_up(digest)
        return record.scope, record

    def _looked_up(self, digest: str) -> SessionRecord:
        asked_s = self._cache.now_s()
        try:
            record = self._database.read(lambda tx: tx.sessions.find(digest))
        except UnavailableError:
            record = self._cache.known(digest)
            if record is None:
                raise
            return record
        if record is None:
            self._cache.drop(digest)
            raise NotLoggedInError("The session has ended: log in again.")
        self._cache.put(record, asked_s=asked_s)
        return record

    def cached_session(self, token: str) -> tuple[Scope, SessionRecord] | None:
        """Who a token is if that is remembered and fresh; never blocks, so it may be called on an event loop."""
        record = self._cache.fresh(_digest(token))
        return None if record is None else (record.scope, record)

    def close_session(self, token: str) -> None:
        """Log out; the token is worth nothing from here on."""
        digest = _digest(token)
        self._cache.drop(digest)
        self._database.run(lambda tx: tx.sessions.delete(digest))
        self._cache.drop(digest)

    def set_user_active(self, scope: Scope, user_id: UserId | str, is_active: bool) -> None:
        """Deactivate a user of the scope's factory, ending every session at once, or bring one back.

        Raises:
            NotFoundError: the factory has no such user.
            ConflictError: nobody deactivates themselves.
        """
        if user_id == scope.user_id and not is_active:
            raise ConflictError("You cannot deactivate yourself: ask another administrator.")

        def act(tx: Transaction) -> None:
            _of_factory(tx, scope, user_id)
            tx.users.set_active(user_id, is_active, actor=scope.actor)

        self._database.run(act)
        self._cache.drop_user(user_id)

    def change_password(self, scope: Scope, user_id: UserId | str, password: str) -> None:
        """Set a new password; every session of the user ends.

        Raises:
            InvalidInputError: the password cannot be used.
            NotFoundError: the factory has no such user.
        """
        user = self._database.read(lambda tx: _of_factory(tx, scope, user_id))
        password_hash = self._hasher.hash(check_new_password(password, user_name=user.name))

        def act(tx: Transaction) -> None:
            tx.users.set_password_hash(user.id, password_hash, actor=scope.actor)
            tx.sessions.delete_of_user(user.id)

        self._database.run(act)
        self._cache.drop_user(user_id)

    def figures(self) -> dict[str, int]:
        """Counters of logins: opened, refused, throttled, and accounts under attack in the last hour."""
        with self._lock:
            counted = {name: self._counted[name] for name in ("opened", "refused", "throttled")}
        return {**counted, "under_attack": self._throttle.under_attack()}

    def close(self) -> None:
        """End the hashing threads."""
        self._hasher.close()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counted[name] += 1


def normal_name(user: str) -> str:
    """A user name as it is stored and compared."""
    return unicodedata.normalize("NFKC", user).strip()


def _look_up(tx: Transaction, factory_slug: str, name: str) -> tuple[Factory | None, UserRecord | None]:
    """Asks the same questions whether the factory exists or not."""
    factory = tx.factories.find_by_slug(factory_slug)
    return factory, tx.users.find(_NO_FACTORY if factory is None else factory.id, name)


def _of_factory(tx: Transaction, scope: Scope, user_id: UserId | str) -> UserRecord:
    user = tx.users.get(user_id)
    if user.factory_id != scope.factory_id:
        raise NotFoundError("There is no such user.")
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
