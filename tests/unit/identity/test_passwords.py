from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.identity.passwords import PasswordHasher, check_new_password, generate_password


@pytest.fixture(scope="module")
def hasher() -> Iterator[PasswordHasher]:
    made = PasswordHasher()
    yield made
    made.close()


def test_a_password_is_kept_as_argon2id_of_the_agreed_cost(hasher: PasswordHasher) -> None:
    kept = hasher.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert "correct" not in kept
    assert hasher.verify(kept, "correct horse battery")
    assert not hasher.verify(kept, "correct horse batterz")
    assert not hasher.needs_rehash(kept)


def test_a_hash_of_other_cost_is_to_be_renewed(hasher: PasswordHasher) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("correct horse battery")
    assert hasher.verify(old, "correct horse battery")
    assert hasher.needs_rehash(old)


def test_nobodys_password_is_never_right(hasher: PasswordHasher) -> None:
    assert not hasher.verify(None, "")
    assert not hasher.verify(None, "correct horse battery")
    assert not hasher.verify("no hash at all", "correct horse battery")


def test_a_composed_letter_is_the_same_as_its_parts(hasher: PasswordHasher) -> None:
    assert hasher.verify(hasher.hash("schöne Grüße 12"), "scho\u0308ne Gru\u0308ße 12")


@pytest.mark.parametrize(
    "password",
    [
        "x9#kQ2m!vB7",  # 11 characters
        "q7" * 64 + "x",  # 129 characters
        "aaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "210987654321",
        "qwertyuiopas",
        "password1234",
        "Password123!",
        "P a s s w o r d 1",
        "administrator",
        "factoryops2026",
        "anna-marie-2026",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        check_new_password(password, user_name="annamarie")
    assert "password" in raised.value.fields
    assert password not in str(raised.value)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "x9#kQ2m!vB7z", "🏭 schöne Grüße aus Köln", "q7Zp!" * 25, "  mit  Leerzeichen  "],
)
def test_anything_long_and_unusual_is_taken(password: str) -> None:
    assert check_new_password(password)


def test_generated_passwords_are_good_and_differ() -> None:
    made = [generate_password() for _ in range(200)]
    assert [check_new_password(password) for password in made] == made
    assert {len(password) for password in made} == {20}
    assert len(set(made)) == len(made)


def test_a_flood_of_logins_is_turned_away_and_not_queued_for_ever(hasher: PasswordHasher) -> None:
    entered, release = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        entered.release()
        release.wait(10)

    with ThreadPoolExecutor(22) as pool:
        waiting = [pool.submit(hasher._in_turn, wait) for _ in range(22)]
        for _ in range(2):
            assert entered.acquire(timeout=10)
        while hasher._places._value:
            threading.Event().wait(0.01)
        with pytest.raises(UnavailableError) as raised:
            hasher.verify(None, "x")
        release.set()
        for done in waiting:
            done.result(10)
    assert raised.value.retry_after_s == 2
