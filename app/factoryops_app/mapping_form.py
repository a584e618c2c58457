"""The one form of a mapping: which topics, where device, time and values lie, and what each value is."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from factoryops.domain.mapping import PayloadKind, TimeForm, ValueType
from factoryops_app.list_and_form import DraftForm
from factoryops_app.models.mapping_draft import MappingDraft, ValueRow
from factoryops_app.page import plain_label
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.edit_grid import EditGrid, GridColumn
from factoryops_widgets.form import Form

_CELL: Final = re.compile(r"(values|groups)\[(\d+)\](?:\.(\w+))?")


def payload_names() -> dict[PayloadKind, str]:
    """What a message's bytes are."""
    return {
        PayloadKind.JSON: say("JSON"),
        PayloadKind.PLAIN: say("One number or text"),
        PayloadKind.CSV: say("Lines of columns (CSV)"),
    }


def time_names() -> dict[TimeForm, str]:
    """How a time is written."""
    return {
        TimeForm.RECEIVED: say("the message has none: when it was received"),
        TimeForm.AUTOMATIC: say("ISO 8601, Unix seconds or milliseconds"),
        TimeForm.ISO: say("ISO 8601"),
        TimeForm.SECONDS: say("Unix seconds"),
        TimeForm.MILLISECONDS: say("Unix milliseconds"),
        TimeForm.MICROSECONDS: say("Unix microseconds"),
        TimeForm.NANOSECONDS: say("Unix nanoseconds"),
    }


def _value_columns() -> list[GridColumn]:
    types = (
        (ValueType.NUMBER.value, say("number")),
        (ValueType.BOOLEAN.value, say("true/false")),
        (ValueType.TEXT.value, say("text")),
    )
    return [
        GridColumn("parameter", say("Parameter"), 120),
        GridColumn("path", say("Path"), 150, default="$"),
        GridColumn("type", say("Type"), 126, types),
        GridColumn("scale", say("Scale"), 60, default="1"),
        GridColumn("offset", say("Offset"), 64, default="0"),
        GridColumn("unit", say("Unit"), 60),
        GridColumn("codes", say("Codes"), 90),
        GridColumn("quality_path", say("Quality"), 76),
    ]


class MappingForm(DraftForm[MappingDraft]):
    """Fills and reads a MappingDraft."""

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        self._base = MappingDraft()
        self._good: dict[str, tuple[str, ...]] = {}
        self.form = Form(place.look)
        self._texts = {
            key: QLineEdit() for key in ("name", "topic", "device_path", "records", "time_path", "zone", "order")
        }
        self._payload, self._time_form, self._separator = QComboBox(), QComboBox(), QComboBox()
        for kind, words in payload_names().items():
            self._payload.addItem(words, kind)
        for form, words in time_names().items():
            self._time_form.addItem(words, form)
        for separator, words in ((",", ","), (";", ";"), ("\t", say("tab")), ("|", "|")):
            self._separator.addItem(words, separator)
        self._enabled = QCheckBox(say("The mapping is switched on"))
        self.values = EditGrid(place.look, _value_columns(), name=say("Values"))
        self.groups = EditGrid(
            place.look,
            [GridColumn("prefix", say("Name before"), 130),
             GridColumn("path", say("Path"), 200, default="$")],
            name=say("Whole objects"), most_visible=3,
        )  # fmt: skip
        self._grid_fault = plain_label(role="error", is_wrapped=True)
        self._build()
        self._connect()
        self.fill(MappingDraft())

    def _build(self) -> None:
        texts, example = self._texts, say("such as {example}", example="site/+/{device}/data")
        rows: tuple[tuple[str, str, QWidget, str], ...] = (
            ("name", say("Name"), texts["name"], ""),
            ("topic", say("Topic"), texts["topic"], example),
            ("payload", say("A message is"), self._payload, ""),
            ("separator", say("Separator"), self._separator, ""),
            ("device_path", say("Device at"), texts["device_path"],
             say("Where the message names its device; empty when the topic has {device}.", device="{device}")),
            ("records", say("Records at"), texts["records"],
             say("Where a list of records lies, such as $.samples[*]; empty when the message is one record.")),
            ("time.form", say("Time"), self._time_form, ""),
            ("time.path", say("Time at"), texts["time_path"], ""),
            ("time.zone", say("Time zone"), texts["zone"], say("Of times that say none, such as Europe/Berlin.")),
        )  # fmt: skip
        for key, label, field, hint in rows:
            self.form.add_row(key, label, field, hint=hint)
        after = Form(self._place.look)
        after.add_row(
            "order", say("Order"), texts["order"], hint=say("Of two mappings that fit a topic, the lower one counts.")
        )
        self._after = after
        fields = QWidget()
        column = QVBoxLayout(fields)
        px = self._place.look.px
        column.setContentsMargins(px(2), px(2), px(16), px(2))
        column.addWidget(self.form)
        column.addWidget(plain_label(say("Values"), role="section"))
        column.addWidget(self.values)
        column.addWidget(plain_label(say("Objects of which every number is taken, under its own name"), role="section"))
        column.addWidget(self.groups)
        column.addWidget(self._grid_fault)
        column.addWidget(after)
        column.addWidget(self._enabled)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(fields)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _connect(self) -> None:
        for field in self._texts.values():
            field.textEdited.connect(self._on_edited)
        for box in (self._payload, self._time_form, self._separator):
            box.activated.connect(self._on_edited)
        self._enabled.clicked.connect(self._on_edited)
        self.values.edited.connect(self._on_edited)
        self.groups.edited.connect(self._on_edited)

    # --- filling and reading -----------------------------------------------------------------------------------------

    def fill(self, draft: MappingDraft) -> None:
        """Show a draft."""
        self._base = draft
        self._good = {row.parameter: row.good for row in draft.values}
        for key, field in self._texts.items():
            field.setText(str(getattr(draft, key)))
        self._payload.setCurrentIndex(self._payload.findData(draft.payload))
        self._time_form.setCurrentIndex(self._time_form.findData(draft.time_form))
        self._separator.setCurrentIndex(self._separator.findData(draft.separator))
        self._enabled.setChecked(draft.is_enabled)
        self.values.set_rows([_cells_of(row) for row in draft.values])
        self.groups.set_rows([{"path": path, "prefix": prefix} for path, prefix in draft.groups])
        self.show_errors({})
        self._show_rows()

    def guess(self, draft: MappingDraft) -> None:
        """Show a draft as if a person had filled it in, so that it is there to be saved."""
        base = self._base
        self.fill(draft)
        self._base = base

    def draft(self) -> MappingDraft:
        """What is filled in now."""
        texts = {key: field.text() for key, field in self._texts.items()}
        return MappingDraft(
            **texts,
            payload=PayloadKind(self._payload.currentData()),
            time_form=TimeForm(self._time_form.currentData()),
            separator=str(self._separator.currentData()),
            is_enabled=self._enabled.isChecked(),
            values=tuple(self._row_of(cells) for cells in self.values.rows()),
            groups=tuple((cells["path"], cells["prefix"]) for cells in self.groups.rows()),
            mapping_id=self._base.mapping_id,
            version=self._base.version,
        )

    def _row_of(self, cells: dict[str, str]) -> ValueRow:
        return ValueRow(**cells, good=self._good.get(cells["parameter"], ()))

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since `fill`."""
        return self.draft() != self._base

    def set_editable(self, *, is_editable: bool) -> None:
        """Whether the fields may be changed."""
        for widget in (self.form, self._after, self.values, self.groups, self._enabled):
            widget.setEnabled(is_editable)

    def show_errors(self, errors: dict[str, str]) -> None:
        """Show each fault where it belongs; the focus stays where it is."""
        rest: list[str] = []
        cells: dict[str, dict[tuple[int, str], str]] = {"values": {}, "groups": {}}
        for key, fault in errors.items():
            found = _CELL.fullmatch(key)
            if found is not None:
                row = int(found[2])
                cells[found[1]][row, found[3] or "path"] = fault
                rest.append(say("Row {row}: {fault}", row=row + 1, fault=fault))
            elif key in ("values", "groups"):
                rest.append(fault)
        self.form.mark(errors)
        self._after.mark(errors)
        self.values.set_faults(cells["values"])
        self.groups.set_faults(cells["groups"])
        self._grid_fault.setText("\n".join(rest[:4]))
        self._grid_fault.setVisible(bool(rest))

    def check(self) -> bool:
        """Show what cannot be used; True when all is well."""
        draft = self.draft()
        errors = draft.errors()
        self.show_errors(errors)
        return not errors and draft.content() is not None

    def focus_first(self) -> None:
        """Begin at the first field."""
        self._texts["name"].setFocus()

    def _on_edited(self) -> None:
        self._show_rows()
        self.edited.emit()

    def _show_rows(self) -> None:
        payload, form = PayloadKind(self._payload.currentData()), TimeForm(self._time_form.currentData())
        self.form.set_row_shown("separator", is_shown=payload is PayloadKind.CSV)
        self.form.set_row_shown("records", is_shown=payload is PayloadKind.JSON)
        self.form.set_row_shown("device_path", is_shown=payload is not PayloadKind.PLAIN)
        self.form.set_row_shown("time.path", is_shown=form is not TimeForm.RECEIVED)
        self.form.set_row_shown("time.zone", is_shown=form in (TimeForm.AUTOMATIC, TimeForm.ISO))


def _cells_of(row: ValueRow) -> dict[str, str]:
    return {
        key: getattr(row, key)
        for key in ("parameter", "path", "type", "scale", "offset", "unit", "codes", "quality_path")
    }
