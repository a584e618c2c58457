"""Contacts: everybody who can be told of alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QCheckBox, QLineEdit

from factoryops.contracts import http
from factoryops.domain.notifying import PERSONAL, Language, TargetKind
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.notification_drafts import ContactDraft
from factoryops_app.models.wording import channel_name
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.set_up.test_message import TestMessageBar
from factoryops_app.windows_grid import WindowsGrid
from factoryops_app.workplace import Workplace
from factoryops_resources.words import LANGUAGES, say
from factoryops_widgets.data_table import ColumnSpec

_LENGTHS: Final = {"name": 100, "email": 254, "phone": 30, "user": 100, "most_per_hour": 5}


class ContactForm(FieldsForm[ContactDraft]):
    """Addresses on the left; when not to be disturbed on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, ContactDraft(), shares=(1, 1))
        self.texts = {key: QLineEdit() for key in _LENGTHS}
        self.language = ChoiceBox({one.value: LANGUAGES[one.value] for one in Language})
        self.quiet = WindowsGrid(place.look, say("Quiet hours"))
        self.breaks_quiet = QCheckBox(say("Critical alarms are told in quiet hours, too"))
        self.is_enabled = QCheckBox(say("Messages are sent to this contact"))
        self.trial = TestMessageBar(place, TargetKind.CONTACT)
        self._place_rows()
        for key, field in self.texts.items():
            field.setMaxLength(_LENGTHS[key])
            self.watch(field.textEdited)
        self.watch(self.language.activated, self.quiet.edited, self.breaks_quiet.clicked, self.is_enabled.clicked)
        self.fill(ContactDraft())

    def _place_rows(self) -> None:
        left, right = self.columns
        rows = (
            ("name", say("Name"), ""),
            ("email", say("E-mail"), ""),
            ("phone", say("Phone"), say("For SMS and WhatsApp, such as +4915112345678.")),
            ("user", say("Account"), say("The login name, for messages in the client; its role counts, too.")),
        )
        for key, label, hint in rows:
            left.add_row(key, label, self.texts[key], hint=hint)
        left.add_row("language", say("Language"), self.language, hint=say("Of the messages."))
        left.add_row("is_enabled", "", self.is_enabled)
        left.add_row("trial", say("Try it"), self.trial)
        self.add_grid("quiet", say("Quiet hours"), self.quiet, hint=say("None: messages come at any time."), column=1)
        right.add_row("critical_breaks_quiet", "", self.breaks_quiet)
        right.add_row(
            "most_per_hour", say("At most"), self.texts["most_per_hour"], unit=say("messages an hour"),
            hint=say("Of each channel; critical alarms are sent beyond it. 0 for no bound."),
        )  # fmt: skip

    def show_fields(self, draft: ContactDraft) -> None:
        """Put a draft into the fields."""
        for key, field in self.texts.items():
            field.setText(str(getattr(draft, key)))
        self.language.choose(draft.language)
        self.quiet.fill(draft.quiet)
        self.breaks_quiet.setChecked(draft.critical_breaks_quiet)
        self.is_enabled.setChecked(draft.is_enabled)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        texts = {key: field.text() for key, field in self.texts.items()}
        return texts | {
            "language": self.language.value,
            "quiet": self.quiet.windows(),
            "critical_breaks_quiet": self.breaks_quiet.isChecked(),
            "is_enabled": self.is_enabled.isChecked(),
        }

    def on_shown(self, draft: ContactDraft) -> None:
        """A test goes where the saved contact can be reached."""
        reached = {"email": draft.email, "sms": draft.phone, "whatsapp": draft.phone, "in_app": draft.user}
        channels = {one.value: channel_name(one) for one in PERSONAL if reached[one.value].strip()}
        hindrance = "" if channels else say("It has no address yet: nothing can be sent.")
        if self.is_changed:
            hindrance = say("Save or discard the changes first.")
        self.trial.aim(draft.identity, channels, hindrance=hindrance)

    def focus_first(self) -> None:
        """Begin at the name."""
        self.texts["name"].setFocus()


class ContactsTab(NamedList[http.Contact, ContactDraft]):
    """The list and the form."""

    def __init__(self, place: Workplace) -> None:
        self.form = ContactForm(place)
        super().__init__(place, self.form, ContactDraft, _words())

    def own_columns(self) -> list[ColumnSpec[http.Contact]]:
        """How each is reached."""
        return [
            ColumnSpec("email", say("E-mail"), lambda one: one.content.email, width=170, is_elastic=True),
            ColumnSpec("phone", say("Phone"), lambda one: one.content.phone, width=150),
            ColumnSpec("user", say("Account"), lambda one: one.content.user, width=100),
            ColumnSpec("state", say("State"), _state_of, width=120),
        ]

    def draft_of(self, kept: http.Contact) -> ContactDraft:
        """As text."""
        return ContactDraft.of(kept)

    async def ask(self) -> Sequence[http.Contact]:
        """All of the factory."""
        return await self.place.session.client.contacts()

    async def send(self, draft: ContactDraft) -> http.Contact:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_contact(content)
        return await client.update_contact(draft.identity, http.ContactUpdate(version=draft.version, content=content))

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_contact(key)


def _state_of(one: http.Contact) -> str:
    if not one.content.is_enabled:
        return say("switched off")
    return say("quiet at times") if one.content.quiet else say("at any time")


def _words() -> ListWords:
    return ListWords(
        table="contacts",
        loading=say("Asking whom alarms can reach …"),
        empty=say("Nobody can be told of alarms yet"),
        explanation=say(
            "A contact is somebody with an e-mail address, a phone or an account; policies say who is told."
        ),
        new=say("New contact"),
        delete=say("Delete the contact"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at contacts but not change them."),
        heights=(220, 480),
    )
