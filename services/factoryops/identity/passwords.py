"""Passwords: argon2id in a small pool, so that logins can exhaust neither memory nor processor."""

from __future__ import annotations

import base64
import secrets
import string
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from factoryops.domain.errors import InvalidInputError, UnavailableError

T = TypeVar("T")

SHORTEST: Final = 12
LONGEST: Final = 128
_MEMORY_KIB: Final = 47_104
_AT_ONCE: Final = 2
_WAITING: Final = 20
_FEWEST_DIFFERENT: Final = 5
_GENERATED_LENGTH: Final = 20
_READABLE: Final = "".join(sorted({*string.ascii_letters, *string.digits} - set("0O1lI")))
_COMMON_STEMS: Final = frozenset(
    """
    abc abcd abcdef admin administrator adminadmin asdf asdfgh asdfghjkl baseball basketball changeme
    changemenow charlie computer default dragon factory factoryops football guest hello iloveyou internet
    johndeere letmein letmeinnow login maintenance manager master michael monkey mypassword newpassword operator
    pass passpass passphrase password passwordpassword passwort princess qazwsx qazwsxedc qwerty qwertyqwerty
    qwertyuiop qwertz qwertzuiop root rootroot scada secret service shadow starwars summer sunshine superman
    supervisor superuser system temp temporary test testing testpassword thepassword trustno user username
    viewer welcome welcomehome whatever winter
    """.split()  # noqa: SIM905 - a word list reads better than sixty quoted strings
)
_ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)


def check_new_password(password: str, *, user_name: str = "") -> str:
    """The password in the form that is hashed (NFKC).

    Raises:
        InvalidInputError: shorter than 12 or longer than 128 characters, or one of the common ones.
    """
    normal = normal_form(password)
    if len(normal) < SHORTEST:
        raise _refused(f"use at least {SHORTEST} characters")
    if len(normal) > LONGEST:
        raise _refused(f"use at most {LONGEST} characters")
    if _is_common(normal.casefold(), user_name.casefold()):
        raise _refused("it is one of those that are tried first; use several unrelated words, or a random one")
    return normal


def normal_form(password: str) -> str:
    """The same password however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password)


def _refused(reason: str) -> InvalidInputError:
    return InvalidInputError(f"The password cannot be used: {reason}.", fields={"password": reason})


def _is_common(password: str, user_name: str) -> bool:
    if len(set(password)) < _FEWEST_DIFFERENT or any(password in row or password[::-1] in row for row in _ROWS):
        return True
    letters = "".join(character for character in password if character.isalpha())
    return letters in _COMMON_STEMS or (bool(user_name) and letters == user_name) or password == user_name


def generate_password() -> str:
    """A random password of 20 characters that can be read out and typed."""
    return "".join(secrets.choice(_READABLE) for _ in range(_GENERATED_LENGTH))


class PasswordHasher:
    """Hashes and verifies, two at a time; blocks until done."""

    def __init__(self) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=1, memory_cost=_MEMORY_KIB, parallelism=1)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")
        self._places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        self._nobody = _hash_of_nobody()

    def hash(self, password: str) -> str:
        """The argon2id hash in PHC text form; raises UnavailableError when 20 others wait already."""
        return self._in_turn(lambda: self._argon2.hash(normal_form(password)))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; None (an unknown user) takes as long and is never right."""
        return self._in_turn(lambda: self._is_right(password_hash, normal_form(password)))

    def _is_right(self, password_hash: str | None, password: str) -> bool:
        try:
            self._argon2.verify(password_hash or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether it was made with other than the present parameters."""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        """End the pool's threads."""
        self._pool.shutdown()

    def _in_turn(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise UnavailableError("Too many people log in at this moment; try again shortly.", retry_after_s=2)
        try:
            return self._pool.submit(work).result()
        finally:
            self._places.release()


def _hash_of_nobody() -> str:
    """A hash with our parameters that no password has been through: verifying against it only takes time."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY_KIB},t=1,p=1${salt}${digest}"
