"""Mappings: the list above, the form below, and beside it what comes of a message."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops_app.list_and_form import ListAndForm, ListWords
from factoryops_app.mapping_form import MappingForm
from factoryops_app.mapping_trial import MappingTrialView
from factoryops_app.models.mapping_draft import MappingDraft, guessed
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.formatting import moment


class MappingsTab(ListAndForm[http.KeptMapping, MappingDraft]):
    """What messages of a format of their own mean."""

    def __init__(self, place: Workplace) -> None:
        self.form = MappingForm(place)
        self.trial = MappingTrialView(place)
        super().__init__(place, self.form, _words(), Permission.EDIT_PLANT, beside=self.trial)

    def columns(self) -> list[ColumnSpec[http.KeptMapping]]:
        """What there is and which topics it is for."""
        zone = self.place.look.zone
        return [
            ColumnSpec("name", say("Name"), lambda one: one.content.name, width=200),
            ColumnSpec("topic", say("Topic"), lambda one: one.content.topic, width=260, is_elastic=True),
            ColumnSpec("values", say("Values"), lambda one: len(one.content.values) + len(one.content.groups),
                       is_number=True, width=80),
            ColumnSpec("state", say("State"), _state_of, width=120),
            ColumnSpec("changed", say("Changed"), lambda one: one.changed_at,
                       lambda one: f"{moment(one.changed_at, zone)} {one.changed_by}", width=220),
        ]  # fmt: skip

    def key_of(self, kept: http.KeptMapping) -> str:
        """Its id."""
        return kept.id

    def key_in(self, draft: MappingDraft) -> str | None:
        """The id of the one being changed."""
        return draft.mapping_id

    def name_of(self, kept: http.KeptMapping) -> str:
        """Its name."""
        return kept.content.name

    def draft_of(self, kept: http.KeptMapping) -> MappingDraft:
        """As text."""
        return MappingDraft.of(kept)

    def new_draft(self) -> MappingDraft:
        """Nothing filled in."""
        return MappingDraft()

    def question(self, kept: http.KeptMapping) -> str:
        """What comes of further messages is said."""
        return say(
            "Delete “{name}”? What it has stored stays; further messages go into quarantine.", name=kept.content.name
        )

    def on_draft(self, draft: MappingDraft) -> None:
        """Try it on the message beside the form, and mark what is wrong while it is typed."""
        if self.form.is_changed:
            self.form.show_errors(draft.errors())
        self.trial.show_draft(draft)

    def load(self) -> None:
        """Ask for the mappings and for captured messages."""
        if not self.place.session.may(Permission.SEE_QUARANTINE):
            self.states.show_no_permission(say("Your role may not see mappings; a supervisor may."))
            return
        self.trial.load()
        super().load()

    def begin_from(self, message: http.QuarantinedMessage) -> None:
        """Start a mapping with a guess at what a captured message means, unless something here is not saved yet."""
        if self.is_unsaved():
            return
        self.begin(MappingDraft())
        draft = guessed(message.topic, "" if message.is_hex else message.payload)
        self.form.guess(draft)
        self.trial.take(message)
        self.on_draft(self.form.draft())
        self.show_buttons()

    async def ask(self) -> Sequence[http.KeptMapping]:
        """All of the factory."""
        return await self.place.session.client.mappings()

    async def send(self, draft: MappingDraft) -> http.KeptMapping:
        """Make or change it."""
        client, content = self.place.session.client, draft.content()
        if content is None:
            raise ValueError("a draft with errors has no content")
        if draft.mapping_id is None:
            return await client.create_mapping(content)
        update = http.MappingUpdate.model_construct(version=draft.version, content=content)
        return await client.update_mapping(draft.mapping_id, update)

    async def drop(self, key: str) -> None:
        """Delete it."""
        await self.place.session.client.delete_mapping(key)


def _words() -> ListWords:
    return ListWords(
        table="mappings",
        loading=say("Asking for the mappings …"),
        empty=say("No mapping yet"),
        explanation=say("A mapping says where device, time and values lie in messages of a format of their own."),
        new=say("New mapping"),
        delete=say("Delete"),
        unchecked=say("The mapping is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at mappings but not change them."),
        heights=(148, 600),
    )


def _state_of(mapping: http.KeptMapping) -> str:
    return say("in force") if mapping.content.is_enabled else say("switched off")
