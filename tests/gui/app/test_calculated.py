from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from factoryops.contracts import http
from factoryops_app.calculated_tab import CalculatedTab
from factoryops_app.pages.data import DataPage
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

DOUBLED = http.CalculationContent(
    device_key="pump-1", parameter_key="doubled", name="Doubled", unit="bar", expression="pressure * 2"
)


async def _open(app: ImaginedApp, user: str) -> CalculatedTab:
    window = await app.log_in(user)
    window.go(PageKey.DATA, Target(ids=("calculated",)))
    page = window.current
    assert isinstance(page, DataPage)
    tab = page.tab("calculated")
    assert isinstance(tab, CalculatedTab)
    await until(lambda: tab.states.is_content_shown or bool(tab.states.message))
    return tab


def test_a_calculated_parameter_is_written_tried_and_saved(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "supervisor")
        assert "Nothing is calculated yet" in tab.states.message
        tab.begin_new()
        form = tab.form
        form.device.setEditText("pump-1")
        for key, text in (("parameter_key", "power"), ("name", "Hydraulic power"), ("unit", "kW")):
            form.texts[key].setFocus()
            QTest.keyClicks(form.texts[key], text)
        form.expression.setPlainText("pressure * flw / 36")
        assert form.judgement.text() == "pump-1 has no parameter flw."
        assert not form.try_it.isEnabled()
        form.expression.setPlainText("pressure * flow /")
        assert "ends too early" in form.judgement.text()
        form.expression.setPlainText("pressure * flow / 36")
        assert form.judgement.text() == ""
        form.try_it.click()
        await until(lambda: "values" in form.judgement.text())
        assert form.trend.pens[0].unit == "kW"
        assert form.trend.statistics()["tried"].maximum is not None
        tab.save()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Hydraulic power"])
        assert not form.is_changed
        assert any(one.parameter.key == "power" for one in app.session.plant.parameters)

    client(work)


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_sent(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "supervisor")
        tab.begin_new()
        tab.save()
        assert "look at the marked fields" in tab.complaint
        assert await app.plant.calculations() == []

    client(work)


def test_names_and_functions_are_completed_at_the_cursor(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "supervisor")
        tab.begin_new()
        form = tab.form
        form.device.setEditText("pump-1")
        edit = form.expression
        edit.setFocus()
        QTest.keyClicks(edit, "2 * pres")
        assert edit.begun == "pres"
        edit.complete("pressure")
        QTest.keyClicks(edit, ' + "compressor-1".po')
        assert edit.begun == '"compressor-1".po'
        edit.complete('"compressor-1".power')
        assert edit.toPlainText() == '2 * pressure + "compressor-1".power'
        assert form.judgement.text() == ""
        QTest.keyClick(edit, Qt.Key.Key_Escape)

    client(work)


def test_a_change_somebody_else_made_first_is_not_overwritten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.plant.login("riverside", "supervisor", "riverside supervisor")
        made = await app.plant.create_calculation(DOUBLED)
        tab = await _open(app, "supervisor")
        await until(lambda: tab.form.draft().calculation_id == made.id)
        other = http.CalculationUpdate(version=1, content=DOUBLED.model_copy(update={"name": "Twice"}))
        await app.plant.update_calculation(made.id, other)
        tab.form.expression.setPlainText("pressure * 3")
        tab.save()
        await until(lambda: "Somebody else changed it" in tab.complaint)
        assert tab.form.draft().expression == "pressure * 3"

    client(work)


def test_taken_out_of_use_it_leaves_the_list(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.plant.login("riverside", "supervisor", "riverside supervisor")
        made = await app.plant.create_calculation(DOUBLED)
        tab = await _open(app, "supervisor")
        await until(tab.table.selected_rows)
        await tab.remove(made.id)
        assert tab.table.rows() == []

    client(work)


def test_an_operator_looks_and_changes_nothing(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.plant.login("riverside", "supervisor", "riverside supervisor")
        await app.plant.create_calculation(DOUBLED)
        tab = await _open(app, "operator")
        await until(tab.table.rows)
        assert "may look at calculated parameters" in tab.complaint
        changing = [one for one in tab.findChildren(QPushButton) if one.text() in ("Save", "Take out of use")]
        assert [one.isEnabled() for one in changing] == [False, False]

    client(work)
