from __future__ import annotations

from datetime import timedelta

import pytest

from factoryops.contracts import http
from factoryops.contracts.http import JobKind, RunState
from factoryops.database.leases import MOST_ATTEMPTS
from factoryops.database.rows import ClaimedRun, NewArtifact
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import ArtifactId
from tests.support.databases import NOON, Clock, Site

DAILY = JobKind.DAILY_REPORT
LEASE_S = 30.0


def _queue(site: Site, **fields: object) -> http.Run:
    request = http.RunRequest.model_validate({"kind": DAILY, **fields})
    return site.database.run(lambda tx: tx.work.queue(site.scope, request))


def _claim(site: Site) -> ClaimedRun | None:
    return site.database.run(lambda tx: tx.work.claim("worker-1", LEASE_S))


def _claimed(site: Site) -> ClaimedRun:
    claimed = _claim(site)
    assert claimed is not None
    return claimed


def _state(site: Site, run_id: str) -> http.Run:
    return site.database.read(lambda tx: tx.work.get(site.scope, run_id))


def _slot(site: Site, state: RunState = RunState.QUEUED) -> str | None:
    start = NOON - timedelta(days=1)
    return site.database.run(lambda tx: tx.work.ensure_slot(site.factory.id, DAILY, NOON, start, NOON, state=state))


def _give_back(site: Site, run: ClaimedRun) -> RunState:
    return site.database.run(lambda tx: tx.work.give_back(run, "No paper.", retry_after_s=60))


def _file(mark: str) -> NewArtifact:
    return NewArtifact(ArtifactId(mark * 32), "Report 2026-03-02.pdf", "application/pdf", 1_234, "0" * 64)


def test_a_slot_has_one_run_however_often_it_is_asked_for(site: Site) -> None:
    assert _slot(site) is not None
    assert _slot(site) is None
    assert _slot(site, state=RunState.MISSED) is None
    (run,) = site.database.read(lambda tx: tx.work.list(site.scope))
    assert (run.slot, run.state, run.requested_by) == (NOON, RunState.QUEUED, "schedule")
    assert site.database.read(lambda tx: tx.work.latest_slot(site.factory.id, DAILY)) == NOON


def test_a_missed_slot_is_listed_and_never_run(site: Site) -> None:
    assert _slot(site, state=RunState.MISSED) is not None
    assert _claim(site) is None
    (run,) = site.database.read(lambda tx: tx.work.list(site.scope))
    assert (run.state, run.finished_at) == (RunState.MISSED, NOON)


def test_work_on_demand_covers_the_last_day_by_default(site: Site) -> None:
    run = _queue(site)
    assert (run.start, run.end, run.requested_by, run.slot) == (NOON - timedelta(days=1), NOON, "op1", None)


def test_an_empty_span_and_a_foreign_device_are_refused(site: Site, other_site: Site) -> None:
    with pytest.raises(InvalidInputError):
        _queue(site, start=NOON, end=NOON)
    with pytest.raises(NotFoundError):
        _queue(site, device_ids=[site.device.id, other_site.device.id])
    assert _claim(site) is None


def test_a_run_is_claimed_by_one_worker_oldest_first(site: Site, other_site: Site, clock: Clock) -> None:
    first = _queue(site, device_ids=[site.device.id])
    clock.advance(1)
    second = _queue(other_site)
    claimed = [_claimed(site), _claimed(site)]
    assert [run.id for run in claimed] == [first.id, second.id]
    assert [run.factory for run in claimed] == [site.factory, other_site.factory]
    assert (claimed[0].device_ids, claimed[0].attempt) == ((site.device.id,), 1)
    assert _claim(site) is None


def test_what_a_run_is_told_reaches_its_worker_and_those_who_look(site: Site) -> None:
    told = {"upload": "a" * 32, "columns": ["Zeit", "Druck"], "scale": 1.5, "is_dry": True}
    run = _queue(site, arguments=told)
    assert run.arguments == told
    assert _claimed(site).arguments == told
    with pytest.raises(ValueError, match="64 KiB"):
        _queue(site, arguments={"text": "x" * 70_000})


def test_progress_is_shown_and_moves_the_change_number(site: Site) -> None:
    _queue(site)
    claimed = _claimed(site)
    before = site.database.read(lambda tx: tx.changes()).runs
    assert not site.database.run(lambda tx: tx.work.renew(claimed, LEASE_S, 0.5, "Drawing"))
    ((factory, run),) = site.database.read(lambda tx: tx.work.changed_since(before))
    assert (factory, run.progress, run.message, run.state) == (site.factory.id, 0.5, "Drawing", RunState.RUNNING)


def test_a_finished_run_has_its_files(site: Site, other_site: Site) -> None:
    _queue(site)
    claimed = _claimed(site)
    run = site.database.run(
        lambda tx: tx.work.finish(claimed, RunState.SUCCEEDED, "3 pages", {"pages": 3}, [_file("a"), _file("b")])
    )
    assert (run.state, run.progress, run.result, len(run.artifacts)) == (RunState.SUCCEEDED, 1.0, {"pages": 3}, 2)
    assert _state(site, claimed.id) == run
    kept = site.database.read(lambda tx: tx.work.artifacts(site.scope).get("a" * 32))
    assert (kept.name, kept.size_bytes, kept.run_id) == ("Report 2026-03-02.pdf", 1_234, claimed.id)
    with pytest.raises(NotFoundError):
        site.database.read(lambda tx: tx.work.artifacts(other_site.scope).get("a" * 32))


def test_a_worker_that_lost_its_lease_can_change_nothing_more(site: Site, clock: Clock) -> None:
    _queue(site)
    slow = _claimed(site)
    clock.advance(LEASE_S + 1)
    assert site.database.run(lambda tx: tx.work.expire_leases(clock.now)) == 1
    fast = _claimed(site)
    assert fast.attempt == 2
    for act in (
        lambda tx: tx.work.renew(slow, LEASE_S, 0.9, "late"),
        lambda tx: tx.work.finish(slow, RunState.SUCCEEDED, "late", {}, [_file("a")]),
        lambda tx: tx.work.give_back(slow, "late"),
    ):
        with pytest.raises(ConflictError):
            site.database.run(act)
    run = site.database.run(lambda tx: tx.work.finish(fast, RunState.SUCCEEDED, "done", {}, [_file("b")]))
    assert [file.id for file in run.artifacts] == ["b" * 32]


def test_a_kept_lease_does_not_expire(site: Site, clock: Clock) -> None:
    _queue(site)
    claimed = _claimed(site)
    for _ in range(5):
        clock.advance(LEASE_S - 1)
        site.database.run(lambda tx: tx.work.renew(claimed, LEASE_S, 0.1, "on it"))
        assert site.database.run(lambda tx: tx.work.expire_leases(clock.now)) == 0


def test_a_run_that_kills_its_workers_fails_after_the_last_attempt(site: Site, clock: Clock) -> None:
    run = _queue(site)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert _claimed(site).attempt == attempt
        clock.advance(LEASE_S + 1)
        site.database.run(lambda tx: tx.work.expire_leases(clock.now))
    ended = _state(site, run.id)
    assert ended.state is RunState.FAILED
    assert "3 times" in ended.message
    assert _claim(site) is None


def test_a_failed_attempt_waits_and_the_last_one_keeps_the_reason(site: Site, clock: Clock) -> None:
    run = _queue(site)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claimed = _claimed(site)
        state = _give_back(site, claimed)
        assert state is (RunState.FAILED if attempt == MOST_ATTEMPTS else RunState.QUEUED)
        assert _claim(site) is None
        clock.advance(60)
    assert _state(site, run.id).message == "No paper."


def test_a_queued_run_is_cancelled_at_once(site: Site) -> None:
    run = _queue(site)
    cancelled = site.database.run(lambda tx: tx.work.request_cancel(site.scope, run.id))
    assert (cancelled.state, cancelled.finished_at) == (RunState.CANCELLED, NOON)
    assert _claim(site) is None


def test_a_running_runs_worker_learns_that_it_is_to_stop(site: Site, clock: Clock) -> None:
    _queue(site)
    claimed = _claimed(site)
    assert site.database.run(lambda tx: tx.work.request_cancel(site.scope, claimed.id)).state is RunState.RUNNING
    assert site.database.run(lambda tx: tx.work.renew(claimed, LEASE_S, 0.2, "x"))
    clock.advance(LEASE_S + 1)
    site.database.run(lambda tx: tx.work.expire_leases(clock.now))
    assert _state(site, claimed.id).state is RunState.CANCELLED


def test_cancelling_a_finished_run_changes_nothing(site: Site) -> None:
    _queue(site)
    claimed = _claimed(site)
    done = site.database.run(lambda tx: tx.work.finish(claimed, RunState.SUCCEEDED, "done", {}))
    assert site.database.run(lambda tx: tx.work.request_cancel(site.scope, claimed.id)) == done


def test_schedules_are_as_installed_until_somebody_changes_them(site: Site, other_site: Site) -> None:
    change = http.ScheduleChange(is_enabled=True, local_time="07:30")
    site.database.run(lambda tx: tx.work.change_schedule(site.scope, JobKind.ANOMALY_SCAN, change))
    site.database.run(lambda tx: tx.work.record_next_slot(site.factory.id, DAILY, NOON))
    mine = {shown.kind: shown for shown in site.database.read(lambda tx: tx.work.schedules(site.scope))}
    assert mine.keys() == set(JobKind) - http.STARTED_APART - {JobKind.SCHEDULED_RULES}
    assert (mine[JobKind.ANOMALY_SCAN].is_enabled, mine[JobKind.ANOMALY_SCAN].local_time) == (True, "07:30")
    assert (mine[DAILY].local_time, mine[DAILY].next_slot) == ("06:00", NOON)
    with pytest.raises(NotFoundError):
        site.database.run(lambda tx: tx.work.change_schedule(site.scope, JobKind.IMPORT, change))
    others = site.database.read(lambda tx: tx.work.schedules(other_site.scope))
    assert [shown.next_slot for shown in others] == [None, None]
    records = site.database.read(lambda tx: tx.work.all_schedules())
    changed = [(record.factory_id, record.kind, record.changed_at) for record in records if record.changed_at]
    assert changed == [(site.factory.id, JobKind.ANOMALY_SCAN, NOON)]
    assert {record.timezone for record in records} == {"Europe/Berlin"}
