"""Which promises hold, both ledgers, and what could not be accepted."""

from __future__ import annotations

from datetime import datetime

from factoryops.contracts.http.parts import Received


class HealthProblem(Received):
    """A promise at risk: what, what it means, what to do."""

    role: str
    code: str
    message: str
    since: datetime


class MessageBalance(Received):
    """received = accepted + quarantined, always."""

    received: int
    accepted: int
    quarantined: int


class ValueBalance(Received):
    """accepted = stored + replaced + in_journal, always; refused and suppressed values are counted by reason beside it.

    Suppressed ones were held back by a deadband: they are stored nowhere.

    Attributes:
        expired: of the stored ones, those that retention has given up since.
    """

    accepted: int
    stored: int
    replaced: int
    in_journal: int
    late: int
    refused: dict[str, int]
    suppressed: dict[str, int] = {}
    expired: int = 0


class RoleHealth(Received):
    """One role of the service."""

    role: str
    is_alive: bool
    beat_at: datetime | None
    figures: dict[str, object] = {}


class Health(Received):
    """Which promises hold. `status` is "ok", "degraded" or "failing"."""

    status: str
    version: str
    roles: list[RoleHealth]
    problems: list[HealthProblem]
    messages: MessageBalance | None = None
    values: ValueBalance | None = None
