"""The lists of alarms: what is active, with everything an operator does, and what is put aside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine, Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.alarms import PUT_ASIDE, AlarmState
from factoryops.domain.flood import FloodState
from factoryops.domain.identity import Permission
from factoryops_app.alarm_detail import AlarmDetail
from factoryops_app.alarm_dialogs import ShelveDialog, TakeOutDialog
from factoryops_app.alarm_lines import alarm_line
from factoryops_app.flood_bar import FloodBar
from factoryops_app.models.alarms import answers_to, by_area, resets_of
from factoryops_app.page import Page, plain_label
from factoryops_app.workplace import AlarmDeed, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_table import AlarmLine, AlarmTable


class _AlarmTab(QWidget):
    """A list, the chosen alarm in full below it, and buttons above it."""

    def __init__(self, page: Page, name: str, *, is_put_aside: bool) -> None:
        super().__init__()
        self.page = page
        place = page.place
        self.table = AlarmTable(place.look, place.clock, place.settings, name=name, is_put_aside=is_put_aside)
        self.detail = AlarmDetail(place)
        self._is_begun = False
        self.buttons = QHBoxLayout()
        self.nothing = plain_label(role="secondary")
        self.column = QVBoxLayout(self)
        px = place.look.px
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.detail)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([px(420), px(230)])
        self.column.setContentsMargins(px(8), px(8), px(8), px(8))
        self.column.setSpacing(px(8))
        self.column.addLayout(self.buttons)
        self.column.addWidget(self.nothing)
        self.column.addWidget(splitter, 1)
        self.table.selection_changed.connect(self.on_selection)
        self.table.activated.connect(self._on_activated)

    @property
    def place(self) -> Workplace:
        """What the page was given."""
        return self.page.place

    def add_button(self, title: str, act: AlarmDeed) -> QPushButton:
        """A button that does something with the chosen alarms."""
        button = QPushButton(title)
        button.clicked.connect(lambda: self.do(act))
        self.buttons.addWidget(button)
        return button

    def allow(self, button: QPushButton, permission: Permission, *, is_possible: bool, otherwise: str) -> None:
        """Enable a button, or let it say why it cannot be pressed."""
        may = self.place.session.may(permission)
        button.setEnabled(may and is_possible)
        button.setToolTip("" if may and is_possible else otherwise if may else say("Your role does not permit this."))

    def begin(self) -> None:
        """The list comes to the front: with the next fill the topmost alarm is chosen, unless one is already."""
        self._is_begun = True

    def show_lines(self, lines: Sequence[AlarmLine]) -> None:
        """Show these alarms; where the chosen one has gone, nothing is chosen, so that no key acts on another."""
        self.table.set_lines(lines)
        self.nothing.setVisible(not lines)
        if self._is_begun and not self.table.selected():
            self.table.select_first()
        self._is_begun = False
        self.on_selection()

    def select(self, alarm_id: str) -> None:
        """Choose an alarm and show it in full."""
        self.table.select(alarm_id)
        self.detail.show_alarm(self.place.session.alarms.get(alarm_id))

    def chosen(self) -> list[http.Alarm]:
        """The chosen alarms as they now are."""
        return self.known(line.id for line in self.table.selected())

    def known(self, ids: Iterable[str]) -> list[http.Alarm]:
        """Alarms by their ids; those that are gone are left out."""
        found = (self.place.session.alarms.get(identity) for identity in ids)
        return [alarm for alarm in found if alarm is not None]

    def on_selection(self) -> None:
        """Other alarms are chosen, or they changed."""
        chosen = self.chosen()
        self.detail.show_alarm(chosen[0] if chosen else None)

    @abstractmethod
    def do(self, deed: AlarmDeed) -> None:
        """Do it with the chosen alarms."""

    def send(self, work: Coroutine[object, object, list[http.Alarm]], said: str) -> None:
        """Have it done, then say it."""
        self.place.tasks.start(self._send(work, said), self.page.mention)

    async def _send(self, work: Coroutine[object, object, list[http.Alarm]], said: str) -> None:
        await self.place.session.change_alarms(work)
        self.place.navigator.say_briefly(said)

    def say(self, sentence: str) -> None:
        """Tell the operator why nothing happened."""
        self.place.navigator.say_briefly(sentence)

    def _on_activated(self, alarm_id: str) -> None:
        self.detail.show_alarm(self.place.session.alarms.get(alarm_id))
        self.detail.show_trend()


class ActiveTab(_AlarmTab):
    """The alarms that tell somebody: unacknowledged first, or area by area while there is a flood."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, "alarms", is_put_aside=False)
        place = page.place
        self._alarms: Sequence[http.Alarm] = ()
        self._is_flood = self._state_shown = False
        self.flood = FloodBar(place)
        self.comment = QLineEdit()
        self.comment.setPlaceholderText(say("Comment"))
        self.comment.setAccessibleName(say("Comment of the acknowledgement"))
        self.comment.setMaxLength(1_000)
        self._selected = QPushButton(place.look.icon("acknowledge"), say("Acknowledge selected (F6)"))
        self._visible = QPushButton(place.look.icon("acknowledge_all"), say("Acknowledge all visible"))
        self.buttons.addWidget(self._selected)
        self.buttons.addWidget(self._visible)
        self.buttons.addWidget(self.comment, 1)
        self._shelve = self.add_button(say("Shelve … (F8)"), AlarmDeed.SHELVE)
        self._take_out = self.add_button(say("Out of service …"), AlarmDeed.TAKE_OUT)
        self._reset = self.add_button(say("Reset (F9)"), AlarmDeed.RESET)
        self.nothing.setText(say("No alarm is active. This is the normal state."))
        self.column.insertWidget(1, self.flood)
        self.table.acknowledge_requested.connect(lambda _: self.acknowledge_selected())
        self._selected.clicked.connect(self.acknowledge_selected)
        self._visible.clicked.connect(self._acknowledge_visible)
        self.flood.changed.connect(self._arrange)
        place.clock.register(self, self._on_tick, most_hz=1.0)

    def _on_tick(self, _moment_us: int) -> None:
        if self._look_for_flood().is_flood is not self._state_shown:
            self._arrange()

    def _look_for_flood(self) -> FloodState:
        alarms = self.place.session.alarms
        state = alarms.flood
        self.flood.show_state(state, alarms.flooded_positions)
        return state

    def show_alarms(self, alarms: Sequence[http.Alarm]) -> None:
        """Show these alarms, however they are arranged now."""
        self._alarms = alarms
        self._look_for_flood()
        self._arrange()

    def _arrange(self) -> None:
        plant = self.place.session.plant
        self._is_flood, self._state_shown = self.flood.is_on, self.flood.isVisibleTo(self)
        lines = {alarm.id: alarm_line(alarm, plant) for alarm in self._alarms}
        if self._is_flood:
            parents = {rule.id: rule.content.parent_rule for rule in plant.rules if rule.content.parent_rule}
            lines = self.flood.arrange(by_area(self._alarms, parents), lines)
        self.table.set_order([*lines] if self._is_flood else None)
        self.show_lines([*lines.values()])

    def acknowledge_selected(self) -> None:
        """Acknowledge the chosen rows, folded ones with the one they are under."""
        self._acknowledge(self.flood.with_folded(line.id for line in self.table.selected()))

    def _acknowledge_visible(self) -> None:
        self._acknowledge([line.id for line in self.table.visible_lines()])

    def _acknowledge(self, ids: Sequence[str]) -> None:
        requests = answers_to(self.known(ids), self.comment.text())
        if not requests:
            self.say(say("Choose an alarm that waits for an acknowledgement."))
            return
        said = say("Acknowledged: {count}.", count=sum(len(one.items) for one in requests))
        self.place.tasks.start(self._answer(requests, said), self.page.mention)

    async def _answer(self, requests: Sequence[http.AcknowledgeRequest], said: str) -> None:
        await self.place.session.acknowledge(requests, self.say)
        self.say(said)
        self.comment.clear()

    def do(self, deed: AlarmDeed) -> None:
        """Do it with the chosen alarms."""
        chosen = self.known(self.flood.with_folded(line.id for line in self.table.selected()))
        if not chosen:
            self.say(say("Choose an alarm first."))
        elif deed is AlarmDeed.RESPONSE:
            self.detail.show_response()
        elif deed is AlarmDeed.SHELVE and self._shelve.isEnabled():
            ShelveDialog(self.place, self, chosen).open()
        elif deed is AlarmDeed.TAKE_OUT and self._take_out.isEnabled():
            TakeOutDialog(self.place, self, chosen).open()
        elif deed is AlarmDeed.RESET:
            self._reset_latched(chosen)

    def _reset_latched(self, chosen: Sequence[http.Alarm]) -> None:
        requests = resets_of(chosen)
        if not requests:
            self.say(_not_latched())
            return
        said = say("Reset: {count}.", count=sum(len(one.items) for one in requests))
        self.place.tasks.start(self._release(requests, said), self.page.mention)

    async def _release(self, requests: Sequence[http.ResetRequest], said: str) -> None:
        await self.place.session.reset_alarms(requests, self.say)
        self.say(said)

    def on_selection(self) -> None:
        """Say what can be done with what is chosen."""
        super().on_selection()
        chosen = self.chosen()
        waits = bool(answers_to(chosen))
        for button, is_possible in ((self._selected, waits), (self._visible, bool(answers_to(self._alarms)))):
            self.allow(button, Permission.ACKNOWLEDGE, is_possible=is_possible,
                       otherwise=say("Nothing chosen waits for an acknowledgement."))  # fmt: skip
        self.comment.setEnabled(self.place.session.may(Permission.ACKNOWLEDGE))
        first = say("Choose an alarm first.")
        self.allow(self._shelve, Permission.SHELVE, is_possible=bool(chosen), otherwise=first)
        self.allow(self._take_out, Permission.OUT_OF_SERVICE, is_possible=bool(chosen), otherwise=first)
        is_latched = bool(resets_of(chosen))
        self.allow(self._reset, Permission.ACKNOWLEDGE, is_possible=is_latched, otherwise=_not_latched())


class AsideTab(_AlarmTab):
    """The alarms that are shelved, suppressed by design or out of service: who did it, why, until when."""

    def __init__(self, page: Page, state: AlarmState) -> None:
        super().__init__(page, f"alarms-{state.value}", is_put_aside=True)
        self._state = state
        titles = {
            AlarmState.SHELVED: say("Unshelve (Ctrl+F8)"),
            AlarmState.OUT_OF_SERVICE: say("Return to service (Ctrl+F8)"),
        }
        self._take_up = self.add_button(titles[state], AlarmDeed.TAKE_UP) if state in titles else None
        self.buttons.addWidget(plain_label(_explained(state), role="secondary"), 1)
        self.nothing.setText(say("There is none."))

    def show_alarms(self, alarms: Sequence[http.Alarm]) -> None:
        """Show these alarms."""
        plant = self.place.session.plant
        self.show_lines([alarm_line(alarm, plant) for alarm in alarms])

    def on_selection(self) -> None:
        """Say what can be done with what is chosen."""
        super().on_selection()
        if self._take_up is not None:
            self.allow(self._take_up, self._permission, is_possible=bool(self.chosen()),
                       otherwise=say("Choose an alarm first."))  # fmt: skip

    @property
    def _permission(self) -> Permission:
        return Permission.SHELVE if self._state is AlarmState.SHELVED else Permission.OUT_OF_SERVICE

    def do(self, deed: AlarmDeed) -> None:
        """Take the chosen ones up again, or show what to do."""
        chosen = [alarm for alarm in self.chosen() if alarm.state in PUT_ASIDE]
        if not chosen:
            self.say(say("Choose an alarm first."))
        elif deed is AlarmDeed.RESPONSE:
            self.detail.show_response()
        elif deed is AlarmDeed.TAKE_UP and self._take_up is not None and self._take_up.isEnabled():
            request = http.TakeUpRequest(alarm_ids=[alarm.id for alarm in chosen])
            client = self.place.session.client
            is_shelf = self._state is AlarmState.SHELVED
            work = client.unshelve(request) if is_shelf else client.return_to_service(request)
            self.send(work, say("They tell again: {count}.", count=len(chosen)))


def _not_latched() -> str:
    return say("Only a latched alarm that has returned and is acknowledged can be reset.")


def _explained(state: AlarmState) -> str:
    return {
        AlarmState.SHELVED: say("Shelved by a person for a while; it comes back by itself."),
        AlarmState.SUPPRESSED: say("Suppressed by its rule's own condition, and only as long as that holds."),
        AlarmState.OUT_OF_SERVICE: say("Taken out for maintenance."),
    }[state]
