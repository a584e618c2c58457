"""P9: whatever happens to an alarm, in whatever order, with restarts in between, its row says what the facts say."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from msgspec import structs

from factoryops.contracts import http
from factoryops.contracts.alarm_orders import acknowledging, shelving, taking_out, unshelving
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain import alarm_life
from factoryops.domain.alarms import AlarmFacts, AlarmState, Priority
from factoryops.domain.identity import RuleId
from factoryops.domain.rule import Rule, RuleMode
from factoryops.domain.time import US_PER_S
from tests.contract.database.test_life_cycles import SETTINGS, OnDatabase

RE_ALARM_S = 300.0


class WholeLife(OnDatabase):
    """The facts as the pure functions have them, beside what the database gives back."""

    @initialize()
    def begin(self) -> None:
        self.rule = self.site.add_rule()
        self.said: list[AlarmTransition] = []
        self.facts = AlarmFacts(Priority.HIGH)
        self.count = self.told = self.moment = 0
        self._say("raised", 1)
        self.alarm = self.said[0].alarm_id

    def _take(self, outcome: alarm_life.Outcome) -> None:
        self.facts, happened = outcome
        self.count += len(happened)
        self.told += sum(one.is_annunciation for one in happened)

    def _say(self, kind: str, annunciation: int) -> None:
        self.moment += 1
        item = self.site.transition(
            self.rule, kind, annunciation, at_us=self.moment, is_latching=True, re_alarm_s=RE_ALARM_S
        )
        self.site.apply(item)
        self.said.append(item)
        self._take(item.moved(self.facts))

    @rule()
    def change_condition(self) -> None:
        is_active, annunciation = self.facts.is_active, self.facts.annunciation
        self._say("cleared" if is_active else "raised", annunciation + (not is_active))

    @rule()
    def change_suppression(self) -> None:
        self._say("unsuppressed" if self.facts.is_suppressed else "suppressed", self.facts.annunciation)

    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        self.site.apply(data.draw(st.sampled_from(self.said)))

    @rule()
    def acknowledge(self) -> None:
        items = [
            http.AcknowledgeItem(alarm_id=self.alarm, annunciation=self.facts.annunciation, renewal=self.facts.renewal)
        ]
        deed = self.site.deed()
        self.site.carry_out(acknowledging(http.AcknowledgeRequest(items=items), deed))
        self._take(alarm_life.acknowledged(self.facts, self.facts.mark, deed))

    @rule(is_one_shot=st.booleans())
    def shelve(self, is_one_shot: bool) -> None:
        request = http.ShelveRequest(alarm_ids=[self.alarm], reason="x", for_s=600, is_one_shot=is_one_shot)
        deed = self.site.deed("x")
        self.site.carry_out(shelving(request, deed))
        self._take(alarm_life.shelved(self.facts, deed.at_us + 600 * US_PER_S, deed, is_one_shot=is_one_shot))

    @rule()
    def unshelve(self) -> None:
        deed = self.site.deed()
        self.site.carry_out(unshelving(http.TakeUpRequest(alarm_ids=[self.alarm]), deed))
        self._take(alarm_life.unshelved(self.facts, deed))

    @rule()
    def take_out(self) -> None:
        deed = self.site.deed("x")
        until = http.TakeOutRequest.model_validate({"alarm_ids": [self.alarm], "reason": "x"})
        self.site.carry_out(taking_out(until, deed))
        self._take(alarm_life.taken_out(self.facts, None, deed))

    @rule()
    def become_a_shadow(self) -> None:
        definition = structs.replace(self.rule.content.definition(), mode=RuleMode.SHADOW)
        held = Rule(RuleId(self.rule.id), self.site.factory.id, self.rule.version, definition)
        self.site.database.run(lambda tx: tx.engine.end_demoted([held]))
        self._take(alarm_life.withdrawn(self.facts, self.site.deed()))

    @rule(seconds=st.sampled_from([1, 200, 700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.site.pass_time()
        self._take(alarm_life.due(self.facts, self.clock(), re_alarm_s=RE_ALARM_S))

    @invariant()
    def the_row_says_what_the_facts_say(self) -> None:
        shown = self.site.alarms()
        if self.facts.state is AlarmState.NORMAL:
            assert shown == []
        else:
            (alarm,) = shown
            assert (alarm.state, alarm.underlying) == (self.facts.state, self.facts.underlying)
            assert (alarm.annunciation, alarm.renewal) == self.facts.mark

    @invariant()
    def every_event_is_there_once(self) -> None:
        events = self.site.database.read(lambda tx: tx.alarms(self.site.scope).events(most=1_000)).events
        assert (len(events), sum(one.is_annunciation for one in events)) == (self.count, self.told)


@pytest.mark.timeout(120)
def test_any_life_survives_restarts_unchanged(emptied_sqlite: partial[str]) -> None:
    _live(emptied_sqlite, settings(SETTINGS, max_examples=15))


@pytest.mark.timeout(300)
def test_any_life_survives_restarts_unchanged_on_the_other_database(emptied_mariadb: partial[str]) -> None:
    _live(emptied_mariadb, settings(SETTINGS, max_examples=15))


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_many_long_lives_survive_restarts_unchanged(kind: str, request: pytest.FixtureRequest) -> None:
    _live(request.getfixturevalue(f"emptied_{kind}"), settings(SETTINGS, max_examples=500, stateful_step_count=50))


def _live(emptied: partial[str], how_many: settings) -> None:
    WholeLife.emptied = emptied
    run_state_machine_as_test(WholeLife, settings=how_many)
