"""A whole installation in a temporary folder: the real service as plant IT would run it, on free ports."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.observability.heartbeat import read_heartbeats
from factoryops.server.settings import DataFolder
from tests.support.waiting import wait_until


def unused_port() -> int:
    """A TCP port of loopback that nobody has at the moment."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Installation:
    """Settings, data and the running service.

    Attributes:
        extra: further TOML for the settings file (an outside database, broker or store).
    """

    folder: Path
    extra: str = ""
    has_endpoint: bool = True
    api_port: int = field(default_factory=unused_port)
    endpoint_port: int = field(default_factory=unused_port)
    process: subprocess.Popen[bytes] | None = None
    passwords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the settings file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(
            f'data_folder = "data"\n{self.extra}\n[endpoint]\nport = {self.endpoint_port}\n'
            f"is_enabled = {str(self.has_endpoint).lower()}\n[api]\nport = {self.api_port}\n",
            encoding="utf-8",
        )

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "factoryops.toml"

    @property
    def data(self) -> DataFolder:
        """The data folder."""
        return DataFolder(self.folder / "data")

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def log(self) -> str:
        """Everything the service has written to its console."""
        file = self.folder / "console.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def command(self, *arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run `factoryops-service` with these settings."""
        return subprocess.run(
            self._command_line(arguments),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )

    def _command_line(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "factoryops.server", "--config", str(self.settings), *arguments]

    def add_factory(self, slug: str, *, timezone: str = "Europe/Berlin") -> None:
        """Add a factory; its administrator's password is remembered."""
        done = self.command("factory", "add", slug, "--timezone", timezone)
        assert done.returncode == 0, done.stderr
        found = re.search(r"Password:\s+(\S+)", done.stdout)
        assert found is not None, done.stdout
        self.passwords[slug] = found.group(1)

    def add_credential(self, slug: str, username: str, *, device: str | None = None) -> str:
        """Make an MQTT credential; answers its secret."""
        only = [] if device is None else ["--device", device]
        done = self.command("credential", "add", slug, username, *only)
        assert done.returncode == 0, done.stderr
        found = re.search(r"MQTT password:\s+(\S+)", done.stdout)
        assert found is not None, done.stdout
        return found.group(1)

    def start(self, *, timeout_s: float = 40.0) -> None:
        """Start the service and wait until every role beats and the API answers."""
        with (self.folder / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command_line(["run", "--lifeline"]), stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        wait_until(self._is_up, timeout_s=timeout_s, what=f"the service's start\n{self.log}")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        if not set(read_heartbeats(self.data.heartbeats)) >= {"ingest", "historian", "engine", "api", "worker"}:
            return False
        try:
            return httpx.get(f"{self.url}/api/v1/health", timeout=2.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> float:
        """Stop it in order; answers how many seconds that took, and fails when a process was left behind."""
        assert self.process is not None
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        started = time.monotonic()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=15.0)
        took_s = time.monotonic() - started
        left = [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert not left, f"left behind: {left}"
        self.process = None
        return took_s

    def kill(self) -> None:
        """End it without a chance to tidy up, if it still runs."""
        if self.process is None:
            return
        if self.process.stdin is not None and self.process.poll() is not None:
            self.process.stdin.close()
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for one in family:
            if one.is_running():
                one.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=5.0)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None

    def role_process(self, role: str) -> psutil.Process:
        """The process of a role."""
        return psutil.Process(read_heartbeats(self.data.heartbeats)[role].process_id)

    async def log_in(self, slug: str, *, user: str = "admin") -> HttpPlant:
        """A client of the API, logged in."""
        client = HttpPlant(self.url)
        await client.login(slug, user, self.passwords[slug])
        return client

    async def health(self, slug: str) -> http.Health:
        """The health page as a user of the factory sees it."""
        client = await self.log_in(slug)
        try:
            return await client.health()
        finally:
            await client.close()


def write_recording(file: Path, rows: Sequence[tuple[str, dict[str, float]]]) -> None:
    """A recording in the form of the Skoltech benchmark: `;` between columns, times without a zone."""
    signals = list(rows[0][1])
    lines = [";".join(["datetime", *signals])]
    lines += [";".join([moment, *(json.dumps(values[name]) for name in signals)]) for moment, values in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
