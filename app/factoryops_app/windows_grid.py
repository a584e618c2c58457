"""Weekly windows in a grid, and cells marked by the names that drafts give their faults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from factoryops_app.models.schedule_draft import WORKDAYS, WindowDraft, days_text
from factoryops_resources.words import say
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.edit_grid import EditGrid, GridColumn

_CELL: Final = re.compile(r"(\w+)\[(\d+)\]\.(\w+)")


class WindowsGrid(EditGrid):
    """Days, from and to, one row per window."""

    def __init__(self, look: Appearance, name: str, *, most_visible: int = 4) -> None:
        columns = [
            GridColumn("days", say("Days"), 130, default=days_text(WORKDAYS), is_elastic=True),
            GridColumn("start", say("From"), 100, default="06:00"),
            GridColumn("end", say("To"), 100, default="18:00"),
        ]
        super().__init__(look, columns, name=name, most_visible=most_visible)

    def fill(self, windows: Sequence[WindowDraft]) -> None:
        """Show windows."""
        self.set_rows([{"days": one.days, "start": one.start, "end": one.end} for one in windows])

    def windows(self) -> tuple[WindowDraft, ...]:
        """What is filled in."""
        return tuple(WindowDraft(row["days"], row["start"], row["end"]) for row in self.rows())


def mark_cells(grid: EditGrid, field: str, errors: Mapping[str, str]) -> None:
    """Mark the cells that "field[0].key" and the like name."""
    cells: dict[tuple[int, str], str] = {}
    for key, fault in errors.items():
        found = _CELL.fullmatch(key)
        if found is not None and found[1] == field:
            cells[int(found[2]), found[3]] = fault
    grid.set_faults(cells)
