from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from factoryops.api.alarm_board import AlarmBoard
from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.identity import FactoryId
from factoryops.domain.time import EPOCH, from_us

_FACTORY = FactoryId("f" * 32)
_ALARM = "a" * 32
_STATES = {
    (True, True): AlarmState.ACKNOWLEDGED,
    (True, False): AlarmState.UNACKNOWLEDGED,
    (False, True): AlarmState.NORMAL,
    (False, False): AlarmState.RETURNED_UNACKNOWLEDGED,
}


def _transition(
    kind: str, annunciation: int, *, at_us: int = 1_000, factory: str = _FACTORY, is_recorded: bool = False
) -> AlarmTransition:
    return AlarmTransition(
        factory_id=factory, alarm_id=_ALARM, rule_id="b" * 32, rule_version=1, rule_name="R", device_id="c" * 32,
        device_key="d", device_name="D", area="A", parameter_key="p", series_id=7, unit="bar", priority=2, kind=kind,
        annunciation=annunciation, at_us=at_us, value=5.0, message="m", response="r", seq=1, is_recorded=is_recorded,
    )  # fmt: skip


def _row(annunciation: int, *, is_active: bool, is_answered: bool, by: str | None = None) -> http.Alarm:
    return http.Alarm(
        id=_ALARM, rule_id="b" * 32, rule_name="R", device_id="c" * 32, device_key="d", device_name="D", area="A",
        parameter_key="p", series_id=7, priority=Priority.HIGH, state=_STATES[(is_active, is_answered)],
        underlying=_STATES[(is_active, is_answered)], is_active=is_active, order=1 << 12,
        annunciation=annunciation, raised_at=from_us(1_000), cleared_at=None if is_active else from_us(2_000),
        value=5.0, unit="bar", message="m", response="r", acknowledged_by=by, change=3,
    )  # fmt: skip


def test_a_transition_shows_at_once_as_not_recorded_and_the_row_makes_it_recorded() -> None:
    board = AlarmBoard()
    ((factory, alarm),) = board.take_transitions([_transition("raised", 1)])
    assert (factory, alarm.state, alarm.is_recorded) == (_FACTORY, AlarmState.UNACKNOWLEDGED, False)
    ((_, recorded),) = board.take_rows([(_FACTORY, _row(1, is_active=True, is_answered=False))])
    assert recorded.is_recorded
    assert recorded.change > alarm.change


def test_with_the_database_there_an_alarm_counts_as_recorded_from_the_start() -> None:
    board = AlarmBoard()
    ((_, alarm),) = board.take_transitions([_transition("raised", 1, is_recorded=True)])
    assert alarm.is_recorded
    assert board.take_rows([(_FACTORY, _row(1, is_active=True, is_answered=False))]) == []


def test_what_was_heard_before_is_no_news() -> None:
    board = AlarmBoard()
    board.take_rows([(_FACTORY, _row(4, is_active=False, is_answered=True))])
    assert board.take_transitions([_transition("raised", 4), _transition("cleared", 3)]) == []
    assert board.abnormal(_FACTORY) == []
    assert board.take_rows([(_FACTORY, _row(4, is_active=False, is_answered=True))]) == []


def test_a_new_annunciation_starts_unanswered() -> None:
    board = AlarmBoard()
    board.take_rows([(_FACTORY, _row(1, is_active=False, is_answered=True, by="anna"))])
    ((_, alarm),) = board.take_transitions([_transition("raised", 2)])
    assert (alarm.state, alarm.acknowledged_by, alarm.annunciation) == (AlarmState.UNACKNOWLEDGED, None, 2)


def test_an_acknowledgement_survives_a_clear_the_database_has_not_heard_of() -> None:
    board = AlarmBoard()
    board.take_rows([(_FACTORY, _row(1, is_active=True, is_answered=False))])
    ((_, cleared),) = board.take_transitions([_transition("cleared", 1, at_us=5_000)])
    assert cleared.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert cleared.raised_at == EPOCH + timedelta(milliseconds=1)
    ((_, answered),) = board.take_rows([(_FACTORY, _row(1, is_active=True, is_answered=True, by="anna"))])
    assert (answered.state, answered.acknowledged_by) == (AlarmState.NORMAL, "anna")
    assert answered.cleared_at is not None
    assert not answered.is_recorded


def test_a_clear_of_an_answered_alarm_makes_it_normal() -> None:
    board = AlarmBoard()
    board.take_rows([(_FACTORY, _row(1, is_active=True, is_answered=True, by="anna"))])
    ((_, alarm),) = board.take_transitions([_transition("cleared", 1)])
    assert (alarm.state, alarm.acknowledged_by) == (AlarmState.NORMAL, "anna")


def test_a_shadow_takes_off_the_list_what_its_rule_raised_and_says_nothing_more() -> None:
    board = AlarmBoard()
    row = (_FACTORY, _row(1, is_active=True, is_answered=False))
    board.take_rows([row])
    shadow = [replace(_transition(kind, 2, is_recorded=True), is_shadow=True) for kind in ("raised", "cleared")]
    ((_, ended),) = board.take_transitions([_transition("cleared", 1), *shadow])[1:]
    assert ended.state is AlarmState.NORMAL
    board.take_rows([row])
    assert board.abnormal(_FACTORY) == []
    board.take_transitions([_transition("raised", 3)])
    assert [one.annunciation for one in board.abnormal(_FACTORY)] == [3]


def test_factories_do_not_see_each_others_alarms() -> None:
    board = AlarmBoard()
    board.take_transitions([_transition("raised", 1, factory="1" * 32)])
    assert board.abnormal(_FACTORY) == []
    assert board.named(_FACTORY, [_ALARM]) == []
    assert len(board.abnormal(FactoryId("1" * 32))) == 1


_STEPS = st.lists(st.sampled_from(["raise", "clear", "answer", "record"]), max_size=40)


@given(_STEPS, st.randoms(use_true_random=False))
def test_whatever_the_order_the_board_ends_where_the_database_does(steps: list[str], random: st.random.Random) -> None:  # type: ignore[name-defined]  # the module hypothesis hands out
    """Conditions run ahead of the rows, answers come through rows; once all is recorded both agree."""
    board = AlarmBoard()
    annunciation, is_active, answered = 0, False, 0
    recorded = (0, False)
    changes: list[int] = []
    for step in steps:
        told = []
        if step == "raise" and not is_active:
            annunciation, is_active = annunciation + 1, True
            told = board.take_transitions([_transition("raised", annunciation)] * random.randint(1, 2))
        elif step == "clear" and is_active:
            is_active = False
            told = board.take_transitions([_transition("cleared", annunciation)] * random.randint(1, 2))
        elif step == "record":
            recorded = (annunciation, is_active)
        elif step == "answer" and recorded[0]:
            answered = recorded[0]
        if recorded[0] and random.random() < 0.5:
            row = _row(recorded[0], is_active=recorded[1], is_answered=answered >= recorded[0])
            told += board.take_rows([(_FACTORY, row)])
        changes += [alarm.change for _, alarm in told]
    assert changes == sorted(set(changes))
    if annunciation:
        row = _row(annunciation, is_active=is_active, is_answered=answered >= annunciation)
        board.take_rows([(_FACTORY, row)])
        (held,) = board.named(_FACTORY, [_ALARM])
        assert (held.state, held.annunciation, held.is_recorded) == (row.state, annunciation, True)
