"""Random lives of alarms and runs, compared with the plainest models of them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.database.database import Database
from factoryops.database.leases import MOST_ATTEMPTS
from factoryops.database.rows import ClaimedRun
from factoryops.domain.alarms import AlarmFacts, AlarmState, Priority
from factoryops.domain.errors import ConflictError, NotFoundError, UnavailableError
from factoryops.domain.identity import new_id
from factoryops.domain.time import from_us
from tests.support.databases import NOON, Clock, Site, new_site

SETTINGS = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
LEASE_S = 30.0


class OnDatabase(RuleBasedStateMachine):
    """A machine with an empty database to begin with, which can be closed and opened between any two steps.

    Attributes:
        emptied: empties that database and answers its URL.
    """

    emptied: ClassVar[partial[str]]

    def __init__(self) -> None:
        super().__init__()
        self._url = self.emptied()
        self.clock = Clock()
        self.site = new_site(self._open())

    def _open(self) -> Database:
        return Database.open(self._url, clock=self.clock)

    @rule()
    def restart(self) -> None:
        self.site.database.close()
        self.site = Site(self._open(), self.site.factory, self.site.scope)

    def teardown(self) -> None:
        self.site.database.close()


class AlarmLife(OnDatabase):
    """P9: the engine says what happened, possibly again; operators acknowledge; nothing is lost or said twice."""

    @initialize()
    def begin(self) -> None:
        self.rule = self.site.add_rule()
        self.said: list[tuple[str, int]] = []
        self.events: set[tuple[int, str]] = set()
        self.model = AlarmFacts(Priority.HIGH)

    def _now(self, **facts: Any) -> None:
        self.model = dataclasses.replace(self.model, **facts)

    def _say(self, kind: str, annunciation: int) -> None:
        self.site.apply(self.site.transition(self.rule, kind, annunciation))

    @rule()
    def change_condition(self) -> None:
        kind = "cleared" if self.model.is_active else "raised"
        annunciation = self.model.annunciation + (kind == "raised")
        self._now(is_active=kind == "raised", annunciation=annunciation)
        self._say(kind, annunciation)
        self.said.append((kind, annunciation))
        self.events.add((annunciation, kind))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        self._say(*data.draw(st.sampled_from(self.said)))

    @precondition(lambda self: self.said)
    @rule(behind=st.integers(-1, 3))
    def acknowledge(self, behind: int) -> None:
        annunciation = max(1, self.model.annunciation - behind)
        alarm = self.site.transition(self.rule, "raised", 1).alarm_id
        if annunciation > self.model.annunciation:
            with pytest.raises(UnavailableError):
                self.site.acknowledge(alarm, annunciation)
            return
        self.site.acknowledge(alarm, annunciation)
        if (annunciation, 0) > self.model.acknowledged:
            self._now(acknowledged=(annunciation, 0))
            self.events.add((annunciation, "acknowledged"))

    @invariant()
    def the_state_is_the_models(self) -> None:
        shown = self.site.alarms()
        if self.model.state is AlarmState.NORMAL:
            assert shown == []
        else:
            assert [(alarm.state, alarm.annunciation) for alarm in shown] == [
                (self.model.state, self.model.annunciation)
            ]

    @invariant()
    def every_event_is_there_once(self) -> None:
        events = self.site.events()
        assert len(events) == len(set(events))
        assert set(events) == self.events


class RunLife(OnDatabase):
    """P11, F9: several workers, leases that run out, cancellations; at most one of them ever ends a run."""

    @initialize()
    def begin(self) -> None:
        self.runs: dict[str, int] = {}
        self.holders: list[ClaimedRun] = []
        self.ended: dict[str, http.Run] = {}

    def _state(self, run_id: str) -> http.Run:
        return self.site.database.read(lambda tx: tx.work.get(self.site.scope, run_id))

    @rule()
    def queue(self) -> None:
        request = http.RunRequest(kind=JobKind.DAILY_REPORT)
        run = self.site.database.run(lambda tx: tx.work.queue(self.site.scope, request))
        self.runs[run.id] = 0

    @rule()
    def claim(self) -> None:
        claimed = self.site.database.run(lambda tx: tx.work.claim("worker", LEASE_S))
        if claimed is None:
            return
        assert claimed.id not in self.ended
        assert claimed.attempt == self.runs[claimed.id] + 1 <= MOST_ATTEMPTS
        self.runs[claimed.id] = claimed.attempt
        self.holders.append(claimed)

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S + 1]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)
        self.site.database.run(lambda tx: tx.work.expire_leases(self.clock.now))

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), way=st.sampled_from(["renew", "finish", "fail"]))
    def a_worker_reports(self, data: st.DataObject, way: str) -> None:
        claimed = data.draw(st.sampled_from(self.holders))
        before = self._state(claimed.id)
        is_mine = before.state is RunState.RUNNING and before.attempt == claimed.attempt
        try:
            self._report(claimed, way)
        except ConflictError:
            assert not is_mine
            assert self._state(claimed.id) == before
        else:
            assert is_mine

    def _report(self, claimed: ClaimedRun, way: str) -> None:
        database = self.site.database
        if way == "renew":
            database.run(lambda tx: tx.work.renew(claimed, LEASE_S, 0.5, "half"))
        elif way == "fail":
            database.run(lambda tx: tx.work.give_back(claimed, "No paper."))
        else:
            database.run(lambda tx: tx.work.finish(claimed, RunState.SUCCEEDED, "done", {"by": claimed.attempt}))

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.runs)))
        self.site.database.run(lambda tx: tx.work.request_cancel(self.site.scope, run_id))

    @rule()
    def cancel_what_is_not_there(self) -> None:
        with pytest.raises(NotFoundError):
            self.site.database.run(lambda tx: tx.work.request_cancel(self.site.scope, new_id()))

    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        for run in self.site.database.read(lambda tx: tx.work.list(self.site.scope)):
            if run.finished_at is not None:
                assert self.ended.setdefault(run.id, run) == run
            else:
                assert run.id not in self.ended


LIVES = [AlarmLife, RunLife]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("life", LIVES)
def test_any_order_of_events_keeps_the_promises(life: type[OnDatabase], emptied_sqlite: partial[str]) -> None:
    life.emptied = emptied_sqlite
    run_state_machine_as_test(life, settings=SETTINGS)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("life", LIVES)
def test_any_order_of_many_events_keeps_the_promises(life: type[OnDatabase], emptied_sqlite: partial[str]) -> None:
    life.emptied = emptied_sqlite
    run_state_machine_as_test(life, settings=settings(SETTINGS, max_examples=400, stateful_step_count=50))


def test_the_moment_of_the_tests_is_exact() -> None:
    assert from_us(Clock()()) == NOON
