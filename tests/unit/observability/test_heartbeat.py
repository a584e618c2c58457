"""Heartbeats are replaced whole and read whatever state their folder is in."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import HeartbeatFile, Problem, read_heartbeats


def test_what_a_role_says_is_read_back(tmp_path: Path) -> None:
    file = HeartbeatFile(tmp_path / "beats", "ingest")
    file.write({"received": 3}, (Problem("disk_full", "The disk is full.", 1),))
    beat = read_heartbeats(tmp_path / "beats")["ingest"]
    assert beat.figures == {"received": 3}
    assert beat.problems[0].code == "disk_full"
    assert abs(now_us() - beat.beat_us) < 10_000_000


def test_an_orderly_stop_takes_the_heartbeat_away(tmp_path: Path) -> None:
    file = HeartbeatFile(tmp_path, "engine")
    file.write({})
    file.remove()
    file.remove()
    assert read_heartbeats(tmp_path) == {}


def test_a_damaged_heartbeat_hides_no_other(tmp_path: Path) -> None:
    HeartbeatFile(tmp_path, "api").write({})
    (tmp_path / "worker.json").write_bytes(b"{half")
    assert set(read_heartbeats(tmp_path)) == {"api"}


def test_no_folder_means_no_roles(tmp_path: Path) -> None:
    assert read_heartbeats(tmp_path / "nowhere") == {}


def test_a_heartbeat_that_cannot_be_written_ends_nothing_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "beats"
    folder.write_text("in the way", encoding="utf-8")
    file = HeartbeatFile(folder, "worker")
    file.write({})
    file.write({})
    assert len([one for one in caplog.records if "cannot be written" in one.message]) == 1
    folder.unlink()
    file.write({})
    assert set(read_heartbeats(folder)) == {"worker"}


def test_on_a_full_disk_a_heartbeat_is_written_over_and_never_by_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = HeartbeatFile(tmp_path, "ingest")
    file.write({"received": 1, "text": "long" * 100})

    def refuse(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    file.write({"received": 2})
    assert read_heartbeats(tmp_path)["ingest"].figures == {"received": 2}
    file.write({"received": 3, "text": "x" * 5_000})
    assert read_heartbeats(tmp_path)["ingest"].figures == {"received": 2}
