"""Furnishing a factory as Riverside Works: names, areas, units, normal bands and a handful of starter rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from factoryops.contracts.http import RuleContent
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import FactoryId, Role, Scope, device_id, parameter_id
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.rule import AlarmRecord, RuleScope
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.simulator.plant import MACHINES, Machine

_ACTOR: Final = "set-up"


@dataclass(frozen=True, slots=True)
class Furnished:
    """What was added; all zero when the factory was furnished before."""

    devices: int
    parameters: int
    rules: int


@dataclass(frozen=True, slots=True)
class _StarterRule:
    """A limit that a factory begins with."""

    name: str
    parameter: str
    comparison: Comparison
    limit: float
    priority: Priority
    devices: tuple[str, ...] = ()
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    response: str = ""


STARTER_RULES: Final = (
    _StarterRule(
        "Vibration too high", "vibration", Comparison.ABOVE, 7.1, Priority.HIGH, (), 0.6, 5, 10,
        "Listen at the bearings and compare with the trend of the last week. Plan a bearing check; stop the machine "
        "when the value goes on rising.",
    ),
    _StarterRule(
        "Vibration raised", "vibration", Comparison.ABOVE, 4.5, Priority.LOW, (), 0.4, 15, 15,
        "Note it for the next maintenance round.",
    ),
    _StarterRule(
        "Bearing too hot", "bearing_temperature", Comparison.ABOVE, 80, Priority.CRITICAL, (), 2, 5, 10,
        "Change over to the stand-by pump, then stop this one. Check lubrication before starting again.",
    ),
    _StarterRule(
        "Cooling water pressure low", "discharge_pressure", Comparison.BELOW, 2.2, Priority.HIGH,
        ("pump-1", "pump-2"), 0.15, 3, 5,
        "Check the suction valve and the level in the basin; bleed the pump. Furnace and chiller depend on this water.",
    ),
    _StarterRule(
        "Pump filter clogging", "filter_pressure_drop", Comparison.AT_OR_ABOVE, 0.85, Priority.MEDIUM,
        ("pump-1", "pump-2"), 0.08, 20, 20, "Change over to the clean filter and have this one washed.",
    ),
    _StarterRule(
        "Dryer filter clogging", "filter_pressure_drop", Comparison.ABOVE, 10, Priority.MEDIUM,
        ("dryer-1",), 0.5, 20, 20, "Shake the filter bags; replace them at the next stop.",
    ),
    _StarterRule(
        "Compressed air pressure low", "net_pressure", Comparison.BELOW, 6.1, Priority.HIGH, ("compressor-1",), 0.15, 4,
        8, "Look for a blow-off or a burst hose; shed the packaging line if the pressure goes on falling.",
    ),
    _StarterRule(
        "Chilled water too warm", "supply_temperature", Comparison.ABOVE, 9, Priority.MEDIUM, ("chiller-1",), 0.4, 30,
        30, "Check the condenser fans. Above 12 °C the spindles of the machining centres must be slowed down.",
    ),
    _StarterRule(
        "Furnace over temperature", "chamber_temperature", Comparison.ABOVE, 885, Priority.CRITICAL, ("furnace-1",), 5,
        5, 10, "Switch the heaters off at the cabinet and keep the atmosphere flowing.",
    ),
    _StarterRule(
        "Hydraulic oil too hot", "oil_temperature", Comparison.ABOVE, 65, Priority.MEDIUM, ("press-1",), 2, 20, 20,
        "Check the oil cooler's water valve.",
    ),
    _StarterRule(
        "Steam pressure too high", "steam_pressure", Comparison.AT_OR_ABOVE, 9.2, Priority.CRITICAL, ("boiler-1",), 0.2,
        0, 5, "The safety valve opens at 10 bar. Reduce the burner by hand and call the boiler attendant.",
    ),
    _StarterRule(
        "Motor too hot", "motor_temperature", Comparison.ABOVE, 95, Priority.HIGH, (), 3, 10, 20,
        "Reduce the load and check the fan; stop the motor at 110 °C.",
    ),
)  # fmt: skip


def furnish(database: Database, factory_id: FactoryId) -> Furnished:
    """Write the plant's description; repeating it adds nothing, and what an operator has edited stays.

    The starter rules are added with the first machines only, so a rule somebody deleted does not come back.
    """
    scope = Scope(factory_id, _ACTOR, Role.ADMIN)

    def work(transaction: Transaction) -> Furnished:
        devices = transaction.devices(scope).ensure_many(device_of(factory_id, machine) for machine in MACHINES)
        parameters = transaction.parameters(scope).ensure_many(
            parameter for machine in MACHINES for parameter in parameters_of(factory_id, machine)
        )
        if not devices:
            return Furnished(0, parameters, 0)
        known = {rule.content.name for rule in transaction.rules(scope).list()}
        added = [rule for rule in STARTER_RULES if rule.name not in known]
        for rule in added:
            transaction.rules(scope).create(_content(rule), _ACTOR)
        return Furnished(devices, parameters, len(added))

    return database.run(work)


def device_of(factory_id: FactoryId, machine: Machine) -> Device:
    """The device that a machine is."""
    return Device(
        device_id(factory_id, machine.key), factory_id, machine.key, machine.name, machine.kind, machine.area,
        machine.line,
    )  # fmt: skip


def parameters_of(factory_id: FactoryId, machine: Machine) -> list[Parameter]:
    """The parameters that a machine measures, most telling first."""
    return [
        Parameter(
            id=parameter_id(factory_id, machine.key, quantity.key),
            factory_id=factory_id,
            device_id=device_id(factory_id, machine.key),
            series_id=series_id(SeriesKey(factory_id, machine.key, quantity.key)),
            key=quantity.key,
            name=quantity.name,
            unit=quantity.unit,
            decimals=quantity.decimals,
            low=quantity.low,
            high=quantity.high,
            normal_low=quantity.normal_low,
            normal_high=quantity.normal_high,
        )
        for quantity in machine.quantities
    ]


def _content(rule: _StarterRule) -> RuleContent:
    return RuleContent(
        name=rule.name,
        condition=PlainLimit(rule.parameter, rule.comparison, rule.limit, rule.deadband).condition,
        priority=rule.priority,
        scope=RuleScope(devices=rule.devices),
        on_delay_s=rule.on_delay_s,
        off_delay_s=rule.off_delay_s,
        record=AlarmRecord(action=rule.response),
    )
