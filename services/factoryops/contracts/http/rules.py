"""Alarm rules as they travel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Key, Received, Remark, Sent, example
from factoryops.contracts.http.structs import AsStruct
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Condition
from factoryops.domain.rule import LONGEST_DELAY_S, AlarmRecord, RuleDefinition, RuleMode, RuleScope
from factoryops.domain.schedules import Schedule

_RULE_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Pressure high",
    "condition": {
        "kind": "compare",
        "left": {"kind": "parameter", "key": "pressure"},
        "comparison": "gt",
        "right": {"kind": "constant", "value": 5.0},
        "deadband": 0.1,
    },
    "priority": 2,
    "scope": {"devices": ["pump-1"]},
    "on_delay_s": 5,
    "record": {"action": "Open the bypass."},
}
_ORIGINAL_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Press hot",
    "scope": "device",
    "device_ids": [7],
    "severity": "high",
    "conditions": {"operator": "AND", "conditions": [{"parameter": "temperature", "operator": "gt", "value": 80}]},
}
Delay = Annotated[Finite, Field(ge=0, le=LONGEST_DELAY_S)]
SentCondition = Annotated[Condition, AsStruct(Condition, "a condition of the rule language")]
Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
Reason = Annotated[Remark, Field(max_length=500)]


class RuleContent(Sent):
    """What a person decides about a rule: the fields of a rule's definition (docs/reference/rules.md)."""

    model_config = example(_RULE_EXAMPLE)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
    condition: SentCondition
    priority: Priority
    scope: Annotated[RuleScope, AsStruct(RuleScope, "the devices it is evaluated for")] = Field(
        default_factory=RuleScope
    )
    schedule: Annotated[Schedule, AsStruct(Schedule, "when it holds; nothing for always")] = Field(
        default_factory=Schedule
    )
    on_delay_s: Delay = 0.0
    off_delay_s: Delay = 0.0
    mode: RuleMode = RuleMode.LIVE
    is_latching: bool = False
    re_alarm_s: Delay = 0.0
    alarm_class: Annotated[str, Field(max_length=100, pattern=LINE)] = ""
    suppress_while: SentCondition | None = None
    parent_rule: Annotated[str, Field(max_length=100, pattern=LINE)] = ""
    record: Annotated[AlarmRecord, AsStruct(AlarmRecord, "why the alarm exists and what to do")] = Field(
        default_factory=AlarmRecord
    )
    notify: Annotated[tuple[Annotated[str, Field(max_length=100, pattern=LINE)], ...], Field(max_length=100)] = ()

    @property
    def is_on(self) -> bool:
        """Whether it is evaluated at all."""
        return self.mode is not RuleMode.OFF

    def definition(self) -> RuleDefinition:
        """The same in the words of the domain; not yet checked."""
        return RuleDefinition(**{name: getattr(self, name) for name in RuleDefinition.__struct_fields__})

    @classmethod
    def of(cls, definition: RuleDefinition) -> RuleContent:
        """A definition as it travels."""
        return cls.model_construct(**msgspec.structs.asdict(definition))


class RuleUpdate(Sent):
    """A changed rule; `version` is the one the change was made from, so that nobody overwrites another's.

    Attributes:
        reason: why it was changed; kept with the version.
    """

    model_config = example({"version": 1, "content": _RULE_EXAMPLE, "reason": "5 bar was reached in normal work"})

    version: Version
    content: RuleContent
    reason: Reason = ""


class Rule(Received):
    """A rule as it holds.

    Attributes:
        reason: why this version was made; "" when nobody said.
        holds_from_seq: the journal sequence from which this version holds; None until the engine has taken it up.
        fault: why the engine has stopped it; None while it works.
    """

    id: Identifier
    version: int
    content: RuleContent
    changed_by: str
    changed_at: datetime
    reason: str = ""
    holds_from_seq: int | None = None
    fault: str | None = None


class RuleRollBack(Sent):
    """An older content to be put in force again, as a new version.

    Attributes:
        version: the present one, so that nobody overwrites another's change.
        to_version: whose content holds again.
    """

    model_config = example({"version": 3, "to_version": 1, "reason": "The new limit alarmed all night"})

    version: Version
    to_version: Version
    reason: Reason = ""


class RuleVersions(Received):
    """Every version of a rule, the newest first."""

    versions: list[Rule]


class RuleDifference(Received):
    """One thing that two versions have different.

    Attributes:
        path: where, in words, such as "condition / limit".
        old / new: in words; "–" for what is not there.
    """

    path: str
    old: str
    new: str


class RuleDifferences(Received):
    """What the newer of two versions has different from the older."""

    changes: list[RuleDifference]


class RuleImport(Sent):
    """Rules of the original product, as its API answered them (docs/reference/rules.md).

    Attributes:
        devices: our device keys by its device ids; an id that is not named here is taken as the key itself.
        is_dry_run: only say what would come of it.
        mode: what all of them are to do; None for what they did.
    """

    model_config = example({"rules": [_ORIGINAL_EXAMPLE], "devices": {"7": "press-1"}, "is_dry_run": True})

    rules: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    devices: Annotated[dict[str, Key], Field(max_length=10_000)] = {}
    is_dry_run: bool = True
    mode: RuleMode | None = None
    reason: Reason = ""


class ImportedRule(Received):
    """What became, or would become, of one rule.

    Attributes:
        content: None when there is nothing to import; `notes` says why.
        rule_id: of the rule that was made; None in a dry run.
        notes: what is different from then on, in sentences.
    """

    name: str
    content: RuleContent | None
    rule_id: Identifier | None = None
    notes: list[str]


class RuleImportReport(Received):
    """What became of an import, rule by rule in its order."""

    is_dry_run: bool
    rules: list[ImportedRule]


class RuleList(Received):
    """All rules of the factory."""

    rules: list[Rule]
