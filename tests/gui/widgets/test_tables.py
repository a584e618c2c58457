from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from factoryops.domain.alarms import AlarmState, Priority
from factoryops_widgets.alarm_table import AlarmLine, AlarmTable
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.pen_table import PenTable
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.trend import Pen, TrendView

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Machine:
    key: str
    name: str
    power: float | None


class Memory:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def value(self, key: str) -> str | None:
        return self.kept.get(key)

    def set_value(self, key: str, text: str) -> None:
        self.kept[key] = text


COLUMNS = [
    ColumnSpec[Machine]("name", "Device", lambda row: row.name, is_elastic=True),
    ColumnSpec[Machine]("power", "Value", lambda row: row.power, lambda row: f"{row.power or 0:.1f}", is_number=True),
]
ROWS = [Machine("1", "press", 9.0), Machine("2", "=danger", None), Machine("3", "Lathe", 10.0)]


@pytest.fixture
def table(qtbot: QtBot, look: Appearance) -> DataTable[Machine]:
    made = DataTable(look, COLUMNS, name="machines", row_key=lambda row: row.key)
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.set_rows(ROWS)
    made.show()
    return made


def alarm(name: str, priority: Priority, state: AlarmState = AlarmState.UNACKNOWLEDGED, minutes: int = 0) -> AlarmLine:
    raised = NOON + timedelta(minutes=minutes)
    return AlarmLine(name, 1, priority, state, raised, None, "Press", "Hall A", f"alarm {name}", 1.5, "bar")


@pytest.fixture
def alarms(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> AlarmTable:
    made = AlarmTable(look, clock)
    qtbot.addWidget(made)
    made.resize(1_200, 300)
    made.show()
    return made


def hover(alarms: AlarmTable, *, is_over: bool) -> None:
    viewport = alarms.table.view.viewport()
    at = QPointF(10, 10)
    event = QEnterEvent(at, at, at) if is_over else QEvent(QEvent.Type.Leave)
    QApplication.sendEvent(viewport, event)


def ids(alarms: AlarmTable) -> list[str]:
    return [line.id for line in alarms.table.rows()]


def test_numbers_sort_by_size_and_what_is_missing_comes_last(table: DataTable[Machine]) -> None:
    table.sort_by("power")
    assert [row.name for row in table.rows()] == ["press", "Lathe", "=danger"]
    table.sort_by("name")
    assert [row.name for row in table.rows()] == ["=danger", "Lathe", "press"]


def test_the_filter_wants_every_word_somewhere(table: DataTable[Machine]) -> None:
    table.set_filter("LAT 10")
    assert [row.name for row in table.rows()] == ["Lathe"]
    table.set_filter("")
    assert len(table.rows()) == 3


def test_selection_follows_the_row_not_its_place(table: DataTable[Machine]) -> None:
    table.select("3")
    table.set_rows([Machine("3", "Lathe", 11.0), *ROWS[:2]])
    table.sort_by("name", is_descending=True)
    assert [row.key for row in table.selected_rows()] == ["3"]
    assert table.selected_rows()[0].power == 11.0


def test_copy_takes_titles_and_text_and_disarms_formulas(table: DataTable[Machine], qtbot: QtBot) -> None:
    table.view.setFocus()
    table.view.selectAll()
    QTest.keyClick(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text().startswith("Device"))
    assert QGuiApplication.clipboard().text().splitlines() == [
        "Device\tValue",
        "press\t9.0",
        "'=danger\t0.0",
        "Lathe\t10.0",
    ]


def test_the_export_is_exactly_what_is_shown(table: DataTable[Machine], tmp_path: Path) -> None:
    table.sort_by("name")
    table.set_filter("e")
    table.view.horizontalHeader().moveSection(0, 1)
    table.export_csv(tmp_path / "machines.csv")
    lines = (tmp_path / "machines.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["Value,Device", "0.0,'=danger", "10.0,Lathe", "9.0,press"]


def test_columns_come_back_as_they_were_left(qtbot: QtBot, look: Appearance) -> None:
    memory = Memory()

    def made() -> DataTable[Machine]:
        table = DataTable(look, COLUMNS, name="machines", row_key=lambda row: row.key, settings=memory)
        qtbot.addWidget(table)
        table.set_rows(ROWS)
        return table

    first = made()
    first.view.horizontalHeader().moveSection(1, 0)
    first.view.horizontalHeader().resizeSection(1, 177)
    first.sort_by("power", is_descending=True)
    again = made()
    assert again.view.horizontalHeader().logicalIndex(0) == 1
    assert again.view.horizontalHeader().sectionSize(1) == 177
    assert again.rows() == first.rows()


@pytest.mark.parametrize(
    "stored", ["", "no json", "[]", '{"order": ["gone"], "width": {"power": "x"}, "sort": ["gone", 1]}']
)
def test_unreadable_settings_are_passed_over(qtbot: QtBot, look: Appearance, stored: str) -> None:
    memory = Memory()
    memory.kept["table/machines"] = stored
    table = DataTable(look, COLUMNS, name="machines", row_key=lambda row: row.key, settings=memory)
    qtbot.addWidget(table)
    table.set_rows(ROWS)
    assert len(table.rows()) == 3


def test_rows_are_as_high_as_the_look_says(table: DataTable[Machine], look: Appearance) -> None:
    assert table.view.rowHeight(0) == 26
    look.set_scale(1.5)
    assert table.view.rowHeight(0) == 39


def test_text_of_devices_is_never_markup(qtbot: QtBot, table: DataTable[Machine]) -> None:
    table.set_rows([Machine("1", "<b>x</b>", 1.0)])
    index = table.model.index(0, 0)
    assert table.model.data(index) == "<b>x</b>"
    assert table.model.data(index, Qt.ItemDataRole.ToolTipRole) == "&lt;b&gt;x&lt;/b&gt;"


def test_alarms_stand_unacknowledged_first_then_by_priority_then_newest(alarms: AlarmTable) -> None:
    alarms.set_lines(
        [
            alarm("acked critical", Priority.CRITICAL, AlarmState.ACKNOWLEDGED),
            alarm("low", Priority.LOW),
            alarm("old high", Priority.HIGH, minutes=1),
            alarm("new high", Priority.HIGH, minutes=2),
            alarm("returned critical", Priority.CRITICAL, AlarmState.RETURNED_UNACKNOWLEDGED),
        ]
    )
    assert ids(alarms) == ["returned critical", "new high", "old high", "low", "acked critical"]


def test_nothing_moves_under_the_mouse_and_the_waiting_are_counted(alarms: AlarmTable) -> None:
    first = alarm("a", Priority.LOW)
    alarms.set_lines([first])
    hover(alarms, is_over=True)
    alarms.set_lines(
        [replace(first, state=AlarmState.ACKNOWLEDGED), alarm("b", Priority.CRITICAL), alarm("c", Priority.HIGH)]
    )
    assert ids(alarms) == ["a"]
    assert alarms.table.rows()[0].state is AlarmState.ACKNOWLEDGED
    button = next(one for one in alarms.findChildren(QPushButton) if "new" in one.text())
    assert button.text() == "+2 new"
    assert button.isVisible()
    hover(alarms, is_over=False)
    assert ids(alarms) == ["b", "c", "a"]
    assert not button.isVisible()


def test_a_mouse_left_lying_on_the_list_does_not_hide_alarms_for_long(alarms: AlarmTable) -> None:
    alarms.set_lines([alarm("a", Priority.LOW)])
    hover(alarms, is_over=True)
    alarms.set_lines([alarm("a", Priority.LOW), alarm("b", Priority.CRITICAL)])
    assert ids(alarms) == ["a"]
    alarms._on_tick(alarms._moved_us + 16_000_000)
    assert ids(alarms) == ["b", "a"]


def test_choosing_the_first_alarm_lets_nothing_move_under_the_mouse(alarms: AlarmTable) -> None:
    alarms.select_first()
    alarms.set_lines([alarm("a", Priority.LOW)])
    hover(alarms, is_over=True)
    alarms.set_lines([alarm("a", Priority.LOW), alarm("b", Priority.CRITICAL)])
    alarms.select_first()
    assert [line.id for line in alarms.selected()] == ["a"]
    assert ids(alarms) == ["a"]


def test_f6_acknowledges_the_selected_that_want_it(alarms: AlarmTable, qtbot: QtBot) -> None:
    alarms.set_lines([alarm("a", Priority.LOW), alarm("b", Priority.LOW, AlarmState.ACKNOWLEDGED)])
    alarms.table.view.setFocus()
    alarms.table.view.selectAll()
    qtbot.waitUntil(alarms.table.view.hasFocus)
    with qtbot.waitSignal(alarms.acknowledge_requested) as asked:
        QTest.keyClick(alarms.table.view, Qt.Key.Key_F6)
    assert [line.id for line in asked.args[0]] == ["a"]


def test_all_visible_means_on_screen(alarms: AlarmTable) -> None:
    alarms.set_lines([alarm(str(number), Priority.LOW, minutes=-number) for number in range(200)])
    visible = alarms.visible_lines()
    assert 3 <= len(visible) <= 15
    assert visible[0].id == "0"


def test_enter_opens_the_alarm(alarms: AlarmTable, qtbot: QtBot) -> None:
    alarms.set_lines([alarm("a", Priority.LOW)])
    alarms.select("a")
    with qtbot.waitSignal(alarms.activated) as opened:
        QTest.keyClick(alarms.table.view, Qt.Key.Key_Return)
    assert opened.args == ["a"]


def test_the_filter_has_a_name_for_those_who_hear_it(alarms: AlarmTable) -> None:
    field = alarms.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    assert field.accessibleName() == "Filter the table"


def test_the_pen_list_hides_and_removes_pens_by_key(qtbot: QtBot, look: Appearance, clock: RedrawClock) -> None:
    trend = TrendView(look, clock)
    pens = PenTable(look, trend, clock)
    for widget in (trend, pens):
        qtbot.addWidget(widget)
    trend.set_pens([Pen("a", "Temperature", "°C"), Pen("b", "Power", "kW", 1)])
    pens.refresh()
    pens.show()
    pens.table.select("b")
    QTest.keyClick(pens, Qt.Key.Key_Space)
    assert not trend.is_pen_shown("b")
    with qtbot.waitSignal(pens.pen_removed) as removed:
        QTest.keyClick(pens, Qt.Key.Key_Delete)
    assert removed.args == ["b"]


def test_the_text_column_takes_what_is_left_but_stays_readable(table: DataTable[Machine], look: Appearance) -> None:
    table.resize(900, 300)
    wide = table.view.columnWidth(0)
    assert wide + table.view.columnWidth(1) == table.view.viewport().width()
    table.resize(160, 300)
    assert table.view.columnWidth(0) == look.px(COLUMNS[0].width)
