"""Notification policies: for which alarms who is told, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtWidgets import QCheckBox, QLineEdit

from factoryops.client.port import PlantClient
from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.errors import NotAllowedError
from factoryops.domain.identity import Role
from factoryops.domain.notifying import PERSONAL, TargetKind
from factoryops_app.list_and_form import ListWords
from factoryops_app.models.policy_draft import PolicyDraft, TellDraft, steps_words
from factoryops_app.models.wording import channel_name, priority_name, role_name
from factoryops_app.rule_editor.checked_list import CheckedList
from factoryops_app.set_up.fields_form import FieldsForm
from factoryops_app.set_up.named_list import NamedList
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec
from factoryops_widgets.edit_grid import EditGrid, GridColumn

_LINES: Final = {"gather": "gather_s", "repeat": "repeat_s", "most_repeats": "most_repeats"}
_LIST_PX: Final = 112


class PolicyForm(FieldsForm[PolicyDraft]):
    """Who is told on the left, for which alarms on the right."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, PolicyDraft(), shares=(5, 4))
        self.name = QLineEdit()
        self.name.setMaxLength(100)
        self.tells = EditGrid(place.look, _columns(), name=say("Who is told"), most_visible=7, is_ordered=True)
        self.texts = {key: QLineEdit() for key in _LINES}
        self.ticks = {key: QCheckBox(words) for key, words in _ticks().items()}
        self.priorities = CheckedList(say("Priorities"), "", has_title=False)
        self.classes = CheckedList(say("Classes"), say("There is no alarm class."), has_title=False)
        self.areas = CheckedList(say("Areas"), say("No device has an area yet."), has_title=False)
        self._class_names: dict[str, str] = {}
        self._place_rows()
        self.watch(self.name.textEdited, self.tells.edited)
        self.watch(*(field.textEdited for field in self.texts.values()))
        self.watch(*(tick.clicked for tick in self.ticks.values()))
        self.watch(self.priorities.edited, self.classes.edited, self.areas.edited)
        self.fill(PolicyDraft())

    def _place_rows(self) -> None:
        left, right = self.columns
        left.add_row("name", say("Name"), self.name)
        self.add_grid(
            "steps", say("Who is told"), self.tells,
            hint=say("After the alarm was raised; rows of one moment are one step. An acknowledgement ends it."),
        )  # fmt: skip
        left.add_row("repeat_s", say("Repeat every"), self.texts["repeat"],
                     hint=say("The last step, while nobody acknowledges; 0 s for never."))  # fmt: skip
        left.add_row("most_repeats", say("At most"), self.texts["most_repeats"], unit=say("times"))
        left.add_row("gather_s", say("Gather for"), self.texts["gather"],
                     hint=say("Alarms that follow within this time go into one message."))  # fmt: skip
        for key, label, one in (
            ("priorities", say("Priorities"), self.priorities), ("classes", say("Classes"), self.classes),
            ("areas", say("Areas"), self.areas),
        ):  # fmt: skip
            one.list.setFixedHeight(self.place.look.px(_LIST_PX))
            right.add_row(key, label, one, hint=say("None chosen: all."))
        for key, tick in self.ticks.items():
            right.add_row(key, "", tick)

    def offer(self, targets: Mapping[str, str], classes: Mapping[str, str]) -> None:
        """Whom steps can tell, by "kind:name", and which classes there are."""
        self.tells.offer("target", (("", say("choose")), *targets.items()))
        self._class_names = dict(classes)
        self.classes.fill(self._class_names, self.classes.chosen())

    def show_fields(self, draft: PolicyDraft) -> None:
        """Put a draft into the fields."""
        self.name.setText(draft.name)
        self.tells.set_rows([{"after": one.after, "target": one.target, "channel": one.channel} for one in draft.tells])
        for key, field in self.texts.items():
            field.setText(str(getattr(draft, key)))
        for key, tick in self.ticks.items():
            tick.setChecked(bool(getattr(draft, key)))
        self.priorities.fill({str(int(one)): priority_name(one) for one in Priority}, draft.priorities)
        self.classes.fill(self._class_names, draft.classes)
        areas = sorted({one.area for one in self.place.session.plant.devices} - {""})
        self.areas.fill({area: area for area in areas}, draft.areas)

    def read_fields(self) -> dict[str, object]:
        """What the fields hold."""
        texts = {key: field.text() for key, field in self.texts.items()}
        ticks = {key: tick.isChecked() for key, tick in self.ticks.items()}
        return {
            **texts,
            **ticks,
            "name": self.name.text(),
            "tells": tuple(TellDraft(row["after"], row["target"], row["channel"]) for row in self.tells.rows()),
            "priorities": self.priorities.chosen(),
            "classes": self.classes.chosen(),
            "areas": self.areas.chosen(),
        }

    def focus_first(self) -> None:
        """Begin at the name."""
        self.name.setFocus()


class PoliciesTab(NamedList[http.NotificationPolicy, PolicyDraft]):
    """The list, with the steps in words, and the form."""

    def __init__(self, place: Workplace) -> None:
        self._targets: dict[str, str] = {}
        self.form = PolicyForm(place)
        super().__init__(place, self.form, PolicyDraft, _words())

    def own_columns(self) -> list[ColumnSpec[http.NotificationPolicy]]:
        """For which alarms, and what happens."""
        return [
            ColumnSpec("fits", say("For"), lambda one: _fits(one.content), width=170),
            ColumnSpec("steps", say("Who is told"), lambda one: steps_words(one.content, self._target), width=260,
                       is_elastic=True),
            ColumnSpec("state", say("State"),
                       lambda one: say("in use") if one.content.is_enabled else say("switched off"), width=110),
        ]  # fmt: skip

    def _target(self, key: str) -> str:
        return self._targets.get(key, key.partition(":")[2])

    def draft_of(self, kept: http.NotificationPolicy) -> PolicyDraft:
        """As text."""
        return PolicyDraft.of(kept)

    async def ask(self) -> Sequence[http.NotificationPolicy]:
        """All of the factory, with what their steps and classes can name."""
        client = self.place.session.client
        policies = await client.notification_policies()
        self._targets = _unseen(policies) | await _targets_of(client)
        classes = {one.id: one.name for one in (await client.philosophy()).classes}
        self.form.offer(self._targets, classes)
        return policies

    async def send(self, draft: PolicyDraft) -> http.NotificationPolicy:
        """Make or change one."""
        client, content = self.place.session.client, draft.content()
        if draft.identity is None:
            return await client.create_notification_policy(content)
        update = http.PolicyUpdate(version=draft.version, content=content)
        return await client.update_notification_policy(draft.identity, update)

    async def drop(self, key: str) -> None:
        """Take one away."""
        await self.place.session.client.delete_notification_policy(key)

    def question(self, kept: http.NotificationPolicy) -> str:
        """What it has begun is said."""
        return say("Delete “{name}”? What it has begun to tell ends.", name=kept.content.name)


async def _targets_of(client: PlantClient) -> dict[str, str]:
    """Whom a step can tell, by "kind:name"; contacts and hooks only where this person may see them."""
    found = {f"{TargetKind.ROLE.value}:{role.value}": say("everybody: {role}", role=role_name(role)) for role in Role}
    found |= {f"{TargetKind.ROSTER.value}:{one.id}": say("on call: {name}", name=one.content.name)
              for one in await client.rosters()}  # fmt: skip
    try:
        found |= {f"{TargetKind.CONTACT.value}:{one.id}": one.content.name for one in await client.contacts()}
        found |= {f"{TargetKind.HOOK.value}:{one.id}": say("hook: {name}", name=one.content.name)
                  for one in await client.hooks()}  # fmt: skip
    except NotAllowedError:
        return found
    return found


def _unseen(policies: Sequence[http.NotificationPolicy]) -> dict[str, str]:
    """What targets are called of which this person may not see more, by "kind:name"."""
    words = {TargetKind.CONTACT: say("a contact"), TargetKind.HOOK: say("a hook"), TargetKind.ROSTER: say("a roster")}
    targets = [target for policy in policies for step in policy.content.steps for target in step.to]
    return {f"{one.kind.value}:{one.name}": words.get(one.kind, one.name) for one in targets}


def _columns() -> list[GridColumn]:
    channels = (("", say("its own")), *((one.value, channel_name(one)) for one in PERSONAL))
    return [
        GridColumn("after", say("Due after"), 80, default="0 s"),
        GridColumn("target", say("Whom"), 200, (("", say("choose")),)),
        GridColumn("channel", say("How"), 126, channels, default="email"),
    ]


def _ticks() -> dict[str, str]:
    return {
        "is_only_named": say("Only for rules that name it"),
        "tells_service": say("For alarms about FactoryOps itself, too"),
        "stops_on_return": say("No further steps once it has returned"),
        "tells_return": say("Tell them of the return, too"),
        "tells_acknowledge": say("Tell them of the acknowledgement, too"),
        "is_enabled": say("It is in use"),
    }


def _fits(content: http.PolicyContent) -> str:
    if content.is_only_named:
        return say("rules that name it")
    parts = [priority_name(one) for one in content.priorities]
    parts += [*content.classes, *content.areas]
    return ", ".join(parts) or say("all alarms")


def _words() -> ListWords:
    return ListWords(
        table="notification-policies",
        loading=say("Asking who is told of alarms …"),
        empty=say("Nobody is told of alarms outside the client yet"),
        explanation=say("A policy says for which alarms who is told, and what happens while nobody acknowledges."),
        new=say("New policy"),
        delete=say("Delete the policy"),
        unchecked=say("It is not saved yet: look at the marked fields."),
        look_only=say("Your role may look at policies but not change them."),
        heights=(160, 560),
    )
