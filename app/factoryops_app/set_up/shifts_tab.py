"""Shifts: when people work, on the factory's own clock."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLineEdit

from factoryops.contracts import http
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.drafts import window_drafts
from factoryops_app.models.organisation_drafts import ShiftDraft
from factoryops_app.models.schedule_draft import ScheduleDraft, schedule_words
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.windows_grid import WindowsGrid
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec


class ShiftForm(FieldsForm[ShiftDraft]):
    """A name and weekly windows."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, ShiftDraft(), shares=(3, 2))
        self.name = QLineEdit()
        self.name.setMaxLength(100)
        self.windows = WindowsGrid(place.look, say("Works"), most_visible=7)
        self.form.add_row("name", say("Name"), self.name)
        self.add_grid(
            "windows", say("Works"), self.windows,
            hint=say("An end at or before the start lies on the next day: 22:00 to 06:00 is a night."),
        )  # fmt: skip
        self.watch(self.name.textEdited, self.windows.edited)
        self.fill(ShiftDraft())

    def show_fields(self, draft: ShiftDraft) -> None:
        """Put a draft into the fields."""
        self.name.setText(draft.name)
        self.windows.fill(draft.windows)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        return {"name": self.name.text(), "windows": self.windows.windows()}

    def focus_first(self) -> None:
        """Begin at the name."""
        self.name.setFocus()


class ShiftsTab(NamedList[http.Shift, ShiftDraft]):
    """The list and the form."""

    def __init__(self, place: Workplace) -> None:
        self.form = ShiftForm(place)
        super().__init__(place, self.form, ShiftDraft, _words())

    def own_columns(self) -> list[ColumnSpec[http.Shift]]:
        """When each works."""
        return [ColumnSpec("works", say("Works"), _works, width=300, is_elastic=True)]

    def draft_of(self, kept: http.Shift) -> ShiftDraft:
        """As text."""
        return ShiftDraft.of(kept)

    async def ask(self) -> Sequence[http.Shift]:
        """All of the factory."""
        return await self.place.session.client.shifts()

    async def send(self, draft: ShiftDraft) -> http.Shift:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_shift(content)
        return await client.update_shift(draft.identity, http.ShiftUpdate(version=draft.version, content=content))

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_shift(key)


def _works(shift: http.Shift) -> str:
    return schedule_words(ScheduleDraft(window_drafts(shift.content.windows)), str)


def _words() -> ListWords:
    return ListWords(
        table="shifts",
        loading=say("Asking for the shifts …"),
        empty=say("This factory has no shifts yet"),
        explanation=say("A shift says when people work; rules and scheduled rules name it instead of hours."),
        new=say("New shift"),
        delete=say("Delete the shift"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at shifts but not change them."),
        heights=(220, 480),
    )
