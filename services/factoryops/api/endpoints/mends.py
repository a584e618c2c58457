"""Proposals for alarms that chatter or flicker."""

from __future__ import annotations

from pathlib import Path

from factoryops.api.call import Asking
from factoryops.api.endpoints.jobs import place_of
from factoryops.contracts import http
from factoryops.database.rows import ArtifactRecord
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
    if not run.artifacts:
        return http.Mending(run=run)
    record = await asking.read(lambda tx: tx.work.artifacts(asking.scope).get(run.artifacts[0].id))
    outcome = await asking.service.pool.run(_outcome_in, asking.service.context.artifacts_folder, record)
    return http.Mending(run=run, outcome=outcome)


def _start(tx: Transaction, scope: Scope, body: http.MendRequest) -> http.Run:
    tx.alarm_performance(scope).check_there(body.alarm_ids)
    return tx.work.start_mending(scope, body)


def _outcome_in(folder: Path, record: ArtifactRecord) -> http.MendOutcome:
    return http.MendOutcome.model_validate_json(place_of(folder, record).read_bytes())
