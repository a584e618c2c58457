"""What a replay of quarantined messages would do, and the button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.time import from_us
from factoryops_app.dialog_tasks import DialogTasks
from factoryops_app.models.source_words import reason_name, value_text
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment


class ReplayDialog(QDialog):
    """Reads the chosen messages with the present rules, or with a mapping that need not be in force."""

    def __init__(self, place: Workplace, parent: QWidget, choice: http.QuarantineChoice) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._place = place
        self._tasks = DialogTasks(place.tasks, self._on_error)
        self._choice = choice
        self._mappings: list[http.KeptMapping] = []
        self.setWindowTitle(say("Put messages into the history"))
        self.rules = QComboBox()
        self.rules.setAccessibleName(say("Read with"))
        self.rules.addItem(say("Read with the present rules"))
        self._sentence = plain_label(role="section", is_wrapped=True)
        self._stay = plain_label(is_wrapped=True)
        self.samples: DataTable[http.ReplaySample] = DataTable(
            place.look, self._columns(), name="replay-samples", settings=place.settings,
            row_key=lambda one: f"{one.number}\x1f{one.device}\x1f{one.parameter}\x1f{one.time_us}",
        )  # fmt: skip
        note = say("They are stored with their own times as imported data: they never alarm, and a second time changes "
                   "nothing.")  # fmt: skip
        self._note = plain_label(note, role="secondary", is_wrapped=True)
        self._problem = plain_label(role="error", is_wrapped=True)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        self.buttons.button(standard.Ok).setText(say("Put into the history"))
        self.buttons.button(standard.Cancel).setText(say("Cancel"))
        self._build()
        self.rules.activated.connect(lambda _: self.preview())
        self.buttons.accepted.connect(self.start)
        self.buttons.rejected.connect(self.reject)
        self._allow(is_allowed=False)
        self._tasks.start(self._fetch_mappings())
        self.preview()

    def _columns(self) -> list[ColumnSpec[http.ReplaySample]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("number", say("Message"), lambda one: one.number, is_number=True, width=90),
            ColumnSpec("device", say("Device"), lambda one: one.device, width=120),
            ColumnSpec("parameter", say("Parameter"), lambda one: one.parameter, width=150, is_elastic=True),
            ColumnSpec("value", say("Value"), lambda one: str(one.value), lambda one: value_text(one.value), width=110),
            ColumnSpec("time", say("Time"), lambda one: one.time_us,
                       lambda one: moment(from_us(one.time_us), zone), width=160),
            ColumnSpec("clock", say("Time of"), lambda one: one.has_own_time,
                       lambda one: say("the device") if one.has_own_time else say("receipt"), width=100),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self._place.look.px
        column = QVBoxLayout(self)
        for widget in (self.rules, self._sentence, self._stay):
            column.addWidget(widget)
        column.addWidget(self.samples, 1)
        column.addWidget(self._note)
        column.addWidget(self._problem)
        column.addWidget(self.buttons)
        self.resize(px(860), px(560))

    @property
    def sentence(self) -> str:
        """What the replay would do."""
        return self._sentence.text()

    async def _fetch_mappings(self) -> None:
        self._mappings = await self._place.session.client.mappings()
        for mapping in self._mappings:
            self.rules.addItem(say("Read with the mapping {name}", name=mapping.content.name))

    def _wanted(self) -> http.QuarantineChoice:
        at = self.rules.currentIndex()
        mapping = self._mappings[at - 1].content if at > 0 else None
        return self._choice.model_copy(update={"mapping": mapping})

    def preview(self) -> None:
        """Ask what a replay would do."""
        self._sentence.setText(say("Reading the messages …"))
        self._tasks.start(self._fetch(self._wanted()))

    async def _fetch(self, wanted: http.QuarantineChoice) -> None:
        preview = await self._place.session.client.preview_replay(wanted)
        if wanted != self._wanted():
            return  # another rule was chosen meanwhile
        self._problem.setText("")
        tried = say("the newest {count} messages", count=preview.messages) if preview.is_partial else say(
            "{count} messages", count=preview.messages
        )  # fmt: skip
        self._sentence.setText(
            say("Of {tried}, {accepted} would make {samples} samples.", tried=tried, accepted=preview.accepted,
                samples=preview.samples)
        )  # fmt: skip
        self._stay.setText("\n".join(self._staying(preview)))
        self._stay.setVisible(bool(preview.refusals or preview.values_refused))
        self.samples.set_rows(preview.shown)
        self._allow(is_allowed=preview.accepted > 0)

    def _staying(self, preview: http.ReplayPreview) -> list[str]:
        lines = [
            say("{count} would stay: {reason}. {detail}", count=one.count, reason=reason_name(one.reason),
                detail=one.detail)
            for one in preview.refusals
        ]  # fmt: skip
        single = ", ".join(f"{count} {reason_name(reason)}" for reason, count in preview.values_refused.items())
        return [*lines, *([say("Values refused singly: {list}.", list=single)] if single else [])]

    def start(self) -> None:
        """Start the replay."""
        self._allow(is_allowed=False)
        self._tasks.start(self._send(self._wanted()))

    async def _send(self, wanted: http.QuarantineChoice) -> None:
        run = await self._place.session.client.start_replay(wanted)
        self._place.session.runs.merge(run)
        self._place.navigator.say_briefly(say("The replay has been started; Jobs shows how far it is."))
        self.accept()

    def done(self, result: int) -> None:
        """What is still asked for is not needed any more; a replay that has begun goes on."""
        self._tasks.end()
        super().done(result)

    def _allow(self, *, is_allowed: bool) -> None:
        may = self._place.session.may(Permission.EDIT_PLANT)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(is_allowed and may)

    def _on_error(self, error: FactoryOpsError) -> None:
        self._sentence.setText("")
        self._problem.setText(str(error))
