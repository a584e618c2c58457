"""Proposals for alarms that chatter: asked for here, followed while they are tried, and taken to the rule editor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSplitter, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops_app.followed_run import FollowedRun
from factoryops_app.models.mends import (
    TrialRow,
    affected_words,
    changed_content,
    chosen_trial,
    outcome_words,
    proposal_words,
    raises_words,
    reason_words,
    sentences,
    trial_rows,
)
from factoryops_app.models.performance import seconds
from factoryops_app.models.wording import priority_name
from factoryops_app.page import plain_label
from factoryops_app.workplace import PageKey, RuleOffer, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.busy import BusyLine
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, moment, number
from factoryops_widgets.state_view import StateView


class MendsView(QWidget):
    """One row per alarm above; what was tried for the chosen one, and what it would miss, below.

    Args:
        span: from when to when figures are shown.
        listed: ids of the alarms that chatter or flicker in them, the worst first.
    """

    def __init__(
        self, place: Workplace, span: Callable[[], tuple[datetime, datetime]], listed: Callable[[], list[str]]
    ) -> None:
        super().__init__()
        self._listed = listed
        self._left_out = 0
        self._place = place
        self._span = span
        self.outcome: http.MendOutcome | None = None
        self.busy = BusyLine(place.look)
        self._followed = FollowedRun(place, self.busy)
        self.mends: DataTable[http.AlarmMend] = DataTable(
            place.look, _mend_columns(), name="mends", settings=place.settings, row_key=lambda one: one.alarm.alarm_id
        )
        self.words = plain_label(is_wrapped=True)
        self.trials: DataTable[TrialRow] = DataTable(
            place.look,
            _trial_columns(),
            name="mend-trials",
            settings=place.settings,
            row_key=lambda row: str(row.place),
        )
        self.affected: DataTable[http.MendOccasion] = DataTable(
            place.look, self._affected_columns(), name="mend-occasions", settings=place.settings,
            row_key=lambda one: f"{one.told_at.isoformat()} {one.incident_id}",
        )  # fmt: skip
        self._beside = QWidget()
        self.open_rule = QPushButton(say("Open in the rule editor"))
        self._states = StateView(place.look, QWidget())
        self._build()
        self._connect()
        self._show_empty()

    def _build(self) -> None:
        px = self._place.look.px
        self.open_rule.setToolTip(say("With the chosen change, else the proposed one; nothing is saved yet"))
        self.trials.add_tool(self.open_rule)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, px(8), 0, 0)
        column.setSpacing(px(6))
        column.addWidget(self.words)
        column.addWidget(self.trials, 1)
        right = self._beside
        beside = QVBoxLayout(right)
        beside.setContentsMargins(px(8), px(8), 0, 0)
        beside.setSpacing(px(6))
        beside.addWidget(plain_label(say("Real trouble that the proposal tells later or not at all"), role="secondary"))
        beside.addWidget(self.affected, 1)
        below = QSplitter(Qt.Orientation.Horizontal)
        whole = QSplitter(Qt.Orientation.Vertical)
        for splitter, widgets, sizes in ((below, (left, right), (740, 360)), (whole, (self.mends, below), (150, 260))):
            splitter.setChildrenCollapsible(False)
            for widget in widgets:
                splitter.addWidget(widget)
            splitter.setSizes([px(size) for size in sizes])
        content = QVBoxLayout(self._states.content)
        content.setContentsMargins(0, 0, 0, 0)
        content.addWidget(whole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(8), px(8), px(8), px(8))
        layout.setSpacing(px(6))
        layout.addWidget(self.busy)
        layout.addWidget(self._states, 1)

    def _connect(self) -> None:
        self._states.action_requested.connect(self.propose_listed)
        self._states.retry_requested.connect(self.propose_listed)
        self.mends.selection_changed.connect(self._show_chosen)
        self.trials.selection_changed.connect(self._show_button)
        self.trials.row_activated.connect(lambda _: self.open_in_editor())
        self.open_rule.clicked.connect(self.open_in_editor)

    # --- asking ------------------------------------------------------------------------------------------------------

    @property
    def may_propose(self) -> bool:
        """Whether the person may ask for proposals."""
        return self._place.session.may(Permission.EDIT_RULES)

    def propose_listed(self) -> None:
        """Look for proposals for all that chatter or flicker in the figures shown."""
        alarm_ids = self._listed()
        if alarm_ids:
            self.propose(alarm_ids)
        else:
            start, end = self._span()
            self.show_outcome(http.MendOutcome(start=start, end=end, mends=[]))

    def propose(self, alarm_ids: Sequence[str]) -> None:
        """Look for proposals for these alarms, the worst first; no more than fit into one search."""
        start, end = self._span()
        self._left_out = max(0, len(alarm_ids) - http.MOST_MENDED)
        request = http.MendRequest(start=start, end=end, alarm_ids=[*alarm_ids][: http.MOST_MENDED])
        session = self._place.session
        client = session.client

        async def ask(run_id: str) -> http.Run | None:
            found = await client.mending(run_id)
            if found.outcome is None:
                return found.run
            left_out = found.outcome.left_out + self._left_out
            self.show_outcome(found.outcome.model_copy(update={"left_out": left_out}))
            return None

        def begin() -> Awaitable[http.Run]:
            return session.change(client.start_mending(request))

        self._followed.follow(say("Trying deadbands and delays …"), begin, ask)

    async def propose_and_wait(self, alarm_ids: Sequence[str]) -> None:
        """Look for proposals and wait for what comes of it."""
        self.propose(alarm_ids)
        await self._followed.wait()

    # --- showing -----------------------------------------------------------------------------------------------------

    def show_outcome(self, outcome: http.MendOutcome) -> None:
        """Show what it came to, the first alarm chosen."""
        self.outcome = outcome
        self.busy.finish(outcome_words(outcome))
        self.mends.set_rows(outcome.mends)
        if not outcome.mends:
            self._show_empty()
            return
        self._states.show_content()
        self.mends.select(outcome.mends[0].alarm.alarm_id)
        self._show_chosen()

    def _show_empty(self) -> None:
        if self.outcome is not None:
            title, text = say("Nothing to mend"), say("No alarm chattered or was fleeting in this time.")
        else:
            title = say("No proposals yet")
            text = say(
                "Deadbands and delays are tried on the alarm's own history; you see what is left of the alarms and "
                "what would have been told later or not at all. Nothing is changed by it."
            )
        self._states.show_empty(title, text, say("Propose a mend for all that chatter") if self.may_propose else "")

    def _chosen(self) -> http.AlarmMend | None:
        return next(iter(self.mends.selected_rows()), None)

    def _show_chosen(self) -> None:
        mend = self._chosen()
        self.words.setText("" if mend is None else "\n".join(sentences(mend)))
        rows = [] if mend is None else trial_rows(mend)
        self.trials.set_rows(rows)
        self.trials.clear_selection()
        affected = [] if mend is None else mend.affected
        self.affected.set_rows(affected)
        self._beside.setVisible(bool(affected))
        proposed = next((row for row in rows if row.is_proposed), None)
        if proposed is not None:
            self.trials.select(str(proposed.place))
        self._show_button()

    def _show_button(self) -> None:
        mend = self._chosen()
        has_trial = mend is not None and chosen_trial(mend, self.trials.selected_rows()) is not None
        self.open_rule.setEnabled(has_trial)

    def open_in_editor(self) -> None:
        """Take the chosen change, else the proposed one, to the rule editor, where it can be saved."""
        mend = self._chosen()
        trial = None if mend is None else chosen_trial(mend, self.trials.selected_rows())
        if mend is None or trial is None:
            return
        rule = next((one for one in self._place.session.plant.rules if one.id == mend.alarm.rule_id), None)
        content = None if rule is None else changed_content(rule, mend, trial)
        if rule is None or content is None:
            self._place.navigator.say_briefly(say("The rule was changed since this was tried; propose again."))
            return
        offer = RuleOffer(content, reason_words(mend, trial), rule.version)
        self._place.navigator.go(PageKey.RULES, Target(ids=(rule.id,), offer=offer))

    def _affected_columns(self) -> list[ColumnSpec[http.MendOccasion]]:
        zone = self._place.look.zone
        return [
            ColumnSpec("at", say("Told now"), lambda one: one.told_at, lambda one: moment(one.told_at, zone),
                       width=150),
            ColumnSpec("after", say("With the proposal"), lambda one: one.after_s,
                       lambda one: affected_words(one.after_s), width=130),
            ColumnSpec("note", say("Incident"), lambda one: one.note or one.incident_id,
                       lambda one: one.note or (say("marked") if one.incident_id else NOTHING), width=80,
                       is_elastic=True),
        ]  # fmt: skip


def _mend_columns() -> list[ColumnSpec[http.AlarmMend]]:
    return [
        ColumnSpec("alarm", say("Alarm"), lambda one: one.alarm.rule_name, width=200, is_elastic=True),
        ColumnSpec("device", say("Device"), lambda one: one.alarm.device_name, width=150, is_elastic=True),
        ColumnSpec("priority", say("Priority"), lambda one: int(one.alarm.priority),
                   lambda one: priority_name(one.alarm.priority), width=90),
        ColumnSpec("recorded", say("Recorded"), lambda one: one.alarm.recorded, is_number=True, width=110),
        ColumnSpec("raises", say("Alarms before and after"), lambda one: one.before.raises if one.before else None,
                   raises_words, is_number=True, width=190),
        ColumnSpec("proposal", say("Proposal"), proposal_words, width=220),
    ]  # fmt: skip


def _trial_columns() -> list[ColumnSpec[TrialRow]]:
    return [
        ColumnSpec("change", say("Change"), lambda row: row.change, width=190),
        ColumnSpec("verdict", say("Result"), lambda row: row.verdict, width=120),
        ColumnSpec("raises", say("Alarms"), lambda row: row.trial.raises, is_number=True, width=70),
        ColumnSpec("most", say("Most in quick succession"), lambda row: row.trial.most_in_span, is_number=True,
                   width=175),
        ColumnSpec("fleeting", say("Fleeting"), lambda row: row.trial.fleeting, is_number=True, width=80),
        ColumnSpec("later", say("Told later"), lambda row: row.trial.later, is_number=True, width=120),
        ColumnSpec("delay", say("By (median, longest)"), lambda row: row.trial.delay_longest_s, _delay_words,
                   width=140),
        ColumnSpec("missed", say("Not told"), lambda row: row.trial.missed, is_number=True, width=110),
        ColumnSpec("active", say("Stands for"), lambda row: row.trial.active_s, lambda row: seconds(row.trial.active_s),
                   width=90),
        ColumnSpec("basis", say("Comes from"), lambda row: row.basis, width=150, is_elastic=True),
    ]  # fmt: skip


def _delay_words(row: TrialRow) -> str:
    if not row.trial.later:
        return NOTHING
    return f"{number(row.trial.delay_median_s, 0)} s, {seconds(row.trial.delay_longest_s)}"
