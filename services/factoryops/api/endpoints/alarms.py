"""Alarms and their history."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.contracts.alarm_places import places_of
from factoryops.contracts.alarm_view import listed
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import to_us


async def list_alarms(asking: Asking, tab: http.AlarmTab | None = None) -> http.AlarmList:
    """Every alarm of the factory that is not normal, or those of one list, never filtered by time.

    While the database is away the list goes on from what the engine says; such alarms are not recorded yet.
    """
    service, factory = asking.service, asking.scope.factory_id
    await service.hub.refresh_alarms()
    found = listed(service.board.abnormal(factory), tab)
    try:
        return found.model_copy(update={"floods": await service.floods.known(factory)})
    except UnavailableError:
        return found


async def list_alarm_places(asking: Asking) -> http.AlarmPlaces:
    """Where in the plant the alarms are that are not put aside, each place with what is under it rolled up."""
    await asking.service.hub.refresh_alarms()
    return places_of(asking.service.board.abnormal(asking.scope.factory_id))


async def get_sheet(alarm_id: http.Identifier, asking: Asking) -> http.ResponseSheet:
    """What is to be known and done about an alarm: the record of the rule version that raised it."""
    return await asking.read(lambda tx: tx.alarms(asking.scope).sheet(alarm_id))


async def get_alarm_why(
    alarm_id: http.Identifier,
    asking: Asking,
    annunciation: Annotated[int, Query(ge=0, le=2_147_483_647)],
    kind: AlarmEventKind = AlarmEventKind.RAISED,
    at: AwareDatetime | None = None,
) -> http.AlarmWhy:
    """Why an annunciation began or ended: each comparison of the condition, and the samples that decided it.

    Suppressed by design it may be several times: `at` is the event's moment, without it the newest is told.
    """
    at_us = None if at is None else to_us(at)
    return await asking.read(lambda tx: tx.alarm_whys(asking.scope).of(alarm_id, annunciation, kind, at_us))


async def list_alarm_events(
    asking: Asking,
    before: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    most: Annotated[int, Query(ge=1, le=1_000)] = 200,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    alarm_id: http.Identifier | None = None,
    shadow_of: http.Identifier | None = None,
) -> http.AlarmEventPage:
    """Alarm history, newest first, of one alarm or of all; `before` takes the `next_before` of the page above."""
    return await asking.read(lambda tx: tx.alarms(asking.scope).events(before, most, start, end, alarm_id, shadow_of))
