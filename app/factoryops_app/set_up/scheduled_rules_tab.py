"""Scheduled rules: what the clock looks at once a day or a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.expressions.printer import quoted
from factoryops.domain.scheduled_rules import Aggregate, ScheduledWindow
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.calculation_draft import completions
from factoryops_app.models.names import Names
from factoryops_app.models.organisation_drafts import (
    EXPRESSION,
    PARAMETER,
    ScheduledRuleDraft,
    aggregate_name,
    scheduled_words,
    window_name,
)
from factoryops_app.models.plant import device_title
from factoryops_app.models.rule_words import scope_words
from factoryops_app.models.schedule_draft import days_text
from factoryops_app.models.wording import comparison_name, priority_name
from factoryops_app.rule_editor.checked_list import CheckedList
from factoryops_app.rule_editor.choices import ChoiceBox, ParameterBox
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.expression_edit import ExpressionEdit

_LINES: Final = {"name": 200, "limit": 40, "least_known": 6, "local_time": 5, "days": 60, "maximum_age_s": 12}
_LIST_PX: Final = 112
_SHORT_LIST_PX: Final = 72
_TEXT_PX: Final = 60


class ScheduledRuleForm(FieldsForm[ScheduledRuleDraft]):
    """What it looks at on the left; when, for which devices and what is to be done on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, ScheduledRuleDraft(), shares=(1, 1))
        self.texts = {key: QLineEdit() for key in _LINES}
        for key, length in _LINES.items():
            self.texts[key].setMaxLength(length)
        self.boxes: dict[str, ChoiceBox] = {
            "looks_at": ChoiceBox({PARAMETER: say("Parameter"), EXPRESSION: say("Expression")}),
            "parameter": ParameterBox(place.session.plant),
            "aggregate": ChoiceBox({one.value: aggregate_name(one) for one in Aggregate}),
            "window": ChoiceBox({one.value: window_name(one) for one in ScheduledWindow}),
            "shift_id": ChoiceBox({"": say("Choose …")}),
            "comparison": ChoiceBox({one.value: comparison_name(one) for one in Comparison}),
            "priority": ChoiceBox({str(int(one)): priority_name(one) for one in Priority}),
        }
        self.expression = ExpressionEdit(place.look)
        self.devices = CheckedList(say("Devices"), say("No device has sent anything yet."), has_title=False)
        self.kinds = CheckedList(say("Kinds"), say("No device has a kind yet."), has_title=False)
        self.areas = CheckedList(say("Areas"), say("No device has an area yet."), has_title=False)
        for one, height_px in ((self.devices, _LIST_PX), (self.kinds, _SHORT_LIST_PX), (self.areas, _SHORT_LIST_PX)):
            one.list.setFixedHeight(place.look.px(height_px))
        self.is_everywhere = QCheckBox(say("Every device that has what it looks at, future ones too"))
        self.response = QPlainTextEdit()
        self.response.setTabChangesFocus(True)
        self.response.setFixedHeight(place.look.px(_TEXT_PX))
        self.is_enabled = QCheckBox(say("It is in use"))
        self._place_rows()
        self.watch(*(field.textEdited for field in self.texts.values()))
        self.watch(*(box.activated for box in self.boxes.values()))
        self.watch(self.devices.edited, self.kinds.edited, self.areas.edited, self.is_everywhere.clicked)
        self.watch(self.response.textChanged, self.expression.textChanged, self.is_enabled.clicked)
        self.fill(ScheduledRuleDraft.new())

    def _place_rows(self) -> None:
        left, right = self.columns
        left.add_row("name", say("Name"), self.texts["name"])
        for key, label in (
            ("aggregate", say("Figure")),
            ("looks_at", say("What is looked at")),
            ("parameter", say("Parameter")),
        ):
            left.add_row(key, label, self.boxes[key])
        left.add_row(
            "expression", say("Expression"), self.expression,
            hint=say("For each device; names without a device are its own. Ctrl+Space completes them."),
        )  # fmt: skip
        left.add_row(
            "maximum_age_s", say("Maximum age of inputs"), self.texts["maximum_age_s"], unit="s",
            hint=say("How long a sample counts."),
        )  # fmt: skip
        labels = {"window": say("Over"), "shift_id": say("Shift"), "comparison": say("Alarms when it")}
        for key, label in labels.items():
            left.add_row(key, label, self.boxes[key])
        left.add_row("limit", say("Limit"), self.texts["limit"])
        left.add_row(
            "least_known", say("At least known"), self.texts["least_known"], unit="%",
            hint=say("Share of the time with good values; with less nothing is decided."),
        )  # fmt: skip
        right.add_row("is_everywhere", "", self.is_everywhere)
        right.add_row("devices", say("Devices"), self.devices, hint=say("Each has an alarm of its own."))
        right.add_row("kinds", say("Kinds"), self.kinds, hint=say("Future devices too."))
        right.add_row("areas", say("Areas"), self.areas, hint=say("Future devices too."))
        right.add_row("local_time", say("Due at"), self.texts["local_time"], hint=say("On the factory's clock."))
        right.add_row("days", say("Days"), self.texts["days"])
        right.add_row("priority", say("Priority"), self.boxes["priority"])
        right.add_row("response", say("What to do"), self.response)
        right.add_row("is_enabled", "", self.is_enabled)

    def offer(self, shifts: Mapping[str, str]) -> None:
        """Which shifts there are, by id, and the parameters there are now."""
        self.boxes["shift_id"].offer({"": say("Choose …"), **shifts})
        parameter = self.boxes["parameter"]
        if isinstance(parameter, ParameterBox):
            parameter.show_device("")
        known = self.place.session.plant.parameters
        own = {quoted(one.parameter.key) for one in known}
        self.expression.set_words([*sorted(own), *completions(known, "")])

    def show_fields(self, draft: ScheduledRuleDraft) -> None:
        """Put a draft into the fields."""
        for key, field in self.texts.items():
            field.setText(str(getattr(draft, key)))
        for key, box in self.boxes.items():
            box.choose(str(getattr(draft, key)))
        devices = self.place.session.plant.devices
        self.is_everywhere.setChecked(draft.is_everywhere)
        self.devices.fill({one.key: device_title(one) for one in devices}, draft.devices)
        self.kinds.fill({kind: kind for kind in sorted({one.kind for one in devices} - {""})}, draft.kinds)
        self.areas.fill({area: area for area in sorted({one.area for one in devices} - {""})}, draft.areas)
        self.expression.setPlainText(draft.expression)
        self.response.setPlainText(draft.response)
        self.is_enabled.setChecked(draft.is_enabled)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        return {
            **{key: field.text() for key, field in self.texts.items()},
            **{key: box.value for key, box in self.boxes.items()},
            "is_everywhere": self.is_everywhere.isChecked(),
            "devices": self.devices.chosen(),
            "kinds": self.kinds.chosen(),
            "areas": self.areas.chosen(),
            "expression": self.expression.toPlainText(),
            "response": self.response.toPlainText(),
            "is_enabled": self.is_enabled.isChecked(),
        }

    def on_shown(self, draft: ScheduledRuleDraft) -> None:
        """Only what is asked for is shown; a fault in the expression is marked while it is written."""
        is_calculated, fault = draft.looks_at == EXPRESSION, draft.expression_fault
        self.expression.mark(fault.at if fault is not None else None)
        self.form.set_row_shown("parameter", is_shown=not is_calculated)
        for key in ("expression", "maximum_age_s"):
            self.form.set_row_shown(key, is_shown=is_calculated)
        self.form.set_row_shown("shift_id", is_shown=draft.window == ScheduledWindow.LAST_SHIFT.value)
        for one in (self.devices, self.kinds, self.areas):
            one.setEnabled(not draft.is_everywhere)

    def focus_first(self) -> None:
        """Begin at the name."""
        self.texts["name"].setFocus()


class ScheduledRulesTab(NamedList[http.ScheduledRule, ScheduledRuleDraft]):
    """The list and the form."""

    def __init__(self, place: Workplace) -> None:
        self.form = ScheduledRuleForm(place)
        super().__init__(place, self.form, ScheduledRuleDraft.new, _words())

    def own_columns(self) -> list[ColumnSpec[http.ScheduledRule]]:
        """What it looks at, and when."""
        return [
            ColumnSpec("condition", say("Condition"), lambda one: scheduled_words(one.content), width=260,
                       is_elastic=True),
            ColumnSpec("devices", say("Devices"), self._devices_of, width=150),
            ColumnSpec("due", say("Due at"),
                       lambda one: f"{days_text(one.content.days)} {one.content.local_time}", width=130),
            ColumnSpec("state", say("State"),
                       lambda one: say("in use") if one.content.is_enabled else say("switched off"), width=100),
        ]  # fmt: skip

    def _devices_of(self, kept: http.ScheduledRule) -> str:
        return scope_words(kept.content.scope, Names(self.place.session.plant))

    def draft_of(self, kept: http.ScheduledRule) -> ScheduledRuleDraft:
        """As text."""
        return ScheduledRuleDraft.of(kept)

    async def ask(self) -> Sequence[http.ScheduledRule]:
        """All of the factory, with the shifts they can name."""
        client = self.place.session.client
        self.form.offer({one.id: one.content.name for one in await client.shifts()})
        return await client.scheduled_rules()

    async def send(self, draft: ScheduledRuleDraft) -> http.ScheduledRule:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_scheduled_rule(content)
        update = http.ScheduledRuleUpdate(version=draft.version, content=content)
        return await client.update_scheduled_rule(draft.identity, update)

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_scheduled_rule(key)

    def question(self, kept: http.ScheduledRule) -> str:
        """What becomes of its alarms is said."""
        return say("Delete “{name}”? Its alarms return to normal.", name=kept.content.name)


def _words() -> ListWords:
    return ListWords(
        table="scheduled-rules",
        loading=say("Asking for the scheduled rules …"),
        empty=say("The clock looks at nothing yet"),
        explanation=say(
            "A scheduled rule looks at a day or a shift that is over: the energy of yesterday, the mean of a shift."
        ),
        new=say("New scheduled rule"),
        delete=say("Delete the scheduled rule"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at scheduled rules but not change them."),
        heights=(170, 540),
    )
