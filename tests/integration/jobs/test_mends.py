"""Proposals as the worker finds them: an alarm that chattered, its history, and the rule as it holds now."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, Parameter
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Role, Scope, alarm_id
from factoryops.domain.performance.thresholds import DEFAULT
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import from_us, now_us
from factoryops.history.local.reader import LocalHistoryReader
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.jobs.back_tests import carry_out as back_test
from factoryops.jobs.back_tests import read_known
from factoryops.jobs.mends import carry_out, read_nuisances
from factoryops.jobs.worker import WorkerService
from tests.support.job_plant import JobPlant
from tests.support.waiting import until

S = 1_000_000
START_US = now_us() // S * S - 40 * 86_400 * S
"""Long before what the plant's history holds: its days are empty otherwise."""

HOUR = 3_600
CHATTERS_AT, LASTS_AT = 600, 1_800


def _value(second: int) -> float:
    if CHATTERS_AT <= second < CHATTERS_AT + 100:
        return 100.5 if second % 5 < 3 else 99.5
    return 150.0 if LASTS_AT <= second < LASTS_AT + 300 else 1.0


@pytest.fixture
def scope(database: Database) -> Scope:
    (factory,) = database.read(lambda tx: tx.factories.list())
    return Scope(factory.id, "supervisor", Role.SUPERVISOR)


@pytest.fixture
def rule(plant: JobPlant, database: Database, scope: Scope) -> http.Rule:
    """A limit without deadband or delay on a signal that swings about it, and the events of it."""
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    device = database.read(lambda tx: tx.devices(scope).get(parameter.device_id))
    rows = [(parameter.series_id, START_US + second * S, _value(second)) for second in range(HOUR)]
    with closing(LocalHistory(plant.root / "history.db")) as store:
        store.append(SampleColumns.of(rows), {}, gaps=(), checkpoints={})
    content = http.RuleContent(
        name="High", condition=Compare(Parameter(parameter.key), Comparison.ABOVE, Constant(100.0)),
        priority=Priority.HIGH, scope={"devices": [device.key]},
    )  # fmt: skip
    made = database.run(lambda tx: tx.rules(scope).create(content, "supervisor"))
    raised = [CHATTERS_AT + 5 * number for number in range(20)] + [LASTS_AT]

    def moved(number: int, kind: str, at_s: int) -> AlarmTransition:
        return AlarmTransition(
            factory_id=scope.factory_id, alarm_id=alarm_id(scope.factory_id, made.id, device.key), rule_id=made.id,
            rule_version=1, rule_name="High", device_id=device.id, device_key=device.key, device_name=device.name,
            area=device.area, parameter_key=parameter.key, series_id=parameter.series_id, unit="bar",
            priority=2, kind=kind, annunciation=number, at_us=START_US + at_s * S, value=1.0, message="", response="",
            seq=number, is_recorded=True,
        )  # fmt: skip

    moves = [
        move
        for number, at_s in enumerate(raised, 1)
        for move in (moved(number, "raised", at_s), moved(number, "cleared", at_s + (300 if at_s == LASTS_AT else 3)))
    ]
    database.run(lambda tx: tx.engine.apply(moves))
    return made


def _request(**fields: object) -> http.MendRequest:
    span = {"start": from_us(START_US), "end": from_us(START_US + HOUR * S)}
    return http.MendRequest.model_validate({**span, **fields})


def _found(plant: JobPlant, database: Database, scope: Scope, request: http.MendRequest) -> http.MendOutcome:
    nuisances = read_nuisances(database, scope, request, [])
    with closing(LocalHistoryReader(plant.root / "history.db")) as reader:
        return carry_out(request, nuisances, History(reader, {}), lambda share, message: None)


def test_an_alarm_that_chattered_gets_the_least_change_that_ends_it(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    found = _found(plant, database, scope, _request())
    (mend,) = found.mends
    assert (mend.alarm.rule_id, mend.alarm.rule_version, mend.alarm.recorded) == (rule.id, 1, 21)
    assert mend.before is not None
    assert (mend.before.raises, mend.is_chattering, mend.occasions) == (21, True, 2)
    assert mend.notes == []
    assert mend.proposed is not None
    chosen = mend.trials[mend.proposed]
    assert (chosen.raises, chosen.missed, chosen.later, chosen.delay_longest_s) == (2, 0, 0, 0.0)
    assert mend.content is not None
    assert mend.content.definition() != rule.content.definition()
    by_delay = next(one for one in mend.trials if one.on_delay_s == 5.0)
    assert (by_delay.raises, by_delay.missed, by_delay.later, by_delay.delay_longest_s) == (1, 1, 1, 5.0)


def test_what_chatters_is_what_the_factory_says(database: Database, scope: Scope, rule: http.Rule) -> None:
    assert rule.version == 1
    held = database.read(lambda tx: tx.philosophy(scope).get())
    chosen = replace(DEFAULT, chatter_count=100, chatter_index=1.0, fleeting_s=1.0)
    change = http.PhilosophyChange(version=held.version, classes=held.classes, matrix=held.matrix, thresholds=chosen)
    database.run(lambda tx: tx.philosophy(scope).replace(change))
    nuisances = read_nuisances(database, scope, _request(), [])
    assert (nuisances.cases, nuisances.limits) == ([], chosen)


def test_the_proposal_is_the_next_version_of_the_rule_and_calm_on_the_same_history(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    (mend,) = _found(plant, database, scope, _request()).mends
    content = mend.content
    assert content is not None
    database.run(lambda tx: tx.rules(scope).update(rule.id, mend.alarm.rule_version, content, "eva", "It chattered."))
    (again,) = _found(plant, database, scope, _request(alarm_ids=[mend.alarm.alarm_id])).mends
    assert again.before is not None
    assert (again.before.raises, again.before.is_enough, again.trials) == (2, True, [])
    assert any("nothing needs to be changed" in note for note in again.notes)


def test_every_trial_is_what_a_back_test_of_the_same_rule_says(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    (mend,) = _found(plant, database, scope, _request()).mends
    delays = [(one.on_delay_s, one.off_delay_s, one.raises) for one in mend.trials if not one.deadband]
    assert delays
    for on_delay_s, off_delay_s, raises in delays:
        content = rule.content.model_copy(update={"on_delay_s": on_delay_s, "off_delay_s": off_delay_s})
        span = {"start": from_us(START_US), "end": from_us(START_US + HOUR * S)}
        request = http.BackTestRequest.model_validate({"rule": content, **span})
        known = read_known(database, scope.factory_id, request)
        with closing(LocalHistoryReader(plant.root / "history.db")) as reader:
            tried = back_test(request, known, History(reader, {}), lambda share, message: None)
        assert tried.figures.alarms == raises


def test_a_marked_incident_that_a_change_would_miss_is_told(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    start = from_us(START_US)
    flicker = http.IncidentContent(
        start=start + timedelta(seconds=CHATTERS_AT), end=start + timedelta(seconds=CHATTERS_AT + 20), note="It leaked."
    )
    database.run(lambda tx: tx.incidents(scope).mark(flicker))
    (mend,) = _found(plant, database, scope, _request()).mends
    blind = [one for one in mend.trials if one.incidents_missed]
    assert blind
    assert not any(one.is_enough for one in blind)
    assert mend.occasions == 3


def test_a_rule_out_of_use_cannot_be_mended_and_an_unknown_alarm_is_not_there(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    database.run(lambda tx: tx.rules(scope).delete(rule.id))
    (mend,) = _found(plant, database, scope, _request()).mends
    assert (mend.before, mend.content) == (None, None)
    assert any("taken out of use" in note for note in mend.notes)
    with pytest.raises(NotFoundError):
        _found(plant, database, scope, _request(alarm_ids=["0" * 32]))


def test_what_was_found_when_the_time_of_a_run_is_over_is_kept_and_the_rest_is_counted(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(_found(plant, database, scope, _request()).mends) == 1
    monkeypatch.setattr("factoryops.jobs.mends._LONGEST_S", -1.0)
    found = _found(plant, database, scope, _request())
    assert (found.mends, found.left_out) == ([], 1)


async def test_the_worker_leaves_the_proposals_in_a_file(
    plant: JobPlant, database: Database, scope: Scope, rule: http.Rule
) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(WorkerService(plant.config(), database).run(stop))
    run = database.run(lambda tx: tx.work.start_mending(scope, _request()))
    await until(lambda: _run(database, scope, run.id).finished_at is not None, timeout_s=60, what="the run's end")
    stop.set()
    await worker
    done = _run(database, scope, run.id)
    assert done.state is http.RunState.SUCCEEDED, done.message
    assert done.result == {"alarms": 1, "proposals": 1, "left_out": 0}
    (artifact,) = done.artifacts
    file = plant.artifacts / scope.factory_id / artifact.id
    outcome = http.MendOutcome.model_validate_json(file.read_bytes())
    assert outcome.mends[0].content is not None


def _run(database: Database, scope: Scope, identity: str) -> http.Run:
    return database.read(lambda tx: tx.work.get(scope, identity))
