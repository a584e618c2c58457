"""Factories: what everything else belongs to."""

from __future__ import annotations

import builtins
import zoneinfo
from typing import Any, Final

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import FactoryId, Role, Scope, new_id
from factoryops.domain.plant import Factory, is_slug, is_tenant

_NO_TENANT: Final = "A tenant id is SH and eight digits, such as SH00000042."


class Factories:
    """All factories of the installation; for login, the roles and the command line, never for a user's request."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def list(self) -> builtins.list[Factory]:
        """All, by slug."""
        return [factory_of(row) for row in self._unit.rows(sa.select(tables.factory).order_by(tables.factory.c.slug))]

    def find_by_slug(self, slug: str) -> Factory | None:
        """The factory of a slug."""
        row = self._unit.row(sa.select(tables.factory).where(tables.factory.c.slug == slug))
        return None if row is None or row.slug != slug else factory_of(row)

    def get(self, factory_id: FactoryId) -> Factory:
        """The factory of an id, or NotFoundError."""
        row = self._unit.row(sa.select(tables.factory).where(tables.factory.c.id == factory_id))
        if row is None:
            raise NotFoundError("There is no such factory.")
        return factory_of(row)

    def create(
        self, slug: str, name: str, timezone: str, adopts_automatically: bool = True, *, tenant: str = ""
    ) -> Factory:
        """Add one.

        Raises:
            InvalidInputError: the slug, the time zone or the tenant id cannot be used.
            ConflictError: the slug or the tenant id is taken.
        """
        _check(slug, name, timezone, tenant)
        self._check_tenant_free(tenant)
        if self.find_by_slug(slug) is not None:
            raise ConflictError(f"There is a factory {slug} already: choose another short name.")
        made = Factory(FactoryId(new_id()), slug, name.strip(), timezone, adopts_automatically, tenant)
        self._unit.insert(tables.factory, [_row_of(made) | {"created_us": self._unit.now_us}])
        start: dict[str, Any] = {"factory_id": made.id, "plant_change": 0, "audit_number": 0, "audit_hash": ""}
        self._unit.insert(tables.factory_counter, [start])
        self._unit.advance("access")
        AuditTrail(self._unit, Scope(made.id, "administration", Role.ADMIN)).add(
            "factory.create", made.id, None, {"slug": slug, "name": made.name, "timezone": timezone}
        )
        return made

    def set_tenant(self, factory_id: FactoryId, tenant: str) -> Factory:
        """Give a factory its id in topics with a tenant, or take it away with "". Writes the audit entry.

        Raises:
            InvalidInputError: it is no tenant id.
            ConflictError: another factory has it.
        """
        before = self.get(factory_id)
        if before.tenant == tenant:
            return before
        if tenant and not is_tenant(tenant):
            raise InvalidInputError(_NO_TENANT, fields={"tenant": _NO_TENANT})
        self._check_tenant_free(tenant)
        self._unit.write(sa.update(tables.factory).where(tables.factory.c.id == factory_id).values(tenant=tenant))
        AuditTrail(self._unit, Scope(factory_id, "administration", Role.ADMIN)).add(
            "factory.change", factory_id, {"tenant": before.tenant}, {"tenant": tenant}
        )
        self._unit.advance("access")
        return self.get(factory_id)

    def _check_tenant_free(self, tenant: str) -> None:
        if tenant and any(factory.tenant == tenant for factory in self.list()):
            raise ConflictError(f"Another factory has the tenant id {tenant} already.")


def _check(slug: str, name: str, timezone: str, tenant: str) -> None:
    faults: dict[str, str] = {}
    if not is_slug(slug):
        faults["slug"] = "use 2 to 100 lower-case letters, digits and hyphens"
    if not 0 < len(name.strip()) <= 200:
        faults["name"] = "give the factory a name of at most 200 characters"
    if timezone not in zoneinfo.available_timezones():
        faults["timezone"] = f"{timezone!r} is not a time zone; an example is Europe/Berlin"
    if tenant and not is_tenant(tenant):
        faults["tenant"] = _NO_TENANT
    if faults:
        raise InvalidInputError("The factory cannot be added: " + "; ".join(faults.values()) + ".", fields=faults)


def _row_of(made: Factory) -> dict[str, Any]:
    return {
        "id": made.id,
        "slug": made.slug,
        "name": made.name,
        "timezone": made.timezone,
        "adopts_automatically": made.adopts_automatically,
        "tenant": made.tenant,
    }


def factory_of(row: sa.Row[Any], *, prefix: str = "") -> Factory:
    """The factory of a row that has the columns of its table, perhaps under a prefix."""
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public way to read columns by name
    return Factory(
        FactoryId(values[f"{prefix}id"]),
        values[f"{prefix}slug"],
        values[f"{prefix}name"],
        values[f"{prefix}timezone"],
        bool(values[f"{prefix}adopts_automatically"]),
        values[f"{prefix}tenant"],
    )
