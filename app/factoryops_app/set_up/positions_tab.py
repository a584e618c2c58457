"""Operating positions: who watches which part of the factory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QLineEdit

from factoryops.contracts import http
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.organisation_drafts import PositionDraft
from factoryops_app.rule_editor.checked_list import CheckedList
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec

_LIST_PX: Final = 220


class PositionForm(FieldsForm[PositionDraft]):
    """A name and the areas that are watched from there."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, PositionDraft(), shares=(3, 2))
        self.name = QLineEdit()
        self.name.setMaxLength(100)
        self.areas = CheckedList(say("Areas"), say("No device has an area yet."), has_title=False)
        self.areas.list.setFixedHeight(place.look.px(_LIST_PX))
        self.form.add_row("name", say("Name"), self.name)
        self.form.add_row("areas", say("Areas"), self.areas, hint=say("An area belongs to one position."))
        self.watch(self.name.textEdited, self.areas.edited)
        self.fill(PositionDraft())

    def show_fields(self, draft: PositionDraft) -> None:
        """Put a draft into the fields."""
        self.name.setText(draft.name)
        areas = sorted({one.area for one in self.place.session.plant.devices} - {""})
        self.areas.fill({area: area for area in areas}, draft.areas)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        return {"name": self.name.text(), "areas": self.areas.chosen()}

    def focus_first(self) -> None:
        """Begin at the name."""
        self.name.setFocus()


class PositionsTab(NamedList[http.Position, PositionDraft]):
    """The list and the form."""

    def __init__(self, place: Workplace) -> None:
        self.form = PositionForm(place)
        super().__init__(place, self.form, PositionDraft, _words())

    def own_columns(self) -> list[ColumnSpec[http.Position]]:
        """What is watched from there."""
        return [ColumnSpec("areas", say("Areas"), lambda one: ", ".join(one.content.areas), width=300,
                           is_elastic=True)]  # fmt: skip

    def draft_of(self, kept: http.Position) -> PositionDraft:
        """As it is ticked."""
        return PositionDraft.of(kept)

    async def ask(self) -> Sequence[http.Position]:
        """All of the factory."""
        return await self.place.session.client.positions()

    async def send(self, draft: PositionDraft) -> http.Position:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_position(content)
        return await client.update_position(draft.identity, http.PositionUpdate(version=draft.version, content=content))

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_position(key)


def _words() -> ListWords:
    return ListWords(
        table="positions",
        loading=say("Asking for the operating positions …"),
        empty=say("The whole factory is one operating position"),
        explanation=say("A position is what one operator watches: alarm figures are judged for each by itself."),
        new=say("New operating position"),
        delete=say("Delete the position"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at operating positions but not change them."),
        heights=(220, 480),
    )
