"""What every client of a plant promises, checked on the imagined plant and on a real service alike."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from factoryops.contracts import http, live
from factoryops.domain.alarms import AlarmEventKind, AlarmState, Priority
from factoryops.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotLoggedInError,
    UnavailableError,
)
from factoryops.domain.identity import Permission, Role
from factoryops.domain.time import now_us
from tests.contract.client.conftest import Subject
from tests.support.rules import limit_content, limit_of

_HOUR_US = 3_600_000_000
_NOBODY = "0" * 32


def _content(limit: float = 99.0, **changes: Any) -> http.RuleContent:
    return limit_content(name="Contract rule", limit=limit, priority=Priority.LOW, **changes)


async def test_a_login_opens_its_factory_and_says_what_it_may(subject: Subject) -> None:
    session = await subject.plant.login(subject.slug, "operator", subject.passwords[Role.OPERATOR])
    assert (session.user, session.role, session.factory.slug) == ("operator", Role.OPERATOR, subject.slug)
    assert Permission.ACKNOWLEDGE in session.permissions
    assert Permission.EDIT_RULES not in session.permissions
    assert session.factory.timezone == "Europe/Berlin"


@pytest.mark.parametrize("wrong", ["factory", "user", "password"])
async def test_a_wrong_login_is_refused_whatever_was_wrong(subject: Subject, wrong: str) -> None:
    right = {"factory": subject.slug, "user": "viewer", "password": subject.passwords[Role.VIEWER]}
    with pytest.raises(NotLoggedInError):
        await subject.plant.login(**{**right, wrong: "something else 77"})


async def test_a_kept_token_is_taken_up_until_the_logout(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    token = plant.token
    assert token is not None
    assert (await plant.resume(token)).user == "operator"
    await plant.logout()
    assert plant.token is None
    with pytest.raises(NotLoggedInError):
        await plant.resume(token)
    with pytest.raises(NotLoggedInError):
        await plant.devices()


async def test_devices_have_parameters_with_series(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    devices = await plant.devices()
    parameters = [one for device in devices for one in device.parameters]
    assert len(parameters) >= 4
    assert all(one.device_id == device.id for device in devices for one in device.parameters)
    assert len({one.series_id for one in parameters}) == len(parameters)


async def test_every_parameter_has_a_latest_value(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    known = {one.id: one.series_id for device in await plant.devices() for one in device.parameters}
    latest = await plant.latest()
    assert {one.parameter_id: one.series_id for one in latest} == known
    assert all(abs(one.time_us - now_us()) < _HOUR_US for one in latest)


async def test_bins_agree_with_the_samples_below_them(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0]
    end = now_us() // 60_000_000 * 60_000_000
    start = end - _HOUR_US // 2
    raw = await plant.raw(parameter.id, start, end)
    binned = await plant.binned([parameter.id], start, end, most_bins=30)
    (column,) = binned.columns
    assert column.bin_us == 60_000_000
    assert all(moment % column.bin_us == 0 for moment in column.start_us)
    assert sum(column.count) == len(raw.time_us) > 100
    assert min(column.minimum) == min(raw.value)
    assert max(column.maximum) == max(raw.value)
    assert raw.time_us == sorted(set(raw.time_us))


async def test_bins_are_whole_whatever_span_was_asked_for(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0]
    end = now_us() // 60_000_000 * 60_000_000 - 7_000_001
    crooked = await plant.binned([parameter.id], end - _HOUR_US // 4 + 13, end, most_bins=15)
    width = crooked.columns[0].bin_us
    straight = await plant.binned([parameter.id], crooked.start_us, crooked.end_us, most_bins=20)
    assert (crooked.start_us % width, crooked.end_us % width) == (0, 0)
    assert crooked.start_us <= end - _HOUR_US // 4 + 13
    assert crooked.end_us >= end
    assert straight.columns == crooked.columns


async def test_raw_history_pages_without_loss(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0]
    end = now_us() - 60_000_000
    whole = await plant.raw(parameter.id, end - _HOUR_US // 4, end)
    assert whole.next_start_us is None
    times: list[int] = []
    start: int | None = end - _HOUR_US // 4
    while start is not None:
        page = await plant.raw(parameter.id, start, end, most_samples=100)
        times += page.time_us
        start = page.next_start_us
    assert times == whole.time_us


async def test_an_empty_span_and_unknown_parameters_are_refused(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0].id
    with pytest.raises(InvalidInputError) as refused:
        await plant.raw(parameter, 1_000, 1_000)
    assert "end_us" in refused.value.fields
    with pytest.raises(NotFoundError):
        await plant.raw(_NOBODY, 0, 1)
    with pytest.raises(NotFoundError):
        await plant.binned([parameter, _NOBODY], 0, 1)


async def test_a_rule_is_created_changed_once_and_taken_out_of_use(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    rule = await plant.create_rule(_content())
    assert (rule.version, rule.changed_by) == (1, "supervisor")
    changed = await plant.update_rule(rule.id, http.RuleUpdate(version=1, content=_content(limit=98.0)))
    assert (changed.version, limit_of(changed.content).limit) == (2, 98.0)
    with pytest.raises(ConflictError):
        await plant.update_rule(rule.id, http.RuleUpdate(version=1, content=_content(limit=97.0)))
    assert rule.id in {one.id for one in await plant.rules()}
    await plant.delete_rule(rule.id)
    assert rule.id not in {one.id for one in await plant.rules()}
    with pytest.raises(NotFoundError):
        await plant.delete_rule(rule.id)
    with pytest.raises(InvalidInputError) as refused:
        await plant.create_rule(_content(device_keys=["nobody"]))
    assert "scope" in refused.value.fields


async def test_acknowledging_is_all_or_nothing_and_harmless_to_repeat(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    alarm = next(one for one in await plant.alarms() if one.rule_name != "Contract rule")
    item = http.AcknowledgeItem(alarm_id=alarm.id, annunciation=alarm.annunciation)
    unknown = http.AcknowledgeItem(alarm_id=_NOBODY, annunciation=1)
    with pytest.raises(NotFoundError):
        await plant.acknowledge(http.AcknowledgeRequest(items=[item, unknown]))
    assert alarm in await plant.alarms()
    (answered,) = await plant.acknowledge(http.AcknowledgeRequest(items=[item], comment="On my way"))
    assert answered.state in (AlarmState.ACKNOWLEDGED, AlarmState.NORMAL)
    assert answered.acknowledged_by == "operator"
    (again,) = await plant.acknowledge(http.AcknowledgeRequest(items=[item], comment="Second"))
    assert (again.comment, again.state) == ("On my way", answered.state)


async def test_why_an_alarm_was_raised_is_told_with_the_samples_that_decided_it(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    alarm = next(one for one in await plant.alarms() if one.rule_name != "Contract rule")
    why = await plant.alarm_why(alarm.id, alarm.annunciation)
    assert (why.alarm_id, why.annunciation, why.kind) == (alarm.id, alarm.annunciation, AlarmEventKind.RAISED)
    assert why.leaves[0].state == "true"
    assert why.leaves[0].samples[0].device_key == alarm.device_key
    with pytest.raises(NotFoundError):
        await plant.alarm_why(alarm.id, alarm.annunciation + 1)
    assert await plant.alarm_why(alarm.id, alarm.annunciation, at=why.at) == why, (
        "a moment matters to suppressions alone"
    )
    with pytest.raises(NotFoundError):
        await plant.alarm_why(alarm.id, 0, AlarmEventKind.SUPPRESSED, why.at)


async def test_alarm_history_is_newest_first_and_pages(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    whole = (await plant.alarm_events()).events
    assert whole
    assert [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    paged: list[str] = []
    before: str | None = None
    while True:
        page = await plant.alarm_events(before=before, most=1)
        paged += [one.id for one in page.events]
        before = page.next_before
        if before is None:
            break
    assert paged == [one.id for one in whole]
    assert (await plant.alarm_events(end=whole[-1].at)).events == []


async def test_work_is_queued_and_can_be_cancelled(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    run = await plant.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT))
    assert (run.state, run.requested_by) == (http.RunState.QUEUED, "operator")
    assert (run.end - run.start).total_seconds() == pytest.approx(86_400)
    assert (await plant.cancel_run(run.id)).state is http.RunState.CANCELLED
    assert run.id in {one.id for one in await plant.runs()}
    with pytest.raises(NotFoundError):
        await plant.cancel_run(_NOBODY)
    with pytest.raises(NotFoundError):
        await plant.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT, device_ids=[_NOBODY]))


async def test_a_schedule_moves(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    change = http.ScheduleChange(is_enabled=True, local_time="05:30")
    assert (await plant.change_schedule(http.JobKind.DAILY_REPORT, change)).local_time == "05:30"
    held = {one.kind: one for one in await plant.schedules()}
    assert (held[http.JobKind.DAILY_REPORT].is_enabled, held[http.JobKind.DAILY_REPORT].local_time) == (True, "05:30")


async def test_a_file_arrives_whole_or_not_at_all(subject: Subject, tmp_path: Path) -> None:
    plant = await subject.enter(Role.VIEWER)
    artifact = next(run for run in await plant.runs() if run.artifacts).artifacts[0]
    path = await plant.download(artifact, tmp_path)
    assert path.parent == tmp_path
    assert path.stat().st_size == artifact.size_bytes
    with pytest.raises(UnavailableError):
        await plant.download(artifact.model_copy(update={"sha256": "0" * 64}), tmp_path / "damaged.pdf")
    with pytest.raises(NotFoundError):
        await plant.download(artifact.model_copy(update={"id": _NOBODY}), tmp_path / "none.pdf")
    hostile = artifact.model_copy(update={"name": "../../escaped.pdf"})
    assert (await plant.download(hostile, tmp_path)).parent == tmp_path
    assert {one.name for one in tmp_path.iterdir()} == {path.name, "escaped.pdf"}


async def test_health_balances(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    health = await plant.health()
    assert health.messages is not None
    assert health.values is not None
    assert health.messages.received == health.messages.accepted + health.messages.quarantined
    assert health.values.accepted == health.values.stored + health.values.replaced + health.values.in_journal


async def test_roles_may_do_what_they_may(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    device = (await plant.devices())[0]
    alarm = http.AcknowledgeItem(alarm_id=_NOBODY, annunciation=1)
    refused = [
        plant.acknowledge(http.AcknowledgeRequest(items=[alarm])),
        plant.create_rule(_content()),
        plant.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT)),
        plant.change_device(device.id, http.DeviceChange(name="x")),
        plant.quarantine(),
    ]
    for call in refused:
        with pytest.raises(NotAllowedError):
            await call
    plant = await subject.enter(Role.SUPERVISOR)
    assert (await plant.quarantine()).messages
    plant = await subject.enter(Role.ADMIN)
    changed = await plant.change_device(device.id, http.DeviceChange(line="Line 9"))
    assert (changed.line, changed.name) == ("Line 9", device.name)
    parameter = await plant.change_parameter(device.parameters[0].id, http.ParameterChange(high=None, decimals=1))
    assert (parameter.high, parameter.decimals) == (None, 1)
    assert (parameter.deadband, parameter.deadband_max_s) == (None, 600.0)
    change = http.ParameterChange(deadband=0.5, deadband_max_s=60)
    parameter = await plant.change_parameter(parameter.id, change)
    assert (parameter.deadband, parameter.deadband_max_s, parameter.decimals) == (0.5, 60.0, 1)
    with pytest.raises(NotFoundError):
        await plant.change_device(_NOBODY, http.DeviceChange(name="x"))


async def test_the_live_link_welcomes_beats_and_tells_changes(subject: Subject) -> None:
    plant = await subject.enter(Role.ADMIN)
    link = await plant.open_live()
    await link.subscribe(live.Subscribe(is_all=True))
    device = (await plant.devices())[0]
    kinds: set[type[live.ServiceMessage]] = set()
    async with asyncio.timeout(10):
        await plant.change_device(device.id, http.DeviceChange(kind="pump"))
        async for message in link:
            if not kinds:
                assert isinstance(message, live.Welcome)
            kinds.add(type(message))
            if {live.Beat, live.PlantChanged} <= kinds:
                break
    await link.close()
    assert [message async for message in link if isinstance(message, live.Welcome)] == []
