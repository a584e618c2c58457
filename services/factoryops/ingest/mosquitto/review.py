"""Reads a mosquitto.conf and names every setting with which acknowledged messages, or secrets, would be lost."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from factoryops.domain.errors import InvalidInputError

_LEAST_QUEUED: Final = 100_000
_LEAST_QUEUED_BYTES: Final = 256 << 20
_MOST_PACKET_BYTES: Final = 256 << 10
_LEAST_INFLIGHT: Final = 100
_MOST_AUTOSAVE_S: Final = 5
_MOST_SYS_INTERVAL_S: Final = 60
_UNITS_H: Final = {"h": 1, "d": 24, "w": 168, "m": 730, "y": 8_760}


@dataclass(slots=True)
class _Listener:
    port: str
    address: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_loopback(self) -> bool:
        if self.address == "localhost" or self.port == "0":
            return True
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


@dataclass(slots=True)
class _Configuration:
    settings: dict[str, str] = field(default_factory=dict)
    plugins: list[str] = field(default_factory=list)
    listeners: list[_Listener] = field(default_factory=list)

    def number(self, name: str, default: int) -> int:
        """A whole number, or `default` when it is absent or none."""
        text = self.settings.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def has_plugin(self, name: str) -> bool:
        return any(name in plugin for plugin in self.plugins)


def review_file(file: Path) -> list[str]:
    """What is wrong with a configuration file, a sentence each; empty when it is good.

    Raises:
        InvalidInputError: it cannot be read.
    """
    return review("\n".join(_lines_of(file)))


def review(text: str) -> list[str]:
    """What is wrong with the text of a configuration, a sentence each."""
    read = _read(text.splitlines())
    return [*_about_access(read), *_about_keeping(read), *_about_queues(read), *_about_listeners(read)]


def _lines_of(file: Path) -> list[str]:
    lines: list[str] = []
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.strip().partition(" ")
            if name == "include_dir":
                for included in sorted(Path(value.strip()).glob("*.conf")):
                    lines += included.read_text(encoding="utf-8").splitlines()
            else:
                lines.append(line)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The broker's configuration {file} cannot be read ({error}).") from error
    return lines


_OF_LISTENER: Final = frozenset({
    "certfile", "keyfile", "cafile", "tls_version", "use_username_as_clientid", "require_certificate",
    "listener_allow_anonymous", "protocol", "plugin_use",
})  # fmt: skip


def _read(lines: Iterable[str]) -> _Configuration:
    read = _Configuration()
    for line in lines:
        name, _, value = line.strip().partition(" ")
        value = value.strip()
        if not name or name.startswith("#"):
            continue
        if name == "listener":
            port, _, address = value.partition(" ")
            read.listeners.append(_Listener(port, address.strip()))
        elif name in {"plugin", "global_plugin", "plugin_load"}:
            read.plugins.append(value)
        elif name in _OF_LISTENER and read.listeners:
            read.listeners[-1].settings[name] = value
        else:
            read.settings[name] = value
    return read


def _about_access(read: _Configuration) -> list[str]:
    found = []
    if read.settings.get("per_listener_settings") == "true":
        found.append("per_listener_settings is true: passwords and access rules may miss a listener. Set it to false.")
    if read.settings.get("allow_anonymous") != "false":
        found.append("allow_anonymous is not false: anybody may publish. Set allow_anonymous false.")
    has_passwords = "password_file" in read.settings or read.has_plugin("password_file") or _has_own_access(read)
    if not has_passwords:
        found.append("There is no password_file: nobody is known. Set password_file.")
    if "acl_file" not in read.settings and not read.has_plugin("acl_file") and not _has_own_access(read):
        found.append("There is no acl_file: every device may publish as any other. Set acl_file.")
    return found


def _has_own_access(read: _Configuration) -> bool:
    return read.has_plugin("dynamic_security") or "auth_plugin" in read.settings


def _about_keeping(read: _Configuration) -> list[str]:
    if read.has_plugin("persist_sqlite"):
        return _about_database(read)
    found = []
    if read.settings.get("persistence") != "true":
        found.append("persistence is not true: a restart of the broker loses our session and queue. Set it to true.")
    if read.settings.get("autosave_on_changes") == "true":
        found.append(
            "autosave_on_changes is true: each save writes the whole queue, and it breaks down in an outage. "
            "Set it to false."
        )
    if not 0 < read.number("autosave_interval", 1_800) <= _MOST_AUTOSAVE_S:
        found.append(
            f"autosave_interval is above {_MOST_AUTOSAVE_S} s: that much is lost when the broker is killed. "
            f"Set autosave_interval {_MOST_AUTOSAVE_S}."
        )
    text = read.settings.get("persistent_client_expiration")
    if text is not None and _hours(text) < 24:
        found.append(
            "persistent_client_expiration is less than a day: our session ends in a longer outage. Set it to 14d."
        )
    return found


def _about_database(read: _Configuration) -> list[str]:
    found = []
    if read.number("plugin_opt_flush_period", 5) > 1:
        found.append("plugin_opt_flush_period is above 1 s: that much is lost when the broker is killed. Set it to 1.")
    if read.settings.get("plugin_opt_sync", "normal") != "full":
        found.append("plugin_opt_sync is not full: a power failure may lose what was saved. Set plugin_opt_sync full.")
    return found


def _hours(text: str) -> float:
    found = re.fullmatch(r"(\d+)([hdwmy])", text)
    return int(found[1]) * _UNITS_H[found[2]] if found else 0


def _about_queues(read: _Configuration) -> list[str]:
    found = []
    queued = read.number("max_queued_messages", 1_000)
    if queued < _LEAST_QUEUED:
        found.append(
            f"max_queued_messages is {queued}: the broker throws away what it has acknowledged beyond that. "
            "Set max_queued_messages 1000000 (0 does not always mean unlimited)."
        )
    if 0 < read.number("max_queued_bytes", 0) < _LEAST_QUEUED_BYTES:
        found.append("max_queued_bytes is below 256 MiB: messages are thrown away beyond it. Set it to 2147483648.")
    if not read.number("max_queued_bytes", 0) and not read.number("memory_limit", 0):
        found.append(
            "Neither max_queued_bytes nor memory_limit is set: a long outage takes all memory, and the broker is "
            "killed with its queue. Set both."
        )
    if not 0 < read.number("max_packet_size", 0) <= _MOST_PACKET_BYTES:
        found.append("max_packet_size is not at most 262144: one device may fill the memory. Set it to 262144.")
    if read.number("max_inflight_messages", 20) < _LEAST_INFLIGHT:
        found.append("max_inflight_messages is below 100: we are sent too few messages at once. Set it to 1000.")
    if not 0 < read.number("sys_interval", 10) <= _MOST_SYS_INTERVAL_S:
        found.append("sys_interval is not 1 to 60 s: nobody would notice that messages are thrown away. Set it to 10.")
    return found


def _about_listeners(read: _Configuration) -> list[str]:
    if not read.listeners:
        return ["There is no listener: devices of the plant cannot connect. Add one, with TLS."]
    return [sentence for listener in read.listeners for sentence in _about_listener(listener)]


def _about_listener(listener: _Listener) -> list[str]:
    where = f"The listener on port {listener.port}"
    has_tls = {"certfile", "keyfile"} <= listener.settings.keys()
    found = []
    if not has_tls and not listener.is_loopback:
        found.append(f"{where} has no TLS: passwords can be read on the network. Set certfile and keyfile.")
    if listener.settings.get("tls_version") in {"tlsv1", "tlsv1.1"}:
        found.append(f"{where} permits an old TLS. Set tls_version tlsv1.2.")
    if listener.settings.get("listener_allow_anonymous") == "true":
        found.append(f"{where} lets anybody in. Take listener_allow_anonymous away.")
    if listener.settings.get("use_username_as_clientid") != "true":
        found.append(
            f"{where} lets clients choose their client id: one could take over our session. "
            "Set use_username_as_clientid true."
        )
    return found
