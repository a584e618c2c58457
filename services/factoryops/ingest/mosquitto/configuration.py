"""The configuration of a Mosquitto that keeps what it has acknowledged."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError

PASSWORDS: Final = "passwords"
ACCESS: Final = "access"
CONFIGURATION: Final = "mosquitto.conf"

QUEUED_MESSAGES: Final = 1_000_000
QUEUED_BYTES: Final = 2 << 30
MEMORY_BYTES: Final = 4 << 30
PACKET_BYTES: Final = 256 << 10
INFLIGHT_MESSAGES: Final = 1_000
SYS_INTERVAL_S: Final = 10
AUTOSAVE_S: Final = 5
EXPIRY_DAYS: Final = 14

PLUGINS_FOLDER: Final = Path("/usr/lib")

_PLUGINS_SINCE: Final = (2, 1)
_ASKING_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """What a broker's configuration depends on.

    Attributes:
        folder: where the broker finds its files.
        version: (2, 0), (2, 1) …
        plain_port: a listener without TLS on loopback, for programs on the same machine; None for none.
        plugins_folder: where Mosquitto 2.1 and later have their plugins.
        sys_interval_s: how often the broker tells its figures.
    """

    folder: Path
    version: tuple[int, int]
    port: int = 8883
    plain_port: int | None = None
    plugins_folder: Path = PLUGINS_FOLDER
    sys_interval_s: int = SYS_INTERVAL_S


def configuration(plan: BrokerPlan) -> str:
    """The text of mosquitto.conf."""
    lines = [
        "# Written by `factoryops-service broker configure`; changes are overwritten.",
        "allow_anonymous false",
        *_files(plan),
        f"persistence_location {plan.folder.as_posix()}/",
        *_persistence(plan),
        f"max_inflight_messages {INFLIGHT_MESSAGES}",
        f"max_queued_messages {QUEUED_MESSAGES}",
        f"max_queued_bytes {QUEUED_BYTES}",
        f"max_packet_size {PACKET_BYTES}",
        f"memory_limit {MEMORY_BYTES}",
        f"persistent_client_expiration {EXPIRY_DAYS}d",
        f"sys_interval {plan.sys_interval_s}",
        f"pid_file {(plan.folder / 'mosquitto.pid').as_posix()}",
        "",
        f"listener {plan.port}",
        "# Each client id is the user's name: nobody can take over somebody else's session.",
        "use_username_as_clientid true",
        "tls_version tlsv1.2",
        f"certfile {(plan.folder / 'tls' / 'certificate.pem').as_posix()}",
        f"keyfile {(plan.folder / 'tls' / 'key.pem').as_posix()}",
    ]
    if plan.plain_port is not None:
        lines += ["", f"listener {plan.plain_port} 127.0.0.1", "use_username_as_clientid true"]
    return "\n".join(lines) + "\n"


def _files(plan: BrokerPlan) -> list[str]:
    passwords, access = (plan.folder / PASSWORDS).as_posix(), (plan.folder / ACCESS).as_posix()
    if plan.version < _PLUGINS_SINCE:
        return ["per_listener_settings false", f"password_file {passwords}", f"acl_file {access}"]
    return [
        f"global_plugin {(plan.plugins_folder / 'mosquitto_password_file.so').as_posix()}",
        f"plugin_opt_password_file {passwords}",
        f"global_plugin {(plan.plugins_folder / 'mosquitto_acl_file.so').as_posix()}",
        f"plugin_opt_acl_file {access}",
    ]


def _persistence(plan: BrokerPlan) -> list[str]:
    if plan.version < _PLUGINS_SINCE:
        return [
            "persistence true",
            "# By time: saving at every change writes the whole queue again and breaks down in an outage.",
            "autosave_on_changes false",
            f"autosave_interval {AUTOSAVE_S}",
        ]
    return [
        f"global_plugin {(plan.plugins_folder / 'mosquitto_persist_sqlite.so').as_posix()}",
        "plugin_opt_sync full",
        "plugin_opt_flush_period 1",
    ]


def version_of(text: str) -> tuple[int, int]:
    """The version in "2.0.11", "2.1" or the first line of `mosquitto -h`.

    Raises:
        SetupError: there is none, or the broker is older than 2.0.
    """
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None:
        raise SetupError(f"{text!r} names no version of Mosquitto; say --mosquitto-version 2.0 or 2.1.")
    version = (int(found[1]), int(found[2]))
    if version < (2, 0):
        raise SetupError(f"Mosquitto {found[0]} cannot bound its queues in bytes and memory; install 2.0 or later.")
    return version


def installed_version(program: str) -> tuple[int, int]:
    """The version of the installed broker.

    Raises:
        SetupError: it cannot be asked.
    """
    try:
        asked = subprocess.run([program, "-h"], capture_output=True, text=True, timeout=_ASKING_S, check=False)  # noqa: S603 - the person at the command line named it
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(
            f"{program} cannot be asked for its version; say it with --mosquitto-version 2.0 or 2.1."
        ) from error
    return version_of(asked.stdout.partition("\n")[0])
