"""Every route of the API: the one place where addresses meet operations. Who may use them stands in `permissions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from factoryops.api.endpoints import (
    adoption,
    alarm_handling,
    alarms,
    back_tests,
    calculations,
    credentials,
    deliveries,
    health,
    history,
    jobs,
    mappings,
    mends,
    notifications,
    organisation,
    outages,
    performance,
    philosophy,
    plant,
    quarantine,
    replays,
    retention,
    rules,
    scheduled_rules,
    session,
    transfers,
)
from factoryops.contracts import http

PREFIX: Final = "/api/v1"
LIVE_PATH: Final = f"{PREFIX}/live"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        operation: its id in the description and in the permission table.
        answer: the body of success; None for none.
        is_file: the answer is a file.
        takes_file: the body is a file.
    """

    method: str
    path: str
    operation: str
    endpoint: Callable[..., Any]
    tag: str
    answer: type[BaseModel] | None = None
    status: int = 200
    is_file: bool = False
    takes_file: bool = False


ROUTES: Final = (
    Route("POST", "/session", "logIn", session.log_in, "session", http.LoginAnswer, 201),
    Route("GET", "/session", "getSession", session.get_session, "session", http.SessionInfo),
    Route("DELETE", "/session", "logOut", session.log_out, "session", None, 204),
    Route("GET", "/devices", "listDevices", plant.list_devices, "plant", http.DeviceList),
    Route("PATCH", "/devices/{device_id}", "changeDevice", plant.change_device, "plant", http.Device),
    Route("PATCH", "/parameters/{parameter_id}", "changeParameter", plant.change_parameter, "plant", http.Parameter),
    Route("GET", "/latest", "getLatest", history.get_latest, "history", http.LatestValues),
    Route("GET", "/history", "getBinned", history.get_binned, "history", http.BinnedAnswer),
    Route("GET", "/statistics", "getStatistics", history.get_statistics, "history", http.StatisticsAnswer),
    Route("GET", "/parameters/{parameter_id}/samples", "getSamples", history.get_samples, "history", http.RawColumns),
    Route("GET", "/rules", "listRules", rules.list_rules, "rules", http.RuleList),
    Route("POST", "/rules", "createRule", rules.create_rule, "rules", http.Rule, 201),
    Route("PUT", "/rules/{rule_id}", "updateRule", rules.update_rule, "rules", http.Rule),
    Route("DELETE", "/rules/{rule_id}", "deleteRule", rules.delete_rule, "rules", None, 204),
    Route("POST", "/rules/import", "importRules", rules.import_original, "rules", http.RuleImportReport),
    Route("GET", "/rules/{rule_id}/versions", "listRuleVersions", rules.list_versions, "rules", http.RuleVersions),
    Route(
        "GET",
        "/rules/{rule_id}/differences",
        "compareRuleVersions",
        rules.compare_versions,
        "rules",
        http.RuleDifferences,
    ),
    Route("POST", "/rules/{rule_id}/roll-back", "rollBackRule", rules.roll_back, "rules", http.Rule),
    Route("POST", "/rules/back-test", "startBackTest", back_tests.start_back_test, "rules", http.Run, 202),
    Route("GET", "/rules/back-tests/{back_test_id}", "getBackTest", back_tests.get_back_test, "rules", http.BackTest),
    Route("GET", "/incidents", "listIncidents", back_tests.list_incidents, "rules", http.IncidentList),
    Route("POST", "/incidents", "markIncident", back_tests.mark_incident, "rules", http.Incident, 201),
    Route("PUT", "/incidents/{incident_id}", "changeIncident", back_tests.change_incident, "rules", http.Incident),
    Route("DELETE", "/incidents/{incident_id}", "deleteIncident", back_tests.delete_incident, "rules", None, 204),
    Route("GET", "/calculations", "listCalculations", calculations.list_calculations, "rules", http.CalculationList),
    Route("POST", "/calculations", "createCalculation", calculations.create, "rules", http.Calculation, 201),
    Route("POST", "/calculations/try", "tryCalculation", calculations.try_expression, "rules", http.TriedCalculation),
    Route("PUT", "/calculations/{calculation_id}", "updateCalculation", calculations.update, "rules", http.Calculation),
    Route("DELETE", "/calculations/{calculation_id}", "deleteCalculation", calculations.delete, "rules", None, 204),
    Route("GET", "/alarms", "listAlarms", alarms.list_alarms, "alarms", http.AlarmList),
    Route("GET", "/alarms/places", "listAlarmPlaces", alarms.list_alarm_places, "alarms", http.AlarmPlaces),
    Route(
        "POST",
        "/alarms/acknowledgements",
        "acknowledgeAlarms",
        alarm_handling.acknowledge_alarms,
        "alarms",
        http.AlarmList,
    ),
    Route("POST", "/alarms/resets", "resetAlarms", alarm_handling.reset_alarms, "alarms", http.AlarmList),
    Route("POST", "/alarms/shelvings", "shelveAlarms", alarm_handling.shelve_alarms, "alarms", http.AlarmList),
    Route("POST", "/alarms/unshelvings", "unshelveAlarms", alarm_handling.unshelve_alarms, "alarms", http.AlarmList),
    Route("POST", "/alarms/out-of-service", "takeAlarmsOut", alarm_handling.take_alarms_out, "alarms", http.AlarmList),
    Route("POST", "/alarms/in-service", "returnAlarms", alarm_handling.return_alarms, "alarms", http.AlarmList),
    Route("POST", "/rules/{rule_id}/alarms", "prepareAlarms", alarm_handling.prepare_alarms, "alarms", http.AlarmList),
    Route("GET", "/alarms/{alarm_id}/sheet", "getResponseSheet", alarms.get_sheet, "alarms", http.ResponseSheet),
    Route("GET", "/alarm-philosophy", "getPhilosophy", philosophy.get_philosophy, "alarms", http.Philosophy),
    Route("PUT", "/alarm-philosophy", "changePhilosophy", philosophy.change_philosophy, "alarms", http.Philosophy),
    Route(
        "GET",
        "/alarm-philosophy/priority",
        "proposePriority",
        philosophy.propose_priority,
        "alarms",
        http.ProposedPriority,
    ),
    Route("GET", "/alarms/{alarm_id}/why", "getAlarmWhy", alarms.get_alarm_why, "alarms", http.AlarmWhy),
    Route("GET", "/alarms/events", "listAlarmEvents", alarms.list_alarm_events, "alarms", http.AlarmEventPage),
    Route("GET", "/runs", "listRuns", jobs.list_runs, "jobs", http.RunList),
    Route("POST", "/runs", "startRun", jobs.start_run, "jobs", http.Run, 202),
    Route("POST", "/runs/{run_id}/cancel", "cancelRun", jobs.cancel_run, "jobs", http.Run),
    Route("GET", "/schedules", "listSchedules", jobs.list_schedules, "jobs", http.ScheduleList),
    Route("PUT", "/schedules/{kind}", "changeSchedule", jobs.change_schedule, "jobs", http.Schedule),
    Route("GET", "/artifacts/{artifact_id}", "getArtifact", jobs.get_artifact, "jobs", is_file=True),
    Route("GET", "/quarantine", "listQuarantine", quarantine.list_quarantine, "sources", http.QuarantinePage),
    Route(
        "GET",
        "/quarantine/groups",
        "listQuarantineGroups",
        quarantine.list_quarantine_groups,
        "sources",
        http.QuarantineGroupList,
    ),
    Route("POST", "/quarantine/preview", "previewReplay", replays.preview_replay, "sources", http.ReplayPreview),
    Route("POST", "/quarantine/replays", "startReplay", replays.start_replay, "sources", http.Run, 202),
    Route("GET", "/factory", "getFactory", adoption.get_factory, "sources", http.FactorySettings),
    Route("PATCH", "/factory", "changeFactory", adoption.change_factory, "sources", http.FactorySettings),
    Route(
        "GET",
        "/devices/waiting",
        "listWaitingDevices",
        adoption.list_waiting_devices,
        "sources",
        http.WaitingDeviceList,
    ),
    Route("POST", "/devices/waiting/accept", "acceptDevice", adoption.accept_device, "sources", http.Device, 201),
    Route("POST", "/devices/waiting/decline", "declineDevice", adoption.decline_device, "sources", None, 204),
    Route("GET", "/credentials", "listCredentials", credentials.list_credentials, "credentials", http.CredentialList),
    Route(
        "POST",
        "/credentials",
        "createCredential",
        credentials.create_credential_of_factory,
        "credentials",
        http.NewSecret,
        201,
    ),
    Route(
        "POST",
        "/credentials/{credential_id}/rotation",
        "rotateCredential",
        credentials.rotate_credential_of_factory,
        "credentials",
        http.NewSecret,
    ),
    Route(
        "DELETE",
        "/credentials/{credential_id}/rotation",
        "settleCredential",
        credentials.settle_credential,
        "credentials",
        http.Credential,
    ),
    Route(
        "DELETE",
        "/credentials/{credential_id}",
        "revokeCredential",
        credentials.revoke_credential,
        "credentials",
        None,
        204,
    ),
    Route("GET", "/mappings", "listMappings", mappings.list_mappings, "sources", http.MappingList),
    Route("POST", "/mappings", "createMapping", mappings.create_mapping, "sources", http.KeptMapping, 201),
    Route("PUT", "/mappings/{mapping_id}", "updateMapping", mappings.update_mapping, "sources", http.KeptMapping),
    Route("DELETE", "/mappings/{mapping_id}", "deleteMapping", mappings.delete_mapping, "sources", None, 204),
    Route("POST", "/mappings/try", "tryMapping", mappings.try_a_mapping, "sources", http.MappingOutcome),
    Route("GET", "/uploads", "listUploads", transfers.list_uploads, "transfers", http.UploadList),
    Route("POST", "/uploads", "uploadFile", transfers.upload_file, "transfers", http.Upload, 201, takes_file=True),
    Route("DELETE", "/uploads/{upload_id}", "deleteUpload", transfers.delete_upload, "transfers", None, 204),
    Route("POST", "/uploads/{upload_id}/preview", "previewUpload", transfers.preview_upload, "transfers", http.Upload),
    Route("POST", "/imports", "startImport", transfers.start_import, "transfers", http.Run, 202),
    Route("POST", "/exports", "startExport", transfers.start_export, "transfers", http.Run, 202),
    Route("POST", "/exports/estimate", "estimateExport", transfers.estimate_export, "transfers", http.ExportEstimate),
    Route("GET", "/retention", "getRetention", retention.get_retention, "history", http.Retention),
    Route("PUT", "/retention", "changeRetention", retention.change_retention, "history", http.Retention),
    Route(
        "GET",
        "/scheduled-rules",
        "listScheduledRules",
        scheduled_rules.list_scheduled_rules,
        "rules",
        http.ScheduledRuleList,
    ),
    Route(
        "POST",
        "/scheduled-rules",
        "createScheduledRule",
        scheduled_rules.create_scheduled_rule,
        "rules",
        http.ScheduledRule,
        201,
    ),
    Route(
        "PUT",
        "/scheduled-rules/{scheduled_rule_id}",
        "updateScheduledRule",
        scheduled_rules.update_scheduled_rule,
        "rules",
        http.ScheduledRule,
    ),
    Route(
        "DELETE",
        "/scheduled-rules/{scheduled_rule_id}",
        "deleteScheduledRule",
        scheduled_rules.delete_scheduled_rule,
        "rules",
        None,
        204,
    ),
    Route("GET", "/alarms/floods", "listFloods", performance.list_floods, "alarms", http.FloodList),
    Route(
        "GET",
        "/alarms/performance",
        "getAlarmPerformance",
        performance.get_alarm_performance,
        "alarms",
        http.AlarmPerformance,
    ),
    Route("GET", "/alarms/performance/outages", "listOutages", outages.list_outages, "alarms", http.OutageList),
    Route("POST", "/alarms/performance/outages", "declareOutage", outages.declare_outage, "alarms", http.Outage, 201),
    Route(
        "POST",
        "/alarms/performance/outages/{outage_id}/withdrawal",
        "withdrawOutage",
        outages.withdraw_outage,
        "alarms",
        http.Outage,
    ),
    Route("POST", "/alarms/performance/mends", "startMending", mends.start_mending, "alarms", http.Run, 202),
    Route("GET", "/alarms/performance/mends/{mending_id}", "getMending", mends.get_mending, "alarms", http.Mending),
    Route("GET", "/shifts", "listShifts", organisation.list_shifts, "organisation", http.ShiftList),
    Route("POST", "/shifts", "createShift", organisation.create_shift, "organisation", http.Shift, 201),
    Route("PUT", "/shifts/{shift_id}", "updateShift", organisation.update_shift, "organisation", http.Shift),
    Route("DELETE", "/shifts/{shift_id}", "deleteShift", organisation.delete_shift, "organisation", None, 204),
    Route("GET", "/positions", "listPositions", organisation.list_positions, "organisation", http.PositionList),
    Route("POST", "/positions", "createPosition", organisation.create_position, "organisation", http.Position, 201),
    Route(
        "PUT", "/positions/{position_id}", "updatePosition", organisation.update_position, "organisation", http.Position
    ),
    Route(
        "DELETE", "/positions/{position_id}", "deletePosition", organisation.delete_position, "organisation", None, 204
    ),
    Route(
        "GET", "/notifications/contacts", "listContacts", notifications.list_contacts, "notifications", http.ContactList
    ),
    Route(
        "POST",
        "/notifications/contacts",
        "createContact",
        notifications.create_contact,
        "notifications",
        http.Contact,
        201,
    ),
    Route(
        "PUT",
        "/notifications/contacts/{contact_id}",
        "updateContact",
        notifications.update_contact,
        "notifications",
        http.Contact,
    ),
    Route(
        "DELETE",
        "/notifications/contacts/{contact_id}",
        "deleteContact",
        notifications.delete_contact,
        "notifications",
        None,
        204,
    ),
    Route("GET", "/notifications/rosters", "listRosters", notifications.list_rosters, "notifications", http.RosterList),
    Route(
        "POST", "/notifications/rosters", "createRoster", notifications.create_roster, "notifications", http.Roster, 201
    ),
    Route(
        "PUT",
        "/notifications/rosters/{roster_id}",
        "updateRoster",
        notifications.update_roster,
        "notifications",
        http.Roster,
    ),
    Route(
        "DELETE",
        "/notifications/rosters/{roster_id}",
        "deleteRoster",
        notifications.delete_roster,
        "notifications",
        None,
        204,
    ),
    Route("GET", "/notifications/hooks", "listHooks", notifications.list_hooks, "notifications", http.HookList),
    Route("POST", "/notifications/hooks", "createHook", notifications.create_hook, "notifications", http.Hook, 201),
    Route("PUT", "/notifications/hooks/{hook_id}", "updateHook", notifications.update_hook, "notifications", http.Hook),
    Route(
        "DELETE", "/notifications/hooks/{hook_id}", "deleteHook", notifications.delete_hook, "notifications", None, 204
    ),
    Route(
        "GET", "/notifications/policies", "listPolicies", notifications.list_policies, "notifications", http.PolicyList
    ),
    Route(
        "POST",
        "/notifications/policies",
        "createPolicy",
        notifications.create_policy,
        "notifications",
        http.NotificationPolicy,
        201,
    ),
    Route(
        "PUT",
        "/notifications/policies/{policy_id}",
        "updatePolicy",
        notifications.update_policy,
        "notifications",
        http.NotificationPolicy,
    ),
    Route(
        "DELETE",
        "/notifications/policies/{policy_id}",
        "deletePolicy",
        notifications.delete_policy,
        "notifications",
        None,
        204,
    ),
    Route(
        "GET",
        "/notifications/preview",
        "previewNotifications",
        deliveries.preview_notifications,
        "notifications",
        http.NotificationPreview,
    ),
    Route(
        "GET",
        "/notifications/deliveries",
        "listDeliveries",
        deliveries.list_deliveries,
        "notifications",
        http.DeliveryPage,
    ),
    Route("POST", "/notifications/test", "sendTestMessage", deliveries.send_test, "notifications", http.Delivery, 202),
    Route("GET", "/notifications/inbox", "getInbox", deliveries.get_inbox, "notifications", http.Inbox),
    Route("POST", "/notifications/inbox/seen", "markSeen", deliveries.mark_seen, "notifications", http.Inbox),
    Route("GET", "/health", "getHealth", health.get_health, "health", http.Health),
    Route("GET", "/openapi.json", "getDescription", health.get_description, "health"),
)
