"""One factory's alarm philosophy as it is kept: for those who change it, and for rules that name its classes."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database.philosophy_tables import alarm_philosophy
from factoryops.database.unit import Unit
from factoryops.domain.time import from_us


def kept_philosophy(unit: Unit, factory_id: str) -> http.Philosophy:
    """All of it; the default one until the factory says otherwise."""
    row = unit.row(sa.select(alarm_philosophy).where(alarm_philosophy.c.factory_id == factory_id))
    if row is None:
        return http.FIRST_PHILOSOPHY
    kept = http.PhilosophyChange.model_validate_json(row.content)
    return http.Philosophy(
        version=row.version, classes=kept.classes, matrix=kept.matrix, thresholds=kept.thresholds,
        changed_by=row.changed_by, changed_at=from_us(row.changed_us),
    )  # fmt: skip
