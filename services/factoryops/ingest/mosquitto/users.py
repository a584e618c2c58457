"""Who may log in at Mosquitto, and to which topics they may publish: its password file and its access file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from factoryops.domain.credentials import CredentialKind, fits_into_topic, is_mqtt_name
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.topic_template import DEVICE, PARAMETER, TopicTemplate

SERVICE_USER: Final = "factoryops"
PROBE_USER: Final = "factoryops-probe"
PROBE_TOPICS: Final = "factoryops/probe"

_HASH: Final = re.compile(r"\$7\$\d+\$[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]+={0,2}")
_RULE: Final = re.compile(r"topic (read|write|readwrite) \S.*")


@dataclass(frozen=True, slots=True)
class FactoryTopics:
    """By which names a factory appears in topics.

    Attributes:
        tenant: its id in dialect C, "" for none.
        is_nameless: whether topics of dialect B, which name no factory, are this one's.
        others: topics of its mappings in force.
    """

    slug: str
    tenant: str = ""
    is_nameless: bool = False
    others: tuple[TopicTemplate, ...] = ()

    def of_device(self, key: str) -> list[str]:
        """The topics to which a device publishes.

        A mapping's topic that does not name the device is for gateways: nobody could tell who published there.
        """
        own = [template for template in self.others if template.names(DEVICE)]
        return [*self._of_dialects(key), *(_filled(template, key) for template in own)]

    def of_gateway(self) -> list[str]:
        """The topics of all devices."""
        return [*self._of_dialects("+"), *(template.filter for template in self.others)]

    def _of_dialects(self, key: str) -> list[str]:
        topics = [f"factories/{self.slug}/devices/{key}/telemetry"]
        if self.tenant:
            topics.append(f"{self.tenant}/devices/{key}/telemetry")
        if self.is_nameless:
            topics.append(f"devices/{key}/telemetry")
        return topics

    def all(self) -> list[str]:
        """Everything a tool of the factory may look at."""
        topics = [f"factories/{self.slug}/#"]
        if self.tenant:
            topics.append(f"{self.tenant}/#")
        if self.is_nameless:
            topics.append("devices/#")
        return [*topics, *(template.filter for template in self.others)]


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One credential as the broker needs it.

    Attributes:
        password_hash: `$7$rounds$salt$hash`.
    """

    username: str
    password_hash: str
    kind: CredentialKind
    topics: FactoryTopics
    device_key: str | None = None

    def rules(self) -> list[str]:
        """The lines of the access file that are its own."""
        if self.kind is CredentialKind.TOOL:
            return [f"topic read {topic}" for topic in self.topics.all()]
        if self.kind is CredentialKind.DEVICE:
            return [f"topic write {topic}" for topic in self.topics.of_device(self.device_key or "")]
        return [f"topic write {topic}" for topic in self.topics.of_gateway()]


def _filled(template: TopicTemplate, key: str) -> str:
    levels = [{DEVICE: key, PARAMETER: "+"}.get(level, level) for level in template.levels]
    return "/".join([*levels, "#"] if template.is_open else levels)


def password_file(users: Iterable[BrokerUser], own: dict[str, str]) -> str:
    """The text of the password file.

    Args:
        users: devices, gateways and tools.
        own: user name -> hash of our own users.
    """
    hashes = own | {user.username: user.password_hash for user in users}
    return "".join(f"{name}:{hashes[name]}\n" for name in sorted(hashes))


def access_file(users: Iterable[BrokerUser]) -> str:
    """The text of the access file: what is not written here is forbidden."""
    blocks = [
        [f"user {SERVICE_USER}", "topic read #", "topic read $SYS/#"],
        [f"user {PROBE_USER}", f"topic readwrite {PROBE_TOPICS}/#"],
        *([f"user {user.username}", *user.rules()] for user in sorted(users, key=lambda one: one.username)),
    ]
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def check_files(passwords: str, access: str) -> None:
    """Refuse what a broker would refuse, or read in another way than meant: one that reloads such a file may quit.

    Raises:
        InvalidInputError: names the line.
    """
    names = [_checked_password(line) for line in passwords.splitlines()]
    doubled = {name for name in names if names.count(name) > 1} if len(set(names)) != len(names) else set()
    if doubled:
        raise InvalidInputError(f"The password file has {sorted(doubled)[0]} twice; nothing was written.")
    for line in access.splitlines():
        kind, _, rest = line.partition(" ")
        is_known_user = kind == "user" and rest in names
        if line and not is_known_user and _RULE.fullmatch(line) is None:
            raise InvalidInputError(
                f"The access file's line {line!r} cannot be read by the broker; nothing was written."
            )


def check_user(user: BrokerUser) -> None:
    """Refuse names that would be wildcards; raises InvalidInputError."""
    if not is_mqtt_name(user.username):
        raise InvalidInputError(f"The MQTT user name {user.username!r} cannot be used at a broker; make another.")
    if user.device_key is not None and not fits_into_topic(user.device_key):
        raise InvalidInputError(
            f"{user.username} is for the device {user.device_key!r}, whose key would open other topics at a broker; "
            "revoke it and give the device another key."
        )


def _checked_password(line: str) -> str:
    name, _, hashed = line.partition(":")
    if not is_mqtt_name(name) or _HASH.fullmatch(hashed) is None:
        raise InvalidInputError(f"The password file's line for {name!r} cannot be read by the broker.")
    return name
