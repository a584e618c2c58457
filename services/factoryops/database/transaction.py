"""One unit of work, with every repository at hand."""

from __future__ import annotations

from factoryops.contracts import http
from factoryops.database.alarms import Alarms
from factoryops.database.audit import AuditTrail
from factoryops.database.engine import EngineRecords
from factoryops.database.factories import Factories
from factoryops.database.plant import Devices, Parameters
from factoryops.database.rows import Changes
from factoryops.database.rules import Rules
from factoryops.database.users import Credentials, Sessions, Users
from factoryops.database.work import Work
from factoryops.domain.identity import FactoryId, Scope


class Transaction:
    """What `Database.run` and `Database.read` hand to a unit of work; of no use after it.

    Repositories of what belongs to a factory ask for a `Scope` and add the factory to every query themselves; another
    factory's id is as unknown as one that does not exist (NotFoundError).
    """

    factories: Factories
    users: Users
    sessions: Sessions
    credentials: Credentials
    engine: EngineRecords
    work: Work

    def devices(self, scope: Scope) -> Devices:
        """The factory's devices."""
        raise NotImplementedError

    def parameters(self, scope: Scope) -> Parameters:
        """The factory's parameters."""
        raise NotImplementedError

    def rules(self, scope: Scope) -> Rules:
        """The factory's alarm rules."""
        raise NotImplementedError

    def alarms(self, scope: Scope) -> Alarms:
        """The factory's alarms and their history."""
        raise NotImplementedError

    def audit(self, scope: Scope) -> AuditTrail:
        """The factory's audit trail."""
        raise NotImplementedError

    def changes(self) -> Changes:
        """What to compare with the last seen to learn whether anything must be read again."""
        raise NotImplementedError

    def alarms_changed_since(self, change: int) -> list[tuple[FactoryId, http.Alarm]]:
        """Alarms of every factory whose `change` is larger, normal ones too, in order of change; for the live hub."""
        raise NotImplementedError
