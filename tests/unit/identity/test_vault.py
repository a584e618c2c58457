"""Secrets in the database are of no use without the installation's key, nor in another row."""

from __future__ import annotations

import pytest

from factoryops.domain.errors import StorageError
from factoryops.identity.vault import Vault


def test_what_was_sealed_opens_for_its_owner_alone() -> None:
    vault = Vault(bytes(range(32)))
    sealed = vault.seal("https://hooks.example.com/secret", "row 1")
    assert "secret" not in sealed
    assert vault.open(sealed, "row 1") == "https://hooks.example.com/secret"
    for other, owner, text in (
        (vault, "row 2", sealed),
        (Vault(bytes(32)), "row 1", sealed),
        (vault, "row 1", "1.AAAA"),
    ):
        with pytest.raises(StorageError, match="Enter the secret again"):
            other.open(text, owner)


def test_sealing_twice_does_not_tell_that_two_secrets_are_the_same() -> None:
    vault = Vault(bytes(32))
    assert vault.seal("same", "row") != vault.seal("same", "row")
