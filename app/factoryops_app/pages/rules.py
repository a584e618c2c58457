"""Rules: what raises alarms; the list above, the editor below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLineEdit, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops_app.list_and_form import ListAndForm, ListWords
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.rule_words import definition_words, mode_name, scope_words
from factoryops_app.models.site import fetch_site
from factoryops_app.models.wording import priority_name
from factoryops_app.page import Page
from factoryops_app.rule_editor.back_test_tab import BackTestTab
from factoryops_app.rule_editor.editor import RuleEditor
from factoryops_app.rule_editor.shadow_tab import ShadowTab
from factoryops_app.rule_editor.versions_tab import VersionsTab
from factoryops_app.workplace import PageKey, RuleOffer, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.formatting import moment

_LONGEST_REASON = 500


class RuleList(ListAndForm[http.Rule, RuleDraft]):
    """The rules of the plant, which the session keeps up to date."""

    def __init__(self, place: Workplace) -> None:
        self.form = RuleEditor(place)
        self.reason = QLineEdit()
        self.back_test = BackTestTab(place, self.form.draft, self.form.change)
        self.shadow = ShadowTab(place)
        self.versions = VersionsTab(place)
        self.form.add_tab(self.back_test, say("Back-test"))
        self.form.add_tab(self.shadow, say("Shadow"))
        self.form.add_tab(self.versions, say("Versions"))
        self._shown: tuple[str | None, int] = (None, 0)
        super().__init__(place, self.form, _words(), Permission.EDIT_RULES)
        self.reason.setMaxLength(_LONGEST_REASON)
        self.reason.setPlaceholderText(say("Why it is changed (optional, kept with the version)"))
        self.reason.setAccessibleName(say("Why it is changed"))
        self.buttons.insertWidget(0, self.reason, 1)
        self.form.tabs.currentChanged.connect(lambda _: self._load_tab())
        self.versions.rolled_back.connect(self._on_rolled_back)
        self.shadow.promoted.connect(self.load)

    def columns(self) -> list[ColumnSpec[http.Rule]]:
        """What alarms, where, and whether it does."""
        zone = self.place.look.zone
        return [
            ColumnSpec("priority", say("Priority"), lambda rule: int(rule.content.priority),
                       lambda rule: priority_name(rule.content.priority), width=90),
            ColumnSpec("name", say("Name"), lambda rule: rule.content.name, width=210),
            ColumnSpec("condition", say("Condition"), self._condition, width=220, is_elastic=True),
            ColumnSpec("devices", say("Devices"), self._scope, width=150),
            ColumnSpec("state", say("State"), _state_of, width=120),
            ColumnSpec("version", say("Version"), lambda rule: rule.version, is_number=True, width=64),
            ColumnSpec("changed", say("Changed"), lambda rule: rule.changed_at,
                       lambda rule: f"{moment(rule.changed_at, zone)} {rule.changed_by}", width=200),
        ]  # fmt: skip

    def _condition(self, rule: http.Rule) -> str:
        return definition_words(rule.content.definition(), self.form.names())

    def _scope(self, rule: http.Rule) -> str:
        return scope_words(rule.content.scope, self.form.names())

    def key_of(self, kept: http.Rule) -> str:
        """Its id."""
        return kept.id

    def key_in(self, draft: RuleDraft) -> str | None:
        """The id of the one being changed."""
        return draft.rule_id

    def name_of(self, kept: http.Rule) -> str:
        """Its name."""
        return kept.content.name

    def draft_of(self, kept: http.Rule) -> RuleDraft:
        """As text."""
        return RuleDraft.of(kept.content.definition(), kept.id, kept.version)

    def new_draft(self) -> RuleDraft:
        """A high limit, not filled in yet."""
        return RuleDraft()

    def question(self, kept: http.Rule) -> str:
        """What stays is said."""
        return say("Take “{name}” out of use? Its alarms and their history stay.", name=kept.content.name)

    def remark_on(self, kept: http.Rule) -> str:
        """Why the engine has stopped it."""
        return say("Stopped: {reason}", reason=kept.fault) if kept.fault else ""

    def show_draft(self, draft: RuleDraft) -> None:
        """Fill the form; a reason belongs to one change."""
        self.reason.clear()
        super().show_draft(draft)

    def show_buttons(self) -> None:
        """A reason is asked for while there is something to save; the shadow's findings are of what is saved."""
        super().show_buttons()
        self.shadow.show_rule(self.held(), is_unsaved=self.form.is_changed)
        self.versions.show_buttons()
        self.back_test.show_buttons()
        self.reason.setVisible(self.may_change and self.form.is_changed)

    def on_draft(self, draft: RuleDraft) -> None:
        """What belongs to a saved rule follows the one that is shown."""
        if (draft.rule_id, draft.version) != self._shown:
            if draft.rule_id != self._shown[0]:
                self.back_test.forget()
            self._shown = draft.rule_id, draft.version
            self.versions.show_rule(draft.rule_id)
            self._load_tab()

    def offer(self, rule_id: str, offer: RuleOffer) -> None:
        """Fill a proposed change into the form of a rule, as if a person had; it is not saved."""
        rule = next((one for one in self.kept if one.id == rule_id), None)
        if rule is None or self.is_unsaved():
            return
        if rule.version != offer.version:
            self.place.navigator.say_briefly(say("The rule was changed since this was tried; propose again."))
            return
        self.table.select(rule_id)
        self.show_draft(self.draft_of(rule))
        self.form.change(RuleDraft.of(offer.content.definition(), rule.id, rule.version))
        self.reason.setText(offer.reason[:_LONGEST_REASON])
        self.reason.setCursorPosition(0)
        is_same = offer.content.condition == rule.content.condition
        self.form.tabs.setCurrentWidget(self.form.when if is_same else self.form.condition)
        self.place.navigator.say_briefly(say("Taken over into the rule; it is not saved yet."))

    def _load_tab(self) -> None:
        shown = self.form.tabs.currentWidget()
        for tab in (self.versions, self.shadow, self.form.notify):
            if shown is tab:
                tab.load()

    def _on_rolled_back(self) -> None:
        """The rule as it is now takes the place of what was being changed."""
        self.form.fill(self.form.base)
        self.load()

    async def ask(self) -> Sequence[http.Rule]:
        """All of the plant, fetched anew."""
        await self.place.session.refresh()
        return self.place.session.plant.rules

    async def send(self, draft: RuleDraft) -> http.Rule:
        """Make or change it."""
        client, content = self.place.session.client, http.RuleContent.of(draft.definition())
        reason = self.reason.text().strip()
        if draft.rule_id is None:
            return await client.create_rule(content, reason=reason)
        update = http.RuleUpdate.model_construct(version=draft.version, content=content, reason=reason)
        return await client.update_rule(draft.rule_id, update)

    async def drop(self, key: str) -> None:
        """Take it out of use."""
        await self.place.session.client.delete_rule(key)


class RulesPage(Page):
    """The list and the editor."""

    key = PageKey.RULES

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Rules"))
        self.list = RuleList(place)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.states.show_content()

    @property
    def is_loaded(self) -> bool:
        """Whether the rules, or a sentence in their place, can be seen."""
        return self.list.states.is_content_shown or bool(self.list.states.message)

    def enter(self, target: Target) -> None:
        """Show the rules; one in `target` is chosen."""
        super().enter(target)
        self.listen(self.place.session.plant.changed, self._show)
        self.place.tasks.start(self._fetch_site(), self.mention)
        self.list.complain("")
        self._show()
        if target.ids:
            self.list.table.select(target.ids[0])
        if target.ids and target.offer is not None:
            self.list.offer(target.ids[0], target.offer)

    async def try_rule(self, rule_id: str | None) -> None:
        """Try a rule, or the chosen one, on the last hour, until it has come to something."""
        panel = self.list.back_test
        if rule_id is not None:
            self.list.table.select(rule_id)
        panel.choose_span(1)
        self.list.form.tabs.setCurrentWidget(panel)
        await panel.run_and_wait()

    def load(self) -> None:
        """Fetch the rules anew."""
        self.list.load()

    def _show(self) -> None:
        session = self.place.session
        if session.connection.is_connected or session.plant.devices:
            self.list.show_kept(session.plant.rules)

    async def _fetch_site(self) -> None:
        self.list.form.offer(await fetch_site(self.place.session))


def _words() -> ListWords:
    return ListWords(
        table="rules",
        loading=say("Asking for the rules …"),
        empty=say("No rule watches the plant yet"),
        explanation=say("A rule raises an alarm when something is so that should not be, and says what is to be done."),
        new=say("New rule"),
        delete=say("Take out of use"),
        unchecked=say("The rule is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at rules but not change them."),
        heights=(160, 580),
    )


def _state_of(rule: http.Rule) -> str:
    if rule.fault:
        return say("stopped")
    if not rule.content.is_on:
        return mode_name(rule.content.mode)
    state = say("in force") if rule.holds_from_seq is not None else say("being taken up")
    return say("shadow, {state}", state=state) if rule.content.mode.value == "shadow" else state
