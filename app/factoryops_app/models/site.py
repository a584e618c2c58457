"""What a factory has for its rules to use: shifts, alarm classes, severities and notification policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from factoryops.client.port import PlantClient
from factoryops.domain.alarm_classes import DEFAULT_PHILOSOPHY, AlarmPhilosophy
from factoryops.domain.errors import NotAllowedError, NotFoundError

if TYPE_CHECKING:
    from factoryops_app.models.session import Session


@dataclass(frozen=True, slots=True)
class Site:
    """What there is.

    Attributes:
        shifts: names by id.
        policies: of notifications, names by id; those the person may see.
    """

    shifts: Mapping[str, str] = field(default_factory=dict)
    philosophy: AlarmPhilosophy = DEFAULT_PHILOSOPHY
    policies: Mapping[str, str] = field(default_factory=dict)


async def fetch_site(session: Session) -> Site:
    """Ask the service for all of it."""
    shifts = {one.id: one.content.name for one in await session.client.shifts()}
    return Site(shifts, await fetch_philosophy(session.client), await _policies(session.client))


async def fetch_philosophy(client: PlantClient) -> AlarmPhilosophy:
    """The factory's own; of a service that knows none, what every factory begins with."""
    try:
        return (await client.philosophy()).philosophy()
    except NotFoundError:
        return DEFAULT_PHILOSOPHY


async def _policies(client: PlantClient) -> dict[str, str]:
    try:
        return {one.id: one.content.name for one in await client.notification_policies()}
    except NotAllowedError:
        return {}
