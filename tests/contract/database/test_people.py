from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from factoryops.database.rows import CredentialRecord
from factoryops.database.transaction import Transaction
from factoryops.database.users import MOST_SESSIONS_OF_A_USER
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import FactoryId, Role, UserId
from tests.support.databases import NOON, Clock, Site, new_site

EXPIRY = NOON + timedelta(hours=12)


def _user(site: Site, name: str = "anna") -> UserId:
    return site.database.run(lambda tx: tx.users.create(site.factory.id, name, "hash", Role.OPERATOR)).id


def _open(site: Site, user: UserId, token: str, tx: Transaction) -> None:
    tx.sessions.create(token, user, site.factory.id, EXPIRY)


def _is_open(site: Site, token: str) -> bool:
    return site.database.read(lambda tx: tx.sessions.find(token)) is not None


def test_a_factory_is_found_by_its_slug_and_its_id(site: Site) -> None:
    factories = [
        site.database.read(lambda tx: tx.factories.find_by_slug("riverside")),
        site.database.read(lambda tx: tx.factories.get(site.factory.id)),
        *site.database.read(lambda tx: tx.factories.list()),
    ]
    assert factories == [site.factory] * 3
    assert site.database.read(lambda tx: tx.factories.find_by_slug("Riverside")) is None


def test_a_taken_slug_is_refused(site: Site) -> None:
    with pytest.raises(ConflictError):
        new_site(site.database, "riverside")


def test_an_unusable_factory_names_every_fault(site: Site) -> None:
    with pytest.raises(InvalidInputError) as raised:
        site.database.run(lambda tx: tx.factories.create("No Slug", " ", "Mars/Olympus"))
    assert raised.value.fields.keys() == {"slug", "name", "timezone"}


def test_names_are_unique_within_a_factory_only(site: Site, other_site: Site) -> None:
    _user(site)
    _user(other_site)
    with pytest.raises(ConflictError):
        _user(site)
    assert _user(site, "Anna") != _user(site, "ANNA")


def test_a_session_opens_its_users_factory(site: Site) -> None:
    user = _user(site)
    site.database.run(partial(_open, site, user, "t" * 64))
    session = site.database.read(lambda tx: tx.sessions.find("t" * 64))
    assert session is not None
    assert (session.user_name, session.role, session.factory, session.expires_at) == (
        "anna", Role.OPERATOR, site.factory, EXPIRY,
    )  # fmt: skip
    assert session.scope.factory_id == site.factory.id


def test_a_session_ends_at_its_hour(site: Site, clock: Clock) -> None:
    site.database.run(partial(_open, site, _user(site), "t" * 64))
    clock.now = EXPIRY - timedelta(microseconds=1)
    assert _is_open(site, "t" * 64)
    clock.now = EXPIRY
    assert not _is_open(site, "t" * 64)
    assert site.database.run(lambda tx: tx.sessions.purge(clock.now)) == 1


def test_deactivating_a_user_ends_every_session(site: Site) -> None:
    user, other = _user(site), _user(site, "ben")
    for token, owner in (("a" * 64, user), ("b" * 64, user), ("c" * 64, other)):
        site.database.run(partial(_open, site, owner, token))
    site.database.run(lambda tx: tx.users.set_active(user, False))
    site.database.run(lambda tx: tx.users.set_active(user, True))
    left = [_is_open(site, token * 64) for token in "abc"]
    assert left == [False, False, True]


def test_one_session_more_than_allowed_ends_the_oldest(site: Site, clock: Clock) -> None:
    user = _user(site)
    tokens = [f"{number:064d}" for number in range(MOST_SESSIONS_OF_A_USER + 1)]
    for token in tokens:
        clock.advance(1)
        site.database.run(partial(_open, site, user, token))
    found = [_is_open(site, token) for token in tokens]
    assert found == [False] + [True] * MOST_SESSIONS_OF_A_USER


def test_logging_out_twice_is_no_error(site: Site) -> None:
    site.database.run(partial(_open, site, _user(site), "t" * 64))
    for _ in range(2):
        site.database.run(lambda tx: tx.sessions.delete("t" * 64))
    assert not _is_open(site, "t" * 64)


def test_mqtt_user_names_are_unique_over_all_factories(site: Site, other_site: Site) -> None:
    site.database.run(lambda tx: tx.credentials.create(site.factory.id, "gate", "0" * 64))
    with pytest.raises(ConflictError):
        site.database.run(lambda tx: tx.credentials.create(other_site.factory.id, "gate", "0" * 64))


def test_a_credential_can_be_revoked_by_its_own_factory_only(site: Site, other_site: Site) -> None:
    site.database.run(lambda tx: tx.credentials.create(site.factory.id, "gate", "0" * 64, "pump-1"))
    (kept,) = site.database.read(lambda tx: tx.credentials.list_all())
    assert (kept.username, kept.device_key, kept.factory_id) == ("gate", "pump-1", site.factory.id)
    with pytest.raises(NotFoundError):
        site.database.run(lambda tx: tx.credentials.revoke(other_site.factory.id, "gate"))
    site.database.run(lambda tx: tx.credentials.revoke(site.factory.id, "gate"))
    assert site.database.read(lambda tx: tx.credentials.list_all()) == []


def test_a_rotation_keeps_the_secret_before_until_it_is_settled(site: Site, other_site: Site) -> None:
    run, factory_id = site.database.run, site.factory.id
    run(lambda tx: tx.credentials.create(factory_id, "gate", "0" * 64, broker_hash="$7$0"))
    until = datetime(2030, 1, 1, tzinfo=UTC)

    def rotate(tx: Transaction, factory: FactoryId, digit: str) -> CredentialRecord:
        return tx.credentials.rotate(factory, "gate", digit * 64, broker_hash=f"$7${digit}", until=until)

    with pytest.raises(NotFoundError):
        run(lambda tx: rotate(tx, other_site.factory.id, "9"))
    run(lambda tx: rotate(tx, factory_id, "1"))
    rotated = run(lambda tx: rotate(tx, factory_id, "2"))
    assert (rotated.secret_sha256, rotated.broker_hash) == ("2" * 64, "$7$2")
    assert (rotated.previous_sha256, rotated.previous_broker_hash) == ("1" * 64, "$7$1")
    assert rotated.previous_until == until
    settled = run(lambda tx: tx.credentials.settle(factory_id, "gate"))
    assert (settled.secret_sha256, settled.previous_sha256, settled.previous_until) == ("2" * 64, None, None)
    entries = site.database.read(lambda tx: tx.audit(site.scope).list())
    assert [one.action for one in entries][:4] == [
        "credential.settle", "credential.rotate", "credential.rotate", "credential.create",
    ]  # fmt: skip
    told = str(entries)
    assert "2" * 64 not in told
    assert "$7$" not in told


def test_a_credential_knows_what_it_is_for(site: Site) -> None:
    def store(tx: Transaction) -> list[CredentialRecord]:
        tx.credentials.create(site.factory.id, "a", "0" * 64, "pump-1")
        tx.credentials.create(site.factory.id, "b", "0" * 64)
        tx.credentials.create(site.factory.id, "c", "0" * 64, kind=CredentialKind.TOOL)
        return tx.credentials.list(site.scope)

    kinds = [one.kind for one in site.database.run(store)]
    assert kinds == [CredentialKind.DEVICE, CredentialKind.GATEWAY, CredentialKind.TOOL]


def test_whatever_concerns_access_moves_the_access_counter(site: Site) -> None:
    seen = [site.database.read(lambda tx: tx.changes()).access]
    site.database.run(lambda tx: tx.credentials.create(site.factory.id, "gate", "0" * 64))
    seen.append(site.database.read(lambda tx: tx.changes()).access)
    site.database.run(lambda tx: tx.credentials.revoke(site.factory.id, "gate"))
    seen.append(site.database.read(lambda tx: tx.changes()).access)
    site.add_device("fan-1")
    seen.append(site.database.read(lambda tx: tx.changes()).access)
    new_site(site.database, "hillside")
    seen.append(site.database.read(lambda tx: tx.changes()).access)
    assert seen == sorted(set(seen))
