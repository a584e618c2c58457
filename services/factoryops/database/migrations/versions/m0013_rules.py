"""Rules are definitions: what was a threshold in columns becomes one."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from factoryops.database.migrations.steps import LONG_TEXT, add_column, drop_columns, drop_table

revision = "0013"
down_revision = "0012"

_OLD_COLUMNS: Final = (
    "parameter_key", "comparison", "limit_value", "deadband", "on_delay_s", "off_delay_s", "is_enabled", "response",
)  # fmt: skip
_VERSION: Final = sa.table(
    "rule_version",
    *(sa.column(name) for name in ("factory_id", "rule_id", "version", "name", "priority", "mode", "definition")),
    *(sa.column(name) for name in _OLD_COLUMNS),
)
_CHOSEN: Final = sa.table(
    "rule_device", *(sa.column(name) for name in ("factory_id", "rule_id", "version", "device_id"))
)
_DEVICE: Final = sa.table("device", *(sa.column(name) for name in ("factory_id", "id", "key")))


def upgrade() -> None:
    """Each statement is skipped when it was done before."""
    add_column("rule_version", sa.Column("mode", sa.String(length=8), nullable=False, server_default="live"))
    add_column("rule_version", sa.Column("definition", LONG_TEXT, nullable=True))
    add_column("rule_version", sa.Column("reason", sa.String(length=500), nullable=False, server_default=""))
    add_column("rule_version", sa.Column("fault", LONG_TEXT, nullable=True))
    is_waiting = _VERSION.c.definition.is_(None)
    if op.get_bind().scalar(sa.select(sa.func.count()).select_from(_VERSION).where(is_waiting)):
        _convert(is_waiting)
    drop_table("rule_device")
    drop_columns("rule_version", _OLD_COLUMNS)


def _convert(is_waiting: sa.ColumnElement[bool]) -> None:
    """Runs before anything is dropped: a row that waits finds all it is made from."""
    connection = op.get_bind()
    waiting = connection.execute(sa.select(_VERSION).where(is_waiting)).all()
    devices = _device_keys()
    for row in waiting:
        key = (row.factory_id, row.rule_id, row.version)
        mine = sa.and_(_VERSION.c.factory_id == key[0], _VERSION.c.rule_id == key[1], _VERSION.c.version == key[2])
        mode = "live" if row.is_enabled else "off"
        text = json.dumps(_definition(row, sorted(devices[key]), mode), ensure_ascii=False)
        connection.execute(sa.update(_VERSION).where(mine).values(definition=text, mode=mode))


def _device_keys() -> defaultdict[tuple[str, str, int], list[str]]:
    query = sa.select(_CHOSEN, _DEVICE.c.key).join(
        _DEVICE, sa.and_(_DEVICE.c.factory_id == _CHOSEN.c.factory_id, _DEVICE.c.id == _CHOSEN.c.device_id)
    )
    keys: defaultdict[tuple[str, str, int], list[str]] = defaultdict(list)
    for row in op.get_bind().execute(query):
        keys[row.factory_id, row.rule_id, row.version].append(row.key)
    return keys


def _definition(row: sa.Row[Any], devices: list[str], mode: str) -> dict[str, Any]:
    condition = {
        "kind": "compare",
        "left": {"kind": "parameter", "key": row.parameter_key},
        "comparison": row.comparison,
        "right": {"kind": "constant", "value": row.limit_value},
        "deadband": row.deadband,
    }
    return {
        "name": row.name,
        "condition": condition,
        "priority": row.priority,
        "scope": {"devices": devices},
        "on_delay_s": row.on_delay_s,
        "off_delay_s": row.off_delay_s,
        "mode": mode,
        "record": {"action": row.response},
    }
