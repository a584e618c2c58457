"""Who may do what, and ids that nobody guesses."""

from __future__ import annotations

import pytest

from factoryops.domain.identity import (
    FactoryId,
    Permission,
    Role,
    Scope,
    alarm_id,
    device_id,
    new_id,
    parameter_id,
    permissions_of,
)


def test_each_role_may_do_all_that_the_one_before_may() -> None:
    for lesser, greater in zip(list(Role), list(Role)[1:], strict=False):
        assert permissions_of(lesser) < permissions_of(greater)
    assert permissions_of(Role.ADMIN) == frozenset(Permission)


@pytest.mark.parametrize(
    ("role", "permission", "is_allowed"),
    [
        (Role.VIEWER, Permission.VIEW, True),
        (Role.VIEWER, Permission.ACKNOWLEDGE, False),
        (Role.OPERATOR, Permission.ACKNOWLEDGE, True),
        (Role.OPERATOR, Permission.EDIT_RULES, False),
        (Role.SUPERVISOR, Permission.EDIT_RULES, True),
        (Role.SUPERVISOR, Permission.MANAGE_USERS, False),
    ],
)
def test_what_a_scope_permits(role: Role, permission: Permission, is_allowed: bool) -> None:
    assert Scope(FactoryId("f"), "somebody", role).may(permission) is is_allowed


def test_new_ids_are_version_7_uuids_in_order_of_time() -> None:
    ids = [new_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert all(len(one) == 32 and one[12] == "7" and one[16] in "89ab" for one in ids)
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


def test_the_same_keys_in_another_factory_are_other_things() -> None:
    assert device_id("one", "press-1") != device_id("two", "press-1")
    assert parameter_id("one", "press-1", "t") != parameter_id("one", "press-1", "u")
    assert len(alarm_id("one", "rule", "press-1")) == 32
