"""The command line speaks in sentences, and its exit code says whether it worked."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from factoryops.server.command_line import main
from tests.support.mosquitto import find_mosquitto


class Said(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "factoryops.toml"
    file.write_text('data_folder = "data"\n[endpoint]\nport = 0\n[api]\nport = 0\n', encoding="utf-8")
    return file


@pytest.fixture
def command(settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`factoryops-service` in this process."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["factoryops-service", "--config", str(settings), *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def test_a_factory_is_added_with_an_administrator_whose_password_is_shown_once(command: Command) -> None:
    added = command("factory", "add", "works", "--name", "The Works", "--timezone", "Europe/Berlin")
    assert added.code == 0
    assert "Password:" in added.out
    listed = command("factory", "list")
    assert "works" in listed.out
    assert "Password" not in command("user", "list", "works").out


def test_a_factory_gets_its_tenant_id_and_loses_it_again(command: Command) -> None:
    assert command("factory", "add", "works", "--tenant", "SH00000042").code == 0
    assert "SH00000042" in command("factory", "list").out
    command("factory", "add", "other")
    taken = command("factory", "change", "other", "--tenant", "SH00000042")
    assert (taken.code != 0, "SH00000042" in taken.err) == (True, True)
    assert "SH and eight digits" in command("factory", "change", "other", "--tenant", "42").err
    assert "no tenant id" in command("factory", "change", "works", "--tenant", "").out
    assert command("factory", "change", "other", "--tenant", "SH00000042").code == 0


def test_there_is_no_password_that_everyone_knows(command: Command) -> None:
    passwords = {command("factory", "add", slug).out.split("Password:")[1].split()[0] for slug in ("one", "two")}
    assert len(passwords) == 2
    assert all(len(password) >= 16 for password in passwords)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("user", "list", "nowhere"), "no factory nowhere"),
        (("factory", "add", "Not A Slug"), "lower-case letters"),
        (("factory", "add", "works", "--timezone", "Mars/Olympus"), "Mars/Olympus"),
        (("replay", "nowhere.csv", "--device", "a"), "no factory yet"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(command: Command, arguments: tuple[str, ...], words: str) -> None:
    said = command(*arguments)
    assert said.code == 1
    assert words in said.err
    assert "Traceback" not in said.err


def test_a_replay_without_a_running_service_says_so(command: Command, tmp_path: Path) -> None:
    command("factory", "add", "works")
    file = tmp_path / "rig.csv"
    file.write_text("datetime;a\n2020-01-01 00:00:00;1.0\n", encoding="utf-8")
    said = command("replay", str(file), "--device", "rig")
    assert said.code == 1
    assert "does not run" in said.err


@pytest.mark.parametrize("at", ["yesterday", "2026-11-20T08:00:00"])
def test_a_replay_asks_for_a_moment_that_is_one(command: Command, tmp_path: Path, at: str) -> None:
    said = command("replay", str(tmp_path / "x.csv"), "--device", "rig", "--at", at)
    assert said.code == 1
    assert "--at" in said.err


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(command: Command, tmp_path: Path) -> None:
    assert command("migrate").code == 0
    file = tmp_path / "data" / "factoryops.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'z9999'")
    before = file.read_bytes()
    for arguments in (("migrate",), ("check",), ("run",)):
        said = command(*arguments)
        assert said.code == 1
        assert "newer" in said.err
    assert file.read_bytes() == before


def test_check_names_a_port_that_another_program_has(command: Command, settings: Path) -> None:
    command("migrate")
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        settings.write_text(f'data_folder = "data"\n[endpoint]\nport = {port}\n[api]\nport = 0\n', encoding="utf-8")
        said = command("check")
    assert said.code == 1
    assert str(port) in said.err
    assert "MQTT endpoint" in said.err


def test_check_is_content_with_a_prepared_installation(command: Command) -> None:
    command("migrate")
    assert command("check").code == 0


@pytest.mark.skipif(
    sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may write everywhere"
)
def test_a_data_folder_that_may_not_be_written_is_one_sentence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    said = command("migrate")
    assert said.code == 1
    assert "data folder" in said.err


def test_a_file_where_the_data_folder_should_be_is_one_sentence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")
    said = command("run")
    assert said.code == 1
    assert "cannot be written" in said.err


def test_the_api_describes_itself_without_an_installation(command: Command) -> None:
    said = command("openapi")
    assert said.code == 0
    described = json.loads(said.out)
    assert described["openapi"].startswith("3.1")
    assert any(path.endswith("/alarms") for path in described["paths"])


def test_the_plant_has_an_authority_of_its_own(command: Command, tmp_path: Path) -> None:
    assert "create-ca" in command("certificate", "list").err
    assert "Fingerprint" in command("certificate", "create-ca").out
    issued = command("certificate", "issue", "broker", "--host", "broker.plant.local", "--host", "10.0.0.4")
    certificate = tmp_path / "data" / "certificates" / "issued" / "broker" / "certificate.pem"
    assert str(certificate) in issued.out
    assert "PRIVATE KEY" not in issued.out
    assert "broker.plant.local, 10.0.0.4" in command("certificate", "inspect", str(certificate)).out
    assert command("certificate", "renew", "broker").code == 0
    assert command("certificate", "revoke", "broker").code == 0
    assert "revoked" in command("certificate", "list").out


def test_a_credential_is_rotated_with_an_overlap_and_its_secret_is_shown_once(command: Command) -> None:
    command("factory", "add", "works")
    first = command("credential", "add", "works", "press-1", "--device", "press-1", "--qr")
    assert first.out.count("█") > 100
    second = command("credential", "rotate", "works", "press-1", "--overlap-h", "48")
    secrets = [said.out.split("MQTT password:")[1].split()[0] for said in (first, second)]
    assert secrets[0] != secrets[1]
    listed = command("credential", "list", "works").out
    assert "good until" in listed
    assert not any(secret in listed for secret in secrets)
    assert command("credential", "settle", "works", "press-1").code == 0
    assert "good until" not in command("credential", "list", "works").out
    assert command("credential", "add", "works", "laptop", "--tool").code == 0
    assert "tool" in command("credential", "list", "works").out
    assert "30 days" in command("credential", "rotate", "works", "press-1", "--overlap-h", "900").err
    assert "hyphens" in command("credential", "add", "works", "a+b").err


def test_users_of_a_broker_are_kept_current_until_the_command_is_ended(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("factory", "add", "works")
    access = tmp_path / "mosquitto" / "access"
    turns: list[float] = []

    class Pause:
        def wait(self, pause_s: float) -> bool:
            turns.append(pause_s)
            written = access.read_text()
            assert ("user press-1" in written) is (len(turns) > 1)
            command("credential", "add", "works", f"press-{len(turns)}")
            return len(turns) > 2

    monkeypatch.setattr("factoryops.server.broker_commands.threading", SimpleNamespace(Event=Pause))
    assert command("broker", "users", str(access.parent), "--every-s", "15").code == 0
    assert turns == [15.0, 15.0, 15.0]


def test_a_broker_is_configured_from_the_plants_credentials(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "mosquitto"
    assert "create-ca" in command("broker", "configure", str(folder), "--mosquitto-version", "2.0").err
    command("certificate", "create-ca")
    command("factory", "add", "works")
    secret = command("credential", "add", "works", "press-1", "--device", "press-1").out.split("MQTT password:")[1]
    configured = command(
        "broker", "configure", str(folder), "--host", "localhost", "--mosquitto", find_mosquitto()
    )  # fmt: skip
    assert configured.code == 0, configured.err
    assert "1 users were written" in configured.out
    assert 'username = "factoryops"' in configured.out
    written = "".join(file.read_text() for file in folder.rglob("*") if file.is_file())
    assert secret.split()[0] not in written
    assert "topic write factories/works/devices/press-1/telemetry" in written
    assert command("broker", "check", str(folder / "mosquitto.conf")).code == 0
    (folder / "mosquitto.conf").write_text("listener 1883\n")
    wrong = command("broker", "check", str(folder / "mosquitto.conf"))
    assert wrong.code == 1
    assert "max_queued_messages is 1000" in wrong.err
    assert "unchanged" in command("broker", "users", str(folder)).out
    command("credential", "revoke", "works", "press-1")
    refreshed = command("broker", "users", str(folder))
    assert "0 users were written" in refreshed.out
    assert "reload" in refreshed.out
    assert "Say which broker" in command("broker", "probe").err


def test_how_long_history_is_kept_is_set_listed_and_taken_back(command: Command) -> None:
    command("factory", "add", "works")
    kept = command("retention", "set", "works", "Vibration", "--parameter", "vibration", "--raw-days", "30")
    assert (kept.code, "within minutes" in kept.out) == (0, True)
    assert command("retention", "set", "works", "Rest", "--raw-days", "90", "--minute-days", "730").code == 0
    listed = command("retention", "list", "works").out
    assert "vibration" in listed
    assert "all others" in listed
    refused = command("retention", "set", "works", "Rest", "--raw-days", "90", "--minute-days", "10")
    assert (refused.code, "cannot be used" in refused.err) == (1, True)
    assert command("retention", "remove", "works", "Vibration").code == 0
    assert "Vibration" not in command("retention", "list", "works").out
    assert command("retention", "remove", "works", "Vibration").code == 1
