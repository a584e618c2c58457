"""Who is told when the rule alarms: the policies it names, and what would be sent as things are."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.site import Site
from factoryops_app.models.typed import span_text
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.checked_list import CheckedList
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable


class NotifyTab(QWidget):
    """Policies on the left, on the right what the saved rule would send.

    Attributes:
        edited: a person chose other policies.
    """

    edited = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._rule_id: str | None = None
        self._site = Site()
        self.policies = CheckedList(
            say("Policies it uses (none chosen: those that fit its priority, class and area)"),
            say("There is no notification policy yet."),
        )
        self.summary = plain_label(role="section", is_wrapped=True)
        columns: list[ColumnSpec[http.PreviewLine]] = [
            ColumnSpec("after", say("When"), lambda one: one.after_s,
                       lambda one: span_text(one.after_s) if one.after_s else say("at once"), width=80),
            ColumnSpec("recipient", say("Who"), lambda one: one.recipient, width=120),
            ColumnSpec("channel", say("How"), lambda one: one.channel.value if one.channel else "", width=80),
            ColumnSpec("text", say("What and why"), lambda one: one.text, width=220, is_elastic=True),
        ]  # fmt: skip
        self.lines: DataTable[http.PreviewLine] = DataTable(
            place.look, columns, name="notification-preview", settings=place.settings, row_key=lambda one: one.text
        )
        self._build()
        self.policies.edited.connect(self.edited)

    def _build(self) -> None:
        px = self._place.look.px
        right = QVBoxLayout()
        right.setSpacing(px(8))
        right.addWidget(self.summary)
        right.addWidget(self.lines, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(2), px(8), px(2), px(2))
        row.setSpacing(px(16))
        row.addWidget(self.policies, 2)
        row.addLayout(right, 3)

    def offer(self, site: Site) -> None:
        """Which policies there are; those chosen stay."""
        chosen = self.policies.chosen()
        self._site = site
        self.policies.fill(site.policies, chosen)

    def fill(self, draft: RuleDraft) -> None:
        """Show a rule's policies; `load` asks what would be sent."""
        self.policies.fill(self._site.policies, draft.notify)
        self._rule_id = draft.rule_id
        self.lines.set_rows([])
        self.summary.setText(say("What would be sent is said once the rule is saved.") if not draft.rule_id else "")

    def read(self, draft: RuleDraft) -> RuleDraft:
        """The draft with what is filled in here."""
        return draft.with_(notify=self.policies.chosen())

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether other policies may be chosen; the preview is for all."""
        self.policies.setEnabled(is_editable)

    def load(self) -> None:
        """Ask what the saved rule would send if it alarmed now."""
        if self._rule_id is not None:
            self._place.tasks.start(self._fetch(self._rule_id), self._on_failure)

    async def _fetch(self, rule_id: str) -> None:
        found = await self._place.session.client.notification_preview(rule_id)
        if rule_id == self._rule_id:
            self.summary.setText(found.summary)
            self.lines.set_rows(found.lines)

    def _on_failure(self, error: FactoryOpsError) -> None:
        self.summary.setText(str(error))
