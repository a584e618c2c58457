"""Bodies of the HTTP API. Times are ISO 8601 in UTC; columns of history carry whole microseconds since 1970.

Unknown fields are refused in what clients send (`Sent`) and ignored in what they receive (`Received`), so that an older
client understands a newer service.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from factoryops.domain.alarms import AlarmEventKind, AlarmState
from factoryops.domain.identity import Permission, Role
from factoryops.domain.rules import Comparison, Priority

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["01932f0c8e7a7c3fa1b2c3d4e5f60718"])]
_LINE = r"^[^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Key = Annotated[str, Field(min_length=1, max_length=100, pattern=_LINE)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


_RULE_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Pressure high",
    "parameter_key": "pressure",
    "comparison": "gt",
    "limit": 5.0,
    "priority": 2,
    "deadband": 0.1,
    "on_delay_s": 5,
}


def _example(body: dict[str, Any]) -> ConfigDict:
    """The part of a model's configuration that shows an example in the API's description."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class Sent(BaseModel):
    """A body a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Received(BaseModel):
    """A body the service answers with."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Problem(Received):
    """The one error shape (RFC 9457, application/problem+json).

    Attributes:
        title: a short name of the kind of error.
        detail: one sentence a person reads.
        request_id: what to quote when asking for help.
        fields: the reason per field, where single fields are at fault.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    fields: dict[str, str] = {}


# --- session ---------------------------------------------------------------------------------------------------------


class LoginRequest(Sent):
    """Who wants in, to which factory (its slug)."""

    model_config = _example({"factory": "riverside", "user": "anna", "password": "a long pass phrase"})

    factory: Annotated[str, Field(min_length=1, max_length=100, pattern=_LINE)]
    user: Annotated[str, Field(min_length=1, max_length=255, pattern=_LINE)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]


class FactoryInfo(Received):
    """The one factory a session opens."""

    id: Identifier
    slug: str
    name: str
    timezone: str


class SessionInfo(Received):
    """Who is logged in."""

    user: str
    role: Role
    permissions: list[Permission]
    factory: FactoryInfo
    expires_at: datetime


class LoginAnswer(Received):
    """The opaque token, to be sent as `Authorization: Bearer …`, and whose it is."""

    token: str
    session: SessionInfo


# --- plant -----------------------------------------------------------------------------------------------------------


class Parameter(Received):
    """One quantity of a device."""

    id: Identifier
    device_id: Identifier
    series_id: int
    key: str
    name: str
    unit: str
    decimals: int
    low: float | None = None
    high: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None


class ParameterChange(Sent):
    """What may be edited of a parameter; absent fields stay."""

    model_config = _example({"name": "Discharge pressure", "unit": "bar", "decimals": 2, "high": 10})

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_LINE)] | None = None
    unit: Annotated[str, Field(max_length=50, pattern=_LINE)] | None = None
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    low: Finite | None = None
    high: Finite | None = None
    normal_low: Finite | None = None
    normal_high: Finite | None = None


class Device(Received):
    """Something that publishes telemetry, with its parameters."""

    id: Identifier
    key: str
    name: str
    kind: str
    area: str
    line: str
    last_received_at: datetime | None = None
    """When the service last received anything from it (receive time, not the device's)."""
    late_share: float = 0.0
    """Share of its samples flagged late in the last hour; they never alarm, so the client warns about its clock."""
    parameters: list[Parameter] = []


class DeviceChange(Sent):
    """What may be edited of a device; absent fields stay."""

    model_config = _example({"name": "Feed pump 1", "area": "Utilities"})

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_LINE)] | None = None
    kind: Annotated[str, Field(max_length=50, pattern=_LINE)] | None = None
    area: Annotated[str, Field(max_length=100, pattern=_LINE)] | None = None
    line: Annotated[str, Field(max_length=100, pattern=_LINE)] | None = None


class DeviceList(Received):
    """All devices of the factory."""

    devices: list[Device]


# --- history ---------------------------------------------------------------------------------------------------------


class LatestValue(Received):
    """The newest sample of a parameter."""

    parameter_id: Identifier
    series_id: int
    time_us: int
    value: float
    flags: int


class LatestValues(Received):
    """The newest sample of each parameter that has one."""

    values: list[LatestValue]


class GapSpan(Received):
    """A span in which data may be missing, and why."""

    start_us: int
    end_us: int
    reason: str


class BinnedColumns(Received):
    """One parameter per bin; bins without samples are absent."""

    parameter_id: Identifier
    series_id: int
    bin_us: int
    start_us: list[int]
    count: list[int]
    minimum: list[float]
    maximum: list[float]
    mean: list[float]


class BinnedAnswer(Received):
    """Binned history of several parameters over one span.

    Attributes:
        pending_from_us: samples received after this moment are not in the answer yet (a store is away); None when
            all are.
    """

    start_us: int
    end_us: int
    columns: list[BinnedColumns]
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None


class RawColumns(Received):
    """Samples of one parameter, ascending in time.

    Attributes:
        next_start_us: where to go on when the limit cut the answer; None at the end.
    """

    parameter_id: Identifier
    series_id: int
    time_us: list[int]
    value: list[float]
    flags: list[int]
    next_start_us: int | None = None
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None


# --- rules -----------------------------------------------------------------------------------------------------------


class RuleContent(Sent):
    """What a person fills in for a threshold rule.

    Attributes:
        device_ids: the devices it watches; empty means every device that has the parameter, future ones too.
        response: what the operator is to do; printed on the alarm.
    """

    model_config = _example(_RULE_EXAMPLE)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=_LINE)]
    parameter_key: Key
    comparison: Comparison
    limit: Finite
    priority: Priority
    device_ids: Annotated[list[Identifier], Field(max_length=10_000)] = []
    deadband: Annotated[Finite, Field(ge=0)] = 0.0
    on_delay_s: Annotated[Finite, Field(ge=0, le=86_400)] = 0.0
    off_delay_s: Annotated[Finite, Field(ge=0, le=86_400)] = 0.0
    is_enabled: bool = True
    response: Annotated[str, Field(max_length=4_000, pattern=_TEXT)] = ""


class RuleUpdate(Sent):
    """A changed rule; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = _example({"version": 1, "content": _RULE_EXAMPLE})

    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    content: RuleContent


class Rule(Received):
    """A rule as it holds.

    Attributes:
        holds_from_seq: the journal sequence from which this version holds; None until the engine has taken it up.
    """

    id: Identifier
    version: int
    content: RuleContent
    changed_by: str
    changed_at: datetime
    holds_from_seq: int | None = None


class RuleList(Received):
    """All rules of the factory."""

    rules: list[Rule]


# --- alarms ----------------------------------------------------------------------------------------------------------


class Alarm(Received):
    """A rule on a device, with its ISA-18.2 state.

    Attributes:
        change: grows with every change of this alarm; of two copies the larger is the newer.
        is_recorded: False while the database is away and the alarm is known to the live side alone.
    """

    id: Identifier
    rule_id: Identifier
    rule_name: str
    device_id: Identifier
    device_key: str
    device_name: str
    area: str
    parameter_key: str
    series_id: int
    priority: Priority
    state: AlarmState
    annunciation: int
    raised_at: datetime | None
    cleared_at: datetime | None
    value: float | None
    unit: str
    message: str
    response: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    change: int = 0
    is_recorded: bool = True


class AlarmList(Received):
    """Alarms that are not normal (or all, when asked); never filtered by time."""

    alarms: list[Alarm]


class AcknowledgeItem(Sent):
    """One alarm, and the annunciation the acknowledgement answers."""

    alarm_id: Identifier
    annunciation: Annotated[int, Field(ge=1, le=2_147_483_647)]


class AcknowledgeRequest(Sent):
    """Acknowledge one or many; all or nothing."""

    model_config = _example(
        {"items": [{"alarm_id": "01932f0c8e7a7c3fa1b2c3d4e5f60718", "annunciation": 1}], "comment": "On my way"}
    )

    items: Annotated[list[AcknowledgeItem], Field(min_length=1, max_length=1_000)]
    comment: Annotated[str, Field(max_length=1_000, pattern=_TEXT)] | None = None


class AlarmEvent(Received):
    """One line of the alarm history."""

    id: Identifier
    alarm_id: Identifier
    annunciation: int
    kind: AlarmEventKind
    at: datetime
    value: float | None
    actor: str | None
    comment: str | None
    rule_name: str
    device_name: str
    priority: Priority


class AlarmEventPage(Received):
    """Alarm history, newest first; `next_before` pages on."""

    events: list[AlarmEvent]
    next_before: str | None = None


# --- jobs ------------------------------------------------------------------------------------------------------------


class JobKind(StrEnum):
    """The kinds of work the worker knows."""

    DAILY_REPORT = "daily_report"
    ANOMALY_SCAN = "anomaly_scan"


class RunState(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MISSED = "missed"


class RunRequest(Sent):
    """Work on demand.

    Attributes:
        start / end: the span it covers; by default the last 24 hours.
        device_ids: the devices it covers; empty means all.
    """

    model_config = _example({"kind": "daily_report", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})

    kind: JobKind
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    device_ids: Annotated[list[Identifier], Field(max_length=1_000)] = []


class Artifact(Received):
    """A file a run left; fetched from /artifacts/{id}."""

    id: Identifier
    name: str
    media_type: str
    size_bytes: int
    sha256: str


class Run(Received):
    """One run of a job.

    Attributes:
        progress: 0 to 1.
        message: what it is doing, what it found, or why it failed, in one sentence.
        result: figures of the run, plain JSON.
    """

    id: Identifier
    kind: JobKind
    state: RunState
    slot: datetime | None
    start: datetime
    end: datetime
    requested_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0
    progress: float = 0.0
    message: str = ""
    artifacts: list[Artifact] = []
    result: dict[str, object] = {}


class RunList(Received):
    """Newest first."""

    runs: list[Run]


class Schedule(Received):
    """When a kind of work runs by itself, in the factory's own time zone."""

    kind: JobKind
    is_enabled: bool
    local_time: str
    next_slot: datetime | None = None


class ScheduleChange(Sent):
    """Switch a schedule on or off, or move it ("HH:MM", local)."""

    model_config = _example({"is_enabled": True, "local_time": "06:00"})

    is_enabled: bool
    local_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class ScheduleList(Received):
    """Every kind of work that can be scheduled."""

    schedules: list[Schedule]


# --- health and quarantine -------------------------------------------------------------------------------------------


class HealthProblem(Received):
    """A promise at risk: what, what it means, what to do."""

    role: str
    code: str
    message: str
    since: datetime


class MessageBalance(Received):
    """received = accepted + quarantined, always."""

    received: int
    accepted: int
    quarantined: int


class ValueBalance(Received):
    """accepted = stored + replaced + in_journal, always; refused values are counted by reason beside it."""

    accepted: int
    stored: int
    replaced: int
    in_journal: int
    late: int
    refused: dict[str, int]


class RoleHealth(Received):
    """One role of the service."""

    role: str
    is_alive: bool
    beat_at: datetime | None
    figures: dict[str, object] = {}


class Health(Received):
    """Which promises hold. `status` is "ok", "degraded" or "failing"."""

    status: str
    version: str
    roles: list[RoleHealth]
    problems: list[HealthProblem]
    messages: MessageBalance | None = None
    values: ValueBalance | None = None


class QuarantinedMessage(Received):
    """A message that was received and could not be accepted.

    Attributes:
        payload: its first 8 KiB, as text where it is text, else hexadecimal; `is_hex` says which.
        size_bytes: of the whole payload.
    """

    number: int
    received_at: datetime
    client: str
    topic: str
    reason: str
    detail: str
    payload: str
    is_hex: bool
    size_bytes: int = 0


class QuarantinePage(Received):
    """Newest first; `next_before` pages on."""

    messages: list[QuarantinedMessage]
    next_before: int | None = None
