"""A list of named things that are kept with versions, each changed in a form below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from factoryops.domain.identity import Permission
from factoryops_app.list_and_form import ListAndForm, ListWords
from factoryops_app.models.drafts import SetUpDraft
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.formatting import moment


class Content(Protocol):
    """What a person decided."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...


class NamedThing(Protocol):
    """Something that is kept with versions."""

    @property
    def id(self) -> str:
        """For ever the same."""
        ...

    @property
    def version(self) -> int:
        """From 1."""
        ...

    @property
    def changed_by(self) -> str:
        """Who made this version."""
        ...

    @property
    def changed_at(self) -> datetime:
        """When."""
        ...

    @property
    def content(self) -> Content:
        """What it is."""
        ...


Thing = TypeVar("Thing", bound=NamedThing)
Draft = TypeVar("Draft", bound=SetUpDraft)


class NamedList(ListAndForm[Thing, Draft], Generic[Thing, Draft]):
    """What `ListAndForm` asks of everything that has an id, a version and a name."""

    def __init__(
        self, place: Workplace, form: FieldsForm[Draft], empty: Callable[[], Draft], words: ListWords,
        permission: Permission = Permission.EDIT_RULES,
    ) -> None:  # fmt: skip
        self._empty = empty
        super().__init__(place, form, words, permission)

    def own_columns(self) -> list[ColumnSpec[Thing]]:
        """The columns between its name and who changed it."""
        raise NotImplementedError

    def columns(self) -> list[ColumnSpec[Thing]]:
        """Its name, what a subject shows, and who changed it when."""
        zone = self.place.look.zone
        name: ColumnSpec[Thing] = ColumnSpec("name", say("Name"), lambda one: one.content.name, width=170)
        changed: ColumnSpec[Thing] = ColumnSpec(
            "changed", say("Changed"), lambda one: one.changed_at,
            lambda one: f"{moment(one.changed_at, zone)} {one.changed_by}", width=220,
        )  # fmt: skip
        return [name, *self.own_columns(), changed]

    def key_of(self, kept: Thing) -> str:
        """Its id."""
        return kept.id

    def key_in(self, draft: Draft) -> str | None:
        """The id of the one being changed."""
        return draft.identity

    def name_of(self, kept: Thing) -> str:
        """Its name."""
        return kept.content.name

    def new_draft(self) -> Draft:
        """Nothing filled in."""
        return self._empty()

    def question(self, kept: Thing) -> str:
        """Whoever uses it is protected by the service."""
        return say("Delete “{name}”?", name=kept.content.name)
