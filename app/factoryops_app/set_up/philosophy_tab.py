"""Alarm classes and the priority matrix: how the site handles alarms."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QLineEdit

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops_app.models.philosophy_draft import NO, YES, ClassDraft, PhilosophyDraft, SeverityDraft, bounds_s
from factoryops_app.models.typed import span_text
from factoryops_app.models.wording import priority_name
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.philosophy_part import PartWords, PhilosophyPart
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.edit_grid import EditGrid, GridColumn

_LOWEST: Final = str(int(Priority.LOW))


class PhilosophyForm(FieldsForm[PhilosophyDraft]):
    """The classes above, the matrix below."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, PhilosophyDraft())
        self.classes = EditGrid(place.look, _class_columns(), name=say("Classes"), most_visible=7, is_ordered=True)
        self.bounds = QLineEdit()
        self.matrix = EditGrid(place.look, _matrix_columns([]), name=say("Priorities"), most_visible=6,
                               is_ordered=True)  # fmt: skip
        self.add_grid(
            "classes",
            say("Classes"),
            self.classes,
            hint=say("The first one is that of rules that name none; the key is what rules are kept with."),
        )
        self.form.add_row("bounds", say("Time to respond"), self.bounds,
                          hint=say("The columns of the matrix: ascending times apart by semicolons."))  # fmt: skip
        self.add_grid(
            "matrix",
            say("Priorities"),
            self.matrix,
            hint=say("How bad the consequence is, mildest first; the matrix proposes, the rule decides."),
        )
        self.bounds.textEdited.connect(self._on_bounds)
        self.watch(self.classes.edited, self.bounds.textEdited, self.matrix.edited)
        self.fill(PhilosophyDraft())

    def show_fields(self, draft: PhilosophyDraft) -> None:
        """Put a draft into the fields."""
        names = [column.key for column in _class_columns()]
        self.classes.set_rows([{key: str(getattr(one, key)) for key in names} for one in draft.classes])
        self.bounds.setText(draft.bounds)
        self.matrix.set_columns(_matrix_columns(bounds_s(draft.bounds) or []))
        self.matrix.set_rows(
            [
                {"severity": row.word, **{_column(place): one for place, one in enumerate(row.priorities)}}
                for row in draft.severities
            ]
        )

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        rows = self.matrix.rows()
        return {
            "classes": tuple(ClassDraft(**row) for row in self.classes.rows()),
            "bounds": self.bounds.text(),
            "severities": tuple(
                SeverityDraft(row["severity"], tuple(row[_column(place)] for place in range(len(row) - 1)))
                for row in rows
            ),
        }

    def _on_bounds(self, text: str) -> None:
        times = bounds_s(text)
        if times is not None:
            self.matrix.set_columns(_matrix_columns(times))

    def focus_first(self) -> None:
        """Begin at the classes."""
        self.classes.table.setFocus()


class PhilosophyTab(PhilosophyPart[PhilosophyDraft]):
    """The form with its buttons."""

    def __init__(self, place: Workplace) -> None:
        self.form = PhilosophyForm(place)
        super().__init__(place, self.form, _words())

    def draft_of(self, held: http.Philosophy) -> PhilosophyDraft:
        """As text."""
        return PhilosophyDraft.of(held)


def _words() -> PartWords:
    return PartWords(
        name=say("Classes and priorities"),
        loading=say("Asking how alarms are classed …"),
        look_only=say("Your role may look at classes and priorities but not change them; an administrator may."),
    )


def _class_columns() -> list[GridColumn]:
    choices = ((YES, say("yes")), (NO, say("no")))
    return [
        GridColumn("id", say("Key"), 110),
        GridColumn("name", say("Name"), 130),
        GridColumn("needs_comment", say("Needs a comment"), 130, choices, default=NO),
        GridColumn("may_be_shelved", say("May be shelved"), 110, choices, default=YES),
        GridColumn("longest_shelving_s", say("At most for"), 90, default="8 h"),
        GridColumn("re_alarm_s", say("Tells again after"), 144, default="0 s"),
        GridColumn("is_latching", say("Latches"), 80, choices, default=NO),
        GridColumn("is_counted", say("Counts"), 80, choices, default=YES),
    ]


def _column(place: int) -> str:
    return f"p{place}"


def _matrix_columns(times_s: list[float]) -> list[GridColumn]:
    choices = tuple((str(int(one)), priority_name(one)) for one in Priority)
    titles = [say("up to {span}", span=span_text(one)) for one in times_s] + [say("longer") if times_s else say("any")]
    columns = [GridColumn("severity", say("Severity"), 150, is_elastic=True)]
    return columns + [
        GridColumn(_column(place), title, 120, choices, default=_LOWEST) for place, title in enumerate(titles)
    ]
