"""Every version of a rule: who made it, when and why; what two have different, and the way back."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops_app.models.rule_words import mode_name
from factoryops_app.page import plain_label
from factoryops_app.question import ask_first
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import moment


class VersionsTab(QWidget):
    """The versions on the left, what the chosen one changed on the right.

    Attributes:
        rolled_back: an older version is in force again, as a new one.
    """

    rolled_back = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._rule_id: str | None = None
        self.versions: DataTable[http.Rule] = DataTable(
            place.look, self._columns(), name="rule-versions", settings=place.settings,
            row_key=lambda one: str(one.version),
        )  # fmt: skip
        self.differences: DataTable[http.RuleDifference] = DataTable(
            place.look, _difference_columns(), name="rule-differences", settings=place.settings,
            row_key=lambda one: one.path,
        )  # fmt: skip
        self.roll_back = QPushButton(say("Put this version in force again"))
        self._remark = plain_label(role="secondary", is_wrapped=True)
        self._build()
        self.versions.selection_changed.connect(self._on_chosen)
        self.roll_back.clicked.connect(self._on_roll_back)
        self.show_rule(None)

    def _columns(self) -> list[ColumnSpec[http.Rule]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("version", say("Version"), lambda one: one.version, is_number=True, width=70),
            ColumnSpec("changed", say("Changed"), lambda one: one.changed_at,
                       lambda one: moment(one.changed_at, zone), width=172),
            ColumnSpec("by", say("By"), lambda one: one.changed_by, width=100),
            ColumnSpec("mode", say("Mode"), lambda one: mode_name(one.content.mode), width=90),
            ColumnSpec("reason", say("Why"), lambda one: one.reason, width=140, is_elastic=True),
        ]  # fmt: skip

    def _build(self) -> None:
        px = self._place.look.px
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(px(8), 0, 0, 0)
        column.setSpacing(px(8))
        column.addWidget(self._remark)
        column.addWidget(self.differences, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.roll_back)
        column.addLayout(buttons)
        both = QSplitter()
        both.setChildrenCollapsible(False)
        both.addWidget(self.versions)
        both.addWidget(right)
        both.setSizes([px(560), px(480)])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(2), px(8), px(2), px(2))
        layout.addWidget(both)

    def show_rule(self, rule_id: str | None) -> None:
        """Whose versions are meant; they are fetched by `load`."""
        self._rule_id = rule_id
        self.versions.set_rows([])
        self._show_differences([], say("It has not been saved yet.") if rule_id is None else "")

    def load(self) -> None:
        """Fetch the versions."""
        if self._rule_id is not None:
            self._place.tasks.start(self._fetch(self._rule_id), self._on_failure)

    async def _fetch(self, rule_id: str) -> None:
        found = await self._place.session.client.rule_versions(rule_id)
        if rule_id != self._rule_id:
            return
        self.versions.set_rows(found)
        if found and not self.versions.selected_rows():
            self.versions.select(str(found[0].version))

    def _on_chosen(self) -> None:
        chosen = self.versions.selected_rows()
        if self._rule_id is None or not chosen:
            self._show_differences([], "")
        elif len(chosen) > 1:
            numbers = sorted(one.version for one in chosen)
            self._compare(self._rule_id, numbers[0], numbers[-1])
        elif chosen[0].version == 1:
            self._show_differences([], say("Version 1 is the first one; choose two rows to compare them."))
        else:
            self._compare(self._rule_id, chosen[0].version - 1, chosen[0].version)

    def _compare(self, rule_id: str, old: int, new: int) -> None:
        self._place.tasks.start(self._fetch_differences(rule_id, old, new), self._on_failure)

    async def _fetch_differences(self, rule_id: str, old: int, new: int) -> None:
        found = await self._place.session.client.rule_differences(rule_id, old, new)
        if rule_id == self._rule_id:
            self._show_differences(found, say("What version {new} has different from version {old}:", old=old, new=new))

    def _show_differences(self, found: list[http.RuleDifference], remark: str) -> None:
        self.differences.set_rows(found)
        self._remark.setText(remark)
        self.show_buttons()

    def show_buttons(self) -> None:
        """Enable what can be done now."""
        chosen = self.versions.selected_rows()
        newest = max((one.version for one in self.versions.rows()), default=0)
        may = self._place.session.may(Permission.EDIT_RULES)
        self.roll_back.setEnabled(may and len(chosen) == 1 and chosen[0].version != newest)

    def _on_roll_back(self) -> None:
        chosen = self.versions.selected_rows()
        if self._rule_id is None or len(chosen) != 1:
            return
        rule_id, wanted = self._rule_id, chosen[0].version
        newest = max(one.version for one in self.versions.rows())
        question = say("Put version {version} in force again? It becomes a new version; none is lost.", version=wanted)
        request = http.RuleRollBack(
            version=newest, to_version=wanted, reason=say("Back to version {version}", version=wanted)
        )
        ask_first(
            self, say("Versions"), question, say("Put in force"),
            lambda: self._place.tasks.start(self.put_back(rule_id, request), self._on_failure),
        )  # fmt: skip

    async def put_back(self, rule_id: str, request: http.RuleRollBack) -> None:
        """Put an older version in force again."""
        session = self._place.session
        await session.change(session.client.roll_back_rule(rule_id, request))
        self.rolled_back.emit()

    def _on_failure(self, error: FactoryOpsError) -> None:
        self._remark.setText(str(error))


def _difference_columns() -> list[ColumnSpec[http.RuleDifference]]:
    return [
        ColumnSpec("path", say("What"), lambda one: one.path, width=150),
        ColumnSpec("old", say("Before"), lambda one: one.old, width=110, is_elastic=True),
        ColumnSpec("new", say("After"), lambda one: one.new, width=110, is_elastic=True),
    ]
