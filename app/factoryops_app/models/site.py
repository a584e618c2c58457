"""What a factory has for its rules to use: shifts, alarm classes and severities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from factoryops.domain.alarm_classes import DEFAULT_PHILOSOPHY, AlarmPhilosophy
from factoryops_app.models.session import Session


@dataclass(frozen=True, slots=True)
class Site:
    """What there is.

    Attributes:
        shifts: names by id.
    """

    shifts: Mapping[str, str] = field(default_factory=dict)
    philosophy: AlarmPhilosophy = DEFAULT_PHILOSOPHY


async def fetch_site(session: Session) -> Site:
    """Ask the service for all of it."""
    shifts = await session.client.shifts()
    philosophy = await session.client.philosophy()
    return Site({one.id: one.content.name for one in shifts}, philosophy.philosophy())
