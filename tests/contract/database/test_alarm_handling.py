"""What operators do with alarms and what time brings to them, as both databases keep it."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import resetting, shelving, taking_out, unshelving
from factoryops.domain.alarms import AlarmState
from factoryops.domain.errors import ConflictError, InvalidInputError, UnavailableError
from factoryops.domain.identity import alarm_id, new_id
from tests.support.databases import Clock, Site
from tests.support.reads import reads


def _raised(site: Site, **fields: object) -> tuple[http.Rule, str]:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1, **fields))
    (alarm,) = site.alarms()
    return rule, alarm.id


def _kinds(site: Site) -> list[tuple[str, bool]]:
    page = site.database.read(lambda tx: tx.alarms(site.scope).events())
    return [(event.kind.value, event.is_annunciation) for event in reversed(page.events)]


def test_a_shelved_alarm_tells_nobody_and_is_announced_again_when_it_returns(site: Site) -> None:
    rule, alarm = _raised(site)
    request = http.ShelveRequest(alarm_ids=[alarm], reason="sensor is changed", for_s=900)
    (shown,) = site.carry_out(shelving(request, site.deed(request.reason)), action="alarm.shelve")
    assert shown.state is AlarmState.SHELVED
    assert shown.shelved is not None
    assert (shown.shelved.reason, shown.underlying) == ("sensor is changed", AlarmState.UNACKNOWLEDGED)
    site.apply(site.transition(rule, "cleared", 1), site.transition(rule, "raised", 2))
    (shown,) = site.carry_out(unshelving(http.TakeUpRequest(alarm_ids=[alarm]), site.deed()))
    assert (shown.state, shown.annunciation, shown.renewal) == (AlarmState.UNACKNOWLEDGED, 2, 1)
    told = {("raised", True), ("raised", False), ("renewed", True), ("shelved", False), ("unshelved", False)}
    assert told <= set(_kinds(site))


def test_a_request_that_arrives_twice_is_carried_out_once(site: Site) -> None:
    _, alarm = _raised(site)
    request = http.ShelveRequest(alarm_ids=[alarm], reason="x", for_s=900)
    for _ in range(2):
        orders = shelving(request, site.deed("x"))
        site.carry_out(orders, action="alarm.shelve", request_id=request.request_id)
    assert [kind for kind, _ in _kinds(site)].count("shelved") == 1
    other = http.ShelveRequest(alarm_ids=[alarm], reason="x", for_s=900, request_id=new_id())
    site.carry_out(shelving(other, site.deed("x")), action="alarm.shelve", request_id=other.request_id)
    assert [kind for kind, _ in _kinds(site)].count("shelved") == 2


def test_a_class_says_how_long_and_whether_at_all(site: Site) -> None:
    _, alarm = _raised(site, alarm_class="safety")
    with pytest.raises(InvalidInputError, match="may not be shelved"):
        site.carry_out(shelving(http.ShelveRequest(alarm_ids=[alarm], reason="x"), site.deed()))
    with pytest.raises(InvalidInputError, match="comment"):
        site.acknowledge(alarm, 1)
    assert site.acknowledge(alarm, 1, "seen").state is AlarmState.ACKNOWLEDGED


def test_a_latch_is_reset_by_hand(site: Site) -> None:
    rule, alarm = _raised(site, is_latching=True)
    request = http.ResetRequest(items=[http.ResetItem(alarm_id=alarm, annunciation=1)])
    with pytest.raises(ConflictError, match="still holds"):
        site.carry_out(resetting(request, site.deed()))
    site.apply(site.transition(rule, "cleared", 1))
    assert site.acknowledge(alarm, 1).state is AlarmState.LATCHED_ACKNOWLEDGED
    assert site.carry_out(resetting(request, site.deed()))[0].state is AlarmState.NORMAL
    assert site.alarms() == []


def test_suppression_by_design_comes_from_the_engine_and_its_end_announces_again(site: Site) -> None:
    rule, alarm = _raised(site)
    site.acknowledge(alarm, 1)
    begin = site.transition(rule, "suppressed", 1, at_us=3_000_000)
    end = site.transition(rule, "unsuppressed", 1, at_us=4_000_000)
    assert site.apply(begin, begin) == 1
    assert site.alarms()[0].state is AlarmState.SUPPRESSED
    assert site.apply(end) == 1
    assert (site.alarms()[0].state, site.alarms()[0].renewal) == (AlarmState.UNACKNOWLEDGED, 1)
    before = site.alarms()
    assert site.apply(begin, end) == 0
    assert site.alarms() == before


def test_time_brings_a_re_alarm_once(site: Site) -> None:
    _, alarm = _raised(site, re_alarm_s=0.000_000_1)
    site.acknowledge(alarm, 1)
    assert site.pass_time() == 1
    assert site.alarms()[0].state is AlarmState.UNACKNOWLEDGED
    assert site.pass_time() == 0


def test_an_alarm_out_of_service_is_listed_and_returns_by_hand_alone(site: Site) -> None:
    rule, alarm = _raised(site)
    request = http.TakeOutRequest(alarm_ids=[alarm], reason="overhaul")
    site.carry_out(taking_out(request, site.deed("overhaul")), action="alarm.take_out")
    site.apply(site.transition(rule, "cleared", 1))
    assert site.pass_time() == 0
    assert site.alarms()[0].state is AlarmState.OUT_OF_SERVICE


def test_what_a_shadow_rule_raises_is_recorded_and_shown_to_nobody(site: Site) -> None:
    rule = site.add_rule()
    assert site.apply(site.transition(rule, "raised", 1, is_shadow=True)) == 1
    assert site.alarms() == []
    assert site.events() == []


def test_five_hundred_alarms_of_one_moment_are_stored_at_once_and_keep_their_order(site: Site) -> None:
    rule = site.add_rule()
    devices = [site.add_device(f"unit-{number}") for number in range(500)]
    site.apply(
        *(
            site.transition(
                rule, "raised", 1, at_us=1_000, seq=7, place=place, device_id=device.id, device_key=device.key,
                alarm_id=alarm_id(site.factory.id, rule.id, device.key),
            )
            for place, device in enumerate(devices)
        )
    )  # fmt: skip
    shown = sorted(site.alarms(), key=lambda alarm: alarm.order)
    assert [alarm.device_key for alarm in shown] == [device.key for device in devices]
    page = site.database.read(lambda tx: tx.alarms(site.scope).events(most=1_000))
    assert [event.alarm_id for event in reversed(page.events)] == [alarm.id for alarm in shown]


def test_what_was_put_aside_before_it_was_ever_raised_tells_nobody_when_it_is(site: Site) -> None:
    site.add_parameter()
    rule = site.add_rule()
    (quiet,), again = (
        site.database.run(lambda tx: tx.quiet_alarms(site.scope).of_rule(rule.id, [site.device.id])) for _ in range(2)
    )
    assert again == [quiet]
    assert (quiet.parameter_key, quiet.series_id) == ("pressure", site.parameter().series_id)
    assert site.alarms() == []
    request = http.TakeOutRequest(alarm_ids=[quiet.id], reason="sensor is dead")
    site.carry_out(taking_out(request, site.deed(request.reason)), action="alarm.take_out")
    assert site.apply(site.transition(rule, "raised", 1)) == 1
    (shown,) = site.alarms()
    assert (shown.id, shown.state, shown.is_active) == (quiet.id, AlarmState.OUT_OF_SERVICE, True)
    assert ("raised", False) in _kinds(site)


def test_rows_of_many_quiet_alarms_are_looked_up_at_once(site: Site) -> None:
    site.add_parameter()
    rule = site.add_rule()
    devices = [site.device, *(site.add_device(f"press-{number}") for number in range(5))]
    for device in devices[1:]:
        site.add_parameter(device=device)
    wanted = [device.id for device in devices]
    for _ in range(2):
        with reads() as asked:
            quiet = site.database.run(lambda tx: tx.quiet_alarms(site.scope).of_rule(rule.id, wanted))
        assert [alarm.device_id for alarm in quiet] == wanted
        assert sum("FOR UPDATE" in read.statement for read in asked) == 1


def test_what_a_rule_found_as_a_shadow_needs_no_answer_when_it_is_put_aside_as_a_live_one(site: Site) -> None:
    site.add_parameter()
    rule = site.add_rule()
    as_shadow = {"is_shadow": True, "is_latching": True}
    wanted = [site.device.id]
    site.apply(site.transition(rule, "raised", 1, **as_shadow))
    with pytest.raises(UnavailableError):
        site.database.run(lambda tx: tx.quiet_alarms(site.scope).of_rule(rule.id, wanted))
    site.apply(site.transition(rule, "cleared", 1, **as_shadow))
    (quiet,), again = (
        site.database.run(lambda tx: tx.quiet_alarms(site.scope).of_rule(rule.id, wanted)) for _ in range(2)
    )
    assert again == [quiet]
    assert (quiet.state, quiet.value, site.alarms()) == (AlarmState.NORMAL, None, [])
    request = http.ShelveRequest(alarm_ids=[quiet.id], reason="sensor is changed", for_s=60)
    site.carry_out(shelving(request, site.deed(request.reason)), action="alarm.shelve")
    site.apply(site.transition(rule, "raised", 2))
    (shown,) = site.alarms()
    assert (shown.state, shown.annunciation) == (AlarmState.SHELVED, 2)
    assert sorted(_kinds(site)) == [("raised", False), ("shelved", False)]


@pytest.mark.parametrize("is_one_shot", [False, True])
def test_what_was_raised_after_shelving_had_ended_is_announced_when_the_database_is_back(
    site: Site, clock: Clock, is_one_shot: bool
) -> None:
    rule, alarm = _raised(site)
    request = http.ShelveRequest(alarm_ids=[alarm], reason="sensor is changed", for_s=60, is_one_shot=is_one_shot)
    site.carry_out(shelving(request, site.deed(request.reason)), action="alarm.shelve")
    over_us = clock() + 60_000_000
    # The outage: its end is due and the alarm is raised and returns once more, before anything is recorded.
    clock.advance(600)
    site.apply(
        site.transition(rule, "cleared", 1),
        site.transition(rule, "raised", 2, at_us=over_us + 1),
        site.transition(rule, "cleared", 2, at_us=over_us + 2),
    )
    assert site.pass_time() == 1
    (shown,) = site.alarms()
    assert (shown.state, shown.annunciation) == (AlarmState.RETURNED_UNACKNOWLEDGED, 2)
    assert _kinds(site)[-2:] == [("unshelved", False), ("renewed", True)]
    assert site.pass_time() == 0


def test_what_returned_while_it_was_still_shelved_needs_no_answer_however_late_that_is_noticed(
    site: Site, clock: Clock
) -> None:
    rule, alarm = _raised(site)
    request = http.ShelveRequest(alarm_ids=[alarm], reason="sensor is changed", for_s=60)
    site.carry_out(shelving(request, site.deed(request.reason)), action="alarm.shelve")
    site.apply(site.transition(rule, "cleared", 1))
    clock.advance(600)
    assert site.pass_time() == 1
    assert site.alarms() == []
