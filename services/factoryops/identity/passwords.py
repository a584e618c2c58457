"""Passwords: argon2id in a small pool, so that logins can exhaust neither memory nor processor."""

from __future__ import annotations


def check_new_password(password: str, *, user_name: str = "") -> str:
    """The password in the form that is hashed (NFKC).

    Raises:
        InvalidInputError: shorter than 12 or longer than 128 characters, or one of the common ones.
    """
    raise NotImplementedError


def generate_password() -> str:
    """A random password of 20 characters that can be read out and typed."""
    raise NotImplementedError


class PasswordHasher:
    """Hashes and verifies, two at a time; blocks until done."""

    def hash(self, password: str) -> str:
        """The argon2id hash in PHC text form; raises UnavailableError when 20 others wait already."""
        raise NotImplementedError

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; None (an unknown user) takes as long and is never right."""
        raise NotImplementedError

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether it was made with other than the present parameters."""
        raise NotImplementedError

    def close(self) -> None:
        """End the pool's threads."""
        raise NotImplementedError
