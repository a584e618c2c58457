"""A scheduled rule is evaluated over history when it is due, and its alarm follows, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.database.database import Database
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.printer import quoted
from factoryops.domain.identity import Role, Scope
from factoryops.domain.scheduled_rules import Aggregate
from factoryops.domain.time import from_us, now_us
from factoryops.jobs.clock import look
from factoryops.jobs.orders import LocalSource, Order
from factoryops.jobs.scheduled_rules import evaluate_scheduled_rules
from factoryops.jobs.sources import open_sources
from tests.support.job_plant import JobPlant, factory_of, make_plant


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> JobPlant:
    return make_plant(tmp_path_factory.mktemp("scheduled"))


@pytest.fixture
def database(plant: JobPlant) -> Iterator[Database]:
    opened = plant.open_database()
    yield opened
    opened.close()


@pytest.fixture
def scope(database: Database) -> Scope:
    return Scope(factory_of(database).id, "anna", Role.ADMIN)


def content(database: Database, scope: Scope, name: str, **fields: object) -> http.ScheduledRuleContent:
    parameter = database.read(lambda tx: tx.parameters(scope).list())[0]
    device = database.read(lambda tx: tx.devices(scope).get(parameter.device_id))
    values: dict[str, object] = {
        "name": name, "devices": [device.key], "parameter": parameter.key, "aggregate": "mean",
        "window": "last_24_hours", "comparison": "gt", "limit": -1e9, "least_known": 0.05, "local_time": "06:00",
        "priority": 3, "response": "Look at it.",
    }  # fmt: skip
    return http.ScheduledRuleContent.model_validate(values | fields)


def evaluate(plant: JobPlant, scope: Scope, end: datetime | None = None, by: str = "anna") -> dict[str, object]:
    until = end or from_us(now_us())
    order = Order(
        kind=JobKind.SCHEDULED_RULES, run_id="0" * 32, factory_id=scope.factory_id, start=until - timedelta(days=1),
        end=until, device_ids=(), requested_by=by, database_url=plant.database_url,
        history=LocalSource(str(plant.root / "history.db")), journals={}, folder=str(plant.root),
        memory_limit_bytes=1 << 30,
    )  # fmt: skip
    with open_sources(order) as sources:
        return evaluate_scheduled_rules(order, sources, lambda _share, _message: None).result


def alarms_of(database: Database, scope: Scope, rule: http.ScheduledRule) -> list[http.Alarm]:
    return [one for one in database.read(lambda tx: tx.alarms(scope).list_abnormal()) if one.rule_id == rule.id]


def standing(database: Database, scope: Scope, rule: http.ScheduledRule) -> set[str]:
    return {one.device_key for one in alarms_of(database, scope, rule) if one.cleared_at is None}


def test_it_raises_once_says_why_and_clears_when_it_is_true_no_more(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    made = content(database, scope, "Mean too high")
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(made))
    assert (evaluate(plant, scope)["moved"], evaluate(plant, scope)["moved"]) == (1, 0)
    (alarm,) = alarms_of(database, scope, rule)
    assert (alarm.annunciation, alarm.priority, alarm.response) == (1, 3, "Look at it.")
    assert alarm.message.startswith("Mean of ")
    assert "of the time is known" in alarm.message
    why = database.read(lambda tx: tx.alarm_whys(scope).of(alarm.id, 1, AlarmEventKind.RAISED))
    assert why.leaves[0].limit == -1e9
    higher = made.model_copy(update={"limit": 1e9})
    database.run(lambda tx: tx.scheduled_rules(scope).update(rule.id, 1, higher))
    assert evaluate(plant, scope)["moved"] == 1
    (alarm,) = alarms_of(database, scope, rule)
    assert (alarm.annunciation, alarm.cleared_at is not None) == (1, True)
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_an_expression_is_calculated_for_each_device_and_its_figure_is_judged(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    plain = content(database, scope, "Calculated", limit=4.9)
    own = quoted(plain.parameter or "")
    text = f"{own} * 0 + 5 + 0 * {quoted(plain.devices[0])}.{own}"
    made = http.ScheduledRuleContent.model_validate(
        plain.model_dump() | {"parameter": None, "expression": text, "devices": [], "least_known": 0.01}
    )
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(made))
    result = evaluate(plant, scope)
    devices = database.read(lambda tx: {one.id: one.key for one in tx.devices(scope).list()})
    having = {
        devices[one.device_id] for one in database.read(lambda tx: tx.parameters(scope).list())
        if one.key == plain.parameter
    }  # fmt: skip
    assert standing(database, scope, rule) == having
    assert result["figures"] == [
        {"rule": "Calculated", "device": key, "value": pytest.approx(5.0), "is_true": True} for key in sorted(having)
    ]
    (alarm, *_) = alarms_of(database, scope, rule)
    assert alarm.message.startswith(f"Mean of {Formula.of(text).text} over ")
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_an_expression_of_the_parameter_alone_comes_to_what_the_parameter_does(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    plain, end = content(database, scope, "As it is"), from_us(now_us())
    text = f"{quoted(plain.parameter or '')} + 0"
    made = http.ScheduledRuleContent.model_validate(
        plain.model_dump() | {"name": "Calculated", "parameter": None, "expression": text, "maximum_age_s": 86_400}
    )
    rules = [database.run(lambda tx, one=one: tx.scheduled_rules(scope).create(one)) for one in (plain, made)]  # type: ignore[misc] # bound per turn
    for aggregate in ("mean", "min", "max", "total"):
        for rule in rules:
            changed = rule.content.model_copy(update={"aggregate": Aggregate(aggregate)})
            held = next(one for one in database.read(lambda tx: tx.scheduled_rules(scope).list()) if one.id == rule.id)
            database.run(
                lambda tx, held=held, changed=changed: tx.scheduled_rules(scope).update(held.id, held.version, changed)  # type: ignore[misc] # as above
            )
        figures = evaluate(plant, scope, end=end)["figures"]
        assert isinstance(figures, list)
        one, two = (figure["value"] for figure in figures)
        assert two == pytest.approx(one, rel=1e-6), aggregate
    for rule in rules:
        database.run(lambda tx, rule=rule: tx.scheduled_rules(scope).delete(rule.id))  # type: ignore[misc] # as above


def test_an_older_verdict_moves_nothing_and_no_other_moment_than_now_can_be_asked_for(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    made = content(database, scope, "Repeated late")
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(made))
    evaluate(plant, scope)
    (raised,) = alarms_of(database, scope, rule)
    calm = made.model_copy(update={"limit": 1e9})
    database.run(lambda tx: tx.scheduled_rules(scope).update(rule.id, 1, calm))
    assert evaluate(plant, scope, from_us(now_us()) - timedelta(minutes=5))["moved"] == 0
    assert alarms_of(database, scope, rule) == [raised]
    last_week = from_us(now_us()) - timedelta(days=7)
    request = http.RunRequest(kind=JobKind.SCHEDULED_RULES, end=last_week)
    with pytest.raises(InvalidInputError, match="as of now"):
        database.run(lambda tx: tx.work.queue(scope, request))
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_too_little_data_decides_nothing_and_is_told(plant: JobPlant, database: Database, scope: Scope) -> None:
    made = content(database, scope, "Whole day", least_known=0.9)
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(made))
    result = evaluate(plant, scope)
    assert (result["moved"], result["true"]) == (0, 0)
    assert result["undecided"] == [f"Whole day on {made.devices[0]}"]
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_a_rule_that_is_switched_off_or_taken_away_leaves_no_alarm_behind(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    made = content(database, scope, "Short lived")
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(made))
    evaluate(plant, scope)
    off = made.model_copy(update={"is_enabled": False})
    database.run(lambda tx: tx.scheduled_rules(scope).update(rule.id, 1, off))
    assert [one.cleared_at is not None for one in alarms_of(database, scope, rule)] == [True]
    assert evaluate(plant, scope)["rules"] == 0
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_a_kind_or_the_whole_factory_is_every_device_that_has_the_parameter_at_that_moment(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    named = content(database, scope, "By kind")
    devices = database.read(lambda tx: tx.devices(scope).list())
    parameters = database.read(lambda tx: tx.parameters(scope).list())
    device = next(one for one in devices if one.key == named.devices[0])
    having = {one.device_id for one in parameters if one.key == named.parameter}
    of_kind = {one.key for one in devices if one.kind == device.kind and one.id in having}
    everywhere = {one.key for one in devices if one.id in having}
    by_kind = named.model_copy(update={"devices": [], "kinds": [device.kind]})
    rule = database.run(lambda tx: tx.scheduled_rules(scope).create(by_kind))
    evaluate(plant, scope)
    assert standing(database, scope, rule) == of_kind
    database.run(lambda tx: tx.devices(scope).change(device.id, kind="rebuilt"))
    assert evaluate(plant, scope)["moved"] == 1
    assert standing(database, scope, rule) == of_kind - {device.key}
    database.run(lambda tx: tx.scheduled_rules(scope).update(rule.id, 1, named.model_copy(update={"devices": []})))
    evaluate(plant, scope)
    assert standing(database, scope, rule) == everywhere
    database.run(lambda tx: tx.devices(scope).change(device.id, kind=device.kind))
    nobody = named.model_copy(update={"devices": [], "areas": ["nowhere yet"]})
    database.run(lambda tx: tx.scheduled_rules(scope).update(rule.id, 2, nobody))
    assert standing(database, scope, rule) == set()
    assert evaluate(plant, scope)["undecided"] == [f"By kind: no device it is for has {named.parameter}"]
    database.run(lambda tx: tx.scheduled_rules(scope).delete(rule.id))


def test_the_clock_makes_one_run_for_all_rules_of_a_moment_and_only_those_are_evaluated(
    plant: JobPlant, database: Database, scope: Scope
) -> None:
    rules = [
        database.run(
            lambda tx, one=one: tx.scheduled_rules(scope).create(  # type: ignore[misc] # bound per turn
                content(database, scope, one[0], local_time=one[1])
            )
        )
        for one in (("Early A", "04:00"), ("Early B", "04:00"), ("Late", "20:00"))
    ]
    tomorrow = from_us(now_us()) + timedelta(days=1)
    for _ in range(3):
        look(database, tomorrow)
    runs = [one for one in database.read(lambda tx: tx.work.list(scope)) if one.kind is JobKind.SCHEDULED_RULES]
    slots = sorted(one.slot for one in runs if one.slot is not None)
    assert len(slots) == len(set(slots)) == 2
    assert {one.state for one in runs} == {RunState.QUEUED}
    evaluated = {evaluate(plant, scope, slot, "schedule")["rules"] for slot in slots}
    assert evaluated == {1, 2}
    for rule in rules:
        database.run(lambda tx, rule=rule: tx.scheduled_rules(scope).delete(rule.id))  # type: ignore[misc] # as above
