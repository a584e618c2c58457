from __future__ import annotations

from functools import partial

import pytest
from msgspec import structs

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import acknowledging
from factoryops.database.rows import EngineState
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.errors import NotFoundError, UnavailableError
from factoryops.domain.time import from_us
from tests.support.databases import NOON, Site


def test_a_raise_is_shown_until_it_is_cleared_and_acknowledged(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    (alarm,) = site.alarms()
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    assert (alarm.value, alarm.raised_at, alarm.device_name, alarm.message) == (
        6.0, from_us(1_000_000), "Pump-1", "Pressure is high (1)",
    )  # fmt: skip
    site.apply(site.transition(rule, "cleared", 1))
    (alarm,) = site.alarms()
    assert alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert (alarm.value, alarm.cleared_at, alarm.message) == (6.0, from_us(1_500_000), "Pressure is high (1)")
    assert site.acknowledge(alarm.id, 1, "seen").state is AlarmState.NORMAL
    assert site.alarms() == []


def test_a_rule_that_was_moved_to_another_parameter_shows_that_one_from_its_next_raise_on(site: Site) -> None:
    rule = site.add_rule()
    temperature = int(site.parameter("temperature").series_id)
    site.apply(site.transition(rule, "raised", 1))
    moved = {"rule_version": 2, "parameter_key": "temperature", "series_id": temperature}
    site.apply(site.transition(rule, "cleared", 1, **moved))
    (alarm,) = site.alarms()
    assert (alarm.parameter_key, alarm.series_id) == ("pressure", site.parameter().series_id)
    site.apply(site.transition(rule, "raised", 2, **moved))
    (alarm,) = site.alarms()
    assert (alarm.parameter_key, alarm.series_id) == ("temperature", temperature)


def test_saying_it_again_changes_nothing(site: Site) -> None:
    rule = site.add_rule()
    said = [site.transition(rule, "raised", 1), site.transition(rule, "cleared", 1), site.transition(rule, "raised", 2)]
    assert site.apply(*said) == 3
    before = site.alarms()
    assert site.apply(*said) == 0
    assert site.apply(said[0], said[0]) == 0
    assert site.alarms() == before
    assert site.events() == [(1, "raised"), (1, "cleared"), (2, "raised")]


def test_an_older_transition_that_was_missing_is_recorded_and_moves_nothing(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 2))
    before = site.alarms()
    assert site.apply(site.transition(rule, "raised", 1), site.transition(rule, "cleared", 1)) == 2
    assert site.alarms() == before


def test_the_engine_never_touches_an_acknowledgement(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    (alarm,) = site.alarms()
    acknowledged = site.acknowledge(alarm.id, 1, "on my way")
    assert (acknowledged.state, acknowledged.acknowledged_by, acknowledged.comment, acknowledged.acknowledged_at) == (
        AlarmState.ACKNOWLEDGED, "op1", "on my way", NOON,
    )  # fmt: skip
    site.apply(site.transition(rule, "cleared", 1), site.transition(rule, "raised", 2))
    (alarm,) = site.alarms()
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    assert alarm.acknowledged_by is None


def test_answering_an_older_annunciation_leaves_the_present_one_open(site: Site) -> None:
    rule = site.add_rule()
    site.apply(
        site.transition(rule, "raised", 1), site.transition(rule, "cleared", 1), site.transition(rule, "raised", 2)
    )
    (alarm,) = site.alarms()
    assert site.acknowledge(alarm.id, 1).state is AlarmState.UNACKNOWLEDGED
    assert site.acknowledge(alarm.id, 2).state is AlarmState.ACKNOWLEDGED
    assert {(1, "acknowledged"), (2, "acknowledged")} <= set(site.events())


def test_repeating_an_acknowledgement_changes_nothing(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    (alarm,) = site.alarms()
    first = site.acknowledge(alarm.id, 1, "first")
    assert site.acknowledge(alarm.id, 1, "second") == first
    assert site.events().count((1, "acknowledged")) == 1


def test_many_are_acknowledged_or_none(site: Site, other_site: Site) -> None:
    rule, foreign_rule = site.add_rule(), other_site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    other_site.apply(other_site.transition(foreign_rule, "raised", 1))
    items = [
        http.AcknowledgeItem(alarm_id=alarm.id, annunciation=1) for alarm in (*site.alarms(), *other_site.alarms())
    ]
    with pytest.raises(NotFoundError):
        site.carry_out(acknowledging(http.AcknowledgeRequest(items=items), site.deed()))
    assert [alarm.state for alarm in (*site.alarms(), *other_site.alarms())] == [AlarmState.UNACKNOWLEDGED] * 2


def test_an_annunciation_that_is_not_recorded_yet_is_answered_later(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    (alarm,) = site.alarms()
    with pytest.raises(UnavailableError) as raised:
        site.acknowledge(alarm.id, 2)
    assert raised.value.retry_after_s == 1


def test_a_transition_of_an_unknown_rule_is_refused_and_the_rest_is_recorded(site: Site) -> None:
    rule = site.add_rule()
    good = site.transition(rule, "raised", 1)
    stray = site.transition(rule, "raised", 1, rule_id="f" * 32, alarm_id="e" * 32)
    applied = site.database.run(lambda tx: tx.engine.apply([stray, good]))
    assert (applied.recorded, applied.refused) == (1, (stray,))


def test_a_device_the_database_does_not_know_yet_comes_with_its_alarm(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1, device_id="d" * 32, device_key="new", device_name="New one"))
    assert [alarm.device_name for alarm in site.alarms()] == ["New one"]


def test_history_pages_without_holes_or_repetitions(site: Site) -> None:
    rule = site.add_rule()
    site.apply(*[site.transition(rule, kind, n, at_us=1_000) for n in range(1, 8) for kind in ("raised", "cleared")])
    seen: list[str] = []
    before: str | None = None
    while True:
        page = site.database.read(partial(_page, site, before))
        seen += [event.id for event in page.events]
        before = page.next_before
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 14


def _page(site: Site, before: str | None, tx: Transaction) -> http.AlarmEventPage:
    return tx.alarms(site.scope).events(before=before, most=4)


def test_history_can_be_cut_to_a_span(site: Site) -> None:
    rule = site.add_rule()
    site.apply(*[site.transition(rule, "raised", n) for n in range(1, 5)])
    page = site.database.read(lambda tx: tx.alarms(site.scope).events(start=from_us(2_000_000), end=from_us(4_000_000)))
    assert [event.annunciation for event in page.events] == [3, 2]


def test_an_unknown_page_is_not_found(site: Site) -> None:
    with pytest.raises(NotFoundError):
        site.database.read(lambda tx: tx.alarms(site.scope).events(before="0" * 32))


def test_changes_are_numbered_in_their_order(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1))
    first = site.database.read(lambda tx: tx.changes()).alarms
    (alarm,) = site.alarms()
    assert alarm.change == first
    site.acknowledge(alarm.id, 1)
    changed = site.database.read(lambda tx: tx.alarms_changed_since(first))
    assert [(factory, shown.state) for factory, shown in changed] == [(site.factory.id, AlarmState.ACKNOWLEDGED)]
    assert site.database.read(lambda tx: tx.changes()).alarms == changed[0][1].change


def test_the_engines_state_and_its_events_are_one_commit(site: Site) -> None:
    rule = site.add_rule()
    assert site.database.read(lambda tx: tx.engine.load_state()) is None
    state = EngineState({"journal": 9, "derived": 2}, bytes(range(256)) * 600)

    def record(fails: bool) -> None:
        def work(tx: Transaction) -> None:
            tx.engine.apply([site.transition(rule, "raised", 1)])
            tx.engine.save_state(state)
            if fails:
                raise ZeroDivisionError

        site.database.run(work)

    with pytest.raises(ZeroDivisionError):
        record(fails=True)
    assert site.alarms() == []
    assert site.database.read(lambda tx: tx.engine.load_state()) is None
    record(fails=False)
    record(fails=False)
    assert site.database.read(lambda tx: tx.engine.load_state()) == state


def test_what_a_shadow_rule_finds_is_told_of_that_rule_alone(site: Site) -> None:
    tried, live = site.add_rule(), site.add_rule()
    shadow = structs.replace(site.transition(tried, "raised", 1), is_shadow=True)
    site.apply(shadow, site.transition(live, "raised", 1))
    assert [alarm.rule_id for alarm in site.alarms()] == [live.id]
    events = site.database.read(lambda tx: tx.alarms(site.scope).events(shadow_of=tried.id))
    assert [(one.kind, one.is_shadow, one.is_annunciation) for one in events.events] == [
        (AlarmEventKind.RAISED, True, False),
    ]  # fmt: skip
    assert all(not one.is_shadow for one in site.database.read(lambda tx: tx.alarms(site.scope).events()).events)
    assert site.database.read(lambda tx: tx.alarms(site.scope).events(shadow_of=live.id)).events == []
