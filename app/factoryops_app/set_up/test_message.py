"""Sending a test message to somebody, and saying what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Literal

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops_app.models.wording import channel_name, delivery_state_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_ASK_AGAIN_S: Final = 1.0
_MOST_QUESTIONS: Final = 20
_LINES: Final = 50
_ON_ITS_WAY: Final = frozenset({http.DeliveryState.QUEUED, http.DeliveryState.ATTEMPTED})


class TestMessageBar(QWidget):
    """A channel to choose, the button, and one sentence; it follows the message for up to 20 s."""

    __test__ = False

    def __init__(self, place: Workplace, kind: Literal[TargetKind.CONTACT, TargetKind.HOOK]) -> None:
        super().__init__()
        self._place = place
        self._kind = kind
        self._identity: str | None = None
        self._is_told = False
        self.channel = ChoiceBox()
        self.channel.setAccessibleName(say("How"))
        self.send = QPushButton(say("Send a test message"))
        self.outcome = plain_label(role="label", is_wrapped=True)
        px = place.look.px
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self.channel)
        line.addWidget(self.send)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(4))
        column.addLayout(line)
        column.addWidget(self.outcome)
        self.send.clicked.connect(self._on_send)

    def aim(self, identity: str | None, channels: Mapping[str, str], *, hindrance: str = "") -> None:
        """Whom it goes to, and how it can.

        Args:
            identity: of what is saved; None for something new.
            channels: names by value; the box is hidden where there is no choice.
            hindrance: why nothing can be sent now; "" when it can.
        """
        if identity != self._identity:
            self.outcome.clear()
        self._identity = identity
        self.channel.offer(channels)
        self.channel.setVisible(len(channels) > 1)
        if identity is None:
            hindrance = say("It can be tried once it is saved.")
        self.send.setEnabled(not hindrance)
        self.send.setToolTip(hindrance)
        if hindrance:
            self.outcome.setText(hindrance)
        elif not self._is_told:
            self.outcome.clear()
        self._is_told = self._is_told and not hindrance

    def _on_send(self) -> None:
        if self._identity is None:
            return
        channel = ChannelKind(self.channel.value) if self.channel.value else ChannelKind.EMAIL
        request = http.TestMessage(kind=self._kind, name=self._identity, channel=channel)
        self._tell(say("Sending …"))
        self._place.tasks.start(self._follow(request), self._on_failure)

    async def _follow(self, request: http.TestMessage) -> None:
        client = self._place.session.client
        sent = await self._place.session.change(client.send_test_message(request))
        for _ in range(_MOST_QUESTIONS):
            if request.name != self._identity:
                return
            self._tell(_sentence(sent))
            if sent.state not in _ON_ITS_WAY:
                return
            await asyncio.sleep(_ASK_AGAIN_S)
            page = await client.deliveries(most=_LINES)
            sent = next((one for one in page.deliveries if one.id == sent.id), sent)
        self._tell(say("It has not gone out yet; “Who was told” says what becomes of it."))

    def _on_failure(self, error: FactoryOpsError) -> None:
        self._tell(str(error))

    def _tell(self, sentence: str) -> None:
        self._is_told = True
        self.outcome.setText(sentence)


def _sentence(sent: http.Delivery) -> str:
    words = say("{channel} to {recipient} ({address}): {state}", channel=channel_name(sent.channel),
                recipient=sent.recipient, address=sent.address, state=delivery_state_name(sent.state))  # fmt: skip
    return f"{words}; {sent.reason}" if sent.reason else f"{words}."
