from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from factoryops.client.files import ArrivingFile, write_whole
from factoryops.client.place import ServicePlace
from factoryops.domain.errors import SetupError, StorageError, UnavailableError

_CONTENT = b"a report"
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8420", "http://localhost:8420/", "http://[::1]:8420"])
def test_plain_http_is_good_enough_on_loopback(url: str) -> None:
    place = ServicePlace.of(url, None)
    assert place.tls is None
    assert place.live_url.startswith("ws://")
    assert place.api_url.endswith("/api/v1/")


@pytest.mark.parametrize(
    "url", ["http://plant:8420", "http://192.168.1.5", "http://0.0.0.0:1", "http://127.0.0.1.evil"]
)
def test_plain_http_over_a_network_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="unprotected"):
        ServicePlace.of(url, None)


@pytest.mark.parametrize(
    "url", ["", "plant", "ftp://plant", "https://", "https://a:b@plant", "https://plant?x=1", "https://plant:99999"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="cannot be used"):
        ServicePlace.of(url, None)


def test_https_is_checked_and_a_path_kept() -> None:
    place = ServicePlace.of("https://gate.example/factory/", None)
    assert place.tls is not None
    assert place.tls.check_hostname
    assert (place.api_url, place.live_url) == (
        "https://gate.example/factory/api/v1/",
        "wss://gate.example/factory/api/v1/live",
    )


def test_a_missing_authority_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"ca\.pem"):
        ServicePlace.of("https://plant", tmp_path / "ca.pem")


@pytest.mark.parametrize("name", ["../../evil.pdf", "C:\\temp\\evil.pdf", "/etc/evil.pdf", "a/b\\evil.pdf"])
def test_a_files_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    assert write_whole(tmp_path, name, _SHA256, _CONTENT) == tmp_path / "evil.pdf"
    assert [one.name for one in tmp_path.iterdir()] == ["evil.pdf"]


def test_a_damaged_file_leaves_the_old_one_alone(tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    target.write_bytes(b"yesterday")
    with pytest.raises(UnavailableError):
        write_whole(target, "x", "0" * 64, _CONTENT)
    assert target.read_bytes() == b"yesterday"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        ArrivingFile(tmp_path / "missing" / "report.pdf", "x", _SHA256)
