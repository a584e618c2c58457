"""A value tile: label, big figure, bar with limits, one hour of trend, alarm badge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from factoryops.domain.time import US_PER_S, now_us
from factoryops_resources.words import say
from factoryops_widgets import formatting, tile_painter
from factoryops_widgets.alarm_badge import AlarmMark, is_flash_on, priority_name, state_name
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.decimation import Times, Values
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.ring_buffer import SampleRing
from factoryops_widgets.trend_types import Limit

NARROW_PX: Final = 168
WIDE_PX: Final = 344
HEIGHT_PX: Final = 112
SPARK_US: Final = 3_600 * US_PER_S
_SPARK_COLUMN_US: Final = 15 * US_PER_S
_SPARK_CAPACITY: Final = 512


class Freshness(StrEnum):
    """How far a value can be trusted."""

    EMPTY = "empty"
    LIVE = "live"
    STALE = "stale"
    BAD = "bad"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class TileContent:
    """What a tile stands for.

    Attributes:
        low / high: the range of the bar; without both there is no bar.
        normal_low / normal_high: the normal band inside it.
    """

    label: str
    device: str = ""
    unit: str = ""
    decimals: int = 2
    low: float | None = None
    high: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    limits: tuple[Limit, ...] = ()


class ValueTile(QWidget):
    """One parameter at a glance; drawn in one go, at most ten times a second and only when something changed.

    Attributes:
        activated: clicked, or Enter or Space pressed.
    """

    activated = Signal()

    def __init__(
        self,
        look: Appearance,
        clock: RedrawClock,
        content: TileContent,
        *,
        is_wide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._is_wide = is_wide
        self._content = content
        self._value: float | None = None
        self._words = ""
        self._time_us: int | None = None
        self._mark: AlarmMark | None = None
        self._freshness = Freshness.EMPTY
        self._since_us: int | None = None
        self._spark = SampleRing(_SPARK_CAPACITY)
        self._moment_us = now_us()
        self._drawn: object = None
        self._has_news = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look_changed)
        clock.register(self, self._on_tick, most_hz=10.0)
        self.set_content(content)

    @property
    def content(self) -> TileContent:
        """What the tile stands for."""
        return self._content

    @property
    def freshness(self) -> Freshness:
        """How far the value can be trusted."""
        return self._freshness

    def set_content(self, content: TileContent) -> None:
        """Change label, unit, range or limits."""
        self._content = content
        self._say()

    def set_value(self, value: float | None, time_us: int | None, words: str = "") -> None:
        """The newest value, its time, and the words that stand for it; an empty tile becomes live."""
        if words != self._words:
            self._words = words
            self._say()
        self._value, self._time_us = value, time_us
        if value is not None and self._freshness is Freshness.EMPTY:
            self._freshness = Freshness.LIVE
        self._has_news = True

    def set_spark(self, time_us: Times, value: Values) -> None:
        """Replace the sparkline's history: samples or bin means, ordered by time."""
        self._spark.clear()
        self.append(time_us, value)

    def append(self, time_us: Times, value: Values) -> None:
        """Add live samples; the newest becomes the value. One point per 15 s is kept for the sparkline."""
        if len(time_us) == 0:
            return
        column = time_us // _SPARK_COLUMN_US
        first = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
        last = np.append(first[1:], len(column)) - 1
        self._spark.append(column[last] * _SPARK_COLUMN_US, value[last])
        if self._time_us is None or int(time_us[-1]) >= self._time_us:
            self.set_value(float(value[-1]), int(time_us[-1]))

    def set_mark(self, mark: AlarmMark | None) -> None:
        """The worst alarm of the parameter; None when there is none."""
        self._mark = mark
        self._say()

    def set_freshness(self, freshness: Freshness, since_us: int | None = None) -> None:
        """How far the value can be trusted, and since when not."""
        if (freshness, since_us) != (self._freshness, self._since_us):
            self._freshness, self._since_us = freshness, since_us
            self._say()

    def sizeHint(self) -> QSize:
        """168 or 344 wide at 100 %."""
        return QSize(self._look.px(WIDE_PX if self._is_wide else NARROW_PX), self._look.px(HEIGHT_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the tile."""
        painter = QPainter(self)
        spark = self._spark.view(self._moment_us - SPARK_US)
        tile_painter.paint(
            painter,
            tile_painter.TilePicture(
                look=self._look, size=self.size(), content=self._content, value=self._value, words=self._words,
                age_s=self._age_s(), freshness=self._freshness.value, mark=self._mark,
                spark_us=spark.time_us, spark=spark.value, moment_us=self._moment_us, spark_span_us=SPARK_US,
                has_focus=self.hasFocus(), is_hovered=self.underMouse(),
            ),
        )  # fmt: skip
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click activates."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.activated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Space activate."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.activated.emit()
        else:
            super().keyPressEvent(event)

    def _age_s(self) -> float | None:
        reference = self._time_us if self._time_us is not None else self._since_us
        return None if reference is None else max(0.0, (self._moment_us - reference) / US_PER_S)

    def _on_tick(self, moment_us: int) -> None:
        self._moment_us = moment_us
        flash = is_flash_on(self._mark.state, moment_us) if self._mark is not None else False
        is_ageing = self._freshness not in (Freshness.LIVE, Freshness.EMPTY)
        drawn = (self._value, flash, int(self._age_s() or 0) if is_ageing else moment_us // _SPARK_COLUMN_US)
        if self._has_news or drawn != self._drawn:
            self._has_news, self._drawn = False, drawn
            self.update()

    def _on_look_changed(self) -> None:
        self.updateGeometry()
        self._say()

    def _say(self) -> None:
        content = self._content
        figure = self._words or formatting.with_unit(self._value, content.decimals, content.unit)
        parts = [content.label, content.device, figure]
        if self._mark is not None:
            parts += [f"{priority_name(self._mark.priority)}: {state_name(self._mark.state)}"]
        if self._freshness in (Freshness.STALE, Freshness.DISCONNECTED):
            parts += [say("no new values")]
        text = "\n".join(part for part in parts if part)
        self.setToolTip(formatting.plain(text))
        self.setAccessibleName(text.replace("\n", ", "))
        self._has_news = True
        self.update()
