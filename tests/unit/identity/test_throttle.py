from __future__ import annotations

import pytest

from factoryops.domain.errors import TooManyAttemptsError
from factoryops.identity.throttle import DELAYS_S, Throttle

HERE = ("riverside", "op1", "10.0.0.1")
THERE = ("riverside", "op1", "10.0.0.2")


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def throttle(seconds: Seconds) -> Throttle:
    return Throttle(seconds)


def _fail(throttle: Throttle, attempt: tuple[str, str, str] = HERE) -> None:
    throttle.begin(attempt)
    throttle.failed(attempt)


def test_the_first_three_failures_cost_nothing_and_the_rest_up_to_30_s(throttle: Throttle, seconds: Seconds) -> None:
    waits = []
    for _ in range(12):
        _fail(throttle)
        try:
            throttle.begin(HERE)
        except TooManyAttemptsError as error:
            waits.append(error.retry_after_s)
            seconds.now += error.retry_after_s
        else:
            throttle.undecided(HERE)
            waits.append(0)
    assert waits[:9] == [0, 0, 0, 1, 2, 4, 8, 16, 30]
    assert set(waits[9:]) == {30}
    assert max(DELAYS_S) == 30


def test_knocking_while_waiting_does_not_prolong_the_wait(throttle: Throttle, seconds: Seconds) -> None:
    for _ in range(4):
        _fail(throttle)
    for _ in range(100):
        with pytest.raises(TooManyAttemptsError):
            throttle.begin(HERE)
    seconds.now += 1
    throttle.begin(HERE)


def test_a_thousand_failures_elsewhere_delay_nobody_here(throttle: Throttle, seconds: Seconds) -> None:
    for _ in range(1_000):
        _fail(throttle, THERE)
        seconds.now += 30
    throttle.begin(HERE)
    assert throttle.under_attack() == 1


def test_a_right_password_forgives_what_was_before(throttle: Throttle) -> None:
    for _ in range(3):
        _fail(throttle)
    throttle.begin(HERE)
    throttle.cleared(HERE)
    for _ in range(3):
        _fail(throttle)
    throttle.begin(HERE)


def test_attempts_at_the_same_time_count_from_their_start(throttle: Throttle) -> None:
    for _ in range(4):
        throttle.begin(HERE)
    with pytest.raises(TooManyAttemptsError):
        throttle.begin(HERE)


def test_a_quarter_of_an_hour_of_quiet_forgets_everything(throttle: Throttle, seconds: Seconds) -> None:
    for _ in range(4):
        _fail(throttle)
    seconds.now += 901
    for _ in range(3):
        _fail(throttle)
    throttle.begin(HERE)


def test_guessers_from_everywhere_cannot_fill_the_memory(throttle: Throttle) -> None:
    for number in range(10_500):
        _fail(throttle, ("riverside", f"user{number}", "10.0.0.1"))
    assert len(throttle._troubles) == len(throttle._accounts) == 10_000


def test_an_attack_is_over_an_hour_later(throttle: Throttle, seconds: Seconds) -> None:
    for number in range(100):
        _fail(throttle, ("riverside", "op1", str(number)))
    assert throttle.under_attack() == 1
    seconds.now += 3_601
    assert throttle.under_attack() == 0
