"""Proposals for alarms that chatter or flicker."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.api.endpoints.jobs import outcome_of
from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import Scope


async def start_mending(body: http.MendRequest, asking: Asking) -> http.Run:
    """Look for deadbands and delays that make alarms calmer, each tried on the alarm's own history.

    Nothing is changed: a proposal is saved as the next version of its rule by whoever wants it.
    """
    run = await asking.change(lambda tx: _start(tx, asking.scope, body))
    asking.service.hub.tell_run(asking.scope.factory_id, run)
    return run


async def get_mending(mending_id: http.Identifier, asking: Asking) -> http.Mending:
    """How far a search is, and what it came to once it has succeeded."""
    run = await asking.read(lambda tx: tx.work.get(asking.scope, mending_id))
    if run.kind is not http.JobKind.ALARM_MENDS:
        raise NotFoundError("There is no such search for proposals.")
    return http.Mending(run=run, outcome=await outcome_of(run, http.MendOutcome, asking))


def _start(tx: Transaction, scope: Scope, body: http.MendRequest) -> http.Run:
    tx.alarm_performance(scope).check_there(body.alarm_ids)
    return tx.work.start_mending(scope, body)
