"""Contacts, rosters, hooks and policies of one factory, as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from factoryops.contracts import http
from factoryops.database import notification_tables as tables
from factoryops.database.rules import Rules
from factoryops.database.unit import Unit
from factoryops.database.versioned import VersionedRows
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope
from factoryops.domain.notifying import PERSONAL, Addressee, ChannelKind, TargetKind, mask, refuse_named
from factoryops.domain.on_call import on_call
from factoryops.domain.time import from_us

MOST_OF_A_KIND: Final = 500
"""Contacts, rosters, hooks or policies of one factory."""

Content = TypeVar("Content", bound=BaseModel)


class Shelf(VersionedRows[Content]):
    """Everything of one kind; every change writes its audit entry.

    Args:
        word: what a person calls one of them.
        check: raises InvalidInputError for a content that cannot be used.
    """

    def __init__(
        self,
        unit: Unit,
        scope: Scope,
        table: sa.Table,
        kind: type[Content],
        word: str,
        check: Callable[[Content], None] = lambda _: None,
    ) -> None:
        super().__init__(unit, scope, table, kind, word, f"notification_{word}", secret=frozenset({"sealed"}))
        self._check = check

    def contents(self) -> dict[str, Content]:
        """All, by id."""
        return {row.id: self.read(row) for row in self.all()}

    def named(self, name: str) -> sa.Row[Any]:
        """The one of a name; NotFoundError when there is none, InvalidInputError when there are several."""
        found = [row for row in self.all() if row.name == name]
        if not found:
            known = ", ".join(row.name for row in self.all()) or "none yet"
            raise NotFoundError(f"There is no {self._word} named {name} (there are: {known}).")
        if len(found) > 1:
            raise InvalidInputError(f"There are several {self._word}s named {name}: give them names of their own.")
        return found[0]

    def create(self, content: Content, identity: str = "", **columns: object) -> sa.Row[Any]:
        """Add one; raises InvalidInputError when it cannot be used, or there are too many."""
        self._unit.take_turn(self._scope.factory_id)
        self._check(content)
        if len(self.all()) >= MOST_OF_A_KIND:
            raise InvalidInputError(f"A factory has at most {MOST_OF_A_KIND} of these; delete one that is not used.")
        return self.one(self.add(_name(content), content, identity, columns))

    def update(self, identity: str, version: int, content: Content, **columns: object) -> sa.Row[Any]:
        """Change one; raises as `create` does, and ConflictError unless `version` is the present one."""
        self._unit.take_turn(self._scope.factory_id)
        self.one(identity)
        self._check(content)
        self.put(identity, version, _name(content), content, columns)
        return self.one(identity)

    def delete(self, identity: str) -> None:
        """Take one away; the ledger keeps what was sent."""
        self._unit.take_turn(self._scope.factory_id)
        self.remove(identity)


def _name(content: BaseModel) -> str:
    return str(getattr(content, "name"))  # noqa: B009 - every kind of content has one


class NotificationBook:
    """The four kinds together, and what they say of one another."""

    def __init__(self, unit: Unit, scope: Scope, timezone: Callable[[], str]) -> None:
        self._unit = unit
        self._scope = scope
        self._timezone = timezone
        self.contacts = Shelf(unit, scope, tables.contact, http.ContactContent, "contact")
        self.rosters = Shelf(unit, scope, tables.roster, http.RosterContent, "roster", self._check_roster)
        self.hooks = Shelf(unit, scope, tables.hook, http.HookContent, "hook")
        self.policies = Shelf(unit, scope, tables.policy, http.PolicyContent, "policy", self._check_policy)

    # --- contacts ----------------------------------------------------------------------------------------------------

    def list_contacts(self) -> list[http.Contact]:
        """All, by name."""
        return [http.Contact.model_validate(_told(row, self.contacts.read(row))) for row in self.contacts.all()]

    def contact(self, row: sa.Row[Any]) -> http.Contact:
        """The contact of a row."""
        return http.Contact.model_validate(_told(row, self.contacts.read(row)))

    def delete_contact(self, identity: str) -> None:
        """Take a contact away; raises ConflictError while a roster or a policy names it."""
        self.contacts.one(identity)
        self._refuse_used(TargetKind.CONTACT, identity)
        for row in self.rosters.all():
            content = self.rosters.read(row)
            if identity in content.members or any(one.contact == identity for one in content.overrides):
                raise ConflictError(f"The roster {row.name} names this contact: take it out there first.")
        self.contacts.delete(identity)

    # --- rosters -----------------------------------------------------------------------------------------------------

    def list_rosters(self) -> list[http.Roster]:
        """All, by name."""
        return [self.roster(row) for row in self.rosters.all()]

    def roster(self, row: sa.Row[Any]) -> http.Roster:
        """The roster of a row, with who is on call now."""
        content = self.rosters.read(row)
        duty = on_call(content.definition(), from_us(self._unit.now_us), self._timezone())
        told = _told(row, content) | {"on_call": duty.contact or None, "on_call_until": duty.until}
        return http.Roster.model_validate(told)

    def delete_roster(self, identity: str) -> None:
        """Take a roster away; raises ConflictError while a policy names it."""
        self.rosters.one(identity)
        self._refuse_used(TargetKind.ROSTER, identity)
        self.rosters.delete(identity)

    def _check_roster(self, content: http.RosterContent) -> None:
        known = {row.id for row in self.contacts.all()}
        if not {*content.members, *(one.contact for one in content.overrides)} <= known:
            raise NotFoundError("There is no such contact.")
        if any(one.end <= one.start for one in content.overrides):
            raise InvalidInputError(
                "Somebody who stands in has to begin before the end.", fields={"overrides": "ends before it begins"}
            )

    # --- hooks -------------------------------------------------------------------------------------------------------

    def list_hooks(self) -> list[http.Hook]:
        """All, by name; their addresses and keys stay secret."""
        return [self.hook(row) for row in self.hooks.all()]

    def hook(self, row: sa.Row[Any]) -> http.Hook:
        """The hook of a row."""
        told = _told(row, self.hooks.read(row)) | {"host": row.host, "is_signed": bool(row.is_signed)}
        return http.Hook.model_validate(told)

    def delete_hook(self, identity: str) -> None:
        """Take a hook and its secrets away; raises ConflictError while a policy names it."""
        self.hooks.one(identity)
        self._refuse_used(TargetKind.HOOK, identity)
        self.hooks.delete(identity)

    # --- policies ----------------------------------------------------------------------------------------------------

    def list_policies(self) -> list[http.NotificationPolicy]:
        """All, by name."""
        return [self.policy(row) for row in self.policies.all()]

    def policy(self, row: sa.Row[Any]) -> http.NotificationPolicy:
        """The policy of a row."""
        return http.NotificationPolicy.model_validate(_told(row, self.policies.read(row)))

    def delete_policy(self, identity: str) -> None:
        """Take a policy away, what it has begun ends; raises ConflictError while a rule names it."""
        self._unit.take_turn(self._scope.factory_id)
        self.policies.one(identity)
        rules = Rules(self._unit, self._scope).list()
        refuse_named(identity, ((rule.content.notify, rule.content.name) for rule in rules))
        self.policies.delete(identity)

    def _check_policy(self, content: http.PolicyContent) -> None:
        faults = content.faults()
        if faults:
            raise InvalidInputError("The policy cannot be used: " + "; ".join(faults.values()) + ".", fields=faults)
        shelves: dict[TargetKind, Shelf[Any]] = {
            TargetKind.CONTACT: self.contacts, TargetKind.ROSTER: self.rosters, TargetKind.HOOK: self.hooks,
        }  # fmt: skip
        known = {kind: {row.id for row in shelf.all()} for kind, shelf in shelves.items()}
        known[TargetKind.ROLE] = {"viewer", "operator", "supervisor", "admin"}
        for step in content.steps:
            for target in step.to:
                if target.name not in known[target.kind]:
                    raise NotFoundError(f"There is no such {target.kind.value}.")

    # --- whom a test message is for ----------------------------------------------------------------------------------

    def addressee(self, kind: TargetKind, identity: str, channel: ChannelKind) -> Addressee:
        """A contact by a channel, or a hook by its own; NotFoundError, or InvalidInputError without an address."""
        if kind is TargetKind.HOOK:
            hook = self.hook(self.hooks.one(identity))
            return Addressee(hook.id, hook.content.name, hook.content.kind.channel, hook.host)
        contact = self.contact(self.contacts.one(identity))
        address = contact.content.definition().address(channel)
        if channel not in PERSONAL or not address:
            raise InvalidInputError(
                "This contact has no address for that channel; enter one first.", fields={"channel": "no address"}
            )
        user = contact.content.user if channel is ChannelKind.IN_APP else ""
        return Addressee(contact.id, contact.content.name, channel, mask(address), user)

    def _refuse_used(self, kind: TargetKind, identity: str) -> None:
        for row in self.policies.all():
            steps = self.policies.read(row).steps
            if any(target.kind is kind and target.name == identity for step in steps for target in step.to):
                raise ConflictError(f"The policy {row.name} names this {kind.value}: take it out there first.")


def _told(row: sa.Row[Any], content: BaseModel) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "content": content,
        "changed_by": row.changed_by,
        "changed_at": from_us(row.changed_us),
    }
