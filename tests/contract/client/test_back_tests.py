"""Back-tests and incidents: the imagined plant and a real service answer alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, Constant, NoData, Parameter
from factoryops.domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from factoryops.domain.time import from_us, now_us
from tests.contract.client.conftest import Subject

_NOBODY = "0" * 32
END = from_us(now_us() // 1_000_000 * 1_000_000)


def _asked(parameter: str, **fields: object) -> http.BackTestRequest:
    condition = Compare(Parameter(parameter), Comparison.ABOVE, Constant(5.0))
    rule = http.RuleContent(name="Tried", condition=condition, priority=Priority.HIGH)
    body = {"rule": rule, "start": END - timedelta(hours=1), "end": END, **fields}
    return http.BackTestRequest.model_validate(body)


async def test_a_back_test_is_queued_looked_at_and_cancelled(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    key = (await plant.devices())[0].parameters[0].key
    run = await plant.start_back_test(_asked(key, sweep={"limits": [4.0, 5.0], "on_delays_s": [0, 10]}))
    assert (run.kind, run.state, run.requested_by) == (http.JobKind.BACK_TEST, http.RunState.QUEUED, "supervisor")
    found = await plant.back_test(run.id)
    assert (found.run.id, found.outcome) == (run.id, None)
    assert (await plant.cancel_run(run.id)).state is http.RunState.CANCELLED


@pytest.mark.parametrize("fields", [{"end": END - timedelta(hours=2)}, {"start": END - timedelta(days=500)}])
async def test_a_span_that_cannot_be_tried_is_refused(subject: Subject, fields: dict[str, object]) -> None:
    plant = await subject.enter()
    with pytest.raises(InvalidInputError):
        await plant.start_back_test(_asked("pressure", **fields))


async def test_a_rule_without_a_single_limit_has_none_to_vary(subject: Subject) -> None:
    plant = await subject.enter()
    silent = http.RuleContent(name="Silent", condition=NoData(60.0), priority=Priority.LOW)
    with pytest.raises(InvalidInputError, match="compares one parameter"):
        await plant.start_back_test(_asked("pressure", rule=silent, sweep={"limits": [1.0]}))


async def test_another_run_is_no_back_test(subject: Subject) -> None:
    plant = await subject.enter()
    run = next(one for one in await plant.runs() if one.kind is http.JobKind.DAILY_REPORT)
    for identity in (run.id, _NOBODY):
        with pytest.raises(NotFoundError):
            await plant.back_test(identity)


async def test_operators_do_not_try_rules(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    with pytest.raises(NotAllowedError):
        await plant.start_back_test(_asked("pressure"))


async def test_incidents_are_marked_changed_and_taken_away(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    device = (await plant.devices())[0]
    content = http.IncidentContent(start=END - timedelta(hours=2), end=END, device_keys=[device.key], note="It seized.")
    marked = await plant.mark_incident(content)
    assert (marked.content, marked.marked_by) == (content, "supervisor")
    older = await plant.mark_incident(http.IncidentContent(start=END - timedelta(hours=9), end=END))
    assert [one.id for one in await plant.incidents()] == [marked.id, older.id]
    changed = await plant.change_incident(older.id, content.model_copy(update={"note": "No."}))
    assert changed.content.note == "No."
    for one in (marked, older):
        await plant.delete_incident(one.id)
    assert await plant.incidents() == []
    with pytest.raises(NotFoundError):
        await plant.delete_incident(marked.id)
    with pytest.raises(NotFoundError):
        await plant.change_incident(_NOBODY, content)


async def test_an_incident_of_an_unknown_device_is_refused(subject: Subject) -> None:
    plant = await subject.enter()
    with pytest.raises(InvalidInputError, match="nothing-like-it"):
        await plant.mark_incident(http.IncidentContent(start=END, end=END, device_keys=["nothing-like-it"]))
