"""The rules of the imagined plant: the part of `FakePlant` that implements `RulesClient`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from factoryops.client.fake_alarms import FakeAlarms
from factoryops.client.imagined import FACTORY_ID, STARTER_RULES, StarterRule
from factoryops.contracts import http, live
from factoryops.contracts.rule_import import import_rules
from factoryops.contracts.rule_versions import differences_between, version_among
from factoryops.domain.conditions.checking import references
from factoryops.domain.errors import InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import Permission, derived_id, new_id
from factoryops.domain.rule import RuleScope
from factoryops.domain.rule_names import check_names, check_not_followed
from factoryops.domain.time import from_us


class RuleShelf:
    """Rules in memory, with versions.

    Attributes:
        starters: the rules the plant begins with, and how their alarms stand.
        shifts / policies: ask for the ids of those that rules can name.
    """

    def __init__(
        self,
        devices: Mapping[str, http.Device],
        clock: Callable[[], int],
        philosophy: Callable[[], http.Philosophy] = lambda: http.FIRST_PHILOSOPHY,
        shifts: Callable[[], Collection[str]] = tuple,
        policies: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.shifts = shifts
        self.policies = policies
        self._philosophy = philosophy
        self._devices = devices
        self._clock = clock
        self._rules: dict[str, http.Rule] = {}
        self._versions: dict[str, list[http.Rule]] = {}
        self.starters: list[tuple[http.Rule, StarterRule]] = []
        for starter in STARTER_RULES:
            rule_id = derived_id(FACTORY_ID, "rule", starter.content.name)
            device = next(one for one in devices.values() if one.key == starter.machine)
            content = starter.content.model_copy(update={"scope": RuleScope(devices=(device.key,))})
            self._keep(self._made(rule_id, 1, content, "supervisor"))
            self.starters.append((self._rules[rule_id], starter))

    def _made(self, rule_id: str, version: int, content: http.RuleContent, actor: str, reason: str = "") -> http.Rule:
        return http.Rule(
            id=rule_id, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock()),
            reason=reason, holds_from_seq=1,
        )  # fmt: skip

    def rules(self) -> Collection[str]:
        """The ids of all rules."""
        return self._rules.keys()

    def _check(self, content: http.RuleContent, own_id: str = "") -> None:
        definition = content.definition()
        definition.check()
        check_names(definition, self, own_id=own_id)
        self._philosophy().philosophy().check_class(definition.alarm_class)
        known = {device.key for device in self._devices.values()}
        inside = {one.device for condition in definition.conditions for one in references(condition) if one.device}
        for field, keys in (("scope", definition.scope.devices), ("condition", inside)):
            missing = next((key for key in keys if key not in known), None)
            if missing is not None:
                message = f"There is no device {missing!r} in this factory."
                raise InvalidInputError(message, fields={field: message})

    def _keep(self, rule: http.Rule) -> http.Rule:
        self._rules[rule.id] = rule
        self._versions.setdefault(rule.id, []).insert(0, rule)
        return rule

    def all(self) -> list[http.Rule]:
        """Every rule, by name."""
        return sorted(self._rules.values(), key=lambda rule: rule.content.name)

    def get(self, rule_id: str) -> http.Rule:
        """One rule."""
        if rule_id not in self._rules:
            raise NotFoundError("There is no such rule.")
        return self._rules[rule_id]

    def create(self, content: http.RuleContent, actor: str, reason: str = "") -> http.Rule:
        """Add a rule."""
        self._check(content)
        return self._keep(self._made(new_id(), 1, content, actor, reason))

    def update(self, rule_id: str, update: http.RuleUpdate, actor: str) -> http.Rule:
        """Change a rule."""
        held = self.get(rule_id)
        self._check(update.content, rule_id)
        if held.version != update.version:
            raise OutdatedError(f"{held.changed_by} changed this rule meanwhile; look at it again before saving.")
        return self._keep(self._made(rule_id, held.version + 1, update.content, actor, update.reason))

    def delete(self, rule_id: str) -> None:
        """Take a rule out of use."""
        self.get(rule_id)
        check_not_followed(rule_id, ((rule.id, rule.content.definition()) for rule in self.all()))
        del self._rules[rule_id]

    def versions(self, rule_id: str) -> list[http.Rule]:
        """Every version, the newest first."""
        if rule_id not in self._versions:
            raise NotFoundError("There is no such rule.")
        return [*self._versions[rule_id]]

    def roll_back(self, rule_id: str, wanted: http.RuleRollBack, actor: str) -> http.Rule:
        """Put an older content in force again."""
        older = version_among(self.versions(rule_id), wanted.to_version)
        update = http.RuleUpdate(version=wanted.version, content=older.content, reason=wanted.reason)
        return self.update(rule_id, update, actor)

    def take_over(self, request: http.RuleImport, actor: str) -> http.RuleImportReport:
        """Import the original product's rules."""
        names = [rule.content.name for rule in self.all()]
        return import_rules(request, names, self._check, lambda content: self.create(content, actor, request.reason))


class FakeRules:
    """Rules and their versions."""

    _rules: RuleShelf
    _alarms: FakeAlarms

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    def _tell(self, message: live.ServiceMessage) -> None:
        raise NotImplementedError

    def _tell_alarm(self, alarm: http.Alarm) -> None:
        raise NotImplementedError

    def _tell_changed(self, rule: http.Rule) -> http.Rule:
        """Let everybody know of a new version, and of the alarms that end with it."""
        for alarm in self._alarms.end_demoted(rule):
            self._tell_alarm(alarm)
        self._tell(live.PlantChanged())
        return rule

    async def rules(self) -> list[http.Rule]:
        """All rules."""
        await self._enter(Permission.VIEW)
        return self._rules.all()

    async def create_rule(self, content: http.RuleContent, *, reason: str = "") -> http.Rule:
        """Add a rule."""
        actor = await self._enter(Permission.EDIT_RULES)
        rule = self._rules.create(content, actor, reason)
        self._tell(live.PlantChanged())
        return rule

    async def update_rule(self, rule_id: str, update: http.RuleUpdate) -> http.Rule:
        """Change a rule."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._tell_changed(self._rules.update(rule_id, update, actor))

    async def delete_rule(self, rule_id: str, *, reason: str = "") -> None:
        """Take a rule out of use."""
        await self._enter(Permission.EDIT_RULES)
        self._rules.delete(rule_id)
        self._tell(live.PlantChanged())

    async def rule_versions(self, rule_id: str) -> list[http.Rule]:
        """Every version of a rule, the newest first."""
        await self._enter(Permission.VIEW)
        return self._rules.versions(rule_id)

    async def rule_differences(self, rule_id: str, old: int, new: int) -> list[http.RuleDifference]:
        """What version `new` has different from version `old`."""
        await self._enter(Permission.VIEW)
        versions = self._rules.versions(rule_id)
        return differences_between(version_among(versions, old), version_among(versions, new)).changes

    async def roll_back_rule(self, rule_id: str, wanted: http.RuleRollBack) -> http.Rule:
        """Put an older content in force again, as a new version."""
        actor = await self._enter(Permission.EDIT_RULES)
        return self._tell_changed(self._rules.roll_back(rule_id, wanted, actor))

    async def import_rules(self, request: http.RuleImport) -> http.RuleImportReport:
        """Import the original product's rules, or hear what would come of each."""
        actor = await self._enter(Permission.EDIT_RULES)
        report = self._rules.take_over(request, actor)
        if not request.is_dry_run:
            self._tell(live.PlantChanged())
        return report
