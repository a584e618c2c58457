from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops_widgets.appearance import Appearance
from factoryops_widgets.edit_grid import EditGrid, GridColumn

COLUMNS = (
    GridColumn("name", "Name", 120),
    GridColumn("kind", "Kind", 120, choices=(("a", "First"), ("b", "Second"))),
    GridColumn("note", "Note", 120),
)


@dataclass
class Form:
    window: QWidget
    name: QLineEdit
    grid: EditGrid
    save: QPushButton


def _press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> QWidget:
    """Press a key where the focus is; where the focus is then."""
    held = QApplication.focusWidget()
    assert held is not None
    QTest.keyClick(held, key, modifier)
    QApplication.processEvents()
    after = QApplication.focusWidget()
    assert after is not None
    return after


def _back() -> QWidget:
    return _press(Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)


@pytest.fixture(params=[COLUMNS, COLUMNS[:2]], ids=["text last", "choice last"])
def form(request: pytest.FixtureRequest, look: Appearance) -> Iterator[Form]:
    window = QWidget()
    made = Form(window, QLineEdit(), EditGrid(look, request.param, name="Cells"), QPushButton("Save"))
    column = QVBoxLayout(window)
    for widget in (made.name, made.grid, made.save):
        column.addWidget(widget)
    made.grid.set_rows([{"name": "one", "kind": "a", "note": "x"}, {"name": "two", "kind": "b", "note": "y"}])
    window.show()
    window.activateWindow()
    made.name.setFocus()
    QApplication.processEvents()
    yield made
    window.close()


def test_tab_goes_through_every_cell_and_on_to_what_comes_after(form: Form) -> None:
    cells = 2 * form.grid.table.columnCount()
    seen = [_press(Qt.Key.Key_Tab) for _ in range(cells + 6)]
    assert form.save in seen
    assert seen.index(form.save) >= cells


def test_shift_tab_goes_back_to_what_comes_before(form: Form) -> None:
    form.save.setFocus()
    assert form.name in [_back() for _ in range(2 * form.grid.table.columnCount() + 6)]


def test_tab_leaves_from_an_open_editor_and_what_was_typed_stays(form: Form) -> None:
    table = form.grid.table
    table.setFocus()
    table.setCurrentCell(1, table.columnCount() - 1)
    table.edit(table.currentIndex())
    field = QApplication.focusWidget()
    if isinstance(field, QLineEdit):
        QTest.keyClicks(field, " more")
    assert not table.isAncestorOf(_press(Qt.Key.Key_Tab))
    assert form.grid.rows()[1].get("note", "y more").endswith(("more", "y"))


def test_a_box_that_was_clicked_is_the_cell_that_tab_goes_on_from(form: Form) -> None:
    table = form.grid.table
    table.setCurrentCell(0, 0)
    box = table.cellWidget(1, 1)
    assert isinstance(box, QComboBox)
    box.setFocus()
    _back()
    assert (table.currentRow(), table.currentColumn()) == (1, 0)


def test_what_is_being_typed_counts_before_the_cell_is_left(form: Form) -> None:
    table, told = form.grid.table, []
    form.grid.edited.connect(lambda: told.append(form.grid.rows()[0]["name"]))
    table.setCurrentCell(0, 0)
    table.setFocus()
    table.edit(table.currentIndex())
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "typed")
    assert told[-1] == "typed"
    form.grid.set_faults({(0, "name"): "taken"})
    assert field.text() == "typed"
    _press(Qt.Key.Key_Escape)
    assert told[-1] == "one"
