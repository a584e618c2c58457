"""Who is asking, for which factory, and what they may do."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

FactoryId = NewType("FactoryId", str)
UserId = NewType("UserId", str)
DeviceId = NewType("DeviceId", str)
ParameterId = NewType("ParameterId", str)
RuleId = NewType("RuleId", str)
AlarmId = NewType("AlarmId", str)
JobId = NewType("JobId", str)
MappingId = NewType("MappingId", str)
RunId = NewType("RunId", str)
ArtifactId = NewType("ArtifactId", str)


def new_id() -> str:
    """A random, time-ordered public id: a UUID of version 7 as 32 hexadecimal digits (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return f"{number:032x}"


def derived_id(*parts: str) -> str:
    """The id of something that its parts identify, as 32 hexadecimal digits.

    Devices, parameters and alarms are named so (decision 0003): every role can name them without asking the database.
    The first part is always the factory's random id, so that nobody outside can guess the result.
    """
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def device_id(factory_id: str, device_key: str) -> DeviceId:
    """The id of a device."""
    return DeviceId(derived_id(factory_id, "device", device_key))


def parameter_id(factory_id: str, device_key: str, parameter_key: str) -> ParameterId:
    """The id of a parameter."""
    return ParameterId(derived_id(factory_id, "parameter", device_key, parameter_key))


def alarm_id(factory_id: str, rule_id: str, device_key: str) -> AlarmId:
    """The id of an alarm: a rule on a device."""
    return AlarmId(derived_id(factory_id, "alarm", rule_id, device_key))


class Role(StrEnum):
    """What a person is in their factory; each role may do all that the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route asks for."""

    VIEW = "view"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    OUT_OF_SERVICE = "out_of_service"
    RUN_JOBS = "run_jobs"
    EDIT_RULES = "edit_rules"
    EDIT_PLANT = "edit_plant"
    SEE_QUARANTINE = "see_quarantine"
    MANAGE_USERS = "manage_users"


_ADDED: Final[dict[Role, frozenset[Permission]]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.OPERATOR: frozenset({Permission.ACKNOWLEDGE, Permission.SHELVE, Permission.RUN_JOBS}),
    Role.SUPERVISOR: frozenset({Permission.EDIT_RULES, Permission.SEE_QUARANTINE, Permission.OUT_OF_SERVICE}),
    Role.ADMIN: frozenset({Permission.EDIT_PLANT, Permission.MANAGE_USERS}),
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """Everything `role` may do."""
    granted: frozenset[Permission] = frozenset()
    for step, added in _ADDED.items():
        granted |= added
        if step is role:
            break
    return granted


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is asking, for which factory: the key every repository asks for.

    Attributes:
        factory_id: the one factory this scope opens.
        actor: the user's name, or the role of the service that acts ("engine", "worker"), for the audit trail.
        role: the user's role.
        user_id: None when the service itself acts.
    """

    factory_id: FactoryId
    actor: str
    role: Role
    user_id: UserId | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the role permits it."""
        return permission in permissions_of(self.role)
