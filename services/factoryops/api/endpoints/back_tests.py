"""Trying rules on recorded history, and marking incidents to hold them against."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.api.endpoints.jobs import outcome_of
from factoryops.contracts import http
from factoryops.domain.errors import NotFoundError


async def start_back_test(body: http.BackTestRequest, asking: Asking) -> http.Run:
    """Try a rule, saved or not, on a span of history; it is begun within a second."""
    run = await asking.change(lambda tx: tx.work.start_back_test(asking.scope, body))
    asking.service.hub.tell_run(asking.scope.factory_id, run)
    return run


async def get_back_test(back_test_id: http.Identifier, asking: Asking) -> http.BackTest:
    """How far a back-test is, and what it came to once it has succeeded."""
    run = await asking.read(lambda tx: tx.work.get(asking.scope, back_test_id))
    if run.kind is not http.JobKind.BACK_TEST:
        raise NotFoundError("There is no such back-test.")
    return http.BackTest(run=run, outcome=await outcome_of(run, http.BackTestOutcome, asking))


async def list_incidents(asking: Asking) -> http.IncidentList:
    """The factory's marked incidents, newest first."""
    return http.IncidentList(incidents=await asking.read(lambda tx: tx.incidents(asking.scope).list()))


async def mark_incident(body: http.IncidentContent, asking: Asking) -> http.Incident:
    """Mark a span in which something went wrong."""
    return await asking.change(lambda tx: tx.incidents(asking.scope).mark(body))


async def change_incident(incident_id: http.Identifier, body: http.IncidentContent, asking: Asking) -> http.Incident:
    """Change what is marked."""
    return await asking.change(lambda tx: tx.incidents(asking.scope).change(incident_id, body))


async def delete_incident(incident_id: http.Identifier, asking: Asking) -> None:
    """Take a mark away."""
    await asking.change(lambda tx: tx.incidents(asking.scope).delete(incident_id))
