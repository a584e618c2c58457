"""Rosters: who is on call when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from PySide6.QtWidgets import QLineEdit

from factoryops.contracts import http
from factoryops.domain.errors import NotAllowedError
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.notification_drafts import RosterDraft, StandIn
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.windows_grid import WindowsGrid
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.edit_grid import EditGrid, GridColumn
from factoryops_widgets.formatting import moment

_LINES: Final = ("name", "starts_on", "handover", "turn_days")


class RosterForm(FieldsForm[RosterDraft]):
    """Whose turn it is on the left; hours of duty and who stands in on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, RosterDraft(place.look.zone), shares=(1, 1))
        self.texts = {key: QLineEdit() for key in _LINES}
        self.members = EditGrid(
            place.look, [GridColumn("contact", say("Contact"), 200, (("", say("choose")),))], name=say("Members"),
            most_visible=5, is_ordered=True,
        )  # fmt: skip
        self.duty = WindowsGrid(place.look, say("Hours of duty"))
        columns = [
            GridColumn("start", say("From"), 128),
            GridColumn("contact", say("Contact"), 110, (("", say("choose")),)),
            GridColumn("end", say("To"), 128),
        ]
        self.stand_ins = EditGrid(place.look, columns, name=say("Stand-ins"), most_visible=4)
        self._place_rows()
        self.watch(*(field.textEdited for field in self.texts.values()))
        self.watch(self.members.edited, self.duty.edited, self.stand_ins.edited)
        self.fill(self.empty())

    def empty(self) -> RosterDraft:
        """A new one: its turns begin today."""
        zone = self.place.look.zone
        return RosterDraft(zone, starts_on=datetime.now(zone).date().isoformat())

    def _place_rows(self) -> None:
        left, right = self.columns
        left.add_row("name", say("Name"), self.texts["name"])
        self.add_grid(
            "members", say("In turn"), self.members, hint=say("The first one's turn begins on the first day.")
        )
        left.add_row("starts_on", say("First day"), self.texts["starts_on"], hint=say("Such as 2026-03-31."))
        left.add_row("handover", say("Handover at"), self.texts["handover"])
        left.add_row("turn_days", say("A turn lasts"), self.texts["turn_days"], unit=say("days"))
        self.add_grid("duty", say("Hours of duty"), self.duty, hint=say("None: somebody is on call at any time."),
                      column=1)  # fmt: skip
        self.add_grid(
            "overrides", say("Stand-ins"), self.stand_ins, column=1,
            hint=say("Moments such as 2026-03-31 14:30; the last row that covers a moment wins."),
        )  # fmt: skip
        right.setMinimumWidth(self.place.look.px(480))

    def offer(self, contacts: Mapping[str, str]) -> None:
        """Who can be on call, by id."""
        choices = (("", say("choose")), *contacts.items())
        self.members.offer("contact", choices)
        self.stand_ins.offer("contact", choices)

    def show_fields(self, draft: RosterDraft) -> None:
        """Put a draft into the fields."""
        for key, field in self.texts.items():
            field.setText(str(getattr(draft, key)))
        self.members.set_rows([{"contact": one} for one in draft.members])
        self.duty.fill(draft.duty)
        self.stand_ins.set_rows(
            [{"start": one.start, "end": one.end, "contact": one.contact} for one in draft.stand_ins]
        )

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        texts = {key: field.text() for key, field in self.texts.items()}
        return texts | {
            "members": tuple(row["contact"] for row in self.members.rows()),
            "duty": self.duty.windows(),
            "stand_ins": tuple(StandIn(row["start"], row["end"], row["contact"]) for row in self.stand_ins.rows()),
        }

    def focus_first(self) -> None:
        """Begin at the name."""
        self.texts["name"].setFocus()


class RostersTab(NamedList[http.Roster, RosterDraft]):
    """The list, with who is on call now, and the form."""

    def __init__(self, place: Workplace) -> None:
        self._contacts: dict[str, str] = {}
        self.form = RosterForm(place)
        super().__init__(place, self.form, self.form.empty, _words())

    def own_columns(self) -> list[ColumnSpec[http.Roster]]:
        """Who is on call now, and until when."""
        zone = self.place.look.zone
        return [
            ColumnSpec("on_call", say("On call now"), self._on_call, width=160),
            ColumnSpec("until", say("Until"), lambda one: one.on_call_until,
                       lambda one: moment(one.on_call_until, zone), width=160),
            ColumnSpec("members", say("In turn"), lambda one: ", ".join(map(self._name, one.content.members)),
                       width=200, is_elastic=True),
        ]  # fmt: skip

    def _on_call(self, roster: http.Roster) -> str:
        return self._name(roster.on_call) if roster.on_call else say("nobody")

    def _name(self, contact: str) -> str:
        return self._contacts.get(contact, contact)

    def draft_of(self, kept: http.Roster) -> RosterDraft:
        """As text."""
        return RosterDraft.of(kept, self.place.look.zone)

    async def ask(self) -> Sequence[http.Roster]:
        """All of the factory; contacts are named where this person may see them."""
        client = self.place.session.client
        rosters = await client.rosters()
        self._contacts = {one: say("a contact") for roster in rosters for one in _named(roster)}
        with suppress(NotAllowedError):
            self._contacts |= {one.id: one.content.name for one in await client.contacts()}
        self.form.offer(self._contacts)
        return rosters

    async def send(self, draft: RosterDraft) -> http.Roster:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_roster(content)
        return await client.update_roster(draft.identity, http.RosterUpdate(version=draft.version, content=content))

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_roster(key)


def _named(roster: http.Roster) -> list[str]:
    return [*roster.content.members, *(one.contact for one in roster.content.overrides)]


def _words() -> ListWords:
    return ListWords(
        table="rosters",
        loading=say("Asking who is on call …"),
        empty=say("Nobody takes turns yet"),
        explanation=say("A roster says who is on call: its contacts take turns. A policy can tell whoever it is."),
        new=say("New roster"),
        delete=say("Delete the roster"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at rosters but not change them."),
        heights=(170, 530),
    )
