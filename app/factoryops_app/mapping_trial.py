"""What the mapping being filled in makes of a message, beside the form and while one types."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, QTimer
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.contracts.http.trials import outcome_of
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.time import from_us
from factoryops_app.models.mapping_draft import MappingDraft
from factoryops_app.models.source_words import reason_name, value_text
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment

_PAUSE_MS: Final = 150
_SHOWN: Final = 500


class MappingTrialView(QWidget):
    """A captured message, or one of your own, and what comes of it."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._draft = MappingDraft()
        self._captured: list[http.QuarantinedMessage] = []
        self._chosen: http.QuarantinedMessage | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(say("Captured message"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.topic = QLineEdit()
        self.topic.setAccessibleName(say("Topic"))
        self.topic.setPlaceholderText(say("Topic"))
        self.payload = QPlainTextEdit()
        self.payload.setAccessibleName(say("Payload"))
        self.payload.setPlaceholderText(say("Payload"))
        self.payload.setTabChangesFocus(True)
        self._sentence = plain_label(is_wrapped=True, role="section")
        self.samples: DataTable[http.TrialSample] = DataTable(
            place.look, self._columns(), name="mapping-trial", settings=place.settings, has_filter=False,
            row_key=lambda one: f"{one.device}\x1f{one.parameter}\x1f{one.time_us}",
        )  # fmt: skip
        self._refused = plain_label(is_wrapped=True, role="error")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._build()
        self._pause.timeout.connect(self._try)
        self.choice.activated.connect(self._on_choice)
        self.topic.textEdited.connect(self._on_typed)
        self.payload.textChanged.connect(self._on_typed)

    def _columns(self) -> list[ColumnSpec[http.TrialSample]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("device", say("Device"), lambda one: one.device, width=78),
            ColumnSpec("parameter", say("Parameter"), lambda one: one.parameter, width=90, is_elastic=True),
            ColumnSpec("value", say("Value"), lambda one: str(one.value), _value_text, width=70),
            ColumnSpec("unit", say("Unit"), lambda one: one.unit or NOTHING, width=56),
            ColumnSpec("time", say("Time"), lambda one: one.time_us,
                       lambda one: moment(from_us(one.time_us), zone), width=160),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self._place.look.px
        self.payload.setFixedHeight(px(112))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(8), 0, 0, 0)
        column.setSpacing(px(6))
        column.addWidget(plain_label(say("Try it on a message"), role="section"))
        for widget in (self.choice, self.topic, self.payload, self._sentence):
            column.addWidget(widget)
        column.addWidget(self.samples, 1)
        column.addWidget(self._refused)

    @property
    def sentence(self) -> str:
        """What comes of the message."""
        return self._sentence.text()

    def load(self) -> None:
        """Ask for one captured message of each kind."""
        if self._place.session.may(Permission.SEE_QUARANTINE):
            self._place.tasks.start(self._fetch(), self._on_error)

    async def _fetch(self) -> None:
        groups = await self._place.session.client.quarantine_groups()
        self._captured = [group.example for group in groups]
        self._fill_choice()

    def _fill_choice(self) -> None:
        self.choice.clear()
        self.choice.addItem(say("A message of your own"), None)
        for at, message in enumerate(self._captured):
            self.choice.addItem(f"{message.topic}  ·  {reason_name(message.reason)}", at)
        held = [at for at, message in enumerate(self._captured, start=1) if message == self._chosen]
        self.choice.setCurrentIndex(held[0] if held else 0)

    def take(self, message: http.QuarantinedMessage) -> None:
        """Try the mapping on this message."""
        if message not in self._captured:
            self._captured.insert(0, message)
        self._show(message)
        self._fill_choice()

    def show_draft(self, draft: MappingDraft) -> None:
        """Try this mapping, as soon as there is a pause in typing."""
        self._draft = draft
        self._pause.start()

    def _on_choice(self) -> None:
        at = self.choice.currentData()
        if at is not None:
            self._show(self._captured[int(at)])

    def _show(self, message: http.QuarantinedMessage) -> None:
        blocker = QSignalBlocker(self.payload)
        self.topic.setText(message.topic)
        self.payload.setPlainText(message.payload)
        blocker.unblock()
        self._chosen = message
        self._pause.start()

    def _on_typed(self) -> None:
        self._chosen = None
        self.choice.setCurrentIndex(0)
        self._pause.start()

    def _try(self) -> None:
        content = self._draft.content()
        if content is None or not self.topic.text():
            self._tell(say("Choose a message, or write one."))
            return
        chosen = self._chosen
        trial = http.MappingTrial.model_construct(
            content=content, topic=self.topic.text(), payload=self.payload.toPlainText(),
            is_hex=chosen is not None and chosen.is_hex,
            received_at=chosen.received_at if chosen is not None else None,
        )  # fmt: skip
        try:
            self._tell_outcome(outcome_of(trial))
        except FactoryOpsError as error:
            self._tell(str(error))

    def _tell_outcome(self, outcome: http.MappingOutcome) -> None:
        if outcome.faults:
            self._tell(say("The mapping is not complete yet: look at the marked fields."))
        elif not outcome.matches:
            self._tell(say("The topic is none of this mapping's."))
        elif outcome.rejection is not None:
            self._tell(say("The message would be quarantined: {reason}", reason=outcome.rejection.detail))
        else:
            self._tell(say("{count} samples would be stored.", count=len(outcome.samples)), outcome.samples)
        lines = [f"{one.parameter or say('A record')}: {one.detail}" for one in outcome.refused[:4]]
        self._refused.setText("\n".join(lines))
        self._refused.setVisible(bool(lines))

    def _tell(self, sentence: str, samples: list[http.TrialSample] | None = None) -> None:
        self._sentence.setText(sentence)
        self.samples.set_rows((samples or [])[:_SHOWN])
        self._refused.setVisible(False)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._tell(str(error))


def _value_text(sample: http.TrialSample) -> str:
    text = value_text(sample.value)
    return say("{value} (uncertain)", value=text) if sample.is_uncertain else text
