"""Problems of the service: one episode is one alarm, however it flaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from factoryops.alarms.system_watch import Place, SystemProblem, SystemWatch
from factoryops.domain.alarms import Priority
from factoryops.domain.system_alarms import SYSTEM_ALARMS, system_alarm
from factoryops.observability.heartbeat import Heartbeat, Problem

S = 1_000_000


def beat(at_s: int, *codes: str, role: str = "ingest") -> dict[str, Heartbeat]:
    problems = tuple(Problem(code, f"{code} is wrong", 3 * S) for code in codes)
    return {role: Heartbeat(role, at_s * S, 0, 1, {}, problems)}


def codes(wanted: Iterable[Place]) -> list[str]:
    return sorted(code for code, _ in wanted)


def course(watch: SystemWatch, seconds: Mapping[int, tuple[str, ...]], last: int) -> list[tuple[int, list[str]]]:
    """What is an alarm at each second at which that changes; `seconds` says what is wrong from then on."""
    found: list[tuple[int, list[str]]] = []
    wrong: tuple[str, ...] = ()
    for at_s in range(last):
        wrong = seconds.get(at_s, wrong)
        now = codes(watch.look(beat(at_s, *wrong), at_s * S))
        if not found or found[-1][1] != now:
            found.append((at_s, now))
    return found


def test_a_problem_is_an_alarm_after_five_seconds_and_over_after_thirty_without_it() -> None:
    seen = course(SystemWatch(), {10: ("store_away",), 40: ()}, 120)
    assert seen == [(0, []), (15, ["store_away"]), (70, [])]


def test_a_short_flap_is_no_alarm_and_ends_none() -> None:
    assert course(SystemWatch(), {10: ("a",), 13: (), 20: ("a",), 24: ()}, 60) == [(0, [])]
    flapping: dict[int, tuple[str, ...]] = {10: ("a",)} | {20 + n: ("a",) * (n % 2) for n in range(40)}
    assert course(SystemWatch(), flapping, 70) == [(0, []), (15, ["a"])]


def test_a_silent_role_ends_no_alarm_and_is_one_itself() -> None:
    watch = SystemWatch()
    for at_s in range(20):
        watch.look(beat(at_s, "store_away", role="historian"), at_s * S)
    last = beat(19, "store_away", role="historian")
    silent = [watch.look(last, at_s * S) for at_s in range(20, 200)]
    assert codes(silent[-1]) == ["role_lost:historian", "store_away"]
    heard = [watch.look(beat(at_s, role="historian"), at_s * S) for at_s in range(200, 240)]
    assert heard[-1] == {}


def test_old_heartbeats_of_a_machine_that_was_off_are_no_alarm_while_everything_starts() -> None:
    watch = SystemWatch()
    old = beat(100, role="historian")
    seen = [codes(watch.look(old, at_s * S)) for at_s in range(9_000, 9_100)]
    assert seen[:65] == [[]] * 65
    assert seen[70:] == [["role_lost:historian"]] * 30


def test_a_restart_goes_on_with_what_was_an_alarm() -> None:
    held = SystemProblem("store_away", "historian", "gone", 5 * S)
    assert SystemWatch([held]).look({}, 100 * S) == {held.place: held}
    watch = SystemWatch([held])
    counts = [len(watch.look(beat(at_s, role="historian"), at_s * S)) for at_s in range(100, 140)]
    assert counts == [1] * 31 + [0] * 9


def test_the_alarm_dates_from_when_the_problem_began() -> None:
    watch = SystemWatch()
    wanted = [watch.look(beat(at_s, "a"), at_s * S) for at_s in range(10, 20)][-1]["a", ""]
    assert (wanted.since_us, wanted.role) == (3 * S, "ingest")


def test_every_problem_has_a_name_a_priority_and_a_response() -> None:
    assert system_alarm("broker_away:plant") is SYSTEM_ALARMS["broker_away"]
    assert system_alarm("something new").priority is Priority.MEDIUM
    for one in [*SYSTEM_ALARMS.values(), system_alarm("?")]:
        assert one.name
        assert one.response.endswith(".")
