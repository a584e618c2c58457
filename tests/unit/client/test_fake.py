from __future__ import annotations

import itertools

import pytest

from factoryops.client import imagined
from factoryops.client.fake import ACCOUNTS, FakePlant
from factoryops.contracts import http, live
from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.errors import ConflictError, NotLoggedInError, UnavailableError
from factoryops.domain.rule import RuleMode
from factoryops.domain.time import now_us


async def _entered(role: str = "admin", **options: object) -> FakePlant:
    plant = FakePlant(**options)  # type: ignore[arg-type]  # tests pass what they need
    await plant.login(imagined.SLUG, role, ACCOUNTS[role][0])
    return plant


async def test_one_alarm_stands_in_each_state() -> None:
    plant = await _entered()
    states = sorted(alarm.state for alarm in await plant.alarms())
    assert set(states) == {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED}


async def test_a_rule_that_becomes_a_shadow_ends_its_alarms_with_who_and_why() -> None:
    plant = await _entered()
    alarm = next(one for one in await plant.alarms() if one.state is AlarmState.UNACKNOWLEDGED)
    rule = next(one for one in await plant.rules() if one.id == alarm.rule_id)
    tried = rule.content.model_copy(update={"mode": RuleMode.SHADOW})
    await plant.update_rule(rule.id, http.RuleUpdate(version=rule.version, content=tried, reason="False ones"))
    assert rule.id not in {one.rule_id for one in await plant.alarms()}
    newest = (await plant.alarm_events()).events[0]
    assert (newest.kind, newest.actor, newest.comment) == (AlarmEventKind.WITHDRAWN, "admin", "False ones")


async def test_a_cut_link_ends_and_calls_fail_until_it_is_restored() -> None:
    plant = await _entered()
    link = await plant.open_live()
    plant.cut_link()
    with pytest.raises(UnavailableError):
        [message async for message in link]
    with pytest.raises(UnavailableError):
        await plant.devices()
    plant.restore_link()
    assert await plant.devices()
    await (await plant.open_live()).close()


async def test_the_next_call_alone_fails() -> None:
    plant = await _entered()
    plant.fail_next(ConflictError("Somebody was faster."))
    with pytest.raises(ConflictError):
        await plant.rules()
    assert await plant.rules()


async def test_ended_sessions_end_links() -> None:
    plant = await _entered()
    link = await plant.open_live()
    plant.end_sessions()
    with pytest.raises(NotLoggedInError):
        [message async for message in link]


async def test_two_plants_of_one_seed_say_the_same() -> None:
    moment = now_us()
    one, other = await _entered(clock=lambda: moment), await _entered(clock=lambda: moment)
    parameter = (await one.devices())[0].parameters[0].id
    span = (moment - 60_000_000, moment)
    assert (await one.raw(parameter, *span)).value == (await other.raw(parameter, *span)).value


async def test_history_and_live_samples_are_the_same_line() -> None:
    ticks = itertools.count(now_us(), 100_000)
    plant = await _entered(clock=lambda: next(ticks), tick_s=0.001)
    link = await plant.open_live()
    await link.subscribe(live.Subscribe(is_all=True))
    parameter = (await plant.devices())[0].parameters[0]
    told: dict[int, float] = {}
    async for message in link:
        if isinstance(message, live.Samples):
            columns = message.columns()
            mine = columns.take(columns.series == parameter.series_id)
            told |= dict(zip(mine.time_us.tolist(), mine.value.tolist(), strict=True))
        if len(told) >= 5:
            break
    raw = await plant.raw(parameter.id, min(told), max(told) + 1)
    assert dict(zip(raw.time_us, raw.value, strict=True)) == told


async def test_an_alarm_raised_and_cleared_by_a_test_is_told() -> None:
    plant = await _entered(tick_s=0.01)
    link = await plant.open_live()
    rule = next(one for one in await plant.rules() if one.content.name == "Vibration high")
    raised = plant.raise_alarm(rule.id, "pump-1", 5.2)
    cleared = plant.clear_alarm(raised.id)
    told: list[http.Alarm] = []
    async for message in link:
        if isinstance(message, live.AlarmChanged):
            told.append(http.Alarm.model_validate_json(message.alarm))
        if len(told) == 2:
            break
    assert told == [raised, cleared]
    assert (raised.annunciation, cleared.state) == (2, AlarmState.RETURNED_UNACKNOWLEDGED)


async def test_a_run_progresses_with_the_clock_and_leaves_a_file() -> None:
    now = [now_us()]
    plant = await _entered(clock=lambda: now[0])
    run = await plant.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT))
    now[0] += 2_500_000
    held = next(one for one in await plant.runs() if one.id == run.id)
    assert held.state is http.RunState.RUNNING
    assert 0 < held.progress < 1
    now[0] += 10_000_000
    held = next(one for one in await plant.runs() if one.id == run.id)
    assert held.state is http.RunState.SUCCEEDED
    assert held.artifacts
