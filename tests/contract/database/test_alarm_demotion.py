"""A live rule that becomes a shadow ends what it raised, in the name of whoever made it one; nothing goes silently."""

from __future__ import annotations

from functools import partial

import pytest

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import shelving, taking_out
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.transaction import Transaction
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleMode
from tests.support.databases import Site

SAID = "Too many false ones"


def test_an_unanswered_alarm_ends_with_who_made_its_rule_a_shadow_and_why(site: Site) -> None:
    rule, alarm = _raised(site)
    shadow = _demoted(site, rule)
    _take_up(site, shadow, site.transition(rule, "cleared", 1))
    assert site.alarms() == []
    event = _newest(site)
    assert (event.alarm_id, event.kind.value, event.actor, event.comment) == (alarm, "withdrawn", "op2", SAID)
    assert (event.annunciation, event.is_annunciation, event.is_shadow) == (1, False, False)


def test_it_ends_before_the_shadow_raises_in_the_same_moment(site: Site) -> None:
    rule, _ = _raised(site)
    shadow = _demoted(site, rule)
    tried = site.transition(shadow, "raised", 2, is_shadow=True)
    _take_up(site, shadow, site.transition(rule, "cleared", 1), tried)
    assert site.alarms() == []
    assert site.events() == [(1, "raised"), (1, "cleared"), (1, "withdrawn")]
    assert _newest(site).actor == "op2"


@pytest.mark.parametrize("is_tried", [False, True])
def test_taking_the_version_up_again_ends_nothing_twice(site: Site, is_tried: bool) -> None:
    rule, _ = _raised(site)
    shadow = _demoted(site, rule)
    tried = [site.transition(shadow, "raised", 2, is_shadow=True)] if is_tried else []
    for _ in range(2):
        _take_up(site, shadow, site.transition(rule, "cleared", 1), *tried)
    assert [kind for _, kind in site.events()].count("withdrawn") == 1


def test_a_latch_shelving_and_maintenance_end_as_well(site: Site) -> None:
    rule = site.add_rule()
    site.apply(site.transition(rule, "raised", 1, is_latching=True))
    alarm = site.alarms()[0].id
    site.carry_out(shelving(http.ShelveRequest(alarm_ids=[alarm], reason="x", for_s=600), site.deed("x")))
    out = http.TakeOutRequest.model_validate({"alarm_ids": [alarm], "reason": "x"})
    site.carry_out(taking_out(out, site.deed("x")))
    shadow = _demoted(site, rule)
    _take_up(site, shadow, site.transition(rule, "cleared", 1, is_latching=True))
    assert site.alarms() == []
    assert _newest(site).kind.value == "withdrawn"


def test_what_is_normal_and_what_other_rules_raised_is_left_alone(site: Site) -> None:
    rule, alarm = _raised(site)
    other = site.add_rule(name="Another")
    site.apply(site.transition(other, "raised", 1), site.transition(rule, "cleared", 1))
    site.acknowledge(alarm, 1)
    _take_up(site, _demoted(site, rule))
    assert [one.rule_id for one in site.alarms()] == [other.id]
    assert "withdrawn" not in [kind for _, kind in site.events()]


def test_a_new_version_that_stays_live_ends_nothing(site: Site) -> None:
    rule, alarm = _raised(site)
    content = rule.content.model_copy(update={"on_delay_s": 5.0})
    _take_up(site, site.database.run(partial(_update, site, rule, content)))
    assert [one.id for one in site.alarms()] == [alarm]


def test_live_again_it_raises_as_if_it_had_never_been_a_shadow(site: Site) -> None:
    rule, alarm = _raised(site)
    shadow = _demoted(site, rule)
    _take_up(site, shadow, site.transition(rule, "cleared", 1), site.transition(shadow, "raised", 2, is_shadow=True))
    site.apply(site.transition(shadow, "cleared", 2, is_shadow=True), site.transition(rule, "raised", 3))
    assert [(one.id, one.annunciation, one.is_active) for one in site.alarms()] == [(alarm, 3, True)]


def _raised(site: Site) -> tuple[http.Rule, str]:
    rule = site.add_rule()
    item = site.transition(rule, "raised", 1)
    site.apply(item)
    return rule, item.alarm_id


def _demoted(site: Site, rule: http.Rule) -> http.Rule:
    return site.database.run(partial(_update, site, rule, rule.content.model_copy(update={"mode": RuleMode.SHADOW})))


def _update(site: Site, rule: http.Rule, content: http.RuleContent, tx: Transaction) -> http.Rule:
    return tx.rules(site.scope).update(rule.id, rule.version, content, "op2", SAID)


def _take_up(site: Site, rule: http.Rule, *transitions: AlarmTransition) -> None:
    """What the engine records when a version begins to hold, in one transaction."""
    site.database.run(partial(_record, site.factory.id, rule, transitions))


def _record(factory_id: FactoryId, rule: http.Rule, transitions: tuple[AlarmTransition, ...], tx: Transaction) -> None:
    tx.engine.apply(transitions)
    tx.engine.end_demoted([Rule(RuleId(rule.id), factory_id, rule.version, rule.content.definition())])


def _newest(site: Site) -> http.AlarmEvent:
    return site.database.read(lambda tx: tx.alarms(site.scope).events()).events[0]
