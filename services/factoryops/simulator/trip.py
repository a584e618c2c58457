"""A plant trip: the supply of twenty machines fails, and five hundred alarms follow from it within one second.

One root cause; the voltage falls bay by bay, then quantity by quantity follows in all of them. Every sample carries
its own time, so that what came first can be told to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from factoryops.contracts.http import RuleContent
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import FactoryId, Role, Scope, device_id
from factoryops.domain.plant import Device
from factoryops.domain.rule import AlarmRecord, RuleScope
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry

BAYS: Final = 20
STEP_US: Final = 1_900
"""Between one alarm and the next."""

_KIND: Final = "Machine bay"
_AREAS: Final = ("Substation", "Press shop", "Paint shop", "Assembly")
_ACTOR: Final = "set-up"
_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Quantity:
    """What a bay measures, healthy and tripped, and the alarm that tells the two apart."""

    key: str
    alarm: str
    healthy: float
    tripped: float
    priority: Priority = Priority.LOW
    response: str = ""

    @property
    def limit(self) -> PlainLimit:
        """Half-way between the two."""
        comparison = Comparison.BELOW if self.tripped < self.healthy else Comparison.ABOVE
        return PlainLimit(self.key, comparison, (self.healthy + self.tripped) / 2)


QUANTITIES: Final = (
    _Quantity("supply_voltage", "Supply voltage lost", 400, 0, Priority.CRITICAL,
              "Find the bay that tripped first; close its breaker only after the protection relay has been read."),
    _Quantity("control_voltage", "Control voltage low", 24, 11, Priority.HIGH, "Change over to the battery."),
    _Quantity("drive_current", "Drive stopped", 62, 0, Priority.HIGH, "Hold the line; do not restart by hand."),
    _Quantity("drive_speed", "Drive speed low", 1_480, 90, Priority.MEDIUM),
    _Quantity("cooling_flow", "Cooling water flow low", 18, 2, Priority.HIGH, "Start the diesel pump."),
    _Quantity("cooling_pressure", "Cooling water pressure low", 3.4, 0.6, Priority.MEDIUM),
    _Quantity("oil_pressure", "Oil pressure low", 5.2, 1.1, Priority.HIGH, "Let the machine run out; do not brake."),
    _Quantity("oil_flow", "Oil flow low", 42, 6), _Quantity("air_pressure", "Compressed air low", 6.8, 3.9),
    _Quantity("hydraulic_pressure", "Hydraulic pressure low", 180, 35, Priority.MEDIUM),
    _Quantity("fan_speed", "Fan stopped", 2_900, 0), _Quantity("exhaust_flow", "Exhaust flow low", 1_200, 140),
    _Quantity("cabinet_temperature", "Cabinet too warm", 31, 52), _Quantity("heater_power", "Heater off", 12, 0),
    _Quantity("heater_temperature", "Heater too cold", 185, 120), _Quantity("belt_speed", "Belt stopped", 0.8, 0),
    _Quantity("belt_load", "Belt overloaded", 110, 410), _Quantity("level", "Tank level high", 55, 96),
    _Quantity("dosing_flow", "Dosing stopped", 4.2, 0), _Quantity("vacuum", "Vacuum lost", 0.9, 0.1),
    _Quantity("torque", "Torque low", 210, 4), _Quantity("lubrication", "Lubrication stopped", 3.1, 0),
    _Quantity("encoder_rate", "Encoder silent", 500, 0), _Quantity("link_quality", "Field bus disturbed", 100, 12),
    _Quantity("ups_load", "Emergency supply overloaded", 20, 97, Priority.HIGH, "Shed what is not needed."),
)  # fmt: skip
ALARMS: Final = BAYS * len(QUANTITIES)


def bay_key(number: int) -> str:
    """The key of a bay's device."""
    return f"bay-{number + 1:02}"


def order_of_alarms() -> list[tuple[str, str]]:
    """Device and rule of each alarm, the root cause first."""
    return [(bay_key(bay), quantity.alarm) for quantity in QUANTITIES for bay in range(BAYS)]


def prepare_trip(database: Database, factory_id: FactoryId) -> int:
    """Add the bays and the rules that look at them; answers how many rules were missing."""
    scope = Scope(factory_id, _ACTOR, Role.ADMIN)

    def work(transaction: Transaction) -> int:
        transaction.devices(scope).ensure_many(_device(factory_id, bay) for bay in range(BAYS))
        rules = transaction.rules(scope)
        known = {rule.content.name: rule.id for rule in rules.list() if rule.content.scope.kinds == (_KIND,)}
        missing = [one for one in QUANTITIES if one.alarm not in known]
        for quantity in missing:
            parent = known.get(QUANTITIES[0].alarm, "")
            known[quantity.alarm] = rules.create(_content(quantity, parent), _ACTOR).id
        return len(missing)

    return database.run(work)


def _device(factory_id: FactoryId, bay: int) -> Device:
    key, area = bay_key(bay), _AREAS[bay * len(_AREAS) // BAYS]
    return Device(device_id(factory_id, key), factory_id, key, f"Bay {bay + 1}", _KIND, area)


def _content(quantity: _Quantity, parent: str) -> RuleContent:
    return RuleContent(
        name=quantity.alarm,
        condition=quantity.limit.condition,
        priority=quantity.priority,
        scope=RuleScope(kinds=(_KIND,)),
        parent_rule=parent,
        record=AlarmRecord(cause="The supply has failed.", action=quantity.response),
    )


def begin_trip(target: MqttTarget) -> int:
    """Let the plant trip; answers when its first alarm is dated, in microseconds since 1970.

    Raises:
        SetupError, UnavailableError: nobody takes the samples.
    """
    began_us = now_us() - ALARMS * STEP_US
    _publish(target, lambda number: began_us + number * STEP_US, lambda quantity: quantity.tripped)
    return began_us


def end_trip(target: MqttTarget) -> None:
    """Let everything return to normal.

    Raises:
        SetupError, UnavailableError: nobody takes the samples.
    """
    moment_us = now_us()
    _publish(target, lambda number: moment_us + number, lambda quantity: quantity.healthy)


def _publish(target: MqttTarget, at_us: Callable[[int], int], value: Callable[[_Quantity], float]) -> None:
    """One message for each quantity of each bay, in order, all confirmed in the end."""
    connection = DeviceConnection(target, f"{target.factory}-trip", in_flight=ALARMS)
    connection.start()
    try:
        connection.wait_connected(_WITHIN_S)
        for number in range(ALARMS):
            quantity, bay = QUANTITIES[number // BAYS], bay_key(number % BAYS)
            connection.publish(target.topic(bay), telemetry(at_us(number), {quantity.key: value(quantity)}))
        if not connection.wait_below(1, _WITHIN_S):
            raise UnavailableError("Not all samples of the trip were acknowledged: look at the service, and try again.")
    finally:
        connection.close()
