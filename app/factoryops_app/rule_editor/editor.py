"""The editor of a rule: its name and sentence on top, its parts in tabs below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from factoryops.domain.alarms import Priority
from factoryops.domain.rule import RuleMode
from factoryops_app.list_and_form import DraftForm
from factoryops_app.models.names import Names
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_words import mode_name, rule_sentence, rule_warning
from factoryops_app.models.site import Site
from factoryops_app.models.wording import priority_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.rule_editor.condition_tab import ConditionTab
from factoryops_app.rule_editor.notify_tab import NotifyTab
from factoryops_app.rule_editor.response_tab import ResponseTab
from factoryops_app.rule_editor.scope_tab import ScopeTab
from factoryops_app.rule_editor.when_tab import WhenTab
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say

_LONGEST_NAME: Final = 200


class RuleEditor(DraftForm[RuleDraft]):
    """Fills and reads a RuleDraft."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = RuleDraft()
        self._site = Site()
        self._shows_errors = False
        self.name = QLineEdit()
        self.name.setMaxLength(_LONGEST_NAME)
        self.name.setPlaceholderText(say("What is wrong when it alarms"))
        self.priority = ChoiceBox({str(int(one)): priority_name(one) for one in Priority})
        self.mode = ChoiceBox({one.value: mode_name(one) for one in RuleMode})
        self._sentence = plain_label(is_wrapped=True, role="section")
        self._name_fault = plain_label(role="error")
        self._warning = plain_label(is_wrapped=True, role="secondary")
        self.condition = ConditionTab(place, self.names)
        self.scope = ScopeTab(place)
        self.when = WhenTab(place, self.names)
        self.response = ResponseTab(place)
        self.notify = NotifyTab(place)
        self.tabs = QTabWidget()
        self.tabs.setProperty("role", "page")
        self._titles: dict[QWidget, str] = {}
        self._build()
        self._connect()
        self.fill(RuleDraft())

    def _build(self) -> None:
        px = self._place.look.px
        head = QHBoxLayout()
        head.setSpacing(px(8))
        for words, field, share in (
            (say("Name"), self.name, 1), (say("Priority"), self.priority, 0), (say("Mode"), self.mode, 0),
        ):  # fmt: skip
            field.setAccessibleName(words)
            head.addWidget(plain_label(words, role="secondary"))
            head.addWidget(field, share)
        for box in (self.priority, self.mode):
            box.setMinimumContentsLength(12)
        for widget, title in (
            (self.condition, say("Condition")), (self.scope, say("For which devices")), (self.when, say("When")),
            (self.response, say("Response")), (self.notify, say("Notifications")),
        ):  # fmt: skip
            self.add_tab(widget, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(6))
        column.addLayout(head)
        column.addWidget(self._name_fault)
        column.addWidget(self._sentence)
        column.addWidget(self._warning)
        column.addWidget(self.tabs, 1)
        self._name_fault.hide()
        self._warning.hide()

    def add_tab(self, widget: QWidget, title: str) -> None:
        """Put something beside the rule's own parts."""
        self._titles[widget] = title
        self.tabs.addTab(widget, title)

    def _connect(self) -> None:
        self.name.textEdited.connect(self._on_edited)
        for box in (self.priority, self.mode):
            box.activated.connect(self._on_edited)
        for tab in (self.condition, self.scope, self.when, self.response, self.notify):
            tab.edited.connect(self._on_edited)
        self.response.priority_chosen.connect(self._on_priority)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: RuleDraft) -> None:
        """Show a draft."""
        self._base = draft
        self._shows_errors = False
        blockers = [QSignalBlocker(self.response), QSignalBlocker(self.condition), QSignalBlocker(self.when)]
        self.name.setText(draft.name)
        self.priority.choose(str(int(draft.priority)))
        self.mode.choose(draft.mode.value)
        self.condition.fill(draft)
        self.scope.fill(draft.scope)
        self.when.fill(draft, self._site.shifts)
        self.response.offer(self._site, self._place.session.plant, draft.rule_id)
        self.response.fill(draft)
        self.notify.fill(draft)
        for blocker in blockers:
            blocker.unblock()
        self._show_faults({})
        self._refresh()

    def offer(self, site: Site) -> None:
        """Take up what the factory has for rules to use."""
        self._site = site
        self.condition.offer_shifts(site.shifts)
        self.when.offer_shifts(site.shifts)
        self.response.offer(site, self._place.session.plant, self._base.rule_id)
        self.notify.offer(site)
        self._refresh()

    def draft(self) -> RuleDraft:
        """What is filled in now."""
        read = self._base.with_(
            name=self.name.text(),
            priority=Priority(int(self.priority.value)),
            mode=RuleMode(self.mode.value),
            scope=self.scope.draft(),
        )
        return self.notify.read(self.response.read(self.when.read(self.condition.read(read))))

    def change(self, draft: RuleDraft) -> None:
        """Show a draft as if a person had filled it in, so that it is there to be saved."""
        base = self._base
        self.fill(draft)
        self._base = base
        self._on_edited()

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        return self.draft() != self._base

    @property
    def base(self) -> RuleDraft:
        """What was filled in last."""
        return self._base

    def check(self) -> bool:
        """Show what cannot be used and go there; True when all is well."""
        self._shows_errors = True
        errors = self.draft().errors()
        self._show_faults(errors)
        first = next((widget for widget in self._titles if self._faults_in(widget, errors)), None)
        if "name" in errors:
            self.name.setFocus()
        elif first is not None:
            self.tabs.setCurrentWidget(first)
        return not errors

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show what the service did not accept."""
        self._show_faults(errors)

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether the rule may be changed; it can be looked at and tried in any case."""
        for widget in (self.name, self.priority, self.mode, self.condition, self.scope, self.when, self.response):
            widget.setEnabled(is_editable)
        self.notify.set_editable(is_editable=is_editable)

    def focus_first(self) -> None:
        """Begin at the name."""
        self.tabs.setCurrentWidget(self.condition)
        self.name.setFocus()

    def names(self) -> Names:
        """What keys are called."""
        return Names(self._place.session.plant, shifts=self._site.shifts)

    @property
    def sentence(self) -> str:
        """What the rule does, in words."""
        return self._sentence.text()

    @property
    def warning(self) -> str:
        """What the author should know before saving."""
        return self._warning.text()

    # --- reacting ----------------------------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        self._refresh()
        self.edited.emit()

    def _on_priority(self, priority: int) -> None:
        self.priority.choose(str(priority))
        self._on_edited()

    def _refresh(self) -> None:
        draft = self.draft()
        self._sentence.setText(rule_sentence(draft, self.names()))
        warning = rule_warning(draft, self._place.session.plant.parameters)
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        self.response.show_proposal(draft.priority)
        self.condition.show_picture(draft)
        if self._shows_errors:
            self._show_faults(draft.errors())

    def _show_faults(self, errors: Mapping[str, str]) -> None:
        fault = errors.get("name", "")
        self._name_fault.setText(fault)
        self._name_fault.setVisible(bool(fault))
        self.scope.show_errors(errors.get("scope", ""))
        for tab in (self.condition, self.when, self.response):
            tab.show_errors(errors)
        for widget, title in self._titles.items():
            mark = " \N{BULLET}" if self._faults_in(widget, errors) else ""
            self.tabs.setTabText(self.tabs.indexOf(widget), f"{title}{mark}")

    def _faults_in(self, widget: QWidget, errors: Mapping[str, str]) -> bool:
        beginnings: dict[QWidget, tuple[str, ...]] = {
            self.condition: ("template.", "condition"),
            self.scope: ("scope",),
            self.when: ("on_delay", "off_delay", "re_alarm", "schedule", "suppress_while"),
            self.response: ("record.",),
        }
        return any(key.startswith(beginnings.get(widget, ("\0",))) for key in errors)
