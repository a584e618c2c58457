"""A private Mosquitto: free port, temporary folder, the reviewed settings, a password file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

USER = "factoryops"
PASSWORD = "a-password-of-the-test-1"

_SETTINGS = """\
per_listener_settings false
allow_anonymous false
listener {port} 127.0.0.1
password_file {folder}/passwords
persistence true
persistence_location {folder}/
autosave_on_changes false
autosave_interval 5
max_inflight_messages 1000
max_queued_messages {queued}
max_queued_bytes 2147483648
max_packet_size 262144
memory_limit 4294967296
persistent_client_expiration 14d
sys_interval 1
{more}
"""


def find_mosquitto() -> str:
    """The broker's program; a missing one skips the test by name, or fails it where nothing may be missing."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        message = "mosquitto is not installed (Debian: apt install mosquitto)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


class Mosquitto:
    """One broker that a test starts, stops and kills."""

    def __init__(self, folder: Path, *, queued: int = 1_000_000) -> None:
        self._program = find_mosquitto()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # started by root, it becomes another user
        self.port = free_port()
        passwords = folder / "passwords"
        passwords.write_text(f"{USER}:{PASSWORD}\n")
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
        passwords.chmod(0o644)
        # As root it would give up its rights and could then not read a private temporary folder.
        more = "user root" if os.name == "posix" and os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(
            _SETTINGS.format(port=self.port, folder=folder, queued=queued, more=more)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        wait_until(self._answers, timeout_s=10)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """In good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Without warning."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
