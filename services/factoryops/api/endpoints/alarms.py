"""Alarms and their history."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.time import from_us, now_us


async def list_alarms(asking: Asking) -> http.AlarmList:
    """Every alarm of the factory that is not normal, never filtered by time.

    While the database is away the list goes on from what the engine says; such alarms are not recorded yet.
    """
    await asking.service.hub.refresh_alarms()
    return http.AlarmList(alarms=asking.service.board.abnormal(asking.scope.factory_id))


async def acknowledge_alarms(body: http.AcknowledgeRequest, asking: Asking) -> http.AlarmList:
    """Acknowledge one alarm or many, all or nothing; each names the annunciation it answers.

    Repeating it changes nothing more. While the database is away it is refused with 503: try again.
    """
    scope = asking.scope
    alarms = await asking.change(
        lambda tx: tx.alarms(scope).acknowledge(body.items, scope.actor, body.comment, from_us(now_us()))
    )
    asking.service.hub.tell_alarms([(scope.factory_id, alarm) for alarm in alarms])
    return http.AlarmList(alarms=asking.service.board.named(scope.factory_id, [alarm.id for alarm in alarms]))


async def get_alarm_why(
    alarm_id: http.Identifier,
    asking: Asking,
    annunciation: Annotated[int, Query(ge=1, le=2_147_483_647)],
    kind: AlarmEventKind = AlarmEventKind.RAISED,
) -> http.AlarmWhy:
    """Why an annunciation began or ended: each comparison of the condition, and the samples that decided it."""
    return await asking.read(lambda tx: tx.alarm_whys(asking.scope).of(alarm_id, annunciation, kind))


async def list_alarm_events(
    asking: Asking,
    before: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    most: Annotated[int, Query(ge=1, le=1_000)] = 200,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
) -> http.AlarmEventPage:
    """Alarm history, newest first; `before` takes the `next_before` of the page above."""
    return await asking.read(lambda tx: tx.alarms(asking.scope).events(before, most, start, end))
