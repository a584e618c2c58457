"""The one table of who may do what: what is not in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factoryops.api.rate_limits import Cost
from factoryops.domain.identity import Permission


@dataclass(frozen=True, slots=True)
class Access:
    """What an operation asks for.

    Attributes:
        permission: None when it is open to anybody.
        cost: which allowance of the session it uses up.
    """

    permission: Permission | None
    cost: Cost = Cost.LIGHT


ACCESS: Final[Mapping[str, Access]] = {
    "logIn": Access(None),
    "getSession": Access(Permission.VIEW),
    "logOut": Access(Permission.VIEW),
    "getHealth": Access(None),
    "getDescription": Access(None),
    "listDevices": Access(Permission.VIEW),
    "changeDevice": Access(Permission.EDIT_PLANT),
    "changeParameter": Access(Permission.EDIT_PLANT),
    "getLatest": Access(Permission.VIEW),
    "getBinned": Access(Permission.VIEW, Cost.HISTORY),
    "getStatistics": Access(Permission.VIEW, Cost.HISTORY),
    "getSamples": Access(Permission.VIEW, Cost.HISTORY),
    "getRetention": Access(Permission.VIEW),
    "changeRetention": Access(Permission.EDIT_PLANT),
    "listScheduledRules": Access(Permission.VIEW),
    "createScheduledRule": Access(Permission.EDIT_RULES),
    "updateScheduledRule": Access(Permission.EDIT_RULES),
    "deleteScheduledRule": Access(Permission.EDIT_RULES),
    "listFloods": Access(Permission.VIEW),
    "getAlarmPerformance": Access(Permission.VIEW, Cost.HISTORY),
    "listShifts": Access(Permission.VIEW),
    "createShift": Access(Permission.EDIT_RULES),
    "updateShift": Access(Permission.EDIT_RULES),
    "deleteShift": Access(Permission.EDIT_RULES),
    "listPositions": Access(Permission.VIEW),
    "createPosition": Access(Permission.EDIT_RULES),
    "updatePosition": Access(Permission.EDIT_RULES),
    "deletePosition": Access(Permission.EDIT_RULES),
    "listRules": Access(Permission.VIEW),
    "createRule": Access(Permission.EDIT_RULES),
    "updateRule": Access(Permission.EDIT_RULES),
    "deleteRule": Access(Permission.EDIT_RULES),
    "importRules": Access(Permission.EDIT_RULES, Cost.WORK),
    "listRuleVersions": Access(Permission.VIEW),
    "compareRuleVersions": Access(Permission.VIEW),
    "rollBackRule": Access(Permission.EDIT_RULES),
    "startBackTest": Access(Permission.EDIT_RULES, Cost.WORK),
    "getBackTest": Access(Permission.VIEW),
    "listIncidents": Access(Permission.VIEW),
    "markIncident": Access(Permission.EDIT_RULES),
    "changeIncident": Access(Permission.EDIT_RULES),
    "deleteIncident": Access(Permission.EDIT_RULES),
    "listCalculations": Access(Permission.VIEW),
    "createCalculation": Access(Permission.EDIT_RULES),
    "tryCalculation": Access(Permission.EDIT_RULES, Cost.HISTORY),
    "updateCalculation": Access(Permission.EDIT_RULES),
    "deleteCalculation": Access(Permission.EDIT_RULES),
    "listAlarms": Access(Permission.VIEW),
    "acknowledgeAlarms": Access(Permission.ACKNOWLEDGE),
    "listAlarmEvents": Access(Permission.VIEW),
    "getAlarmWhy": Access(Permission.VIEW),
    "listRuns": Access(Permission.VIEW),
    "startRun": Access(Permission.RUN_JOBS, Cost.WORK),
    "cancelRun": Access(Permission.RUN_JOBS),
    "listSchedules": Access(Permission.VIEW),
    "changeSchedule": Access(Permission.EDIT_RULES),
    "getArtifact": Access(Permission.VIEW),
    "listQuarantine": Access(Permission.SEE_QUARANTINE),
    "listQuarantineGroups": Access(Permission.SEE_QUARANTINE),
    "previewReplay": Access(Permission.SEE_QUARANTINE, Cost.WORK),
    "startReplay": Access(Permission.EDIT_PLANT, Cost.WORK),
    "getFactory": Access(Permission.VIEW),
    "changeFactory": Access(Permission.EDIT_PLANT),
    "listWaitingDevices": Access(Permission.SEE_QUARANTINE),
    "acceptDevice": Access(Permission.EDIT_PLANT),
    "declineDevice": Access(Permission.EDIT_PLANT),
    "listCredentials": Access(Permission.EDIT_PLANT),
    "createCredential": Access(Permission.EDIT_PLANT),
    "rotateCredential": Access(Permission.EDIT_PLANT),
    "settleCredential": Access(Permission.EDIT_PLANT),
    "revokeCredential": Access(Permission.EDIT_PLANT),
    "listMappings": Access(Permission.SEE_QUARANTINE),
    "createMapping": Access(Permission.EDIT_PLANT),
    "updateMapping": Access(Permission.EDIT_PLANT),
    "deleteMapping": Access(Permission.EDIT_PLANT),
    "tryMapping": Access(Permission.SEE_QUARANTINE),
    "listUploads": Access(Permission.EDIT_PLANT),
    "uploadFile": Access(Permission.EDIT_PLANT, Cost.WORK),
    "deleteUpload": Access(Permission.EDIT_PLANT),
    "previewUpload": Access(Permission.EDIT_PLANT),
    "startImport": Access(Permission.EDIT_PLANT, Cost.WORK),
    "startExport": Access(Permission.RUN_JOBS, Cost.WORK),
    "estimateExport": Access(Permission.RUN_JOBS, Cost.HISTORY),
    "listContacts": Access(Permission.EDIT_RULES),
    "createContact": Access(Permission.EDIT_RULES),
    "updateContact": Access(Permission.EDIT_RULES),
    "deleteContact": Access(Permission.EDIT_RULES),
    "listRosters": Access(Permission.VIEW),
    "createRoster": Access(Permission.EDIT_RULES),
    "updateRoster": Access(Permission.EDIT_RULES),
    "deleteRoster": Access(Permission.EDIT_RULES),
    "listPolicies": Access(Permission.VIEW),
    "createPolicy": Access(Permission.EDIT_RULES),
    "updatePolicy": Access(Permission.EDIT_RULES),
    "deletePolicy": Access(Permission.EDIT_RULES),
    "listHooks": Access(Permission.EDIT_RULES),
    "createHook": Access(Permission.EDIT_PLANT),
    "updateHook": Access(Permission.EDIT_PLANT),
    "deleteHook": Access(Permission.EDIT_PLANT),
    "previewNotifications": Access(Permission.VIEW),
    "listDeliveries": Access(Permission.VIEW),
    "sendTestMessage": Access(Permission.EDIT_RULES, Cost.WORK),
    "getInbox": Access(Permission.VIEW),
    "markSeen": Access(Permission.VIEW),
    "openLive": Access(Permission.VIEW),
}
