"""A rule as it is being filled in: its check, and the definition to be saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Condition
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.rule import LONGEST_DELAY_S, AlarmRecord, RuleDefinition, RuleMode, RuleScope
from factoryops_app.models.condition_draft import NodeDraft, NodeKind, Path, all_errors
from factoryops_app.models.rule_templates import TemplateDraft, recognised
from factoryops_app.models.schedule_draft import ScheduleDraft
from factoryops_app.models.typed import number_fault, parsed_date, parsed_s, span_text
from factoryops_resources.words import say

_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 4_000
_TEXTS: Final = ("cause", "consequence", "action")


@dataclass(frozen=True, slots=True)
class ScopeDraft:
    """For which devices: keys of devices, kinds and areas.

    Attributes:
        is_everywhere: every device that has what the condition looks at; the rest is then only remembered.
    """

    is_everywhere: bool = True
    devices: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()

    @classmethod
    def of(cls, scope: RuleScope) -> ScopeDraft:
        """The draft that changes a scope."""
        return cls(scope.is_whole_factory, frozenset(scope.devices), frozenset(scope.kinds), frozenset(scope.areas))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen although something must be."""
        return not (self.is_everywhere or self.devices or self.kinds or self.areas)

    def scope(self) -> RuleScope:
        """What it says."""
        if self.is_everywhere:
            return RuleScope()
        return RuleScope(_sorted(self.devices), _sorted(self.kinds), _sorted(self.areas))


@dataclass(frozen=True, slots=True)
class RecordDraft:
    """The rationalisation, as text; `review_on` as a date, `time_to_respond` as a length of time."""

    cause: str = ""
    consequence: str = ""
    action: str = ""
    severity: str = ""
    time_to_respond: str = ""
    owner: str = ""
    review_on: str = ""

    @classmethod
    def of(cls, record: AlarmRecord) -> RecordDraft:
        """The draft that changes a record."""
        time_s = record.time_to_respond_s
        return cls(record.cause, record.consequence, record.action, record.severity,
                   span_text(time_s) if time_s else "", record.owner,
                   record.review_on.isoformat() if record.review_on else "")  # fmt: skip

    def errors(self) -> dict[str, str]:
        """Why fields cannot be used."""
        found = {key: say("At most 4,000 characters.") for key in _TEXTS if len(getattr(self, key)) > _LONGEST_TEXT}
        if self.time_to_respond.strip() and not parsed_s(self.time_to_respond):
            found["time_to_respond"] = number_fault(
                self.time_to_respond, say("Enter a time such as 30 s, 10 min or 2 h.")
            )
        if self.review_on.strip() and parsed_date(self.review_on) is None:
            found["review_on"] = say("Write a date as 2026-03-31.")
        return found

    def record(self) -> AlarmRecord:
        """What it says; only without errors."""
        return AlarmRecord(
            cause=self.cause.strip(), consequence=self.consequence.strip(), action=self.action.strip(),
            severity=self.severity, time_to_respond_s=parsed_s(self.time_to_respond) or 0.0,
            owner=self.owner.strip(), review_on=parsed_date(self.review_on),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """The fields of the editor, numbers and times still as typed.

    Attributes:
        template: the short form; None while the condition is edited as a tree.
        tree: the condition as a tree; means nothing while there is a template.
        re_alarm: after which an alarm that stands is announced again; empty for never.
        suppress_while: None for a rule that is never suppressed by design.
        rule_id / version: of the rule being changed; None and 0 for a new one.
    """

    name: str = ""
    template: TemplateDraft | None = field(default_factory=TemplateDraft)
    tree: NodeDraft = field(default_factory=lambda: NodeDraft.new(NodeKind.COMPARE))
    scope: ScopeDraft = field(default_factory=ScopeDraft)
    schedule: ScheduleDraft = field(default_factory=ScheduleDraft)
    on_delay: str = "5 s"
    off_delay: str = "5 s"
    priority: Priority = Priority.MEDIUM
    mode: RuleMode = RuleMode.LIVE
    is_latching: bool = False
    re_alarm: str = ""
    alarm_class: str = ""
    suppress_while: NodeDraft | None = None
    parent_rule: str = ""
    record: RecordDraft = field(default_factory=RecordDraft)
    notify: frozenset[str] = frozenset()
    rule_id: str | None = None
    version: int = 0

    @classmethod
    def of(cls, definition: RuleDefinition, rule_id: str | None = None, version: int = 0) -> RuleDraft:
        """The draft that changes a rule."""
        suppress = definition.suppress_while
        return cls(
            name=definition.name,
            template=recognised(definition.condition),
            tree=NodeDraft.of(definition.condition),
            scope=ScopeDraft.of(definition.scope),
            schedule=ScheduleDraft.of(definition.schedule),
            on_delay=span_text(definition.on_delay_s),
            off_delay=span_text(definition.off_delay_s),
            priority=definition.priority,
            mode=definition.mode,
            is_latching=definition.is_latching,
            re_alarm=span_text(definition.re_alarm_s) if definition.re_alarm_s else "",
            alarm_class=definition.alarm_class,
            suppress_while=NodeDraft.of(suppress) if suppress is not None else None,
            parent_rule=definition.parent_rule,
            record=RecordDraft.of(definition.record),
            notify=frozenset(definition.notify),
            rule_id=rule_id,
            version=version,
        )

    def errors(self) -> dict[str, str]:
        """The reason per field that cannot be used; empty when all is well.

        Fields of a part are named "template.limit", "condition", "suppress_while", "schedule.first", "record.cause".
        """
        faults = self._own_errors()
        faults |= {f"schedule.{key}": fault for key, fault in self.schedule.errors().items()}
        faults |= {f"record.{key}": fault for key, fault in self.record.errors().items()}
        if self.template is not None:
            faults |= {f"template.{key}": fault for key, fault in self.template.errors().items()}
        elif self.tree_errors():
            faults["condition"] = say("A part of the condition is not in order yet.")
        if self.suppress_while is not None and all_errors(self.suppress_while):
            faults["suppress_while"] = say("A part of this condition is not in order yet.")
        return faults or self._misfit()

    def tree_errors(self) -> dict[Path, dict[str, str]]:
        """Why parts of the tree cannot be used."""
        return all_errors(self.tree)

    def _own_errors(self) -> dict[str, str]:
        faults: dict[str, str] = {}
        if not self.name.strip():
            faults["name"] = say("Give the rule a name that says what is wrong when it alarms.")
        elif len(self.name.strip()) > _LONGEST_NAME:
            faults["name"] = say("At most 200 characters.")
        if self.scope.is_empty:
            faults["scope"] = say("Choose at least one device, kind or area, or all of them.")
        for key in ("on_delay", "off_delay", "re_alarm"):
            typed = getattr(self, key)
            delay_s = parsed_s(typed) if typed.strip() else 0.0
            if delay_s is None or delay_s > LONGEST_DELAY_S:
                wanted = say("Enter a time such as 0 s, 30 s or 10 min; at most 24 h.")
                faults[key] = number_fault(typed, wanted)
        return faults

    def _misfit(self) -> dict[str, str]:
        """What is wrong with a draft whose fields are each in order."""
        try:
            self.definition().check()
        except InvalidInputError as error:
            return {key if key in ("name", "scope", "schedule") else "condition": str(error) for key in error.fields}
        return {}

    def condition(self) -> Condition:
        """When it alarms; only for a draft without errors."""
        return self.template.condition() if self.template is not None else self.tree.condition()

    def shown_tree(self) -> NodeDraft | None:
        """The condition for sentences; None while a template cannot be read yet."""
        if self.template is None:
            return self.tree
        return None if self.template.errors() else NodeDraft.of(self.template.condition())

    def definition(self) -> RuleDefinition:
        """What is saved; only for a draft without errors."""
        return RuleDefinition(
            name=self.name.strip(),
            condition=self.condition(),
            priority=self.priority,
            scope=self.scope.scope(),
            schedule=self.schedule.schedule(),
            on_delay_s=parsed_s(self.on_delay) or 0.0,
            off_delay_s=parsed_s(self.off_delay) or 0.0,
            mode=self.mode,
            is_latching=self.is_latching,
            re_alarm_s=parsed_s(self.re_alarm) or 0.0,
            alarm_class=self.alarm_class,
            suppress_while=self.suppress_while.condition() if self.suppress_while is not None else None,
            parent_rule=self.parent_rule,
            record=self.record.record(),
            notify=_sorted(self.notify),
        )

    def as_tree(self) -> RuleDraft:
        """The same rule with its condition as a tree: what the template says, as far as it is filled in."""
        return replace(self, template=None, tree=self.shown_tree() or _unfinished(self.template, self.tree))

    def with_(self, **changes: object) -> RuleDraft:
        """The draft with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the form's field names are the draft's


def _unfinished(template: TemplateDraft | None, tree: NodeDraft) -> NodeDraft:
    """A comparison of the template's parameter, where the template itself cannot be read."""
    if template is None or not template.texts.get("parameter"):
        return tree
    left = replace(tree.operands.get("left") or NodeDraft.new(NodeKind.COMPARE).operands["left"],
                   text=template.texts["parameter"])  # fmt: skip
    fresh = NodeDraft.new(NodeKind.COMPARE)
    return fresh.with_(operands={**fresh.operands, "left": left})


def _sorted(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(keys))
