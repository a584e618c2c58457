"""Things of a factory that are kept as a name and a content, changed whole and told apart by their version."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit
from factoryops.domain.errors import NotFoundError, OutdatedError
from factoryops.domain.identity import Scope, new_id

C = TypeVar("C", bound=BaseModel)

NO_MORE: Final[Mapping[str, object]] = MappingProxyType({})


class VersionedRows(Generic[C]):
    """Rows of one table of a factory, each a name and a content with a version; every change writes its audit entry.

    Args:
        content: the body a row holds as JSON.
        word: what one of them is called.
        audited_as: the first word of its audit entries.
        secret: columns beside the content of which the audit says only that they were given.
    """

    def __init__(
        self,
        unit: Unit,
        scope: Scope,
        table: sa.Table,
        content: type[C],
        word: str,
        audited_as: str = "",
        *,
        secret: frozenset[str] = frozenset(),
    ) -> None:
        self._unit = unit
        self._scope = scope
        self._table = table
        self._content = content
        self._word = word
        self._audited_as = audited_as or word
        self._secret = secret

    @property
    def kind(self) -> type[C]:
        """What a content is."""
        return self._content

    def all(self) -> list[sa.Row[Any]]:
        """All rows, by name."""
        mine = self._table.c.factory_id == self._scope.factory_id
        return list(self._unit.rows(sa.select(self._table).where(mine).order_by(self._table.c.name, self._table.c.id)))

    def one(self, identity: str) -> sa.Row[Any]:
        """One, or NotFoundError."""
        row = self._unit.row(sa.select(self._table).where(self._mine(identity)))
        if row is None:
            raise NotFoundError(f"There is no such {self._word}.")
        return row

    def read(self, row: sa.Row[Any]) -> C:
        """The content of a row."""
        return self._content.model_validate_json(row.content)

    def add(self, name: str, content: C, identity: str = "", more: Mapping[str, object] = NO_MORE) -> str:
        """Add one in its first version, with columns beside its content; answers its id, which may be given."""
        identity = identity or new_id()
        row = self._row(name, content) | {"factory_id": self._scope.factory_id, "id": identity, "version": 1}
        self._unit.insert(self._table, [row | dict(more)])
        self._note("create", identity, None, content, more)
        return identity

    def put(self, identity: str, version: int, name: str, content: C, more: Mapping[str, object] = NO_MORE) -> None:
        """Put a new version in its place; raises OutdatedError unless `version` is the present one.

        Columns beside the content keep what they hold but for those in `more`.
        """
        before = self.read(self.one(identity))
        as_known = self._table.c.version == version
        row = self._row(name, content) | {"version": version + 1, **more}
        if not self._unit.write(sa.update(self._table).where(self._mine(identity), as_known).values(**row)):
            raise OutdatedError("Somebody else changed it meanwhile: look at it again and repeat your change.")
        self._note("update", identity, before, content, more)

    def remove(self, identity: str) -> None:
        """Take one away, or NotFoundError."""
        before = self.read(self.one(identity))
        self._unit.write(sa.delete(self._table).where(self._mine(identity)))
        self._note("delete", identity, before, None)

    def _mine(self, identity: str) -> sa.ColumnElement[bool]:
        return sa.and_(self._table.c.factory_id == self._scope.factory_id, self._table.c.id == identity)

    def _row(self, name: str, content: C) -> dict[str, Any]:
        return {
            "name": name, "content": content.model_dump_json(), "changed_by": self._scope.actor,
            "changed_us": self._unit.now_us,
        }  # fmt: skip

    def _note(
        self, action: str, identity: str, old: C | None, new: C | None, more: Mapping[str, object] = NO_MORE
    ) -> None:  # fmt: skip
        was = None if old is None else old.model_dump(mode="json")
        becomes = None if new is None else new.model_dump(mode="json")
        if becomes is not None:
            becomes |= {name: "given" if name in self._secret else value for name, value in more.items()}
        AuditTrail(self._unit, self._scope).add(f"{self._audited_as}.{action}", identity, was, becomes)
