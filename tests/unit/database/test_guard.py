from __future__ import annotations

import pytest
import sqlalchemy as sa

from factoryops.database.guard import UnscopedStatementError, check_scoped
from factoryops.database.tables import alarm, device, factory, job_run, parameter

SCOPED = [
    sa.select(device).where(device.c.factory_id == "f"),
    sa.select(factory),
    sa.select(alarm, device.c.name)
    .join(device, sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id))
    .where(alarm.c.factory_id == "f"),
    sa.select(alarm)
    .join(device, sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id))
    .where(device.c.factory_id == "f", sa.or_(alarm.c.is_active, alarm.c.change > 3)),
    sa.update(device).where(device.c.factory_id == "f").values(name="x"),
    sa.delete(job_run).where(job_run.c.factory_id == "f"),
    sa.insert(device).values(factory_id="f"),
]
UNSCOPED = [
    sa.select(device),
    sa.select(device).where(device.c.id == "d"),
    sa.select(sa.func.count()).select_from(parameter),
    sa.select(alarm, device.c.name).join(device, device.c.id == alarm.c.device_id).where(alarm.c.factory_id == "f"),
    sa.select(alarm).join(device, device.c.factory_id == alarm.c.factory_id),
    sa.select(factory).join(device, device.c.factory_id == factory.c.id),
    sa.select(factory).where(factory.c.id.in_(sa.select(device.c.factory_id))),
    sa.update(device).where(device.c.id == "d").values(name="x"),
    sa.delete(job_run),
]


@pytest.mark.parametrize("statement", SCOPED)
def test_a_statement_tied_to_one_factory_passes(statement: sa.sql.ClauseElement) -> None:
    check_scoped(statement)


@pytest.mark.parametrize("statement", UNSCOPED)
def test_a_statement_without_its_factory_is_stopped(statement: sa.sql.ClauseElement) -> None:
    with pytest.raises(UnscopedStatementError, match="names no factory"):
        check_scoped(statement)
