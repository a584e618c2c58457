"""A private MariaDB (or MySQL) server from the distribution's packages, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pymysql

_START_TIMEOUT_S = 30.0
_SMALL = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--max-connections=64",
    "--skip-log-bin",
    "--skip-name-resolve",
)


def server_binary() -> str | None:
    """Where the server program is; Debian keeps it in a folder that ordinary users do not search."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])
    return shutil.which("mariadbd", path=places) or shutil.which("mysqld", path=places)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class MariaDb:
    """One server; `start` it as often as it was stopped, its data stays."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def url(self, schema: str) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{schema}"

    def install(self) -> None:
        """Make the data folder."""
        binary = server_binary()
        assert binary is not None
        installer = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
        if installer is not None:
            command = [installer, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
        else:
            command = [binary, "--no-defaults", "--initialize-insecure"]
        command += [f"--datadir={self._data}", *_SMALL[:2], *_as_root()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    def start(self) -> None:
        binary = server_binary()
        assert binary is not None
        command = [
            binary,
            "--no-defaults",
            f"--datadir={self._data}",
            f"--socket={self.folder / 's'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'error.log'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            *_SMALL,
            *_as_root(),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        pause, end = Event(), time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                self.execute("SELECT 1")
            except pymysql.err.OperationalError:
                pause.wait(0.05)
            else:
                return
        raise AssertionError(f"the server did not start: {(self.folder / 'error.log').read_text(errors='replace')}")

    def execute(self, statement: str, *, schema: str | None = None) -> list[tuple[object, ...]]:
        """Run a statement beside the program under test."""
        return self.execute_all([statement], schema=schema)

    def execute_all(self, statements: list[str], *, schema: str | None = None) -> list[tuple[object, ...]]:
        """Run statements on one connection; answers the rows of the last."""
        connection = pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=schema, autocommit=True, connect_timeout=2
        )
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def new_schema(self, name: str) -> str:
        """Create an empty database and answer its URL."""
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return self.url(name)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(timeout=_START_TIMEOUT_S)
        self._process = None

    @property
    def _data(self) -> Path:
        return self.folder / "data"


def _as_root() -> list[str]:
    return ["--user=root"] if os.name == "posix" and os.geteuid() == 0 else []


def temporary_folder() -> Path:
    """A folder whose name is short enough for a socket in it."""
    return Path(tempfile.mkdtemp(prefix="fo-db-"))
