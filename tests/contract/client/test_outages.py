"""Outages that supervisors declare: figures leave them out, and say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role, new_id
from tests.contract.client.conftest import Subject

DAY = timedelta(days=1)


def content(start: datetime, length: timedelta = DAY, reason: str = "Planned stop.") -> http.OutageContent:
    return http.OutageContent(start=start, end=start + length, reason=reason)


async def test_figures_leave_a_declared_outage_out_until_it_is_withdrawn(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    end = datetime.now(UTC)
    whole = (await plant.alarm_performance(start=end - 30 * DAY, end=end)).figures
    assert whole.rates.annunciations > 0
    made = await plant.declare_outage(content(end - 20 * DAY, 40 * DAY))
    assert (made.declared_by != "", made.holds, made.content.reason) == (True, True, "Planned stop.")
    assert made in await plant.outages()
    cut = (await plant.alarm_performance(start=end - 30 * DAY, end=end)).figures
    assert (cut.declared_s, cut.rates.excluded_s) == (20 * 86_400, 20 * 86_400 + whole.rates.excluded_s)
    assert cut.rates.judged_s == whole.rates.judged_s - 20 * 86_400
    assert cut.rates.annunciations < whole.rates.annunciations
    gone = await plant.withdraw_outage(made.id)
    assert (gone.holds, gone.withdrawn_by, gone.content) == (False, made.declared_by, made.content)
    assert gone in await plant.outages()
    again = (await plant.alarm_performance(start=end - 30 * DAY, end=end)).figures
    assert (again.rates.annunciations, again.declared_s) == (whole.rates.annunciations, 0.0)
    with pytest.raises(ConflictError, match="withdrawn this outage already"):
        await plant.withdraw_outage(made.id)


async def test_outages_that_overlap_count_once(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    end = datetime.now(UTC)
    made = [await plant.declare_outage(content(end - days * DAY, 2 * DAY)) for days in (6, 5)]
    found = (await plant.alarm_performance(start=end - 10 * DAY, end=end)).figures
    assert found.declared_s == 3 * 86_400
    listed = [one.id for one in await plant.outages()]
    assert listed.index(made[1].id) < listed.index(made[0].id), "the latest comes first"
    for one in made:
        await plant.withdraw_outage(one.id)


async def test_an_outage_has_an_end_and_a_reason(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    now = datetime.now(UTC)
    for length, reason in ((timedelta(0), "Stop."), (-DAY, "Stop."), (DAY, ""), (DAY, "  ")):
        with pytest.raises(ValidationError):
            content(now, length, reason)
    with pytest.raises(NotFoundError):
        await plant.withdraw_outage(new_id())


async def test_operators_see_outages_and_declare_none(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    await plant.outages()
    for change in (plant.declare_outage(content(datetime.now(UTC))), plant.withdraw_outage(new_id())):
        with pytest.raises(NotAllowedError):
            await change
