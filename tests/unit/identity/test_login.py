from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest

from factoryops.database.database import Database
from factoryops.domain.errors import (
    ConflictError,
    NotFoundError,
    NotLoggedInError,
    TooManyAttemptsError,
    UnavailableError,
)
from factoryops.domain.identity import Role
from factoryops.identity.administration import NewFactory, create_factory, create_user, set_active
from factoryops.identity.login import SESSION_LIFE, Login
from tests.support.databases import Clock
from tests.unit.identity.conftest import PASSWORD

HERE = "10.0.0.1"


@pytest.fixture
def monotonic(clock: Clock) -> Clock:
    return clock


@pytest.fixture
def login(database: Database, clock: Clock) -> Iterator[Login]:
    made = Login(database, clock=clock, clock_s=lambda: clock() / 1_000_000)
    yield made
    made.close()


def _enter(login: Login, address: str = HERE, password: str = PASSWORD) -> str:
    return login.open_session("riverside", "admin", password, address)[0]


def test_a_login_opens_one_factory_for_twelve_hours(login: Login, made: NewFactory, clock: Clock) -> None:
    token, record = login.open_session("riverside", " admin ", PASSWORD, HERE)
    scope, found = login.session(token)
    assert found == record
    assert (scope.factory_id, scope.actor, scope.role) == (made.factory.id, "admin", Role.ADMIN)
    assert record.expires_at - record.created_at == SESSION_LIFE
    clock.now = record.expires_at
    with pytest.raises(NotLoggedInError):
        login.session(token)


def test_every_refusal_sounds_the_same(login: Login, made: NewFactory, database: Database) -> None:
    create_user(database, made.factory.id, "gone", Role.VIEWER, PASSWORD)
    set_active(database, made.factory.id, "gone", is_active=False)
    create_factory(database, slug="hillside", name="Hillside", admin_name="other", admin_password=PASSWORD)
    tries = [
        ("riverside", "admin", "wrong password"),
        ("riverside", "nobody", PASSWORD),
        ("riverside", "gone", PASSWORD),
        ("hillside", "admin", PASSWORD),
        ("nowhere", "admin", PASSWORD),
        ("riverside", "admin", ""),
        ("", "", ""),
    ]
    said = set()
    for factory, user, password in tries:
        with pytest.raises(NotLoggedInError) as raised:
            login.open_session(factory, user, password, HERE)
        said.add(str(raised.value))
    assert len(said) == 1
    assert login.figures()["refused"] == len(tries)


@pytest.mark.usefixtures("made")
def test_every_refusal_takes_the_same_time(login: Login) -> None:
    spent: dict[str, list[float]] = {"admin": [], "nobody": []}
    for number in range(15):
        for user, times in spent.items():
            started = time.perf_counter()
            with pytest.raises(NotLoggedInError):
                login.open_session("riverside", user, "wrong password", f"10.0.{number}.1")
            times.append(time.perf_counter() - started)
    # The hash is most of the time; without the one for nobody the ratio would be beyond 10.
    ratio = statistics.median(spent["admin"]) / statistics.median(spent["nobody"])
    assert 0.5 < ratio < 2


def test_the_database_holds_no_usable_token_or_password(login: Login, made: NewFactory, tmp_path: Path) -> None:
    token = _enter(login)
    content = (tmp_path / "factoryops.db").read_bytes()
    assert made.factory.id.encode() in content
    assert token.encode() not in content
    assert PASSWORD.encode() not in content


@pytest.mark.usefixtures("made")
def test_a_logout_counts_at_once(login: Login) -> None:
    token, other = _enter(login), _enter(login)
    login.close_session(token)
    with pytest.raises(NotLoggedInError):
        login.session(token)
    assert login.cached_session(token) is None
    assert login.session(other)


def test_a_deactivated_user_is_out_at_once_and_stays_out(login: Login, made: NewFactory, database: Database) -> None:
    scope, _ = login.session(_enter(login))
    user = create_user(database, made.factory.id, "op1", Role.OPERATOR, PASSWORD).user
    token, _ = login.open_session("riverside", "op1", PASSWORD, HERE)
    login.set_user_active(scope, user.id, False)
    with pytest.raises(NotLoggedInError):
        login.session(token)
    with pytest.raises(NotLoggedInError):
        login.open_session("riverside", "op1", PASSWORD, HERE)


def test_a_user_deactivated_by_another_process_is_out_within_2_s(
    login: Login, made: NewFactory, database: Database, clock: Clock
) -> None:
    token = _enter(login)
    set_active(database, made.factory.id, "admin", is_active=False)
    clock.advance(2)
    with pytest.raises(NotLoggedInError):
        login.session(token)


def test_nobody_reaches_users_of_another_factory_or_locks_themselves_out(
    login: Login, made: NewFactory, database: Database
) -> None:
    foreign = create_factory(database, slug="hillside", name="Hillside").admin.user
    scope, _ = login.session(_enter(login))
    with pytest.raises(NotFoundError):
        login.set_user_active(scope, foreign.id, False)
    with pytest.raises(NotFoundError):
        login.change_password(scope, foreign.id, "another good password")
    with pytest.raises(ConflictError):
        login.set_user_active(scope, made.admin.user.id, False)


def test_a_new_password_ends_every_session(login: Login, made: NewFactory) -> None:
    token = _enter(login)
    scope, _ = login.session(token)
    login.change_password(scope, made.admin.user.id, "another good password")
    with pytest.raises(NotLoggedInError):
        login.session(token)
    with pytest.raises(NotLoggedInError):
        _enter(login)
    assert login.session(_enter(login, password="another good password"))


@pytest.mark.usefixtures("made")
def test_a_guesser_slows_down_at_their_own_address_only(login: Login) -> None:
    running = _enter(login, "10.0.0.2")
    for _ in range(4):
        with pytest.raises(NotLoggedInError):
            _enter(login, "10.6.6.6", "wrong password")
    for _ in range(1_000):
        with pytest.raises(TooManyAttemptsError):
            _enter(login, "10.6.6.6", "wrong password")
    assert _enter(login, "10.0.0.2")
    assert login.session(running)
    assert login.figures()["throttled"] == 1_000


@pytest.mark.usefixtures("made")
def test_the_right_password_is_let_in_when_the_wait_is_over(login: Login, clock: Clock) -> None:
    for _ in range(4):
        with pytest.raises(NotLoggedInError):
            _enter(login, password="wrong password")
    with pytest.raises(TooManyAttemptsError) as raised:
        _enter(login)
    clock.advance(raised.value.retry_after_s)
    assert _enter(login)


def test_an_old_hash_is_renewed_at_the_next_login(
    login: Login, made: NewFactory, database: Database, tmp_path: Path
) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    database.run(lambda tx: tx.users.set_password_hash(made.admin.user.id, old, actor=None))
    _enter(login)
    renewed = database.read(lambda tx: tx.users.get(made.admin.user.id)).password_hash
    assert renewed.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert _enter(login)


@pytest.mark.usefixtures("made")
def test_known_sessions_go_on_while_the_database_is_away(
    login: Login, clock: Clock, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    token = _enter(login)

    def away(_work: object) -> None:
        raise UnavailableError("The database is away.")

    monkeypatch.setattr(database, "read", away)
    clock.advance(3_600)
    assert login.session(token)
    with pytest.raises(UnavailableError):
        login.session("unknown")
    clock.advance(12 * 3_600)
    with pytest.raises(UnavailableError):
        login.session(token)


@pytest.mark.usefixtures("made")
def test_a_session_kept_by_the_database_opens_after_a_restart(login: Login, database: Database, clock: Clock) -> None:
    token = _enter(login)
    again = Login(database, clock=clock)
    assert again.cached_session(token) is None
    assert again.session(token)
    assert again.cached_session(token) is not None
    again.close()


@pytest.mark.usefixtures("made")
def test_a_fresh_session_asks_the_database_once_in_2_s(login: Login, clock: Clock, tmp_path: Path) -> None:
    token = _enter(login)
    blocker = sqlite3.connect(tmp_path / "factoryops.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE").close()
    for _ in range(100):
        assert login.session(token)
    blocker.execute("ROLLBACK").close()
    blocker.close()
