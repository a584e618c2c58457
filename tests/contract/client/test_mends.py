"""Proposals for nuisance alarms: the imagined plant and a real service answer alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role
from factoryops.domain.time import from_us, now_us
from tests.contract.client.conftest import Subject

_NOBODY = "0" * 32
END = from_us(now_us() // 1_000_000 * 1_000_000)


def _asked(**fields: object) -> http.MendRequest:
    return http.MendRequest.model_validate({"start": END - timedelta(hours=1), "end": END, **fields})


async def test_a_search_is_queued_looked_at_and_cancelled(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    alarm = (await plant.alarms())[0]
    run = await plant.start_mending(_asked(alarm_ids=[alarm.id]))
    assert (run.kind, run.state, run.requested_by) == (http.JobKind.ALARM_MENDS, http.RunState.QUEUED, "supervisor")
    found = await plant.mending(run.id)
    assert (found.run.id, found.outcome) == (run.id, None)
    assert (await plant.cancel_run(run.id)).state is http.RunState.CANCELLED


@pytest.mark.parametrize("fields", [{"end": END - timedelta(hours=2)}, {"start": END - timedelta(days=500)}])
async def test_a_span_that_cannot_be_tried_is_refused(subject: Subject, fields: dict[str, object]) -> None:
    plant = await subject.enter()
    with pytest.raises(InvalidInputError):
        await plant.start_mending(_asked(**fields))


async def test_an_unknown_alarm_and_another_run_are_not_there(subject: Subject) -> None:
    plant = await subject.enter()
    with pytest.raises(NotFoundError):
        await plant.start_mending(_asked(alarm_ids=[_NOBODY]))
    run = next(one for one in await plant.runs() if one.kind is http.JobKind.DAILY_REPORT)
    for identity in (run.id, _NOBODY):
        with pytest.raises(NotFoundError):
            await plant.mending(identity)


async def test_operators_do_not_look_for_proposals(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    with pytest.raises(NotAllowedError):
        await plant.start_mending(_asked())


async def test_it_is_not_started_like_other_work(subject: Subject) -> None:
    plant = await subject.enter()
    with pytest.raises(InvalidInputError):
        await plant.start_run(http.RunRequest(kind=http.JobKind.ALARM_MENDS))
