from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.pages.data import DataPage
from factoryops_app.transfers_tab import TransfersTab
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


class FastClock:
    """A wall clock that a test moves on, so that imagined work is done at once."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def __call__(self) -> int:
        return now_us() + self.ahead_us


async def _open(app: ImaginedApp, user: str) -> TransfersTab:
    window = await app.log_in(user)
    window.go(PageKey.DATA, Target(ids=("transfers",)))
    page = window.current
    assert isinstance(page, DataPage)
    tab = page.tab("transfers")
    assert isinstance(tab, TransfersTab)
    return tab


def table(tmp_path: Path) -> Path:
    file = tmp_path / "old plant.csv"
    file.write_text(
        "time,pressure,flow\n" + "".join(f"{1_772_344_800 + n},{n},1\n" for n in range(30)), encoding="utf-8"
    )
    return file


def test_a_file_is_mapped_tried_and_imported(client: Drive, tmp_path: Path) -> None:
    clock = FastClock()

    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        dialog = tab.begin_import(table(tmp_path))
        await until(lambda: dialog.upload is not None)
        assert dialog.rows is not None
        assert len(dialog.rows.rows()) == 20
        assert not dialog.import_button.isEnabled()
        dialog.device.setText("old-pump")
        QTest.keyClick(dialog.device, Qt.Key.Key_Tab)
        dialog.device.editingFinished.emit()
        await until(dialog.import_button.isEnabled)
        dialog.columns.table.select("flow")
        dialog.columns.fields["parameter"].setText("flow_rate")
        dialog.columns.fields["scale"].setText("1,5")
        dialog.columns.fields["scale"].editingFinished.emit()
        await until(lambda: dialog.plan.columns[1].scale == 1.5)
        assert dialog.plan.columns[1].parameter == "flow_rate"
        dialog.columns.is_used.click()
        await until(lambda: [one.column for one in dialog.plan.columns] == ["pressure"])
        dialog.columns.again.click()
        await until(lambda: [one.column for one in dialog.plan.columns] == ["pressure", "flow"])
        await until(dialog.look_button.isEnabled)
        dialog.look_button.click()
        await until(lambda: bool(dialog._trial))
        clock.ahead_us += 10 * US_PER_S
        await until(lambda: bool(dialog.outcome))
        dialog.import_button.click()
        await until(lambda: [one.kind for one in tab.table.rows()].count(http.JobKind.IMPORT) == 2)
        plan = app.session.runs.all[0].arguments["plan"]
        assert isinstance(plan, dict)
        assert (plan["device"], plan["is_dry_run"]) == ("old-pump", False)

    client(work, plant=FakePlant(tick_s=0.05, clock=clock))


def test_an_export_is_planned_estimated_and_fetched(client: Drive) -> None:
    clock = FastClock()

    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "operator")
        assert not tab.import_button.isEnabled()
        dialog = tab.begin_export()
        await until(lambda: "rows" in dialog.estimate)
        first = dialog.parameters.rows()[0]
        dialog.parameters.select(first.parameter.id)
        await until(lambda: "of 1 parameters" in dialog.estimate)
        dialog.for_spreadsheets.setChecked(True)
        plan = dialog.plan()
        assert (plan.parameter_ids, plan.decimal, plan.delimiter, plan.has_bom) == (
            [first.parameter.id],
            ",",
            ";",
            True,
        )
        dialog.end.setDateTime(dialog.begin.dateTime())
        await until(lambda: "empty" in dialog.problem)
        dialog._take_span()
        await until(lambda: not dialog.problem)
        dialog.export_button.click()
        await until(tab.table.rows)
        clock.ahead_us += 10 * US_PER_S
        await until(lambda: bool(tab.table.rows()[0].artifacts))
        QTest.keyClick(tab.table.view, Qt.Key.Key_Return)
        await until(lambda: len(app.opener.opened) == 1)

    client(work, plant=FakePlant(tick_s=0.05, clock=clock))


def test_what_was_left_out_is_shown_with_its_first_case(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        run = app.session.runs.all[0].model_copy(
            update={
                "id": "1" * 32,
                "kind": http.JobKind.IMPORT,
                "result": {
                    "new_series": 2,
                    "device_wins": 1_234,
                    "refused": {"not_a_number": 3},
                    "examples": [{"reason": "not_a_number", "row": 7, "column": "flow", "cell": "broken"}],
                },
            }
        )
        app.session.runs.merge(run)
        tab.load()
        await until(tab.table.rows)
        assert "2 parameters are new" in tab.report.summary
        (line,) = tab.report.table.rows()
        assert (line.reason, line.count, line.example) == ("Not a number", 3, "row 7, flow: broken")

    client(work)


def test_an_import_never_begins_with_a_plan_that_was_not_looked_at(client: Drive, tmp_path: Path) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        dialog = tab.begin_import(table(tmp_path))
        await until(lambda: dialog.upload is not None)
        dialog.device.setText("old-pump")
        dialog.device.editingFinished.emit()
        await until(dialog.import_button.isEnabled)
        dialog.device.setText("older-pump")
        dialog.device.editingFinished.emit()
        assert not dialog.import_button.isEnabled()
        dialog.start(is_dry_run=False)
        assert not [one for one in app.session.runs.all if one.kind is http.JobKind.IMPORT]
        await until(dialog.import_button.isEnabled)
        dialog.import_button.click()
        dialog.import_button.click()
        await until(tab.table.rows)
        (run,) = [one for one in app.session.runs.all if one.kind is http.JobKind.IMPORT]
        plan = run.arguments["plan"]
        assert isinstance(plan, dict)
        assert plan["device"] == "older-pump"

    client(work)


def test_an_export_begins_once_however_often_it_is_asked_for(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "operator")
        dialog = tab.begin_export()
        await until(lambda: "rows" in dialog.estimate)
        dialog.export_button.click()
        dialog.export_button.click()
        await until(tab.table.rows)
        assert [one.kind for one in app.session.runs.all].count(http.JobKind.EXPORT) == 1

    client(work)
