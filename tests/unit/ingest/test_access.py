"""Who may log in and who may stay: rotation with overlap, withdrawal, tools."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from factoryops.contracts.snapshot import Snapshot, SnapshotCredential, SnapshotFactory
from factoryops.ingest.access import Access
from factoryops.ingest.logins import LoginBook, read_logins

FACTORY = SnapshotFactory("f" * 32, "riverside", adopts_automatically=True, device_keys=[])
END_US = 1_000_000


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


PUMP = SnapshotCredential("pump-1", digest("old"), FACTORY.id, "pump-1")
ROTATED = msgspec.structs.replace(
    PUMP, secret_sha256=digest("new"), previous_sha256=digest("old"), previous_until_us=END_US
)


def access(*credentials: SnapshotCredential) -> Access:
    return Access(Snapshot([FACTORY], list(credentials)))


def test_after_a_rotation_both_secrets_are_good_until_the_older_one_ends() -> None:
    rotated = access(ROTATED)
    for secret, moment_us, is_let_in in (
        (b"new", END_US - 1, True),
        (b"old", END_US - 1, True),
        (b"new", END_US, True),
        (b"old", END_US, False),
        (b"other", END_US - 1, False),
        (b"", END_US - 1, False),
    ):
        assert (rotated.admit("pump-1", secret, moment_us) is not None) is is_let_in, (secret, moment_us)


def test_who_came_with_the_older_secret_stays_until_it_ends_and_no_longer() -> None:
    publisher = access(PUMP).admit("pump-1", b"old", 0)
    assert publisher is not None
    rotated = access(ROTATED)
    assert rotated.may_stay(publisher, END_US - 1)
    assert not rotated.has_overlap_ended(END_US - 1)
    assert rotated.has_overlap_ended(END_US)
    assert not rotated.has_overlap_ended(END_US + 1)
    assert not rotated.may_stay(publisher, END_US)


def test_who_was_withdrawn_or_given_another_device_may_not_stay() -> None:
    publisher = access(PUMP).admit("pump-1", b"old", 0)
    assert publisher is not None
    assert not access().may_stay(publisher, 0)
    assert not access(msgspec.structs.replace(PUMP, device_key="pump-2")).may_stay(publisher, 0)
    assert access(PUMP).may_stay(publisher, 0)


def test_a_user_name_without_a_previous_secret_is_not_opened_by_nothing() -> None:
    assert access(PUMP).admit("pump-1", b"", 0) is None
    assert access(PUMP).admit("nobody", b"old", 0) is None


def test_last_uses_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "run" / "logins.json"
    assert read_logins(file) == {}
    LoginBook(file).save({"pump-1"})
    LoginBook(file).save({"pump-2"})
    assert set(read_logins(file)) == {"pump-1", "pump-2"}
    file.write_bytes(b"{")
    assert read_logins(file) == {}
