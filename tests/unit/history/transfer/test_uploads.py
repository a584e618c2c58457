"""Uploaded files: whole or not at all, of one factory, nowhere but in their folder, and gone after a week."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError
from factoryops.history.transfer import uploads as uploads_module
from factoryops.history.transfer.uploads import Uploads

MINE, THEIRS = "a" * 32, "b" * 32


def put(uploads: Uploads, factory: str = MINE, name: str = "table.csv", content: bytes = b"a,b\n") -> str:
    arriving = uploads.begin(factory, name)
    arriving.add(content)
    arriving.finish()
    return arriving.id


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    arriving = uploads.begin(MINE, "table.csv")
    arriving.add(b"a,")
    assert uploads.all(MINE) == []
    arriving.add(b"b\n")
    arriving.finish()
    (file,) = uploads.all(MINE)
    assert (file.id, file.name, file.size_bytes, file.path.read_bytes()) == (arriving.id, "table.csv", 4, b"a,b\n")
    assert uploads.all(THEIRS) == []
    with pytest.raises(NotFoundError):
        uploads.get(THEIRS, arriving.id)
    uploads.remove(MINE, arriving.id)
    assert uploads.all(MINE) == []


def test_one_that_is_too_large_or_given_up_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, most_bytes=10)
    arriving = uploads.begin(MINE, "table.csv")
    with pytest.raises(InvalidInputError, match="larger"):
        arriving.add(b"x" * 11)
    uploads.begin(MINE, "table.csv").give_up()
    assert list((tmp_path / MINE).iterdir()) == []


def test_the_room_that_receiving_needs_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = Uploads(tmp_path)
    arriving = uploads.begin(MINE, "table.csv")
    arriving.add(b"a,b\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=40 * 10**9))
    with pytest.raises(StorageError, match=r"40\.0 GB left"):
        arriving.add(b"1,2\n")
    assert list((tmp_path / MINE).iterdir()) == []


@pytest.mark.parametrize(
    "identity",
    [
        "..",
        "../" + THEIRS,
        "%2e%2e",
        "",
        ".",
        "C:\\x",
        "\\\\server\\share",
        "a" * 31,
        "A" * 32,
        "a" * 32 + "\0",
        "CON",
        "a/../b",
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, identity: str) -> None:
    uploads = Uploads(tmp_path / "uploads")
    theirs = put(uploads, THEIRS)
    for call in (uploads.get, uploads.remove):
        with pytest.raises(NotFoundError):
            call(MINE, identity)
        with pytest.raises(NotFoundError):
            call(identity, theirs)
    assert uploads.get(THEIRS, theirs).path.is_file()


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\Users\\x\\passwd", "\x00pass\nwd", "/passwd"])
def test_what_a_file_was_called_is_only_shown(tmp_path: Path, name: str) -> None:
    uploads = Uploads(tmp_path)
    assert uploads.get(MINE, put(uploads, name=name)).name == "passwd"


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    theirs = put(uploads, THEIRS)
    (tmp_path / "uploads" / MINE).mkdir()
    (tmp_path / "uploads" / MINE / theirs).symlink_to(tmp_path / "uploads" / THEIRS / theirs)
    with pytest.raises(NotFoundError):
        uploads.get(MINE, theirs)


def test_old_files_are_swept_and_so_are_those_that_never_arrived(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    old, young = put(uploads), put(uploads)
    stuck = uploads.begin(MINE, "stuck.csv")
    now = datetime.now(UTC)
    os.utime(tmp_path / MINE / old, (0, (now - timedelta(days=8)).timestamp()))
    os.utime(tmp_path / MINE / (stuck.id + ".arriving"), (0, (now - timedelta(days=2)).timestamp()))
    assert uploads.sweep(now) == 2
    assert [one.id for one in uploads.all(MINE)] == [young]
    stuck.give_up()


def test_only_so_many_wait_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MOST_PER_FACTORY", 2)
    uploads = Uploads(tmp_path)
    put(uploads)
    put(uploads)
    with pytest.raises(InvalidInputError, match="wait already"):
        uploads.begin(MINE, "table.csv")
    put(uploads, THEIRS)
