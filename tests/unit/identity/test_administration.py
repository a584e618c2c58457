from __future__ import annotations

import pytest

from factoryops.database.database import Database
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import FactoryId, Role
from factoryops.identity.administration import (
    NewFactory,
    create_factory,
    create_user,
    list_users,
    set_active,
    set_password,
)
from factoryops.identity.login import Login


def test_a_factory_comes_with_its_administrator_and_no_default_password(database: Database) -> None:
    first = create_factory(database, slug="riverside", name="Riverside")
    second = create_factory(database, slug="hillside", name="Hillside")
    assert first.admin.password != second.admin.password
    assert first.admin.password not in repr(first)
    assert (first.admin.user.name, first.admin.user.role) == ("admin", Role.ADMIN)
    login = Login(database)
    assert login.open_session("riverside", "admin", first.admin.password, "10.0.0.1")
    login.close()


def test_a_weak_password_leaves_no_factory_behind(database: Database) -> None:
    with pytest.raises(InvalidInputError):
        create_factory(database, slug="riverside", name="Riverside", admin_password="password1234")
    with pytest.raises(InvalidInputError):
        create_factory(database, slug="river side", name="Riverside")
    assert database.read(lambda tx: tx.factories.list()) == []


def test_users_are_listed_by_name(database: Database, made: NewFactory) -> None:
    for name in ("zoe", "ben"):
        create_user(database, made.factory.id, name, Role.OPERATOR)
    assert [user.name for user in list_users(database, made.factory.id)] == ["admin", "ben", "zoe"]


def test_a_user_of_no_factory_or_a_taken_name_is_refused(database: Database, made: NewFactory) -> None:
    with pytest.raises(NotFoundError):
        create_user(database, FactoryId("0" * 32), "ben", Role.VIEWER)
    with pytest.raises(ConflictError):
        create_user(database, made.factory.id, "admin", Role.VIEWER)
    with pytest.raises(InvalidInputError):
        create_user(database, made.factory.id, "be\x00n", Role.VIEWER)


def test_a_password_can_be_set_anew(database: Database, made: NewFactory) -> None:
    renewed = set_password(database, made.factory.id, "admin")
    login = Login(database)
    assert login.open_session("riverside", "admin", renewed.password, "10.0.0.1")
    login.close()
    with pytest.raises(NotFoundError):
        set_password(database, made.factory.id, "nobody")


def test_a_user_can_be_deactivated_and_brought_back(database: Database, made: NewFactory) -> None:
    assert not set_active(database, made.factory.id, "admin", is_active=False).is_active
    assert set_active(database, made.factory.id, "admin", is_active=True).is_active
