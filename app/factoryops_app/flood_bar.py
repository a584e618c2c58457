"""What stands above the alarm list while alarms come faster than anybody can read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout

from factoryops.domain.flood import FloodGroup, FloodState
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_table import AlarmLine
from factoryops_widgets.formatting import clock_time


class FloodBar(QFrame):
    """Says that there is a flood, where, and what came first; hidden while there is none.

    Consequential alarms are folded under their parent with a counter, and shown with one press: nothing is hidden for
    good, and the counts say how many there are.

    Attributes:
        changed: the list is to be arranged anew.
    """

    changed = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._place = place
        self._state = FloodState(None, 0)
        self._folded: dict[str, tuple[str, ...]] = {}
        self._said = plain_label(role="section")
        self.areas = QComboBox()
        self.areas.setAccessibleName(say("Area"))
        self.areas.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.unfold = QCheckBox(say("Show consequential alarms"))
        self.usual = QCheckBox(say("Usual order"))
        self.usual.setToolTip(say("Unacknowledged first, as without a flood."))
        row = QHBoxLayout(self)
        row.addWidget(self._said)
        row.addStretch(1)
        row.addWidget(self.areas)
        row.addWidget(self.unfold)
        row.addWidget(self.usual)
        self.areas.activated.connect(lambda _: self.changed.emit())
        self.unfold.toggled.connect(lambda _: self.changed.emit())
        self.usual.toggled.connect(lambda _: self.changed.emit())
        self.hide()

    @property
    def is_on(self) -> bool:
        """Whether the list is arranged for a flood."""
        return self._state.is_flood and not self.usual.isChecked()

    def show_state(self, state: FloodState, positions: Mapping[str, int]) -> None:
        """Take in whether there is a flood, and at which operating positions, with the number of alarms of each."""
        self._state = state
        self.setVisible(state.is_flood)
        if state.since_us is None:
            self._folded = {}
            return
        began = clock_time(state.since_us, self._place.look.zone)
        sentences = [
            say("Flood since {time}: {count} alarms in 10 minutes. What came first stands on top.", time=began,
                count=state.count)
        ]  # fmt: skip
        if positions:
            each = ", ".join(f"{name} ({count})" for name, count in positions.items())
            sentences.append(say("Positions in a flood: {positions}.", positions=each))
        self._said.setText(" ".join(sentences))

    def arrange(self, areas: Sequence[FloodGroup], lines: Mapping[str, AlarmLine]) -> dict[str, AlarmLine]:
        """The lines of the chosen area, first-out, each with the number of those folded under it."""
        wanted = self._offer(areas)
        shown: dict[str, AlarmLine] = {}
        self._folded = {}
        for one in (one for area in areas if wanted in (None, area.area) for one in area.lines):
            lead, below = one.alarm.id, tuple(follower.id for follower in one.folded)
            shown[lead] = lines[lead]
            if not below:
                continue
            if self.unfold.isChecked():
                shown.update((identity, lines[identity]) for identity in below)
            else:
                self._folded[lead] = below
                shown[lead] = _counted(lines[lead], len(below))
        return shown

    def _offer(self, areas: Sequence[FloodGroup]) -> str | None:
        """Keep the choice of areas current; answers the chosen one, None for all."""
        chosen = self.areas.currentData()
        self.areas.clear()
        total = sum(area.count for area in areas)
        self.areas.addItem(say("All areas ({count})", count=total), None)
        for area in areas:
            self.areas.addItem(f"{area.area or say('No area')} ({area.count})", area.area)
        self.areas.setCurrentIndex(max(0, self.areas.findData(chosen)) if chosen is not None else 0)
        kept = self.areas.currentData()
        return None if kept is None else str(kept)

    def with_folded(self, ids: Iterable[str]) -> list[str]:
        """The alarms named and those folded under them; in the usual order nothing is folded."""
        if not self.is_on:
            return [*ids]
        return [one for identity in ids for one in (identity, *self._folded.get(identity, ()))]


def _counted(line: AlarmLine, count: int) -> AlarmLine:
    words = say("+{count} consequential", count=count) if count != 1 else say("+1 consequential")
    return replace(line, message=f"{line.message}   [{words}]")
