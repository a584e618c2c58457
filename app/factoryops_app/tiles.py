"""Value tiles fed from the session, and a grid that puts as many side by side as fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from factoryops.contracts import http
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.time import US_PER_S
from factoryops_app.models.plant import Measured
from factoryops_app.models.session import Session
from factoryops_app.workplace import Workplace
from factoryops_widgets.alarm_badge import AlarmMark
from factoryops_widgets.trend_types import Limit
from factoryops_widgets.value_tile import Freshness, TileContent, ValueTile

_HOUR_US: Final = 3_600 * US_PER_S
_SPARK_EVERY_US: Final = 10 * US_PER_S
_SPARK_POINTS: Final = 240


def tile_content(measured: Measured, rules: Iterable[http.Rule], *, device: str = "") -> TileContent:
    """What a tile shows of a parameter beside its value."""
    parameter = measured.parameter
    return TileContent(
        label=measured.title,
        device=device,
        unit=parameter.unit,
        decimals=parameter.decimals,
        low=parameter.low,
        high=parameter.high,
        normal_low=parameter.normal_low,
        normal_high=parameter.normal_high,
        limits=tuple(
            Limit(limit.limit, rule.content.name, rule.content.priority)
            for rule in rules
            if (limit := plain_limit(rule.content.condition)) is not None
        ),
    )


def mark_of(alarm: http.Alarm | None) -> AlarmMark | None:
    """The badge of an alarm."""
    return AlarmMark(alarm.priority, alarm.state) if alarm is not None else None


def longest_silence_us(parameter: http.Parameter) -> int:
    """How long a deadband may hold a parameter's samples back; 0 without one."""
    return 0 if parameter.deadband is None else round(parameter.deadband_max_s * US_PER_S)


class TileFeed:
    """Puts the newest values, the last hour and the alarms on tiles."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tiles: list[tuple[ValueTile, int]] = []
        self._silences_us: dict[int, int] = {}
        self._spark_due_us = 0

    def set_tiles(self, tiles: Iterable[tuple[ValueTile, Measured]]) -> None:
        """Feed these from now on."""
        listed = list(tiles)
        self._tiles = [(tile, measured.parameter.series_id) for tile, measured in listed]
        self._silences_us = {one.parameter.series_id: longest_silence_us(one.parameter) for _, one in listed}
        self._spark_due_us = 0

    def renew_sparks(self) -> None:
        """More history came: show it at the next turn."""
        self._spark_due_us = 0

    def paint(self, now: int) -> None:
        """Bring all tiles up to date."""
        wants_sparks = now >= self._spark_due_us
        for tile, series in self._tiles:
            if tile.visibleRegion().isEmpty() and not wants_sparks:
                continue
            self._show(tile, series, now)
            if wants_sparks:
                self._show_spark(tile, series, now)
        if wants_sparks:
            self._spark_due_us = now + _SPARK_EVERY_US

    def show_marks(self) -> None:
        """Bring the alarm badges up to date."""
        worst = self._session.alarms.worst_by_series()
        for tile, series in self._tiles:
            tile.set_mark(mark_of(worst.get(series)))

    def _show(self, tile: ValueTile, series: int, now: int) -> None:
        reading = self._session.samples.reading(series)
        if reading is None:
            tile.set_value(None, None)
            tile.set_freshness(Freshness.EMPTY)
            return
        tile.set_value(reading.value, reading.time_us, self._session.samples.words(reading.value, reading.flags))
        connection = self._session.connection
        if connection.is_lost:
            tile.set_freshness(Freshness.DISCONNECTED, connection.since_us)
        elif self._session.samples.is_stale(series, now - self._silences_us.get(series, 0)):
            tile.set_freshness(Freshness.STALE, reading.arrived_us)
        else:
            tile.set_freshness(Freshness.LIVE)

    def _show_spark(self, tile: ValueTile, series: int, now: int) -> None:
        view = self._session.samples.view(series, now - _HOUR_US)
        if view is None or not len(view) or self._session.samples.is_text(series):
            return
        step = max(1, len(view) // _SPARK_POINTS)
        chosen = np.unique(np.append(np.arange(0, len(view), step), len(view) - 1))
        tile.set_spark(view.time_us[chosen], view.value[chosen])


class FlowGrid(QWidget):
    """Widgets of equal width, as many side by side as fit, aligned in columns.

    Attributes:
        arranged: the height they need, in pixels.
    """

    arranged = Signal(int)

    def __init__(self, place: Workplace, column_px: int, spacing_px: int = 8, *, fill_up_to: int = 0) -> None:
        """Columns are `column_px` wide; with `fill_up_to`, at most so many of them share all the width there is."""
        super().__init__()
        self._fill_up_to = fill_up_to
        self._column_px = place.look.px(column_px)
        self._spacing_px = place.look.px(spacing_px)
        self._items: list[QWidget] = []
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(self._spacing_px)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def set_items(self, items: Sequence[QWidget]) -> None:
        """Show these; those shown before are thrown away."""
        for old in self._items:
            self._grid.removeWidget(old)
            if old not in items:
                old.hide()
                old.deleteLater()
        self._items = list(items)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use another number of columns where the width asks for it."""
        super().resizeEvent(event)
        if self._fitting() != self._columns:
            self._arrange()

    def minimumSizeHint(self) -> QSize:
        """One column is enough."""
        hint = super().minimumSizeHint()
        return QSize(self._column_px, hint.height())

    def _needed_px(self) -> int:
        """Counted by hand: a layout leaves out widgets that are only about to be shown."""
        rows = -(-len(self._items) // self._columns)
        tallest = max((item.sizeHint().height() for item in self._items), default=0)
        return rows * (tallest + self._spacing_px)

    def _fitting(self) -> int:
        fitting = max(1, (self.width() + self._spacing_px) // (self._column_px + self._spacing_px))
        return min(fitting, self._fill_up_to) if self._fill_up_to else fitting

    def _arrange(self) -> None:
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
            self._grid.setColumnMinimumWidth(column, 0)
        self._columns = self._fitting()
        for place, item in enumerate(self._items):
            self._grid.addWidget(item, place // self._columns, place % self._columns)
        if self._fill_up_to:
            for column in range(self._columns):
                self._grid.setColumnMinimumWidth(column, self._column_px)
                self._grid.setColumnStretch(column, 1)
        else:
            self._grid.setColumnStretch(self._columns, 1)
        self.arranged.emit(self._needed_px())
