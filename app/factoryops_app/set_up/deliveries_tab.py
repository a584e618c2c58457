"""Who was told: what became of every message."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops_app.kept_up import KeptUpView
from factoryops_app.models.wording import channel_name, delivery_event_name, delivery_state_name, priority_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment
from factoryops_widgets.state_view import StateView

_PER_PAGE: Final = 200


class DeliveriesTab(KeptUpView):
    """The ledger, newest first; the newest page is brought up to date while it is seen."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place)
        self._lines: list[http.Delivery] = []
        self._next_before: str | None = None
        states = {one.value: delivery_state_name(one) for one in http.DeliveryState}
        self.state = ChoiceBox({"": say("All messages"), **states})
        self.state.setAccessibleName(say("State"))
        self.table: DataTable[http.Delivery] = DataTable(
            place.look, self._columns(), name="deliveries", settings=place.settings, row_key=lambda one: one.id
        )
        self.older = QPushButton(say("Load older"))
        self._again = QPushButton(place.look.icon("refresh"), say("Refresh"))
        self._note = plain_label(role="secondary", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking who was told …"))

    def _columns(self) -> list[ColumnSpec[http.Delivery]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("created", say("Time"), lambda one: one.created_at, lambda one: moment(one.created_at, zone),
                       width=160),
            ColumnSpec("state", say("State"), lambda one: delivery_state_name(one.state), width=112),
            ColumnSpec("alarm", say("Alarm"), lambda one: f"{one.device_name}: {one.rule_name}", width=200,
                       is_elastic=True),
            ColumnSpec("event", say("What"), lambda one: delivery_event_name(one.event), width=100),
            ColumnSpec("recipient", say("Who"), lambda one: one.recipient, width=120),
            ColumnSpec("channel", say("How"), lambda one: channel_name(one.channel), width=90),
            ColumnSpec("reason", say("Why not"), lambda one: one.reason, width=200),
            ColumnSpec("policy", say("Policy"), _policy, width=160),
            ColumnSpec("priority", say("Priority"), lambda one: int(one.priority),
                       lambda one: priority_name(one.priority), width=90),
            ColumnSpec("address", say("Address"), lambda one: one.address, width=140),
            ColumnSpec("accepted", say("Sent at"), lambda one: one.accepted_at,
                       lambda one: moment(one.accepted_at, zone), width=160),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        for tool in (self.state, self.older, self._again):
            self.table.add_tool(tool)
        line = QHBoxLayout()
        line.addWidget(self._note, 1)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.table, 1)
        inner.addLayout(line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)

    def _connect(self) -> None:
        self.state.activated.connect(lambda _: self.load())
        self.older.clicked.connect(self._on_older)
        self._again.clicked.connect(self.load)
        self.states.retry_requested.connect(self.load)
        self.table.row_activated.connect(self._on_activated)

    def load(self) -> None:
        """Ask for the newest lines."""
        self.ask(self._fetch(None))

    def keep_up(self) -> None:
        """Ask again, unless older lines are being looked at."""
        if len(self._lines) <= _PER_PAGE:
            self.load()

    def _on_older(self) -> None:
        if self._next_before is not None:
            self.ask(self._fetch(self._next_before))

    async def _fetch(self, before: str | None) -> None:
        chosen = self.state.value
        state = http.DeliveryState(chosen) if chosen else None
        page = await self._place.session.client.deliveries(state=state, before=before, most=_PER_PAGE)
        if chosen != self.state.value:
            return
        self._lines = page.deliveries if before is None else [*self._lines, *page.deliveries]
        self._next_before = page.next_before
        self._show(is_all=not chosen)

    def _show(self, *, is_all: bool) -> None:
        self.table.set_rows(self._lines)
        self.older.setEnabled(self._next_before is not None)
        more = say("older ones can be loaded") if self._next_before else say("that is all there is")
        is_one = len(self._lines) == 1
        counted = say("1 message") if is_one else say("{count} messages", count=len(self._lines))
        self._note.setText(f"{counted}; {more}")
        if not self._lines and is_all:
            self.states.show_empty(
                say("Nobody was told of anything yet"),
                say("Every message to a person or a hook is listed here with what became of it, tests too."),
            )
        else:
            self.states.show_content()

    def on_failure(self, error: FactoryOpsError) -> None:
        """Say why nothing came."""
        if self.states.is_content_shown:
            self._note.setText(str(error))
        else:
            self.states.show_error(str(error))

    def _on_activated(self, line: http.Delivery) -> None:
        if line.alarm_id:
            self._place.navigator.go(PageKey.ALARMS, Target(ids=(line.alarm_id,)))


def _policy(line: http.Delivery) -> str:
    return say("{policy}, step {step}", policy=line.policy, step=line.step) if line.step else line.policy
