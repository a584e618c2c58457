"""Bodies of the HTTP API. Times are ISO 8601 in UTC; columns of history carry whole microseconds since 1970.

Unknown fields are refused in what clients send (`Sent`) and ignored in what they receive (`Received`), so that an older
client understands a newer service.
"""

from __future__ import annotations

from factoryops.contracts.http.adoption import (
    DeviceAcceptance,
    DeviceRefusal,
    FactoryChange,
    FactorySettings,
    WaitingDevice,
    WaitingDeviceList,
)
from factoryops.contracts.http.alarms import (
    AcknowledgeItem,
    AcknowledgeRequest,
    Alarm,
    AlarmEvent,
    AlarmEventPage,
    AlarmList,
)
from factoryops.contracts.http.calculations import (
    Calculation,
    CalculationContent,
    CalculationList,
    CalculationTrial,
    CalculationUpdate,
    TriedCalculation,
)
from factoryops.contracts.http.credentials import (
    Credential,
    CredentialList,
    CredentialRequest,
    NewSecret,
    RotationRequest,
)
from factoryops.contracts.http.health import (
    Health,
    HealthProblem,
    MessageBalance,
    RoleHealth,
    ValueBalance,
)
from factoryops.contracts.http.history import (
    BinnedAnswer,
    BinnedColumns,
    GapSpan,
    LatestValue,
    LatestValues,
    RawColumns,
)
from factoryops.contracts.http.jobs import (
    Artifact,
    JobKind,
    Run,
    RunList,
    RunRequest,
    RunState,
    Schedule,
    ScheduleChange,
    ScheduleList,
)
from factoryops.contracts.http.mappings import (
    KeptMapping,
    MappingContent,
    MappingGroup,
    MappingList,
    MappingTime,
    MappingUpdate,
    MappingValue,
)
from factoryops.contracts.http.parts import (
    Finite,
    Identifier,
    Key,
    Problem,
    Received,
    Sent,
)
from factoryops.contracts.http.plant import (
    Device,
    DeviceChange,
    DeviceList,
    Parameter,
    ParameterChange,
)
from factoryops.contracts.http.quarantine import (
    QuarantinedMessage,
    QuarantineGroup,
    QuarantineGroupList,
    QuarantinePage,
)
from factoryops.contracts.http.rules import (
    Rule,
    RuleContent,
    RuleList,
    RuleUpdate,
)
from factoryops.contracts.http.session import (
    FactoryInfo,
    LoginAnswer,
    LoginRequest,
    SessionInfo,
)
from factoryops.contracts.http.trials import (
    MappingOutcome,
    MappingTrial,
    TrialRefusal,
    TrialSample,
)

__all__ = [
    "AcknowledgeItem",
    "AcknowledgeRequest",
    "Alarm",
    "AlarmEvent",
    "AlarmEventPage",
    "AlarmList",
    "Artifact",
    "BinnedAnswer",
    "BinnedColumns",
    "Calculation",
    "CalculationContent",
    "CalculationList",
    "CalculationTrial",
    "CalculationUpdate",
    "Credential",
    "CredentialList",
    "CredentialRequest",
    "Device",
    "DeviceAcceptance",
    "DeviceChange",
    "DeviceList",
    "DeviceRefusal",
    "FactoryChange",
    "FactoryInfo",
    "FactorySettings",
    "Finite",
    "GapSpan",
    "Health",
    "HealthProblem",
    "Identifier",
    "JobKind",
    "KeptMapping",
    "Key",
    "LatestValue",
    "LatestValues",
    "LoginAnswer",
    "LoginRequest",
    "MappingContent",
    "MappingGroup",
    "MappingList",
    "MappingOutcome",
    "MappingTime",
    "MappingTrial",
    "MappingUpdate",
    "MappingValue",
    "MessageBalance",
    "NewSecret",
    "Parameter",
    "ParameterChange",
    "Problem",
    "QuarantineGroup",
    "QuarantineGroupList",
    "QuarantinePage",
    "QuarantinedMessage",
    "RawColumns",
    "Received",
    "RoleHealth",
    "RotationRequest",
    "Rule",
    "RuleContent",
    "RuleList",
    "RuleUpdate",
    "Run",
    "RunList",
    "RunRequest",
    "RunState",
    "Schedule",
    "ScheduleChange",
    "ScheduleList",
    "Sent",
    "SessionInfo",
    "TrialRefusal",
    "TrialSample",
    "TriedCalculation",
    "ValueBalance",
    "WaitingDevice",
    "WaitingDeviceList",
]
