from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, AlarmState, Priority
from factoryops.domain.time import to_us
from factoryops_app.models.alarm_periods import periods
from factoryops_app.models.alarms import AlarmStore, Tally, answers_to

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def alarm(
    number: int = 1,
    *,
    change: int = 1,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    priority: Priority = Priority.HIGH,
    minutes: int = 0,
) -> http.Alarm:
    return http.Alarm(
        id=f"{number:032x}", rule_id="a" * 32, rule_name="Hot", device_id="b" * 32, device_key="pump-1",
        device_name="Pump", area="", parameter_key="t", series_id=number, priority=priority, state=state,
        annunciation=1, raised_at=NOON + timedelta(minutes=minutes), cleared_at=None, value=1.0, unit="°C", message="",
        change=change,
    )  # fmt: skip


def test_unanswered_alarms_stand_first_then_priority_then_the_newest() -> None:
    store = AlarmStore()
    store.replace(
        [
            alarm(1, state=AlarmState.ACKNOWLEDGED, priority=Priority.CRITICAL),
            alarm(2, priority=Priority.LOW),
            alarm(3, minutes=1),
            alarm(4, minutes=5),
        ],
        store.begin_picture(),
    )
    assert [int(one.id, 16) for one in store.active] == [4, 3, 2, 1]
    assert store.tallies()[Priority.HIGH] == Tally(2, 0)
    assert store.tallies()[Priority.CRITICAL] == Tally(0, 1)


@given(st.permutations([1, 2, 3, 4, 5]))
def test_whatever_the_order_of_arrival_the_newest_copy_stays(order: list[int]) -> None:
    store = AlarmStore()
    for change in order:
        store.merge(alarm(change=change))
    held = store.get(f"{1:032x}")
    assert held is not None
    assert held.change == 5


def test_what_came_live_while_the_picture_was_fetched_is_not_lost() -> None:
    store = AlarmStore()
    turn = store.begin_picture()
    store.merge(alarm(7))
    store.replace([], turn)
    assert [int(one.id, 16) for one in store.active] == [7]


def test_what_ended_while_the_link_was_lost_goes_away() -> None:
    store = AlarmStore()
    store.replace([alarm(1), alarm(2)], store.begin_picture())
    store.replace([alarm(2)], store.begin_picture())
    assert [int(one.id, 16) for one in store.active] == [2]


def test_an_alarm_that_returned_to_normal_does_not_come_back_with_an_old_frame() -> None:
    store = AlarmStore()
    store.merge(alarm(change=2, state=AlarmState.NORMAL))
    assert not store.merge(alarm(change=1))
    assert store.active == []


def test_an_empty_list_means_nothing_before_the_first_picture() -> None:
    store = AlarmStore()
    assert not store.is_known
    store.replace([], store.begin_picture())
    assert store.is_known


def test_an_acknowledgement_names_only_alarms_that_wait_for_one() -> None:
    (request,) = answers_to([alarm(1), alarm(2, state=AlarmState.ACKNOWLEDGED)], "  seen ")
    assert [(item.alarm_id, item.annunciation) for item in request.items] == [(f"{1:032x}", 1)]
    assert request.comment == "seen"
    assert answers_to([alarm(2, state=AlarmState.ACKNOWLEDGED)]) == []


def test_more_alarms_than_a_request_holds_are_answered_in_portions() -> None:
    requests = answers_to([alarm(number) for number in range(2_300)], "seen")
    assert [(len(one.items), one.comment) for one in requests] == [(1_000, "seen"), (1_000, "seen"), (300, "seen")]
    named = [item.alarm_id for one in requests for item in one.items]
    assert named == [f"{number:032x}" for number in range(2_300)]


def flood(count: int, *, minutes: int | None = 0, position: str = "") -> http.PositionFlood:
    since = None if minutes is None else NOON + timedelta(minutes=minutes)
    return http.PositionFlood(
        position_id=position, position_name=position, is_flood=since is not None, since=since, count=count
    )


def test_a_flood_is_what_the_service_told_last() -> None:
    store = AlarmStore()
    assert not store.flood.is_flood
    turn = store.begin_picture()
    store.take_floods([flood(14), flood(12, position="Filling"), flood(2, minutes=None, position="Packing")])
    store.replace([], turn, [flood(3, minutes=None)])
    assert (store.flood.since_us, store.flood.count) == (to_us(NOON), 14), "told while the picture was fetched"
    assert store.flooded_positions == {"Filling": 12}
    store.replace([alarm(number) for number in range(40)], store.begin_picture(), [flood(3, minutes=None)])
    assert not store.flood.is_flood, "alarms that do not count make no flood"
    assert store.flooded_positions == {}


def event(number: int, kind: AlarmEventKind, minutes: int, *, of: int = 1) -> http.AlarmEvent:
    return http.AlarmEvent(
        id=f"{number:032x}", alarm_id=f"{of:032x}", annunciation=1, kind=kind, at=NOON + timedelta(minutes=minutes),
        value=1.0, actor=None, comment=None, rule_name="Hot", device_name="Pump", priority=Priority.HIGH,
    )  # fmt: skip


def test_periods_run_from_raised_to_cleared_and_reach_over_both_edges() -> None:
    wanted = frozenset({f"{1:032x}", f"{2:032x}"})
    events = [
        event(4, AlarmEventKind.RAISED, 30, of=2),
        event(3, AlarmEventKind.CLEARED, 20),
        event(2, AlarmEventKind.RAISED, 10),
        event(1, AlarmEventKind.CLEARED, 5),
        event(9, AlarmEventKind.RAISED, 1, of=3),
    ]
    start_us = to_us(NOON)
    found = periods(events, [alarm(2, minutes=30)], wanted, start_us)
    minute = 60_000_000
    assert [(one.start_us - start_us, one.end_us and one.end_us - start_us) for one in found] == [
        (0, 5 * minute),
        (10 * minute, 20 * minute),
        (30 * minute, None),
    ]
