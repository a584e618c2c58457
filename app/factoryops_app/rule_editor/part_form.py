"""The fields of one part of a condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from factoryops_app.models.condition_draft import (
    FIELDS,
    OPERANDS,
    TAKE_EXPRESSIONS,
    NodeDraft,
    NodeKind,
    OperandKind,
)
from factoryops_app.models.condition_words import kind_name
from factoryops_app.page import plain_label
from factoryops_app.rule_editor.choices import ChoiceBox
from factoryops_app.rule_editor.operand_field import OperandField
from factoryops_app.rule_editor.schedule_field import ScheduleField
from factoryops_app.rule_editor.typed_fields import TypedFields
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.form import Form

_QUANTITIES: Final = (OperandKind.PARAMETER, OperandKind.EXPRESSION)


class PartForm(QWidget):
    """Fills and reads one NodeDraft; what lies below it is left as it is.

    Attributes:
        edited: a person changed a field.
        kind_chosen: a person wants another kind of part; its value.
    """

    edited = Signal()
    kind_chosen = Signal(str)

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = NodeDraft.new(NodeKind.COMPARE)
        self._shifts: Mapping[str, str] = {}
        self.kind = ChoiceBox({kind.value: kind_name(kind) for kind in NodeKind})
        self.kind.setAccessibleName(say("Kind of part"))
        self._pages: dict[NodeKind, _PartPage] = {}
        self._stack = QStackedWidget()
        self._fault = plain_label(role="error", is_wrapped=True)
        self._fault.hide()
        px = place.look.px
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(px(2), px(2), px(12), px(2))
        column.setSpacing(px(8))
        column.addWidget(self.kind)
        column.addWidget(self._stack)
        column.addWidget(self._fault)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.kind.activated.connect(lambda _: self.kind_chosen.emit(self.kind.value))

    def fill(self, part: NodeDraft) -> None:
        """Show a part."""
        self._base = part
        self.kind.choose(part.kind.value)
        page = self._page(part.kind)
        page.fill(part, self._shifts)
        for other in self._pages.values():
            other.setVisible(other is page)
        self._stack.setCurrentWidget(page)
        self.show_errors({})

    def part(self) -> NodeDraft:
        """What is filled in."""
        return self._page(self._base.kind).read(self._base)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field."""
        self._page(self._base.kind).show_errors(errors)
        self._fault.setText(errors.get("", ""))
        self._fault.setVisible(bool(errors.get("")))

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        self._shifts = shifts
        for page in self._pages.values():
            page.offer_shifts(shifts)

    def focus_fields(self) -> None:
        """Begin at the first field below the kind."""
        self._page(self._base.kind).focus_first()

    def page(self, kind: NodeKind) -> _PartPage:
        """The fields of a kind of part."""
        return self._page(kind)

    def _page(self, kind: NodeKind) -> _PartPage:
        page = self._pages.get(kind)
        if page is None:
            page = self._pages[kind] = _PartPage(self._place, kind)
            page.edited.connect(self.edited)
            self._stack.addWidget(page)
        return page


class _PartPage(QWidget):
    """The rows of one kind of part."""

    edited = Signal()

    def __init__(self, place: Workplace, kind: NodeKind) -> None:
        super().__init__()
        self._place = place
        self._kind = kind
        self.form = Form(place.look)
        self.fields = TypedFields(self.form, place.session.plant, self.edited.emit)
        self.operands: dict[str, OperandField] = {}
        self.schedule: ScheduleField | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(plain_label(_explanation(kind), role="label", is_wrapped=True))
        column.addWidget(self.form)
        self._add_rows()
        if kind is NodeKind.OUTSIDE:
            self.schedule = ScheduleField(place)
            self.schedule.edited.connect(self.edited)
            column.addWidget(self.schedule)
        column.addStretch(1)

    def _add_rows(self) -> None:
        specs = FIELDS.get(self._kind, ())
        if self._kind is NodeKind.COMPARE:
            self._add_operand("left", say("Value"))
            self.fields.add(specs[:1])
            self._add_operand("right", say("With"))
            self.fields.add(specs[1:])
            return
        for key in OPERANDS.get(self._kind, ()):
            self._add_operand(key, say("Value"))
        self.fields.add(specs)

    def _add_operand(self, key: str, label: str) -> None:
        is_parameter_only = self._kind not in TAKE_EXPRESSIONS
        kinds = tuple(OperandKind) if self._kind is NodeKind.COMPARE else _QUANTITIES
        nothing = say("anything the device sends") if self._kind is NodeKind.NO_DATA else ""
        field = OperandField(self._place, (OperandKind.PARAMETER,) if is_parameter_only else kinds, nothing, name=label)
        field.edited.connect(self.edited)
        self.operands[key] = field
        self.form.add_row(key, label, field)

    def fill(self, part: NodeDraft, shifts: Mapping[str, str]) -> None:
        """Show a part of this kind."""
        self.fields.fill(part.texts)
        for key, field in self.operands.items():
            field.fill(part.operands[key])
        if self.schedule is not None:
            self.schedule.fill(part.schedule, shifts)

    def read(self, base: NodeDraft) -> NodeDraft:
        """What is filled in, with the parts of `base`."""
        operands = {key: field.operand() for key, field in self.operands.items()}
        schedule = self.schedule.draft() if self.schedule is not None else base.schedule
        return base.with_(texts=self.fields.texts(), operands=operands, schedule=schedule)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beside its field."""
        self.form.mark(errors)
        if self.schedule is not None:
            prefix = "schedule."
            self.schedule.show_errors(
                {key.removeprefix(prefix): text for key, text in errors.items() if key.startswith(prefix)}
            )

    def offer_shifts(self, shifts: Mapping[str, str]) -> None:
        """Which shifts can be chosen, by id."""
        if self.schedule is not None:
            self.schedule.offer_shifts(shifts)

    def focus_first(self) -> None:
        """Begin at the first field."""
        specs = FIELDS.get(self._kind, ())
        if self.operands:
            next(iter(self.operands.values())).setFocus()
        elif specs:
            self.fields.widget(specs[0].key).setFocus()
        elif self.schedule is not None:
            self.schedule.windows.table.setFocus()


def _explanation(kind: NodeKind) -> str:
    """What a kind of part says."""
    sentences = {
        NodeKind.ALL: say("Holds while every part below it holds."),
        NodeKind.ANY: say("Holds while at least one part below it holds."),
        NodeKind.NOT: say("Holds while the part below it does not."),
        NodeKind.HELD: say("Holds once the part below it has held for this long without a break."),
        NodeKind.COUNT: say("Holds once the part below it has turned true this often within this time."),
        NodeKind.COMPARE: say("Holds while two values compare so."),
        NodeKind.RATE: say("Holds while a value changes faster than this per second, over the time given."),
        NodeKind.DEVIATION: say("Holds while a value is further from its own mean than this."),
        NodeKind.WINDOW: say("Holds while the mean, least, greatest or sum of a time compares so."),
        NodeKind.FROZEN: say("Holds while a parameter is sent and does not move."),
        NodeKind.NO_DATA: say("Holds while nothing arrives; known gaps of our own do not count."),
        NodeKind.OUTSIDE: say("Holds outside these hours and days, on the factory's own clock."),
    }
    return sentences[kind]
