"""A Mosquitto with the files that `broker configure` writes, for two factories in a database of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from factoryops.certificates.authority import Authority, create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.database.database import Database
from factoryops.domain.plant import Factory
from factoryops.identity.administration import create_factory
from factoryops.identity.credentials import create_credential
from factoryops.ingest.config import BrokerConfig
from factoryops.ingest.mosquitto.configuration import CONFIGURATION, BrokerPlan
from factoryops.ingest.mosquitto.probe import ProbeTarget
from factoryops.ingest.mosquitto.users import PROBE_USER, SERVICE_USER
from factoryops.server.broker_files import TlsFiles, UsersWritten, own_secret, write_configuration, write_users
from tests.support.mosquitto import find_mosquitto, free_port
from tests.support.waiting import wait_until


class PlantBroker:
    """One broker that a test starts, stops, kills and reconfigures.

    Attributes:
        secrets: of every credential that was made here, by user name.
    """

    def __init__(self, root: Path, *, hosts: Sequence[str] = ("127.0.0.1", "localhost"), valid_days: int = 365) -> None:
        self.folder = root / "broker"
        self.authority = create_authority(root / "certificates")
        self.authority.issue("broker", Purpose.SERVER, list(hosts), valid_days=valid_days)
        self.database = Database.open(f"sqlite:///{root / 'plant.db'}")
        self.database.migrate()
        self.factories: dict[str, Factory] = {}
        self.secrets: dict[str, str] = {}
        self._own = root / "own"
        self._program = find_mosquitto()
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.plain_port = free_port(), free_port()
        self.show(self.authority)
        for slug in ("riverside", "hillside"):
            self.factories[slug] = create_factory(self.database, slug=slug, name=slug).factory

    def show(self, authority: Authority) -> None:
        """Show this authority's certificate from the next start on."""
        tls = TlsFiles(authority.certificate_file("broker"), authority.key_file("broker"), authority.ca_file)
        write_configuration(BrokerPlan(self.folder, (2, 0), self.port, self.plain_port, sys_interval_s=1), tls)

    def change(self, old: str, new: str) -> None:
        """Change the configuration by hand; it holds from the next start."""
        file = self.folder / CONFIGURATION
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def add(self, slug: str, username: str, device_key: str | None = None, *, is_tool: bool = False) -> str:
        made = create_credential(
            self.database, self.factories[slug].id, username=username, device_key=device_key, is_tool=is_tool
        )
        self.secrets[username] = made.secret
        return made.secret

    def write_users(self) -> UsersWritten:
        return write_users(self.database, self.folder, self._own)

    def own_secret(self, user: str) -> str:
        return own_secret(self._own, user)

    def config(self, *, port: int = 0, ca_file: Path | None = None, host: str = "127.0.0.1") -> BrokerConfig:
        """How the service connects to it, over TLS."""
        return BrokerConfig(
            "plant", host, port or self.port, SERVICE_USER, self.own_secret(SERVICE_USER), use_tls=True,
            ca_file=ca_file or self.authority.ca_file,
        )  # fmt: skip

    def target(self, *, is_plain: bool = False) -> ProbeTarget:
        port = self.plain_port if is_plain else self.port
        return ProbeTarget("127.0.0.1", port, self.own_secret(PROBE_USER), None if is_plain else self.authority.ca_file)

    def start(self) -> None:
        more = "user root\n" if os.geteuid() == 0 else ""  # it could not read a private temporary folder otherwise
        configuration = self.folder / "test.conf"
        configuration.write_text((self.folder / CONFIGURATION).read_text() + more)
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(configuration)], stdout=log, stderr=log)
        wait_until(lambda: "running" in self.log().rpartition("starting")[2], timeout_s=10, what="the broker")

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._end(signal.SIGKILL)
        self.database.close()

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None
