"""What states, kinds and comparisons are called on the screen."""

from __future__ import annotations

from factoryops.contracts.http import DeliveryState, JobKind, RunState
from factoryops.domain.alarms import AlarmEventKind, AlarmState, Priority
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import Role
from factoryops.domain.notifying import ChannelKind
from factoryops_resources.words import say


def priority_name(priority: Priority) -> str:
    """Such as "1 critical"."""
    names = {
        Priority.CRITICAL: say("1 critical"),
        Priority.HIGH: say("2 high"),
        Priority.MEDIUM: say("3 medium"),
        Priority.LOW: say("4 low"),
    }
    return names[priority]


def alarm_state_name(state: AlarmState) -> str:
    """The ISA-18.2 state in words."""
    names = {
        AlarmState.NORMAL: say("Normal"),
        AlarmState.UNACKNOWLEDGED: say("Unacknowledged"),
        AlarmState.ACKNOWLEDGED: say("Acknowledged"),
        AlarmState.RETURNED_UNACKNOWLEDGED: say("Returned, unacknowledged"),
        AlarmState.LATCHED_UNACKNOWLEDGED: say("Latched, unacknowledged"),
        AlarmState.LATCHED_ACKNOWLEDGED: say("Latched, acknowledged"),
        AlarmState.SHELVED: say("Shelved"),
        AlarmState.SUPPRESSED: say("Suppressed by design"),
        AlarmState.OUT_OF_SERVICE: say("Out of service"),
    }
    return names[state]


def event_name(kind: AlarmEventKind) -> str:
    """What happened to an alarm."""
    names = {
        AlarmEventKind.RAISED: say("Raised"),
        AlarmEventKind.CLEARED: say("Returned to normal"),
        AlarmEventKind.ACKNOWLEDGED: say("Acknowledged"),
        AlarmEventKind.RESET: say("Reset"),
        AlarmEventKind.SHELVED: say("Shelved"),
        AlarmEventKind.UNSHELVED: say("Unshelved"),
        AlarmEventKind.SUPPRESSED: say("Suppressed by design"),
        AlarmEventKind.UNSUPPRESSED: say("No longer suppressed"),
        AlarmEventKind.OUT_OF_SERVICE: say("Taken out of service"),
        AlarmEventKind.IN_SERVICE: say("Returned to service"),
        AlarmEventKind.RENEWED: say("Announced again"),
        AlarmEventKind.REPRIORITISED: say("Priority changed"),
        AlarmEventKind.WITHDRAWN: say("Ended: its rule is only being tried now"),
    }
    return names[kind]


def leaf_state_name(state: str) -> str:
    """What a part of a condition was."""
    names = {"true": say("true"), "false": say("false"), "unknown": say("not known")}
    return names.get(state, state)


def delivery_state_name(state: DeliveryState) -> str:
    """How far a message came."""
    names = {
        DeliveryState.QUEUED: say("Waiting"),
        DeliveryState.ATTEMPTED: say("Tried"),
        DeliveryState.ACCEPTED: say("Sent"),
        DeliveryState.FAILED: say("Failed"),
        DeliveryState.SKIPPED: say("Left out"),
    }
    return names[state]


def delivery_event_name(event: str) -> str:
    """What a message tells."""
    names = {"raised": say("Raised"), "cleared": say("Returned to normal"), "acknowledged": say("Acknowledged"),
             "test": say("Test message")}  # fmt: skip
    return names.get(event, event)


def channel_name(channel: ChannelKind) -> str:
    """A way to reach somebody."""
    names = {
        ChannelKind.EMAIL: say("E-mail"),
        ChannelKind.SMS: say("SMS"),
        ChannelKind.WHATSAPP: say("WhatsApp"),
        ChannelKind.IN_APP: say("In the client"),
        ChannelKind.WEBHOOK: say("Webhook"),
        ChannelKind.CHAT: say("Chat"),
    }
    return names[channel]


def comparison_name(comparison: Comparison) -> str:
    """How a value is compared, to be followed by the limit."""
    names = {
        Comparison.ABOVE: say("is above"),
        Comparison.AT_OR_ABOVE: say("is at or above"),
        Comparison.BELOW: say("is below"),
        Comparison.AT_OR_BELOW: say("is at or below"),
        Comparison.EQUAL: say("is"),
        Comparison.UNEQUAL: say("is not"),
    }
    return names[comparison]


def job_name(kind: JobKind) -> str:
    """A kind of work."""
    names = {
        JobKind.DAILY_REPORT: say("Daily report"),
        JobKind.ANOMALY_SCAN: say("Anomaly scan"),
        JobKind.IMPORT: say("Import"),
        JobKind.EXPORT: say("Export"),
        JobKind.QUARANTINE_REPLAY: say("Replay from quarantine"),
        JobKind.BACK_TEST: say("Back-test"),
        JobKind.SCHEDULED_RULES: say("Scheduled rules"),
        JobKind.ALARM_MENDS: say("Proposals for alarms"),
    }
    return names[kind]


def run_state_name(state: RunState) -> str:
    """Where a run is."""
    names = {
        RunState.QUEUED: say("Waiting"),
        RunState.RUNNING: say("Running"),
        RunState.SUCCEEDED: say("Done"),
        RunState.FAILED: say("Failed"),
        RunState.CANCELLED: say("Cancelled"),
        RunState.MISSED: say("Missed"),
    }
    return names[state]


def role_name(role: Role) -> str:
    """What a person is in the factory."""
    names = {
        Role.VIEWER: say("Viewer"),
        Role.OPERATOR: say("Operator"),
        Role.SUPERVISOR: say("Supervisor"),
        Role.ADMIN: say("Administrator"),
    }
    return names[role]


def status_sentence(status: str) -> str:
    """The service's own judgement of itself."""
    sentences = {
        "ok": say("Every promise holds."),
        "degraded": say("Something needs attention; nothing is lost."),
        "failing": say("A promise is broken; look at the problems below."),
    }
    return sentences.get(status, say("The service's state is not known yet."))


def gap_reason(reason: str) -> str:
    """Why data may be missing in a span."""
    return reason.replace("_", " ")
