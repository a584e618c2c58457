"""Contacts, rosters, hooks and policies of one factory, as people write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from factoryops.contracts import http
from factoryops.database import notification_tables as tables
from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.notifying import TargetKind
from factoryops.domain.on_call import on_call
from factoryops.domain.time import from_us

MOST_OF_A_KIND: Final = 500
"""Contacts, rosters, hooks or policies of one factory."""

_NONE: Final[Mapping[str, object]] = MappingProxyType({})

Content = TypeVar("Content", bound=BaseModel)


class Shelf(Generic[Content]):
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
        self._unit = unit
        self._scope = scope
        self._table = table
        self._kind = kind
        self._word = word
        self._check = check

    def rows(self) -> list[sa.Row[Any]]:
        """All, by name."""
        return list(self._unit.rows(self._select().order_by(self._table.c.name, self._table.c.id)))

    def row(self, identity: str) -> sa.Row[Any]:
        """One, or NotFoundError."""
        found = self._unit.row(self._select().where(self._table.c.id == identity))
        if found is None:
            raise NotFoundError(f"There is no such {self._word}.")
        return found

    def content(self, row: sa.Row[Any]) -> Content:
        """What a row holds."""
        return self._kind.model_validate_json(row.content)

    def contents(self) -> dict[str, Content]:
        """All, by id."""
        return {row.id: self.content(row) for row in self.rows()}

    def create(self, content: Content, identity: str = "", **columns: object) -> sa.Row[Any]:
        """Add one; raises InvalidInputError when it cannot be used, or there are too many."""
        self._unit.take_turn(self._scope.factory_id)
        self._check(content)
        if len(self.rows()) >= MOST_OF_A_KIND:
            raise InvalidInputError(f"A factory has at most {MOST_OF_A_KIND} of these; delete one that is not used.")
        made = identity or new_id()
        own = {"factory_id": self._scope.factory_id, "id": made, "version": 1}
        self._unit.insert(self._table, [own | self._values(content) | columns])
        self._note("create", made, None, content, columns)
        return self.row(made)

    def update(self, identity: str, version: int, content: Content, **columns: object) -> sa.Row[Any]:
        """Change one; raises as `create` does, and ConflictError unless `version` is the present one."""
        self._unit.take_turn(self._scope.factory_id)
        before = self.content(self.row(identity))
        self._check(content)
        table = self._table
        mine = sa.and_(table.c.factory_id == self._scope.factory_id, table.c.id == identity)
        values = self._values(content) | columns
        if not self._unit.write(
            sa.update(table).where(mine, table.c.version == version).values(version=version + 1, **values)
        ):
            raise ConflictError(
                f"Somebody else changed this {self._word} meanwhile: look at it again and repeat your change."
            )
        self._note("update", identity, before, content, columns)
        return self.row(identity)

    def delete(self, identity: str) -> None:
        """Take one away; the ledger keeps what was sent."""
        self._unit.take_turn(self._scope.factory_id)
        before = self.content(self.row(identity))
        table = self._table
        self._unit.write(sa.delete(table).where(table.c.factory_id == self._scope.factory_id, table.c.id == identity))
        self._note("delete", identity, before, None)

    def _values(self, content: Content) -> dict[str, Any]:
        return {
            "name": getattr(content, "name"),  # noqa: B009 - every kind of content has one
            "content": content.model_dump_json(),
            "changed_by": self._scope.actor,
            "changed_us": self._unit.now_us,
        }

    def _note(
        self,
        action: str,
        identity: str,
        old: Content | None,
        new: Content | None,
        columns: Mapping[str, object] = _NONE,
    ) -> None:
        was = None if old is None else old.model_dump(mode="json")
        becomes = None if new is None else new.model_dump(mode="json")
        if becomes is not None:
            # That a secret was given is said, the secret is not.
            becomes.update((name, "given" if name == "sealed" else value) for name, value in columns.items())
        AuditTrail(self._unit, self._scope).add(f"notification_{self._word}.{action}", identity, was, becomes)

    def _select(self) -> sa.Select[Any]:
        return sa.select(self._table).where(self._table.c.factory_id == self._scope.factory_id)


class NotificationBook:
    """The four kinds together, and what they say of one another."""

    def __init__(self, unit: Unit, scope: Scope, timezone: Callable[[], str]) -> None:
        self._unit = unit
        self._timezone = timezone
        self.contacts = Shelf(unit, scope, tables.contact, http.ContactContent, "contact")
        self.rosters = Shelf(unit, scope, tables.roster, http.RosterContent, "roster", self._check_roster)
        self.hooks = Shelf(unit, scope, tables.hook, http.HookContent, "hook")
        self.policies = Shelf(unit, scope, tables.policy, http.PolicyContent, "policy", self._check_policy)

    # --- contacts ----------------------------------------------------------------------------------------------------

    def list_contacts(self) -> list[http.Contact]:
        """All, by name."""
        return [http.Contact.model_validate(_told(row, self.contacts.content(row))) for row in self.contacts.rows()]

    def contact(self, row: sa.Row[Any]) -> http.Contact:
        """The contact of a row."""
        return http.Contact.model_validate(_told(row, self.contacts.content(row)))

    def delete_contact(self, identity: str) -> None:
        """Take a contact away; raises ConflictError while a roster or a policy names it."""
        self.contacts.row(identity)
        self._refuse_used(TargetKind.CONTACT, identity)
        for row in self.rosters.rows():
            content = self.rosters.content(row)
            if identity in content.members or any(one.contact == identity for one in content.overrides):
                raise ConflictError(f"The roster {row.name} names this contact: take it out there first.")
        self.contacts.delete(identity)

    # --- rosters -----------------------------------------------------------------------------------------------------

    def list_rosters(self) -> list[http.Roster]:
        """All, by name."""
        return [self.roster(row) for row in self.rosters.rows()]

    def roster(self, row: sa.Row[Any]) -> http.Roster:
        """The roster of a row, with who is on call now."""
        content = self.rosters.content(row)
        duty = on_call(content.definition(), from_us(self._unit.now_us), self._timezone())
        told = _told(row, content) | {"on_call": duty.contact or None, "on_call_until": duty.until}
        return http.Roster.model_validate(told)

    def delete_roster(self, identity: str) -> None:
        """Take a roster away; raises ConflictError while a policy names it."""
        self.rosters.row(identity)
        self._refuse_used(TargetKind.ROSTER, identity)
        self.rosters.delete(identity)

    def _check_roster(self, content: http.RosterContent) -> None:
        known = {row.id for row in self.contacts.rows()}
        if not {*content.members, *(one.contact for one in content.overrides)} <= known:
            raise NotFoundError("There is no such contact.")
        if any(one.end <= one.start for one in content.overrides):
            raise InvalidInputError(
                "Somebody who stands in has to begin before the end.", fields={"overrides": "ends before it begins"}
            )

    # --- hooks -------------------------------------------------------------------------------------------------------

    def list_hooks(self) -> list[http.Hook]:
        """All, by name; their addresses and keys stay secret."""
        return [self.hook(row) for row in self.hooks.rows()]

    def hook(self, row: sa.Row[Any]) -> http.Hook:
        """The hook of a row."""
        told = _told(row, self.hooks.content(row)) | {"host": row.host, "is_signed": bool(row.is_signed)}
        return http.Hook.model_validate(told)

    def delete_hook(self, identity: str) -> None:
        """Take a hook and its secrets away; raises ConflictError while a policy names it."""
        self.hooks.row(identity)
        self._refuse_used(TargetKind.HOOK, identity)
        self.hooks.delete(identity)

    # --- policies ----------------------------------------------------------------------------------------------------

    def list_policies(self) -> list[http.NotificationPolicy]:
        """All, by name."""
        return [self.policy(row) for row in self.policies.rows()]

    def policy(self, row: sa.Row[Any]) -> http.NotificationPolicy:
        """The policy of a row."""
        return http.NotificationPolicy.model_validate(_told(row, self.policies.content(row)))

    def _check_policy(self, content: http.PolicyContent) -> None:
        faults = content.faults()
        if faults:
            raise InvalidInputError("The policy cannot be used: " + "; ".join(faults.values()) + ".", fields=faults)
        shelves: dict[TargetKind, Shelf[Any]] = {
            TargetKind.CONTACT: self.contacts, TargetKind.ROSTER: self.rosters, TargetKind.HOOK: self.hooks,
        }  # fmt: skip
        known = {kind: {row.id for row in shelf.rows()} for kind, shelf in shelves.items()}
        known[TargetKind.ROLE] = {"viewer", "operator", "supervisor", "admin"}
        for step in content.steps:
            for target in step.to:
                if target.name not in known[target.kind]:
                    raise NotFoundError(f"There is no such {target.kind.value}.")

    def _refuse_used(self, kind: TargetKind, identity: str) -> None:
        for row in self.policies.rows():
            steps = self.policies.content(row).steps
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
