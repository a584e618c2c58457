"""The alarm list: most urgent first, and nothing moves under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QFont, QPainter
from PySide6.QtWidgets import QPushButton, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from factoryops.domain.alarms import UNANSWERED, AlarmState, Priority
from factoryops.domain.time import US_PER_S, now_us, to_us
from factoryops_resources.words import say
from factoryops_widgets import formatting
from factoryops_widgets.alarm_badge import AlarmMark, is_flash_on, paint_badge, paint_letter, priority_name, state_name
from factoryops_widgets.appearance import BODY_PT, LABEL_PT, Appearance
from factoryops_widgets.data_table import ColumnSpec, DataTable, TableSettings
from factoryops_widgets.redraw_clock import RedrawClock

_HOLD_AFTER_MOVE_US: Final = 15 * US_PER_S
_BADGE_COLUMN: Final = 0


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm in the list.

    Attributes:
        underlying: the state without what puts it aside.
        order: of its raise; of two at the same moment the smaller one came first.
        response: what the operator is to do.
        is_recorded: False while the service could not store it yet.
        since / until / by / reason: how it was put aside; `until` is None where nobody said when it ends.
    """

    id: str
    annunciation: int
    priority: Priority
    state: AlarmState
    raised_at: datetime | None
    cleared_at: datetime | None
    device: str
    area: str
    message: str
    value: float | None
    unit: str
    decimals: int = 2
    response: str = ""
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    comment: str | None = None
    is_recorded: bool = True
    underlying: AlarmState = AlarmState.NORMAL
    order: int = 0
    since: datetime | None = None
    until: datetime | None = None
    by: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether an acknowledgement is wanted."""
        return self.state in UNANSWERED

    @property
    def mark(self) -> AlarmMark:
        """Its badge."""
        return AlarmMark(self.priority, self.state)


def urgency(line: AlarmLine) -> tuple[bool, int, int, int]:
    """Sorts unacknowledged first, then by priority, then newest first."""
    raised_us = to_us(line.raised_at) if line.raised_at else 0
    return not line.is_open, int(line.priority), -raised_us, -line.order


class AlarmTable(QWidget):
    """Alarms that are not normal, or, with `is_put_aside`, those that somebody or something keeps silent.

    While the mouse is over the list (and has moved in the last 15 s) no row comes, goes or moves; a button says how
    many wait.

    Attributes:
        activated: an alarm's id, on double click or Enter.
        acknowledge_requested: the selected lines that want it, on F6.
        selection_changed: other rows are selected.
    """

    activated = Signal(str)
    acknowledge_requested = Signal(list)
    selection_changed = Signal()

    def __init__(
        self,
        look: Appearance,
        clock: RedrawClock,
        settings: TableSettings | None = None,
        *,
        name: str = "alarms",
        is_put_aside: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._moved_us = 0
        self._is_over = False
        self._was_on = True
        self.table: DataTable[AlarmLine] = DataTable(
            look,
            self._aside_columns() if is_put_aside else self._columns(),
            name=name,
            row_key=lambda line: line.id,
            settings=settings,
        )
        self.table.model.set_natural_order(urgency)
        self.table.model.font_of = self._font_of
        self._waiting = QPushButton(self)
        self._waiting.hide()
        self._waiting.clicked.connect(self._release)
        self.table.add_tool(self._waiting)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self._badges = BadgeDelegate(look, self)
        self.table.view.setItemDelegateForColumn(_BADGE_COLUMN, self._badges)
        self.table.view.viewport().setMouseTracking(True)
        self.table.view.viewport().installEventFilter(self)
        self.table.row_activated.connect(lambda line: self.activated.emit(line.id))
        self.table.selection_changed.connect(self.selection_changed)
        self._acknowledge = QAction(self)
        self._acknowledge.setShortcut(Qt.Key.Key_F6)
        self._acknowledge.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._acknowledge.triggered.connect(self._on_acknowledge)
        self.addAction(self._acknowledge)
        self.table.view.setAccessibleName(say("Alarm list"))
        clock.register(self, self._on_tick, most_hz=4.0)

    def set_lines(self, lines: Sequence[AlarmLine]) -> None:
        """Replace what is listed."""
        self.table.set_rows(lines)
        self._say_waiting()

    def selected(self) -> list[AlarmLine]:
        """The selected lines, in order."""
        return self.table.selected_rows()

    def visible_lines(self) -> list[AlarmLine]:
        """The lines that can be seen now without scrolling: all that "all visible" may mean."""
        return self.table.rows_on_screen()

    def set_filter(self, text: str) -> None:
        """Show only lines that contain every word."""
        self.table.set_filter(text)

    def set_order(self, ids: Sequence[str] | None) -> None:
        """Keep the lines in this order instead of by urgency; None for urgency again."""
        ranks = None if ids is None else {identity: rank for rank, identity in enumerate(ids)}
        self.table.model.set_natural_order(urgency if ranks is None else lambda line: ranks.get(line.id, len(ranks)))

    def select(self, alarm_id: str) -> None:
        """Select an alarm and scroll to it."""
        self._release()
        self.table.select(alarm_id)

    def select_first(self) -> None:
        """Select the topmost line shown; the rows go on standing still under the mouse."""
        for line in self.table.rows()[:1]:
            self.table.select(line.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold the rows while the mouse is over them."""
        kind = event.type()
        if kind in (QEvent.Type.Enter, QEvent.Type.MouseMove):
            self._is_over, self._moved_us = True, now_us()
            self.table.model.hold(is_held=True)
        elif kind == QEvent.Type.Leave:
            self._is_over = False
            self._release()
        return super().eventFilter(watched, event)

    def _release(self) -> None:
        self.table.model.hold(is_held=False)
        self._say_waiting()

    def _say_waiting(self) -> None:
        waiting = self.table.model.held_back
        self._waiting.setText(say("+{count} new", count=waiting))
        self._waiting.setToolTip(say("The list stands still under the mouse. Show the new alarms now"))
        self._waiting.setVisible(waiting > 0)

    def _on_acknowledge(self) -> None:
        wanted = [line for line in self.selected() if line.is_open]
        if wanted:
            self.acknowledge_requested.emit(wanted)

    def _on_tick(self, moment_us: int) -> None:
        if self._is_over and moment_us - self._moved_us > _HOLD_AFTER_MOVE_US:
            self._is_over = False
            self._release()
        self._badges.moment_us = moment_us
        is_on = is_flash_on(AlarmState.UNACKNOWLEDGED, moment_us)
        if is_on is not self._was_on and any(line.is_open for line in self.table.model.rows):
            self._was_on = is_on
            view = self.table.view
            left = view.columnViewportPosition(_BADGE_COLUMN)
            view.viewport().update(left, 0, view.columnWidth(_BADGE_COLUMN), view.viewport().height())

    def _font_of(self, line: AlarmLine) -> QFont:
        return self._look.font(BODY_PT, is_bold=line.state is AlarmState.UNACKNOWLEDGED)

    def _columns(self) -> list[ColumnSpec[AlarmLine]]:
        return [
            ColumnSpec("priority", "Prio", lambda line: int(line.priority), self._priority_text, width=56),
            ColumnSpec(
                "raised", "Raised", lambda line: line.raised_at, self._raised, width=172, tooltip=self._to_the_ms
            ),
            ColumnSpec("device", "Device", lambda line: line.device, width=168),
            ColumnSpec("message", "Alarm", lambda line: line.message, width=240, is_elastic=True),
            ColumnSpec("value", "Value", lambda line: line.value, self._value, is_number=True, width=96),
            ColumnSpec("state", "State", lambda line: line.state.value, _state_text, width=200),
            ColumnSpec("acknowledged", "Acknowledged", lambda line: line.acknowledged_at, self._answered, width=132),
            ColumnSpec("area", "Area", lambda line: line.area or None, width=104),
        ]

    def _aside_columns(self) -> list[ColumnSpec[AlarmLine]]:
        zone = self._look.zone
        return [
            ColumnSpec("priority", "Prio", lambda line: int(line.priority), self._priority_text, width=76),
            ColumnSpec("since", "Since", lambda line: line.since, lambda line: formatting.moment(line.since, zone),
                       width=172),
            ColumnSpec("until", "Until", lambda line: line.until, lambda line: formatting.moment(line.until, zone),
                       width=172),
            ColumnSpec("device", "Device", lambda line: line.device, width=168),
            ColumnSpec("message", "Alarm", lambda line: line.message, width=240, is_elastic=True),
            ColumnSpec("underlying", "Underneath", lambda line: state_name(line.underlying), width=160),
            ColumnSpec("by", "By", lambda line: line.by or None, width=110),
            ColumnSpec("reason", "Reason", lambda line: line.reason or None, width=180),
            ColumnSpec("area", "Area", lambda line: line.area or None, width=104),
        ]  # fmt: skip

    def _priority_text(self, line: AlarmLine) -> str:
        return f"{int(line.priority)} {priority_name(line.priority)}"

    def _raised(self, line: AlarmLine) -> str:
        return formatting.moment(line.raised_at, self._look.zone)

    def _to_the_ms(self, line: AlarmLine) -> str:
        return formatting.instant(line.raised_at, self._look.zone)

    def _value(self, line: AlarmLine) -> str:
        return formatting.with_unit(line.value, line.decimals, line.unit)

    def _answered(self, line: AlarmLine) -> str:
        if line.acknowledged_at is None:
            return formatting.NOTHING
        who = line.acknowledged_by or ""
        when = formatting.clock_time(to_us(line.acknowledged_at), self._look.zone)
        return " ".join(part for part in (who, when, line.comment or "") if part)


def _state_text(line: AlarmLine) -> str:
    text = state_name(line.state)
    return text if line.is_recorded else say("{state} (not yet recorded)", state=text)


class BadgeDelegate(QStyledItemDelegate):
    """Draws the badge of a row that has a `mark`.

    Attributes:
        moment_us: the time that decides whether a flashing border is bright.
    """

    def __init__(self, look: Appearance, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self.moment_us = now_us()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The row's background, then the badge in the middle."""
        line = index.data(Qt.ItemDataRole.UserRole)
        empty = QModelIndex()
        super().paint(painter, option, empty)
        mark = getattr(line, "mark", None)
        if not isinstance(mark, AlarmMark):
            return
        rect = QRectF(option.rect)
        side = float(self._look.px(20))
        painter.save()
        painter.setFont(self._look.font(LABEL_PT, is_bold=True))
        letter_px = painter.fontMetrics().horizontalAdvance(mark.letter) + 2 if mark.letter else 0
        left = max(rect.left() + 2, rect.center().x() - (side + letter_px) / 2)
        place = QRectF(left, rect.center().y() - side / 2, side, side)
        paint_badge(painter, place, mark, self._look.theme, self.moment_us)
        paint_letter(
            painter, QRectF(place.right() + 2, rect.top(), letter_px + 4, rect.height()), mark, self._look.theme
        )
        painter.restore()
