"""The audit trail of one factory: appended to, never changed, each entry sealed by the hash of the one before."""

from __future__ import annotations

import builtins

from factoryops.database.rows import AuditCheck, AuditEntry


class AuditTrail:
    """Who changed what, when and why."""

    def add(self, action: str, object_id: str, old: object = None, new: object = None, reason: str = "") -> AuditEntry:
        """Append an entry by the scope's actor; `old` and `new` are plain JSON values."""
        raise NotImplementedError

    def list(self, *, before: int | None = None, most: int = 200) -> builtins.list[AuditEntry]:
        """Newest first, numbers below `before`."""
        raise NotImplementedError

    def verify(self) -> AuditCheck:
        """Check the whole chain."""
        raise NotImplementedError
