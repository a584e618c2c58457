"""Alarms about FactoryOps itself: which of its problems is how urgent, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factoryops.domain.alarms import Priority
from factoryops.domain.identity import RuleId, derived_id
from factoryops.domain.plant import KEY_LENGTH

SERVICE_DEVICE: Final = "FactoryOps service"
"""The key and the name of the device on which they are raised, in every factory of the installation."""

SERVICE_KIND: Final = "service"


@dataclass(frozen=True, slots=True)
class SystemAlarm:
    """What an operator is told of one kind of problem.

    Attributes:
        name: a few words; the problem's own sentence says the rest.
        response: what to do first.
    """

    name: str
    priority: Priority
    response: str


_OTHER: Final = SystemAlarm(
    "Service problem", Priority.MEDIUM, "Look at the health page, and tell whoever runs FactoryOps here."
)
_DISK: Final = "Free disk space or repair the disk of the plant server; devices keep their data meanwhile."
_STORE: Final = "Bring the history store back; the journal keeps everything until then."
_BROKER: Final = "Look at the broker and the network between it and the plant server."
_CATCH_UP: Final = "Wait for it to catch up. If it does not, look at the load of the plant server."
_JOURNAL: Final = "Look at the health page for the part that has fallen behind, and bring it back."
_CERTIFICATE: Final = "Renew the certificate before it ends: no device can connect afterwards."

SYSTEM_ALARMS: Final[Mapping[str, SystemAlarm]] = {
    "journal_not_writable": SystemAlarm("Nothing can be received", Priority.CRITICAL, _DISK),
    "journal_full": SystemAlarm("Journal full", Priority.CRITICAL, _JOURNAL),
    "journal_nearly_full": SystemAlarm("Journal nearly full", Priority.HIGH, _JOURNAL),
    "journal_half_full": SystemAlarm("Journal half full", Priority.MEDIUM, _JOURNAL),
    "disk_full": SystemAlarm("Nothing is received: disk full", Priority.CRITICAL, _DISK),
    "disk_low": SystemAlarm("Disk nearly full", Priority.HIGH, _DISK),
    "journal_damaged": SystemAlarm("Journal was damaged", Priority.HIGH, "Check the disk; look at the gap on charts."),
    "journal_rows_missing": SystemAlarm("Journal damaged", Priority.HIGH, "Check the disk; look at the gap on charts."),
    "database_away": SystemAlarm("Database away", Priority.HIGH, "Bring the database back."),
    "store_away": SystemAlarm("History store away", Priority.HIGH, _STORE),
    "bucket_away": SystemAlarm("History bucket away", Priority.HIGH, _STORE),
    "history_lost": SystemAlarm(
        "History lost in InfluxDB", Priority.HIGH, "Bring it back: factoryops-service influx replay."
    ),
    "history_behind": SystemAlarm("History behind", Priority.LOW, _CATCH_UP),
    "engine_behind": SystemAlarm("Alarms behind", Priority.HIGH, _CATCH_UP),
    "live_alarms_delayed": SystemAlarm("Alarms reach screens late", Priority.HIGH, _DISK),
    "plant_records": SystemAlarm("Plant records not kept", Priority.MEDIUM, _OTHER.response),
    "snapshot": SystemAlarm("Devices and credentials outdated", Priority.HIGH, _OTHER.response),
    "overload": SystemAlarm("Overload", Priority.HIGH, "Let devices send less, or give the plant server more power."),
    "flood": SystemAlarm("A device sends too much", Priority.MEDIUM, "Find it in the log and let it send less."),
    "reconnecting": SystemAlarm("A device reconnects all the time", Priority.MEDIUM, "Find in the log what it sends."),
    "device_clocks": SystemAlarm(
        "Clocks of devices wrong", Priority.LOW, "Set them; the devices' pages say by how much."
    ),
    "clock_set": SystemAlarm("Server's clock jumped", Priority.MEDIUM, "Look at the server's time synchronisation."),
    "broker_away": SystemAlarm("Broker away", Priority.HIGH, _BROKER),
    "broker_unstable": SystemAlarm("Broker connection unstable", Priority.HIGH, _BROKER),
    "broker_refuses": SystemAlarm("Broker refuses us", Priority.HIGH, "Let our user read the factories' topics."),
    "broker_dropped": SystemAlarm("Broker dropped messages", Priority.HIGH, "Raise the broker's queue limits."),
    "broker_session_lost": SystemAlarm(
        "Broker lost our session", Priority.HIGH, "Look at the gap on charts, and at the broker's persistence."
    ),
    "broker_filling": SystemAlarm("Broker's queue fills up", Priority.HIGH, _CATCH_UP),
    "broker_configuration": SystemAlarm(
        "Broker not safely configured", Priority.MEDIUM, "Mend the settings that the problem names."
    ),
    "certificate": SystemAlarm("Certificate not usable", Priority.HIGH, _CERTIFICATE),
    "certificate_ends": SystemAlarm("Certificate ends", Priority.MEDIUM, _CERTIFICATE),
    "calculation_stopped": SystemAlarm(
        "Calculation stopped", Priority.LOW, "Change its expression under Data, Calculated."
    ),
    "rule_stopped": SystemAlarm("Rule stopped", Priority.HIGH, "Change the rule; it watches nothing until then."),
    "nobody_reached": SystemAlarm(
        "Nobody was told of an alarm", Priority.HIGH, "Tell somebody yourself; then look at the ledger of messages."
    ),
    "channel_refused": SystemAlarm(
        "Messages are not sent", Priority.HIGH, "Correct the user, password or token of this channel in the settings."
    ),
    "safe_mode": SystemAlarm("Safe mode", Priority.HIGH, "Look at memory and logs of the plant server."),
    "role_lost": SystemAlarm("Part of the service down", Priority.HIGH, "If it stays so, look at its log."),
}
"""By the problem's code."""


def system_alarm(code: str) -> SystemAlarm:
    """What is said of a problem; its code may name a source behind a colon."""
    return SYSTEM_ALARMS.get(code.partition(":")[0], _OTHER)


def system_parameter(code: str) -> str:
    """What stands for the parameter of such an alarm."""
    return code[:KEY_LENGTH]


def system_rule_id(factory_id: str, code: str) -> RuleId:
    """The id of the hidden rule behind such an alarm."""
    return RuleId(derived_id(factory_id, "system rule", system_parameter(code)))
