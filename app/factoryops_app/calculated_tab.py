"""Calculated parameters: the list above, the form below."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.contracts import http
from factoryops.domain.identity import Permission
from factoryops_app.calculation_form import CalculationForm
from factoryops_app.list_and_form import ListAndForm, ListWords
from factoryops_app.models.calculation_draft import CalculationDraft
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.formatting import moment


class CalculatedTab(ListAndForm[http.Calculation, CalculationDraft]):
    """What is calculated from what."""

    def __init__(self, place: Workplace) -> None:
        self.form = CalculationForm(place)
        super().__init__(place, self.form, _words(), Permission.EDIT_RULES)

    def columns(self) -> list[ColumnSpec[http.Calculation]]:
        """What there is, where it is written and whether it is calculated."""
        zone = self.place.look.zone
        return [
            ColumnSpec("device", say("Device"), lambda one: one.content.device_key, width=130),
            ColumnSpec("name", say("Name"), lambda one: one.content.name, width=150),
            ColumnSpec("key", say("Key"), lambda one: one.content.parameter_key, width=120),
            ColumnSpec("expression", say("Expression"), lambda one: one.content.expression, width=200,
                       is_elastic=True),
            ColumnSpec("unit", say("Unit"), lambda one: one.content.unit, width=60),
            ColumnSpec("state", say("State"), _state_of, width=120),
            ColumnSpec("changed", say("Changed"), lambda one: one.changed_at,
                       lambda one: f"{moment(one.changed_at, zone)} {one.changed_by}", width=230),
        ]  # fmt: skip

    def key_of(self, kept: http.Calculation) -> str:
        """Its id."""
        return kept.id

    def key_in(self, draft: CalculationDraft) -> str | None:
        """The id of the one being changed."""
        return draft.calculation_id

    def name_of(self, kept: http.Calculation) -> str:
        """Its name."""
        return kept.content.name

    def draft_of(self, kept: http.Calculation) -> CalculationDraft:
        """As text."""
        return CalculationDraft.of(kept)

    def new_draft(self) -> CalculationDraft:
        """Nothing filled in."""
        return CalculationDraft()

    def question(self, kept: http.Calculation) -> str:
        """What stays is said."""
        return say("Take “{name}” out of use? What was calculated stays.", name=kept.content.name)

    def remark_on(self, kept: http.Calculation) -> str:
        """Why it is not calculated any more."""
        return say("Stopped: {reason}", reason=kept.fault) if kept.fault else ""

    async def ask(self) -> Sequence[http.Calculation]:
        """All of the factory."""
        return await self.place.session.client.calculations()

    async def send(self, draft: CalculationDraft) -> http.Calculation:
        """Make or change it; the parameter is then one of the plant's."""
        client = self.place.session.client
        if draft.calculation_id is None:
            made = await client.create_calculation(draft.content())
        else:
            update = http.CalculationUpdate(version=draft.version, content=draft.content())
            made = await client.update_calculation(draft.calculation_id, update)
        await self.place.session.refresh()
        return made

    async def drop(self, key: str) -> None:
        """Take it out of use."""
        await self.place.session.client.delete_calculation(key)


def _words() -> ListWords:
    return ListWords(
        table="calculations",
        loading=say("Asking for the calculated parameters …"),
        empty=say("Nothing is calculated yet"),
        explanation=say("A calculated parameter is made from others and is then stored, shown and watched like them."),
        new=say("New calculated parameter"),
        delete=say("Take out of use"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at calculated parameters but not change them."),
    )


def _state_of(one: http.Calculation) -> str:
    if not one.content.is_enabled:
        return say("switched off")
    if one.fault:
        return say("stopped")
    return say("in force") if one.holds_from_seq is not None else say("being taken up")
