"""Every row of the ISA-18.2 diagram as reference tables print it, and random lives against a plain model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed, Happening, Outcome, Raise
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, AlarmState, EventCause, Priority
from factoryops.domain.errors import ConflictError, UnavailableError
from factoryops.domain.time import US_PER_S

S = AlarmState
LIMIT = AlarmFacts(Priority.HIGH)


@dataclass
class Life:
    """An alarm and its clock; every word of `live` is something that happens to it."""

    facts: AlarmFacts = LIMIT
    is_latching: bool = False
    is_shadow: bool = False
    re_alarm_s: float = 0.0
    now_s: int = 0
    priority: Priority | None = None
    happened: list[Happening] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        self.facts, more = outcome
        self.happened += more

    def live(self, *words: str) -> Life:
        for word in words:
            self.now_s += 1
            self.take(self._step(word))
        return self

    def _step(self, word: str) -> Outcome:
        facts, now_us = self.facts, self.now_s * US_PER_S
        deed = Deed("op1", now_us, "because")
        steps = {
            "raise": lambda: alarm_life.raised(
                facts, Raise(facts.annunciation + 1, now_us, facts.priority, self.is_latching, self.is_shadow)
            ),
            "clear": lambda: alarm_life.cleared(facts, facts.annunciation, now_us),
            "acknowledge": lambda: alarm_life.acknowledged(facts, facts.mark, deed),
            "reset": lambda: alarm_life.reset(facts, facts.annunciation, deed),
            "shelve": lambda: alarm_life.shelved(facts, now_us + 100 * US_PER_S, deed),
            "shelve once": lambda: alarm_life.shelved(facts, now_us + 100 * US_PER_S, deed, is_one_shot=True),
            "unshelve": lambda: alarm_life.unshelved(facts, deed),
            "suppress": lambda: alarm_life.suppressed(facts, now_us),
            "unsuppress": lambda: alarm_life.unsuppressed(facts, now_us),
            "take out": lambda: alarm_life.taken_out(facts, now_us + 100 * US_PER_S, deed),
            "return": lambda: alarm_life.returned(facts, deed),
            "look": lambda: alarm_life.due(facts, now_us, re_alarm_s=self.re_alarm_s, priority=self.priority),
            "wait": self._waited,
        }
        return steps[word]()

    def _waited(self) -> Outcome:
        self.now_s += 100
        return alarm_life.due(self.facts, self.now_s * US_PER_S, re_alarm_s=self.re_alarm_s, priority=self.priority)

    def told(self) -> int:
        return sum(one.is_annunciation for one in self.happened)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("", S.NORMAL),
        ("raise", S.UNACKNOWLEDGED),
        ("raise, acknowledge", S.ACKNOWLEDGED),
        ("raise, clear", S.RETURNED_UNACKNOWLEDGED),
        ("raise, acknowledge, clear", S.NORMAL),
        ("raise, clear, acknowledge", S.NORMAL),
        ("raise, clear, raise", S.UNACKNOWLEDGED),
        ("raise, acknowledge, clear, raise", S.UNACKNOWLEDGED),
        ("raise, shelve", S.SHELVED),
        ("raise, suppress", S.SUPPRESSED),
        ("raise, take out", S.OUT_OF_SERVICE),
        ("raise, acknowledge, shelve", S.SHELVED),
        ("raise, clear, suppress", S.SUPPRESSED),
        ("take out", S.OUT_OF_SERVICE),
        ("shelve, raise, acknowledge, clear, raise", S.SHELVED),
        ("raise, shelve, suppress, take out", S.OUT_OF_SERVICE),
        ("raise, shelve, suppress, take out, return", S.SUPPRESSED),
        ("raise, shelve, suppress, unsuppress", S.SHELVED),
        ("raise, acknowledge, shelve, unshelve", S.UNACKNOWLEDGED),
        ("raise, acknowledge, shelve, wait", S.UNACKNOWLEDGED),
        ("raise, acknowledge, suppress, unsuppress", S.UNACKNOWLEDGED),
        ("raise, acknowledge, take out, return", S.UNACKNOWLEDGED),
        ("raise, acknowledge, take out, wait", S.UNACKNOWLEDGED),
        ("raise, clear, shelve, unshelve", S.NORMAL),
        ("raise, shelve, clear, wait", S.NORMAL),
        ("raise, suppress, clear, unsuppress", S.NORMAL),
        ("take out, raise, clear, return", S.NORMAL),
        ("shelve, raise, unshelve", S.UNACKNOWLEDGED),
        ("raise, shelve once, look", S.SHELVED),
        ("raise, shelve once, clear, look", S.NORMAL),
        ("raise, shelve once, clear, raise, look", S.UNACKNOWLEDGED),
        ("raise, clear, shelve once, look", S.SHELVED),
        ("raise, clear, shelve once, raise, look", S.SHELVED),
        ("raise, clear, shelve once, raise, clear, look", S.NORMAL),
        ("raise, shelve once, wait", S.UNACKNOWLEDGED),
    ],
)
def test_each_row_of_the_diagram_leads_where_the_standard_says(words: str, state: AlarmState) -> None:
    assert Life().live(*filter(None, words.split(", "))).facts.state is state


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("raise, clear", S.LATCHED_UNACKNOWLEDGED),
        ("raise, clear, acknowledge", S.LATCHED_ACKNOWLEDGED),
        ("raise, acknowledge, clear", S.LATCHED_ACKNOWLEDGED),
        ("raise, acknowledge, clear, reset", S.NORMAL),
        ("raise, clear, acknowledge, reset", S.NORMAL),
        ("raise, acknowledge, clear, raise", S.UNACKNOWLEDGED),
        ("raise, acknowledge, clear, reset, raise, clear", S.LATCHED_UNACKNOWLEDGED),
        ("raise, shelve, clear, unshelve", S.LATCHED_ACKNOWLEDGED),
        ("raise, acknowledge, clear, shelve, reset, unshelve", S.NORMAL),
    ],
)
def test_a_latched_alarm_stays_until_it_is_reset(words: str, state: AlarmState) -> None:
    assert Life(is_latching=True).live(*words.split(", ")).facts.state is state


@pytest.mark.parametrize(
    ("words", "why"), [("raise", "still holds"), ("raise, acknowledge", "still holds"), ("raise, clear", "acknowledge")]
)
def test_a_latch_is_not_reset_before_its_time(words: str, why: str) -> None:
    life = Life(is_latching=True).live(*words.split(", "))
    with pytest.raises(ConflictError, match=why):
        life.live("reset")


def test_what_is_not_recorded_yet_can_be_neither_acknowledged_nor_reset() -> None:
    facts = Life(is_latching=True).live("raise").facts
    with pytest.raises(UnavailableError):
        alarm_life.acknowledged(facts, (2, 0), Deed("op1", 0))
    with pytest.raises(UnavailableError):
        alarm_life.acknowledged(facts, (1, 1), Deed("op1", 0))
    with pytest.raises(UnavailableError):
        alarm_life.reset(facts, 2, Deed("op1", 0))


def test_an_acknowledged_alarm_that_stays_is_announced_again_after_its_time() -> None:
    life = Life(re_alarm_s=50).live("raise", "acknowledge", "look")
    assert life.facts.state is S.ACKNOWLEDGED
    life.live("wait")
    assert (life.facts.state, life.facts.mark) == (S.UNACKNOWLEDGED, (1, 1))
    assert life.happened[-1].cause is EventCause.RE_ALARM
    assert life.live("wait").told() == 2
    assert life.live("acknowledge", "wait").facts.mark == (1, 2)
    assert life.live("acknowledge", "clear", "wait").facts.state is S.NORMAL


def test_a_priority_that_rises_announces_again_and_one_that_falls_does_not() -> None:
    life = Life(priority=Priority.CRITICAL).live("raise", "acknowledge", "look")
    assert (life.facts.state, life.facts.priority) == (S.UNACKNOWLEDGED, Priority.CRITICAL)
    assert life.happened[-1].cause is EventCause.PRIORITY_ROSE
    assert not life.live("look").happened[5:]
    life.priority = Priority.LOW
    life.live("acknowledge", "look")
    assert (life.facts.state, life.facts.priority) == (S.ACKNOWLEDGED, Priority.LOW)


def test_an_old_acknowledgement_does_not_answer_a_renewal() -> None:
    life = Life(re_alarm_s=50).live("raise", "acknowledge", "wait")
    facts, happened = alarm_life.acknowledged(life.facts, (1, 0), Deed("op2", 0))
    assert (facts.state, happened) == (S.UNACKNOWLEDGED, ())


def test_a_new_annunciation_starts_without_renewals() -> None:
    assert Life().live("raise", "shelve", "unshelve", "clear", "raise").facts.mark == (2, 0)


def test_what_nobody_was_told_counts_as_no_annunciation() -> None:
    assert Life().live("shelve", "raise", "clear", "raise").told() == 0
    assert Life().live("suppress", "raise", "unsuppress").told() == 1
    assert Life(is_shadow=True).live("raise", "clear", "raise").told() == 0


@pytest.mark.parametrize("word", ["acknowledge", "unshelve", "return", "look"])
def test_doing_it_twice_does_no_more_than_once(word: str) -> None:
    life = Life().live("shelve once", "take out", "raise", "clear", word)
    facts, count = life.facts, len(life.happened)
    assert life.live(word).facts == facts
    assert len(life.happened) == count


class RandomLife(RuleBasedStateMachine):
    """Any order of happenings against the plainest model: what an operator would say the alarm is."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life(re_alarm_s=150)
        self.aside: dict[str, int | None] = {}
        self.is_active = self.is_open = False
        self.once: int | None = None
        self.answered_s: int | None = None

    def _surface(self) -> None:
        if not self.aside:
            self.is_open = self.is_active
            if self.is_active:
                self.answered_s = None

    @rule()
    def condition_changes(self) -> None:
        self.life.live("clear" if self.is_active else "raise")
        self.is_active = not self.is_active
        if self.is_active:
            self.is_open, self.answered_s = True, None
        elif self.once == self.life.facts.annunciation:
            self.aside["shelve"] = 0

    @rule()
    def acknowledge(self) -> None:
        self.life.live("acknowledge")
        if self.is_open:
            self.is_open, self.answered_s = False, self.life.now_s

    @rule(word=st.sampled_from(["shelve", "shelve once", "take out"]))
    def put_aside(self, word: str) -> None:
        self.life.live(word)
        if word != "take out":
            annunciation = self.life.facts.annunciation
            self.once = (annunciation if self.is_active else annunciation + 1) if word == "shelve once" else None
        self.aside["shelve" if word != "take out" else word] = self.life.now_s + 100

    @rule()
    def suppress(self) -> None:
        self.life.live("suppress")
        self.aside["suppress"] = None

    @rule(pair=st.sampled_from([("shelve", "unshelve"), ("suppress", "unsuppress"), ("take out", "return")]))
    def take_up(self, pair: tuple[str, str]) -> None:
        self.life.live(pair[1])
        if pair[0] in self.aside:
            self._end(pair[0])

    def _end(self, what: str) -> None:
        del self.aside[what]
        if what == "shelve":
            self.once = None
        self._surface()

    @rule(word=st.sampled_from(["look", "wait"]))
    def time_passes(self, word: str) -> None:
        self.life.live(word)
        now = self.life.now_s
        if self.once is not None and self.life.facts.annunciation > self.once:
            self.aside["shelve"] = 0
        for what in ("shelve", "take out"):
            until = self.aside.get(what)
            if until is not None and until <= now:
                self._end(what)
        is_due = self.answered_s is not None and self.answered_s + 150 <= now
        if is_due and self.is_active and not self.is_open and not self.aside:
            self.is_open, self.answered_s = True, None

    @invariant()
    def the_state_is_the_models(self) -> None:
        facts = self.life.facts
        shown = {"take out": S.OUT_OF_SERVICE, "suppress": S.SUPPRESSED, "shelve": S.SHELVED}
        beneath = {
            (True, True): S.UNACKNOWLEDGED,
            (True, False): S.ACKNOWLEDGED,
            (False, True): S.RETURNED_UNACKNOWLEDGED,
            (False, False): S.NORMAL,
        }[(self.is_active, self.is_open)]
        assert facts.underlying is beneath
        assert facts.state is next((state for what, state in shown.items() if what in self.aside), beneath)

    @invariant()
    def nobody_is_told_what_is_put_aside(self) -> None:
        last = self.life.happened[-1:]
        if last and last[0].kind in (AlarmEventKind.RAISED, AlarmEventKind.RENEWED):
            assert last[0].is_annunciation is (not self.aside)

    @invariant()
    def an_annunciation_is_told_once(self) -> None:
        told = [one.mark for one in self.life.happened if one.is_annunciation]
        assert told == sorted(set(told))


def test_any_life_is_what_the_plain_model_says() -> None:
    run_state_machine_as_test(RandomLife, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_long_lives_are_what_the_plain_model_says() -> None:
    run_state_machine_as_test(RandomLife, settings=settings(max_examples=2_000, stateful_step_count=80, deadline=None))


def test_facts_are_values() -> None:
    assert replace(LIMIT) == LIMIT
