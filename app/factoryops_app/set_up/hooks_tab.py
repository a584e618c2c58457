"""Hooks: machines and chats that are told of alarms."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QLineEdit

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops.domain.notifying import HookKind, Language, TargetKind
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.notification_drafts import HTTPS, HookDraft
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.set_up.test_message import TestMessageBar
from factoryops_app.workplace import Workplace
from factoryops_resources.words import LANGUAGES, say
from factoryops_widgets.data_table import ColumnSpec


def hook_kind_name(kind: HookKind) -> str:
    """What waits at the other end."""
    return {
        HookKind.WEBHOOK: say("Webhook (JSON)"),
        HookKind.TEAMS: say("Teams channel"),
        HookKind.SLACK: say("Slack-style chat"),
    }[kind]


class HookForm(FieldsForm[HookDraft]):
    """What it is on the left, its secrets on the right: typed once, never shown again."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, HookDraft(), shares=(1, 1))
        self.name, self.url, self.signing_key = QLineEdit(), QLineEdit(), QLineEdit()
        self.kind = ChoiceBox({one.value: hook_kind_name(one) for one in HookKind})
        self.language = ChoiceBox({one.value: LANGUAGES[one.value] for one in Language})
        self.drops_key = QCheckBox(say("Take the signing key away"))
        self.is_enabled = QCheckBox(say("Messages are sent to this hook"))
        self.trial = TestMessageBar(place, TargetKind.HOOK)
        self._place_rows()
        self.watch(self.name.textEdited, self.url.textEdited, self.signing_key.textEdited, self.kind.activated,
                   self.language.activated, self.drops_key.clicked, self.is_enabled.clicked)  # fmt: skip
        self.fill(HookDraft())

    def _place_rows(self) -> None:
        left, right = self.columns
        self.name.setMaxLength(100)
        self.url.setMaxLength(2_000)
        self.signing_key.setMaxLength(200)
        for field in (self.url, self.signing_key):
            field.setEchoMode(QLineEdit.EchoMode.Password)
        left.add_row("name", say("Name"), self.name)
        left.add_row("kind", say("Kind"), self.kind)
        left.add_row("language", say("Language"), self.language, hint=say("Of the messages."))
        left.add_row("is_enabled", "", self.is_enabled)
        left.add_row("trial", say("Try it"), self.trial)
        right.add_row(
            "url", say("Address"), self.url, hint=say("A secret, such as https://…; empty to keep the one it has.")
        )
        right.add_row(
            "signing_key", say("Signing key"), self.signing_key,
            hint=say(
                "For webhooks: the other side checks that a message is ours. Empty: as it was; new hooks do not sign."
            ),
        )  # fmt: skip
        right.add_row("drops_key", "", self.drops_key, hint=say("Messages are then not signed."))
        self.drops_key.setAccessibleName(self.drops_key.text())

    def show_fields(self, draft: HookDraft) -> None:
        """Put a draft into the fields."""
        self.name.setText(draft.name)
        self.kind.choose(draft.kind)
        self.language.choose(draft.language)
        self.url.setText(draft.url)
        self.signing_key.setText(draft.signing_key)
        self.is_enabled.setChecked(draft.is_enabled)
        self.url.setPlaceholderText(HTTPS if draft.identity is None else say("kept as it is"))
        self.signing_key.setPlaceholderText(say("kept as it is") if draft.is_signed else "")
        self.drops_key.setChecked(draft.drops_key)
        self.columns[1].set_row_shown("drops_key", is_shown=draft.is_signed)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        return {
            "name": self.name.text(),
            "kind": self.kind.value,
            "language": self.language.value,
            "url": self.url.text(),
            "signing_key": "" if self.drops_key.isChecked() else self.signing_key.text(),
            "drops_key": self.drops_key.isChecked(),
            "is_enabled": self.is_enabled.isChecked(),
        }

    def on_shown(self, draft: HookDraft) -> None:
        """A test goes to the saved hook."""
        self.signing_key.setEnabled(not draft.drops_key)
        hindrance = say("Save or discard the changes first.") if self.is_changed else ""
        self.trial.aim(draft.identity, {}, hindrance=hindrance)

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show what the service did not accept."""
        super().show_errors({key.removeprefix("secrets."): text for key, text in errors.items()})

    def focus_first(self) -> None:
        """Begin at the name."""
        self.name.setFocus()


class HooksTab(NamedList[http.Hook, HookDraft]):
    """The list and the form."""

    def __init__(self, place: Workplace) -> None:
        self.form = HookForm(place)
        super().__init__(place, self.form, HookDraft, _words(), Permission.EDIT_PLANT)

    def own_columns(self) -> list[ColumnSpec[http.Hook]]:
        """Where each leads, as far as that may be said."""
        return [
            ColumnSpec("kind", say("Kind"), lambda one: hook_kind_name(one.content.kind), width=170),
            ColumnSpec("host", say("Host"), lambda one: one.host, width=180, is_elastic=True),
            ColumnSpec("signed", say("Signed"), lambda one: say("signed") if one.is_signed else say("not signed"),
                       width=100),
            ColumnSpec("state", say("State"),
                       lambda one: say("in use") if one.content.is_enabled else say("switched off"), width=110),
        ]  # fmt: skip

    def draft_of(self, kept: http.Hook) -> HookDraft:
        """As text."""
        return HookDraft.of(kept)

    async def ask(self) -> Sequence[http.Hook]:
        """All of the factory."""
        return await self.place.session.client.hooks()

    async def send(self, draft: HookDraft) -> http.Hook:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is not None:
            update = http.HookUpdate(version=draft.version, content=content, secrets=draft.changed_secrets())
            return await client.update_hook(draft.identity, update)
        return await client.create_hook(http.HookRequest(content=content, secrets=draft.secrets()))

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_hook(key)


def _words() -> ListWords:
    return ListWords(
        table="hooks",
        loading=say("Asking for the hooks …"),
        empty=say("No machine is told of alarms yet"),
        explanation=say(
            "A hook is the address of another system or of a chat's channel; policies say which alarms it gets."
        ),
        new=say("New hook"),
        delete=say("Delete the hook"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at hooks but not change them; an administrator may."),
        heights=(240, 440),
    )
