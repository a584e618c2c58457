"""One unit of work, with every repository at hand."""

from __future__ import annotations

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.adoption import Adoption
from factoryops.database.alarm_clock import AlarmClock
from factoryops.database.alarm_handling import AlarmHandling
from factoryops.database.alarm_rows import alarm_of, select_alarms
from factoryops.database.alarms import Alarms
from factoryops.database.audit import AuditTrail
from factoryops.database.calculations import Calculations
from factoryops.database.credentials import Credentials
from factoryops.database.engine import EngineRecords
from factoryops.database.factories import Factories
from factoryops.database.incidents import Incidents
from factoryops.database.mappings import Mappings
from factoryops.database.notification_book import NotificationBook
from factoryops.database.notification_ledger import NotificationLedger
from factoryops.database.notification_work import NotificationWork
from factoryops.database.organisation import Positions, Shifts
from factoryops.database.outages import Outages
from factoryops.database.performance import PerformanceRecords
from factoryops.database.philosophy import Philosophies
from factoryops.database.plant import Devices, Parameters
from factoryops.database.quarantine import QuarantineMarks
from factoryops.database.quiet_alarms import QuietAlarms
from factoryops.database.retention import RetentionRules
from factoryops.database.rows import Changes
from factoryops.database.rules import Rules
from factoryops.database.scheduled_rules import PlannedRule, ScheduledRules, planned_rules
from factoryops.database.unit import Unit
from factoryops.database.users import Sessions, Users
from factoryops.database.whys import WhyRecords, Whys
from factoryops.database.work import Work
from factoryops.domain.identity import FactoryId, Scope


class Transaction:
    """What `Database.run` and `Database.read` hand to a unit of work; of no use after it.

    Repositories of what belongs to a factory ask for a `Scope` and add the factory to every query themselves; another
    factory's id is as unknown as one that does not exist (NotFoundError).
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.factories = Factories(unit)
        self.users = Users(unit)
        self.sessions = Sessions(unit)
        self.credentials = Credentials(unit)
        self.engine = EngineRecords(unit)
        self.work = Work(unit)
        self.whys = WhyRecords(unit)
        self.notifying = NotificationWork(unit)
        self.alarm_clock = AlarmClock(unit)

    def devices(self, scope: Scope) -> Devices:
        """The factory's devices."""
        return Devices(self._unit, scope)

    def parameters(self, scope: Scope) -> Parameters:
        """The factory's parameters."""
        return Parameters(self._unit, scope)

    def adoption(self, scope: Scope) -> Adoption:
        """Which devices the factory takes up."""
        return Adoption(self._unit, scope)

    def mappings(self, scope: Scope) -> Mappings:
        """What messages of a format of their own mean."""
        return Mappings(self._unit, scope)

    def quarantine_marks(self, scope: Scope) -> QuarantineMarks:
        """What became of the factory's quarantined messages."""
        return QuarantineMarks(self._unit, scope)

    def rules(self, scope: Scope) -> Rules:
        """The factory's alarm rules."""
        return Rules(self._unit, scope)

    def calculations(self, scope: Scope) -> Calculations:
        """The factory's calculated parameters."""
        return Calculations(self._unit, scope)

    def shifts(self, scope: Scope) -> Shifts:
        """The factory's shifts."""
        return Shifts(self._unit, scope)

    def scheduled_rules(self, scope: Scope) -> ScheduledRules:
        """The factory's rules that the clock evaluates over history."""
        return ScheduledRules(self._unit, scope)

    def planned_rules(self) -> list[PlannedRule]:
        """When the scheduled rules of every factory are due."""
        return planned_rules(self._unit)

    def positions(self, scope: Scope) -> Positions:
        """The factory's operating positions."""
        return Positions(self._unit, scope)

    def incidents(self, scope: Scope) -> Incidents:
        """The factory's marked incidents."""
        return Incidents(self._unit, scope)

    def outages(self, scope: Scope) -> Outages:
        """The factory's declared outages."""
        return Outages(self._unit, scope)

    def notifications(self, scope: Scope) -> NotificationBook:
        """Who is told of the factory's alarms."""
        return NotificationBook(self._unit, scope, lambda: self.factories.get(scope.factory_id).timezone)

    def deliveries(self, scope: Scope) -> NotificationLedger:
        """What became of the factory's messages."""
        return NotificationLedger(self._unit, scope)

    def retention(self, scope: Scope) -> RetentionRules:
        """How long the factory's history is kept."""
        return RetentionRules(self._unit, scope)

    def alarms(self, scope: Scope) -> Alarms:
        """The factory's alarms and their history."""
        return Alarms(self._unit, scope)

    def alarm_whys(self, scope: Scope) -> Whys:
        """Why the factory's alarms were raised and cleared."""
        return Whys(self._unit, scope)

    def alarm_performance(self, scope: Scope) -> PerformanceRecords:
        """The factory's alarm history as figures are made from it."""
        return PerformanceRecords(self._unit, scope)

    def alarm_handling(self, scope: Scope) -> AlarmHandling:
        """What operators do with the factory's alarms."""
        return AlarmHandling(self._unit, scope)

    def quiet_alarms(self, scope: Scope) -> QuietAlarms:
        """The factory's alarms, never raised ones among them."""
        return QuietAlarms(self._unit, scope)

    def philosophy(self, scope: Scope) -> Philosophies:
        """How the factory's alarms are handled."""
        return Philosophies(self._unit, scope)

    def audit(self, scope: Scope) -> AuditTrail:
        """The factory's audit trail."""
        return AuditTrail(self._unit, scope)

    def changes(self) -> Changes:
        """What to compare with the last seen to learn whether anything must be read again."""
        counted = {row.name: row.value for row in self._unit.rows(sa.select(tables.counter))}
        counters = tables.factory_counter
        query = sa.select(counters.c.factory_id, counters.c.plant_change)
        plant = {FactoryId(row.factory_id): row.plant_change for row in self._unit.rows(query, every_factory=True)}
        return Changes(counted["alarms"], counted["runs"], counted["rules"], counted["access"], counted["inbox"], plant)

    def alarms_changed_since(self, change: int) -> list[tuple[FactoryId, http.Alarm]]:
        """Alarms of every factory whose `change` is larger, normal ones too, in order of change; for the live hub.

        Those of rules that are only being tried are nobody's to see.
        """
        alarm = tables.alarm
        query = select_alarms().where(alarm.c.change > change, alarm.c.is_shadow.is_(False)).order_by(alarm.c.change)
        rows = self._unit.rows(query, every_factory=True)
        return [(FactoryId(row.factory_id), alarm_of(row)) for row in rows]
