"""Files in and out of a running service: sent, tried, imported, seen, exported, fetched; alarms stay quiet."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.time import US_PER_S, to_us
from tests.support.installation import Installation
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

BEGIN = datetime(2026, 3, 1, 5, tzinfo=UTC)
ROWS = 5_000
OVER = {http.RunState.SUCCEEDED, http.RunState.FAILED, http.RunState.CANCELLED}


async def ended(client: HttpPlant, run: http.Run) -> http.Run:
    async def is_over() -> bool:
        return next(one for one in await client.runs() if one.id == run.id).state in OVER

    await until(is_over, timeout_s=60, what="the run's end")
    return next(one for one in await client.runs() if one.id == run.id)


async def test_a_year_old_table_becomes_history_and_comes_out_again(installation: Installation, tmp_path: Path) -> None:
    table = tmp_path / "press.csv"
    lines = [f"{(BEGIN + timedelta(seconds=n + 3_600)):%d.%m.%Y %H:%M:%S};{n},25" for n in range(ROWS)]
    table.write_text("Zeit;Öldruck\n" + "\n".join(lines) + "\n", encoding="windows-1252")
    installation.add_factory("works")
    installation.start()
    client = await installation.log_in("works")
    upload = await client.upload(table)
    plan = upload.plan.model_copy(update={"device": "press-1", "timezone": "Europe/Berlin"})
    assert (await client.preview_upload(upload.id, plan)).problem == ""
    dry = plan.model_copy(update={"is_dry_run": True})
    looked = await ended(client, await client.start_import(http.ImportRequest(upload_id=upload.id, plan=dry)))
    assert looked.result["samples"] == ROWS, looked.message
    assert await client.devices() == []
    taken = await ended(client, await client.start_import(http.ImportRequest(upload_id=upload.id, plan=plan)))
    assert taken.state is http.RunState.SUCCEEDED, taken.message

    async def is_known() -> bool:
        return [one.key for one in await client.devices()] == ["press-1"]

    await until(is_known, what="the device")
    parameter = (await client.devices())[0].parameters[0]
    assert parameter.key == "Öldruck"

    async def all_there() -> bool:
        columns = await client.raw(parameter.id, to_us(BEGIN), to_us(BEGIN) + 2 * ROWS * US_PER_S)
        return columns.value == [n + 0.25 for n in range(ROWS)] and columns.time_us[0] == to_us(BEGIN)

    await until(all_there, timeout_s=30, what="the imported samples in the API")
    wanted = http.ExportPlan(
        start=BEGIN, end=BEGIN + timedelta(seconds=ROWS), form=http.ExportForm.INTERPOLATED, width_s=10,
        interpolation=http.Interpolation.LINEAR,
    )  # fmt: skip
    assert (await client.estimate_export(wanted)).rows == pytest.approx(ROWS / 10, abs=1)
    out = await ended(client, await client.start_export(wanted))
    path = await client.download(out.artifacts[0], tmp_path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert [float(row["value"]) for row in rows] == [n + 0.25 for n in range(0, ROWS, 10)]
    await no_alarm(client, table, plan)
    await client.close()


async def no_alarm(client: HttpPlant, table: Path, plan: http.ImportPlan) -> None:
    """Imported values beyond a limit are stored and raise nothing."""
    content = limit_content(
        name="High", parameter_key="Öldruck", comparison=Comparison.ABOVE, limit=50.0, priority=Priority.HIGH,
        response="Open the bypass.",
    )  # fmt: skip
    await client.create_rule(content)
    table.write_text(
        "Zeit;Öldruck\n28.02.2026 12:00:00;99999,5\n28.02.2026 12:00:01;99999,5\n", encoding="windows-1252"
    )
    again = await client.upload(table)
    done = await ended(client, await client.start_import(http.ImportRequest(upload_id=again.id, plan=plan)))
    assert done.result["samples"] == 2, done.message
    parameter = (await client.devices())[0].parameters[0]

    async def is_stored() -> bool:
        return 99_999.5 in (await client.raw(parameter.id, 0, to_us(BEGIN))).value

    await until(is_stored, timeout_s=30, what="the imported values")
    assert [alarm for alarm in await client.alarms() if alarm.rule_name == "High"] == []
