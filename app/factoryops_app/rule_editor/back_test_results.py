"""Tables of a back-test: the alarms it would have made, and what it came to on each device."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops_app.models.back_test import EpisodeRow, episodes, lasted_words
from factoryops_app.models.names import Names
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment, number


class EpisodeTable(DataTable[EpisodeRow]):
    """Every raise with its clear.

    Attributes:
        chosen: an EpisodeRow to be looked at.
        incident_wanted: an EpisodeRow that was a real incident.
    """

    chosen = Signal(object)
    incident_wanted = Signal(object)

    def __init__(self, place: Workplace) -> None:
        names = Names(place.session.plant)
        zone = place.look.zone
        columns: list[ColumnSpec[EpisodeRow]] = [
            ColumnSpec("raised", say("Raised"), lambda one: one.raised_at, lambda one: moment(one.raised_at, zone),
                       width=165),
            ColumnSpec("lasted", say("Lasted"), lambda one: one.lasted_s, lambda one: lasted_words(one.lasted_s),
                       width=80),
            ColumnSpec("device", say("Device"), lambda one: names.device(one.device_key), width=110),
            ColumnSpec("value", say("Value"), lambda one: one.value, lambda one: number(one.value), is_number=True,
                       width=65),
            ColumnSpec("told", say("Told"), lambda one: one.told_at, lambda one: _told(one, zone), width=90),
            ColumnSpec("why", say("Why"), lambda one: one.why, width=140, is_elastic=True),
            ColumnSpec("cleared", say("Cleared"), lambda one: one.cleared_at, lambda one: moment(one.cleared_at, zone),
                       width=165),
        ]  # fmt: skip
        super().__init__(
            place.look, columns, name="back-test", settings=place.settings,
            row_key=lambda one: f"{one.device_key} {one.raised_at.isoformat()}",
        )  # fmt: skip
        self._mark = QPushButton(say("Mark as incident"))
        self._mark.setToolTip(say("The chosen alarm was right: hold rules against it from now on"))
        self._session = place.session
        self._mark.setEnabled(False)
        self.add_tool(self._mark)
        self._mark.clicked.connect(self._on_mark)
        self.selection_changed.connect(self._on_selected)

    def show_events(self, events: Sequence[http.BackTestEvent]) -> None:
        """Show what it would have raised and cleared."""
        self.set_rows(episodes(events))
        self._on_selected()

    def show_buttons(self) -> None:
        """Enable what can be done now."""
        may = self._session.may(Permission.EDIT_RULES)
        self._mark.setEnabled(may and len(self.selected_rows()) == 1)

    def _on_selected(self) -> None:
        rows = self.selected_rows()
        self.show_buttons()
        if len(rows) == 1:
            self.chosen.emit(rows[0])

    def _on_mark(self) -> None:
        for row in self.selected_rows():
            self.incident_wanted.emit(row)


def _told(row: EpisodeRow, zone: tzinfo) -> str:
    """When operators are told of it."""
    if row.told_at is None:
        return say("suppressed")
    return say("at once") if row.told_at == row.raised_at else moment(row.told_at, zone)


def device_table(place: Workplace) -> DataTable[http.BackTestDevice]:
    """What it came to on each device."""
    columns: list[ColumnSpec[http.BackTestDevice]] = [
        ColumnSpec("device", say("Device"), lambda one: one.device_name or one.device_key, width=160, is_elastic=True),
        ColumnSpec("alarms", say("Alarms"), lambda one: one.alarms, is_number=True, width=80),
        ColumnSpec("samples", say("Samples"), lambda one: one.samples, lambda one: number(one.samples, 0),
                   is_number=True, width=100),
        ColumnSpec("end", say("At the end"), lambda one: one.is_active_at_end,
                   lambda one: say("standing") if one.is_active_at_end else say("normal"), width=100),
    ]  # fmt: skip
    return DataTable(
        place.look, columns, name="back-test-devices", settings=place.settings, row_key=lambda one: one.device_key
    )
