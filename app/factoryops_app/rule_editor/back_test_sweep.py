"""Trying many values at once, and taking one combination over into the rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops_app.models.back_test import SweepDraft, lasted_words, proposed_sweep, with_trial
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.typed import plain, span_text
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, number


class SweepView(QWidget):
    """Lists of values on top, one row per combination below.

    Args:
        draft: the rule as it stands in the editor.
        take: puts a changed draft into the editor.
    """

    def __init__(self, place: Workplace, draft: Callable[[], RuleDraft], take: Callable[[RuleDraft], object]) -> None:
        super().__init__()
        self._place = place
        self._draft = draft
        self._take = take
        self.fields = {key: QLineEdit() for key in ("limits", "deadbands", "on_delays", "off_delays")}
        self.propose = QPushButton(say("Propose values"))
        self.apply = QPushButton(say("Take the chosen row over"))
        self.table: DataTable[http.BackTestTrial] = DataTable(
            place.look, _columns(), name="back-test-sweep", settings=place.settings, row_key=_key
        )
        self._build()
        self.propose.clicked.connect(self._on_propose)
        self.apply.clicked.connect(self._on_apply)
        self.table.selection_changed.connect(self._show_button)
        self._show_button()

    def _build(self) -> None:
        px = self._place.look.px
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(8))
        grid.setVerticalSpacing(px(4))
        names = (
            ("limits", say("Limits")), ("deadbands", say("Deadbands")), ("on_delays", say("On-delays")),
            ("off_delays", say("Off-delays")),
        )  # fmt: skip
        for place, (key, words) in enumerate(names):
            field = self.fields[key]
            field.setAccessibleName(words)
            field.setPlaceholderText(say("as the rule says"))
            grid.addWidget(plain_label(words, role="secondary"), place // 2, place % 2 * 2)
            grid.addWidget(field, place // 2, place % 2 * 2 + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(8), 0, 0)
        column.setSpacing(px(6))
        column.addLayout(grid)
        column.addWidget(self.table, 1)
        self.table.add_tool(self.propose)
        self.table.add_tool(self.apply)

    def sweep_draft(self) -> SweepDraft:
        """What is filled in."""
        return SweepDraft(**{key: field.text() for key, field in self.fields.items()})

    def errors(self) -> dict[str, str]:
        """Why a list cannot be used."""
        return {f"sweep.{key}": fault for key, fault in self.sweep_draft().errors().items()}

    def wanted(self) -> http.Sweep:
        """What is to be tried."""
        return self.sweep_draft().sweep()

    def show_trials(self, trials: Sequence[http.BackTestTrial]) -> None:
        """Show every combination."""
        self.table.set_rows(trials)
        self._show_button()

    def _on_propose(self) -> None:
        draft = self._draft().with_(name="-")
        if draft.errors():
            self._place.navigator.say_briefly(say("Fill in the condition first."))
            return
        proposed = proposed_sweep(draft.definition())
        for key, field in self.fields.items():
            field.setText(str(getattr(proposed, key)))

    def _on_apply(self) -> None:
        chosen = self.table.selected_rows()
        if len(chosen) == 1:
            self._take(with_trial(self._draft(), chosen[0]))
            self._place.navigator.say_briefly(say("Taken over into the rule; it is not saved yet."))

    def _show_button(self) -> None:
        self.apply.setEnabled(len(self.table.selected_rows()) == 1)


def _key(one: http.BackTestTrial) -> str:
    return f"{one.limit} {one.deadband} {one.on_delay_s} {one.off_delay_s}"


def _number(value: float | None) -> str:
    return NOTHING if value is None else plain(value)


def _columns() -> list[ColumnSpec[http.BackTestTrial]]:
    return [
        ColumnSpec("limit", say("Limit"), lambda one: one.limit, lambda one: _number(one.limit), is_number=True,
                   width=70),
        ColumnSpec("deadband", say("Deadband"), lambda one: one.deadband, lambda one: _number(one.deadband),
                   is_number=True, width=80),
        ColumnSpec("on_delay", say("On-delay"), lambda one: one.on_delay_s, lambda one: span_text(one.on_delay_s),
                   width=80),
        ColumnSpec("off_delay", say("Off-delay"), lambda one: one.off_delay_s, lambda one: span_text(one.off_delay_s),
                   width=80),
        ColumnSpec("per_day", say("Alarms a day"), lambda one: one.figures.alarms_per_day,
                   lambda one: number(one.figures.alarms_per_day, 1), is_number=True, width=100),
        ColumnSpec("short", say("Under 60 s"), lambda one: one.figures.short_share,
                   lambda one: _share(one.figures.short_share), is_number=True, width=90),
        ColumnSpec("longest", say("Longest"), lambda one: one.figures.longest_s,
                   lambda one: NOTHING if one.figures.longest_s is None else lasted_words(one.figures.longest_s),
                   width=80),
        ColumnSpec("hits", say("Incidents seen"), lambda one: one.figures.hits, is_number=True, width=110),
        ColumnSpec("misses", say("Missed"), lambda one: one.figures.misses, is_number=True, width=70),
        ColumnSpec("apart", say("During none"), lambda one: one.figures.apart, is_number=True, width=100),
    ]  # fmt: skip


def _share(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f} %"
