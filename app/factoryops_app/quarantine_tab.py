"""What could not be accepted: groups above, the messages of the chosen one below, and one of them in full."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.models.source_words import reason_name
from factoryops_app.page import plain_label
from factoryops_app.payload_view import PayloadView
from factoryops_app.replay_dialog import ReplayDialog
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment
from factoryops_widgets.state_view import StateView


class QuarantineTab(QWidget):
    """Messages that were received and could not be accepted.

    Attributes:
        mapping_wanted: `http.QuarantinedMessage` that a new mapping is to begin from.
    """

    mapping_wanted = Signal(object)

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._messages: list[http.QuarantinedMessage] = []
        self._next_before: int | None = None
        self.groups: DataTable[http.QuarantineGroup] = DataTable(
            place.look, self._group_columns(), name="quarantine-groups", settings=place.settings, row_key=group_key
        )
        self.messages: DataTable[http.QuarantinedMessage] = DataTable(
            place.look, self._message_columns(), name="quarantine", settings=place.settings,
            row_key=lambda one: str(one.number),
        )  # fmt: skip
        self.payload = PayloadView(place)
        self._older = QPushButton(say("Load older"))
        self._replay = QPushButton(say("Try and replay …"))
        self._map = QPushButton(say("Make a mapping from this message"))
        self._note = plain_label(role="secondary", is_wrapped=True)
        content = QWidget()
        self.states = StateView(place.look, content)
        self._build(content)
        self._connect()
        self.states.show_loading(say("Asking for the quarantine …"))

    def _group_columns(self) -> list[ColumnSpec[http.QuarantineGroup]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("reason", say("Reason"), lambda one: reason_name(one.reason), width=220),
            ColumnSpec("origin", say("Device or topic"), lambda one: one.origin, width=260, is_elastic=True),
            ColumnSpec("count", say("Messages"), lambda one: one.count, is_number=True, width=100),
            ColumnSpec("replayed", say("Replayed"), lambda one: one.replayed,
                       lambda one: str(one.replayed or NOTHING), is_number=True, width=100),
            ColumnSpec("first", say("First"), lambda one: one.first_at, lambda one: moment(one.first_at, zone),
                       width=160),
            ColumnSpec("last", say("Last"), lambda one: one.last_at, lambda one: moment(one.last_at, zone),
                       width=160),
        ]  # fmt: skip

    def _message_columns(self) -> list[ColumnSpec[http.QuarantinedMessage]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Received"), lambda one: one.received_at, lambda one: moment(one.received_at, zone),
                       width=160),
            ColumnSpec("client", say("Client"), lambda one: one.client, width=110),
            ColumnSpec("topic", say("Topic"), lambda one: one.topic, width=150, is_elastic=True),
            ColumnSpec("size", say("Bytes"), lambda one: one.size_bytes, is_number=True, width=66),
            ColumnSpec("replayed", say("Replayed"), lambda one: one.replayed_at,
                       lambda one: moment(one.replayed_at, zone) if one.replayed_at else NOTHING, width=150),
        ]  # fmt: skip

    def _build(self, content: QWidget) -> None:
        px = self._place.look.px
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.messages, 1)
        line = QHBoxLayout()
        line.addWidget(self._replay)
        line.addWidget(self._map)
        line.addWidget(self._older)
        line.addWidget(self._note, 1)
        column.addLayout(line)
        below = QSplitter(Qt.Orientation.Horizontal)
        below.setChildrenCollapsible(False)
        below.addWidget(left)
        below.addWidget(self.payload)
        below.setSizes([px(690), px(490)])
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.groups)
        splitter.addWidget(below)
        splitter.setSizes([px(260), px(460)])
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.addWidget(self.states)

    def _connect(self) -> None:
        self.groups.selection_changed.connect(self._on_group)
        self.messages.selection_changed.connect(self._on_message)
        self._older.clicked.connect(self._on_older)
        self._map.clicked.connect(self._on_map)
        self._replay.clicked.connect(self.replay_chosen)
        self.states.retry_requested.connect(self.load)

    def load(self) -> None:
        """Ask for the groups."""
        if self._place.session.may(Permission.SEE_QUARANTINE):
            self._place.tasks.start(self._fetch(), self._on_error)
        else:
            self.states.show_no_permission(say("Your role may not see quarantined messages; a supervisor may."))

    def show_origin(self, origin: str) -> None:
        """Choose the first group of an origin, once the groups are there."""
        held = next((group for group in self.groups.rows() if group.origin == origin), None)
        if held is not None:
            self.groups.select(group_key(held))

    async def _fetch(self) -> None:
        groups = await self._place.session.client.quarantine_groups()
        if not groups:
            self.states.show_empty(
                say("Nothing was ever refused"),
                say("Messages that cannot be accepted appear here, with the reason and all they hold."),
            )
            return
        self.groups.set_rows(groups)
        self.states.show_content()
        if self.groups.selected_rows():
            self._on_group()
        else:
            self.groups.select(group_key(groups[0]))

    def _on_group(self) -> None:
        chosen = self.groups.selected_rows()
        if chosen:
            self._place.tasks.start(self._fetch_messages(chosen[0], None), self._on_error)

    def _on_older(self) -> None:
        chosen = self.groups.selected_rows()
        if chosen and self._next_before is not None:
            self._place.tasks.start(self._fetch_messages(chosen[0], self._next_before), self._on_error)

    async def _fetch_messages(self, group: http.QuarantineGroup, before: int | None) -> None:
        client = self._place.session.client
        page = await client.quarantine(before=before, reason=group.reason, origin=group.origin)
        if group_key(group) not in map(group_key, self.groups.selected_rows()):
            return  # another one was chosen meanwhile
        self._messages = page.messages if before is None else self._messages + page.messages
        self._next_before = page.next_before
        self._note.setText("")
        self._older.setVisible(page.next_before is not None)
        self.messages.set_rows(self._messages)
        if self._messages and not self.messages.selected_rows():
            self.messages.select(str(self._messages[0].number))
        self._on_message()

    def replay_chosen(self) -> None:
        """Show what a replay of the chosen messages would do; of the whole group when at most one is chosen."""
        groups, rows = self.groups.selected_rows(), self.messages.selected_rows()
        if groups:
            numbers = [one.number for one in rows][: http.MOST_CHOSEN] if len(rows) > 1 else []
            choice = http.QuarantineChoice(reason=groups[0].reason, origin=groups[0].origin, numbers=numbers)
            dialog = ReplayDialog(self._place, self, choice)
            dialog.accepted.connect(self.load)
            dialog.open()

    def _on_map(self) -> None:
        rows = self.messages.selected_rows()
        if rows:
            self.mapping_wanted.emit(rows[0])

    def _on_message(self) -> None:
        rows = self.messages.selected_rows()
        self._map.setEnabled(bool(rows) and self._place.session.may(Permission.EDIT_PLANT))
        self.payload.show_message(rows[0] if rows else None)

    def _on_error(self, error: FactoryOpsError) -> None:
        if self.states.is_content_shown:
            self._note.setText(str(error))
        else:
            self.states.show_error(str(error))


def group_key(group: http.QuarantineGroup) -> str:
    """What tells one group from another."""
    return f"{group.reason}\x1f{group.origin}"
