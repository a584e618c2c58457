"""Rows of a form for the fields of conditions: one widget per kind of field, each with its label and hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtWidgets import QLineEdit, QWidget

from factoryops.domain.conditions.tree import Comparison, Direction, WindowFunction
from factoryops_app.models.condition_fields import FieldSpec, FieldType
from factoryops_app.models.condition_words import direction_name, function_name
from factoryops_app.models.plant import PlantStore
from factoryops_app.models.wording import comparison_name
from factoryops_app.rule_editor.choices import ChoiceBox, ParameterBox
from factoryops_resources.words import say
from factoryops_widgets.form import Form


class TypedFields:
    """The fields of a form by key, read and filled as text.

    Args:
        form: where the rows go.
        plant: whose parameters are offered.
        on_edited: called when a person has changed one.
    """

    def __init__(self, form: Form, plant: PlantStore, on_edited: Callable[[], object]) -> None:
        self._form = form
        self._plant = plant
        self._on_edited = on_edited
        self._fields: dict[str, QLineEdit | ChoiceBox] = {}

    def add(self, specs: Iterable[FieldSpec]) -> None:
        """Add a row for each."""
        for spec in specs:
            field = self._made(spec)
            self._fields[spec.key] = field
            label, hint = _labels(spec.key)
            self._form.add_row(spec.key, label, field, hint=hint)

    def widget(self, key: str) -> QWidget:
        """The field of a key."""
        return self._fields[key]

    def texts(self) -> dict[str, str]:
        """What is filled in."""
        return {
            key: field.text() if isinstance(field, QLineEdit) else field.value for key, field in self._fields.items()
        }

    def fill(self, texts: Mapping[str, str]) -> None:
        """Show texts."""
        for key, field in self._fields.items():
            if isinstance(field, ParameterBox):
                field.show_device("")
            if isinstance(field, QLineEdit):
                field.setText(texts.get(key, ""))
            else:
                field.choose(texts.get(key, ""))

    def _made(self, spec: FieldSpec) -> QLineEdit | ChoiceBox:
        box = self._box(spec)
        if box is not None:
            box.activated.connect(lambda _: self._on_edited())
            return box
        line = QLineEdit()
        line.textEdited.connect(lambda _: self._on_edited())
        return line

    def _box(self, spec: FieldSpec) -> ChoiceBox | None:
        match spec.type:
            case FieldType.PARAMETER:
                return ParameterBox(self._plant, say("anything the device sends") if spec.is_optional else "")
            case FieldType.COMPARISON:
                return ChoiceBox({one.value: comparison_name(one) for one in Comparison})
            case FieldType.FUNCTION:
                return ChoiceBox({one.value: function_name(one) for one in WindowFunction})
            case FieldType.DIRECTION:
                return ChoiceBox({one.value: direction_name(one) for one in Direction})
            case _:
                return None


def _labels(key: str) -> tuple[str, str]:
    """What a field is called, and what it is for."""
    labels = {
        "parameter": (say("Parameter"), ""),
        "limit": (say("Limit"), ""),
        "high": (say("High limit"), ""),
        "low": (say("Low limit"), ""),
        "deadband": (say("Deadband"), say("How far it must come back before the alarm ends.")),
        "for_s": (say("For"), say("Such as 30 s, 10 min or 2 h.")),
        "window_s": (say("Within"), say("Such as 30 s, 10 min or 2 h.")),
        "tolerance": (say("Tolerance"), say("Moves up to this much still count as standing still.")),
        "change": (say("Changes by more than"), ""),
        "direction": (say("Direction"), ""),
        "comparison": (say("Compared"), ""),
        "function": (say("Of the values, the"), ""),
        "at_least": (say("At least"), say("How many times.")),
        "maximum_age_s": (say("Maximum age"), say("How long a sample counts; older ones leave it open.")),
    }
    return labels[key]
