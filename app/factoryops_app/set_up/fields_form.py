"""A form of labelled fields for anything that is set up: it fills, reads and marks a draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from factoryops_app.list_and_form import DraftForm
from factoryops_app.models.drafts import SetUpDraft
from factoryops_app.windows_grid import mark_cells
from factoryops_app.workplace import Workplace
from factoryops_widgets.edit_grid import EditGrid
from factoryops_widgets.form import Form

Draft = TypeVar("Draft", bound=SetUpDraft)


class FieldsForm(DraftForm[Draft], Generic[Draft]):
    """Columns of fields, as wide as their `shares`; a subject adds its rows and says what they hold.

    A fault is named after its row; "row[0].column" marks a cell of the row's grid, too.
    """

    def __init__(self, place: Workplace, empty: Draft, *, shares: Sequence[int] = (1,)) -> None:
        super().__init__()
        self.place = place
        self._base = empty
        self._shows_errors = False
        self._is_filling = False
        self.columns = [Form(place.look) for _ in shares]
        self._grids: dict[str, EditGrid] = {}
        self._arrange(shares)

    # --- what a subject says -----------------------------------------------------------------------------------------

    def show_fields(self, draft: Draft) -> None:
        """Put a draft into the fields."""
        raise NotImplementedError

    def read_fields(self) -> dict[str, object]:
        """What the fields hold, by the draft's own names."""
        raise NotImplementedError

    def on_shown(self, draft: Draft) -> None:
        """The fields hold this now; for what depends on it."""

    # --- building ----------------------------------------------------------------------------------------------------

    @property
    def form(self) -> Form:
        """The first column."""
        return self.columns[0]

    def _arrange(self, shares: Sequence[int]) -> None:
        px = self.place.look.px
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(px(2), px(2), px(12), px(2))
        row.setSpacing(px(32))
        for form, share in zip(self.columns, shares, strict=True):
            column = QVBoxLayout()
            column.addWidget(form)
            column.addStretch(1)
            row.addLayout(column, share)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def add_grid(self, key: str, label: str, grid: EditGrid, *, hint: str = "", column: int = 0) -> None:
        """Add a row whose field is a grid; its cells are marked."""
        self._grids[key] = grid
        self.columns[column].add_row(key, label, grid, hint=hint)

    def watch(self, *signals: SignalInstance) -> None:
        """Each of these says that a person changed something."""
        for signal in signals:
            signal.connect(self._on_edited)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: Draft) -> None:
        """Show a draft; from now on it counts as unchanged."""
        self._base, self._shows_errors, self._is_filling = draft, False, True
        self.show_fields(draft)
        self._is_filling = False
        self._base = self.draft()
        self._mark({})
        self.on_shown(self._base)

    def draft(self) -> Draft:
        """What is filled in now."""
        return replace(self._base, **self.read_fields())  # type: ignore[type-var]  # every draft is a dataclass

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        return self.draft() != self._base

    def check(self) -> bool:
        """Show what cannot be used; True when all is well."""
        self._shows_errors = True
        errors = self.draft().errors()
        self._mark(errors)
        self._focus(errors)
        return not errors

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show what the service did not accept."""
        self._mark({key.removeprefix("content."): text for key, text in errors.items()})

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether the fields may be changed."""
        for form in self.columns:
            form.setEnabled(is_editable)

    def errors(self) -> dict[str, str]:
        """The faults shown, by row."""
        return {key: text for form in self.columns for key, text in form.errors().items()}

    def _on_edited(self) -> None:
        if self._is_filling:
            return
        draft = self.draft()
        if self._shows_errors:
            self._mark(draft.errors())
        self.on_shown(draft)
        self.edited.emit()

    def _mark(self, errors: Mapping[str, str]) -> None:
        rows: dict[str, str] = {}
        for key, text in errors.items():
            rows[_row_of(key)] = text
        for form in self.columns:
            form.mark(rows)
        for key, grid in self._grids.items():
            mark_cells(grid, key, errors)

    def _focus(self, errors: Iterable[str]) -> None:
        first = next((_row_of(key) for key in errors), None)
        for form in self.columns:
            if first in form.errors():
                form.field(first).setFocus()


def _row_of(key: str) -> str:
    return key.partition("[")[0].partition(".")[0]
