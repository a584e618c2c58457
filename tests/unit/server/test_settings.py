"""Plant IT's settings are checked whole, and each fault is one sentence."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from factoryops.domain.errors import SetupError
from factoryops.server.settings import DataFolder, load_settings, read_secret


def write(folder: Path, text: str) -> Path:
    file = folder / "factoryops.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_everything_is_embedded_and_on_loopback() -> None:
    settings = load_settings(None)
    assert settings.database.url is None
    assert settings.history.kind == "local"
    assert settings.endpoint.host == settings.api.host == "127.0.0.1"


def test_the_data_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, 'data_folder = "here"')).data_folder == tmp_path / "here"


def test_every_file_is_relative_to_the_settings_file_wherever_the_service_is_started(tmp_path: Path) -> None:
    text = (
        '[history]\nkind = "influx"\n[history.influx]\nurl = "http://h"\norg = "o"\n'
        '[database]\nurl = "mysql+pymysql://u@h/d"\npassword_file = "database.password"\n'
        '[[brokers]]\nname = "hall"\nhost = "h"\npassword_file = "secrets/broker"\nca_file = "/etc/ca.pem"\n'
    )
    settings = load_settings(write(tmp_path, text))
    assert settings.data_folder == tmp_path / "data"
    assert settings.database.password_file == tmp_path / "database.password"
    assert settings.brokers[0].password_file == tmp_path / "secrets" / "broker"
    assert settings.brokers[0].ca_file == Path("/etc/ca.pem")


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTORYOPS_API__PORT", "9000")
    settings = load_settings(write(tmp_path, '[api]\nport = 8000\nhost = "127.0.0.1"'))
    assert settings.api.port == 9000
    assert settings.api.host == "127.0.0.1"


def test_an_environment_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTORYOPS_BROKERS", "no json")
    with pytest.raises(SetupError, match=r"environment variable.*brokers"):
        load_settings(None)


@pytest.mark.parametrize(
    "text",
    [
        'host = "0.0.0.0"\nallow_plain = true',
        'certificate_file = "c.pem"\nkey_file = "k.pem"\nis_plain_enabled = false\nhost = "0.0.0.0"',
        'is_enabled = false\nhost = "0.0.0.0"',
    ],
    ids=["said so", "TLS alone", "no endpoint at all"],
)
def test_devices_may_come_from_the_network_when_that_is_safe_or_said(tmp_path: Path, text: str) -> None:
    assert load_settings(write(tmp_path, f"[endpoint]\n{text}")).endpoint.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("[api]\nport = 70000", "api.port"),
        ("[endpoint]\nprot = 1", "endpoint.prot"),
        ('[history]\nkind = "influx"', "history.influx"),
        ('[api]\nhost = "0.0.0.0"', "certificate"),
        ('[endpoint]\nhost = "0.0.0.0"', "allow_plain"),
        ('[endpoint]\nkey_file = "k.pem"', "belong together"),
        ('[endpoint]\nclient_ca_file = "ca.pem"', "none of its own"),
        ("[endpoint]\nis_plain_enabled = false", "no device could connect"),
        ('[api]\ncertificate_file = "a"', "key_file"),
        ("= 1", "TOML"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SetupError, match=named):
        load_settings(write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_a_secret_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("abc\n", encoding="utf-8")
    secret.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        read_secret(secret)
    secret.chmod(0o600)
    assert read_secret(secret) == "abc"


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="data folder"):
        DataFolder(blocker).prepare()


def test_all_roles_may_look_at_the_data_folder_at_the_same_moment(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as roles:
        for done in [roles.submit(DataFolder(tmp_path / "data").prepare) for _ in range(400)]:
            done.result()
