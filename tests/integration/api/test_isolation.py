"""P16: another factory's objects are as unknown as those that do not exist; the matrix comes from the routes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from factoryops.api.app import build_openapi
from factoryops.api.permissions import ACCESS
from factoryops.api.routes import PREFIX, ROUTES, Route
from factoryops.contracts import http
from factoryops.domain.identity import Role, new_id, permissions_of
from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from tests.support.api_service import ApiService, FactoryKit
from tests.support.rules import limit_content
from tests.support.waiting import wait_until

SNAPSHOT = Path(__file__).with_name("role_matrix.json")
_ROLES = (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)
_MAPPING = {"name": "M", "topic": "hall2/{device}/state", "values": [{"parameter": "force", "path": "$.force"}]}
_CONTENT = limit_content(name="R", limit=9.0).model_dump(mode="json")
_SHIFT = {"name": "S", "windows": [{"start": "06:00", "end": "14:00"}]}
_SCHEDULED = {
    "name": "Daily", "devices": ["pump-1"], "parameter": "pressure", "aggregate": "mean", "window": "yesterday",
    "comparison": "gt", "limit": 5, "local_time": "06:00", "priority": 3,
}  # fmt: skip
_POSITION = {"name": "P", "areas": ["Hall 2"]}
_CONTACT = {"name": "Jana", "email": "jana@example.com"}
_ROSTER = {"name": "Night", "starts_on": "2026-03-02"}
_HOOK = {"content": {"name": "Chat", "kind": "slack"}, "secrets": {"url": "https://hooks.example.com/x"}}
_POLICY = {"name": "Urgent", "steps": [{"to": [{"kind": "role", "name": "operator"}]}]}
_CALCULATED = {
    "device_key": "pump-1", "parameter_key": "twice", "name": "R", "expression": "pressure * 2",
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """Ids of one factory, by the name of the parameter that takes them."""

    ids: dict[str, str]
    series: list[int]
    alarm: str


_SPAN = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
_OUTAGE = {**_SPAN, "reason": "Planned stop."}


def _tried(service: ApiService, kit: FactoryKit) -> str:
    """A back-test that no worker takes up."""
    request = http.BackTestRequest.model_validate({"rule": _CONTENT, **_SPAN})
    run = service.database.run(lambda tx: tx.work.start_back_test(kit.scope, request))
    return service.database.run(lambda tx: tx.work.request_cancel(kit.scope, run.id)).id


def _mended(service: ApiService, kit: FactoryKit) -> str:
    """A search for proposals that no worker takes up."""
    request = http.MendRequest.model_validate(_SPAN)
    run = service.database.run(lambda tx: tx.work.start_mending(kit.scope, request))
    return service.database.run(lambda tx: tx.work.request_cancel(kit.scope, run.id)).id


def _known(service: ApiService, kit: FactoryKit) -> Known:
    assert kit.rule is not None
    run = service.finished_run(kit)
    ids = {
        "device_id": kit.devices[0].id,
        "parameter_id": kit.parameters[0].id,
        "rule_id": kit.rule.id,
        "run_id": run.id,
        "mapping_id": service.database.run(
            lambda tx: tx.mappings(kit.scope).create(http.MappingContent.model_validate(_MAPPING))
        ).id,
        "calculation_id": service.database.run(
            lambda tx: tx.calculations(kit.scope).create(http.CalculationContent.model_validate(_CALCULATED), "x")
        ).id,
        "incident_id": service.database.run(
            lambda tx: tx.incidents(kit.scope).mark(http.IncidentContent.model_validate(_SPAN))
        ).id,
        "outage_id": service.database.run(
            lambda tx: tx.outages(kit.scope).declare(http.OutageContent.model_validate(_OUTAGE))
        ).id,
        "back_test_id": _tried(service, kit),
        "mending_id": _mended(service, kit),
        "shift_id": service.database.run(
            lambda tx: tx.shifts(kit.scope).create(http.ShiftContent.model_validate(_SHIFT))
        ).id,
        "scheduled_rule_id": service.database.run(
            lambda tx: tx.scheduled_rules(kit.scope).create(http.ScheduledRuleContent.model_validate(_SCHEDULED))
        ).id,
        "position_id": service.database.run(
            lambda tx: tx.positions(kit.scope).create(http.PositionContent.model_validate(_POSITION))
        ).id,
        **_notification_ids(service, kit),
        "artifact_id": run.artifacts[0].id,
        "kind": "daily_report",
        "credential_id": _credential(service, kit),
        "upload_id": _upload(service, kit),
    }
    alarm = service.transition(kit).alarm_id
    return Known(ids | {"alarm_id": alarm}, [one.series_id for one in kit.parameters], alarm)


def _credential(service: ApiService, kit: FactoryKit) -> str:
    with service.client(kit.tokens[Role.ADMIN]) as client:
        made = client.post("credentials", json={"kind": "gateway"}).json()
    identity: str = made["credential"]["id"]
    return identity


def _notification_ids(service: ApiService, kit: FactoryKit) -> dict[str, str]:
    ids: dict[str, str] = {}
    with service.client(kit.tokens[Role.ADMIN]) as client:
        ids["contact_id"] = client.post("notifications/contacts", json=_CONTACT).json()["id"]
        roster = {**_ROSTER, "members": [ids["contact_id"]]}
        ids["roster_id"] = client.post("notifications/rosters", json=roster).json()["id"]
        ids["hook_id"] = client.post("notifications/hooks", json=_HOOK).json()["id"]
        ids["policy_id"] = client.post("notifications/policies", json=_POLICY).json()["id"]
    return ids


def _upload(service: ApiService, kit: FactoryKit) -> str:
    with service.client(kit.tokens[Role.ADMIN]) as client:
        made = client.post("uploads", content=b"time,pressure\n1772344800,5\n").json()
    identity: str = made["id"]
    return identity


@pytest.fixture(scope="module")
def foreign(service: ApiService, other: FactoryKit) -> Known:
    return _known(service, other)


@pytest.fixture(scope="module")
def own(service: ApiService, kit: FactoryKit) -> Known:
    return _known(service, kit)


def _bodies_about_alarms(identity: str, own: Known) -> dict[str, Any]:
    """Bodies of what is done with alarms, and of who is told of them."""
    both = [{"alarm_id": own.alarm, "annunciation": 1}, {"alarm_id": identity, "annunciation": 1}]
    return {
        "createContact": _CONTACT,
        "updateContact": {"version": 1, "content": _CONTACT},
        "createRoster": {**_ROSTER, "members": [own.ids["contact_id"], identity]},
        "updateRoster": {"version": 1, "content": {**_ROSTER, "members": [own.ids["contact_id"]]}},
        "createHook": _HOOK,
        "updateHook": {"version": 1, "content": _HOOK["content"]},
        "createPolicy": {"name": "U", "steps": [{"to": [{"kind": "contact", "name": identity}]}]},
        "updatePolicy": {"version": 1, "content": _POLICY},
        "sendTestMessage": {"kind": "contact", "name": identity},
        "markSeen": {"ids": [identity]},
        **{name: {"alarm_ids": [own.alarm, identity], "reason": "x"} for name in ("shelveAlarms", "takeAlarmsOut")},
        **{name: {"alarm_ids": [own.alarm, identity]} for name in ("unshelveAlarms", "returnAlarms")},
        "resetAlarms": {"items": both},
        "prepareAlarms": {"device_ids": [own.ids["device_id"], identity]},
        "changePhilosophy": http.FIRST_PHILOSOPHY.model_dump(mode="json", include={"version", "classes", "matrix"}),
        "acknowledgeAlarms": {"items": both},
    }


def _bodies(route: Route, identity: str, own: Known) -> Any:
    """A body that is right in itself for each operation that takes one."""
    known: dict[str, Any] = {
        "logIn": {"factory": "x", "user": "x", "password": "x"},
        "changeDevice": {"name": "X"},
        "changeParameter": {"name": "X"},
        "createRule": _CONTENT,
        "updateRule": {"version": 1, "content": _CONTENT},
        "importRules": {"rules": [{"name": "R", "conditions": {"conditions": []}}]},
        "rollBackRule": {"version": 1, "to_version": 1},
        "createCalculation": {**_CALCULATED, "parameter_key": f"mean_{identity}"},
        "updateCalculation": {"version": 1, "content": _CALCULATED},
        "tryCalculation": {"device_key": "pump-1", "expression": "pressure", "start_us": 0, "end_us": 1_000_000},
        "createShift": _SHIFT | {"name": f"S {identity}"},
        "updateShift": {"version": 1, "content": _SHIFT},
        "createScheduledRule": _SCHEDULED | {"name": f"Daily {identity}"},
        "updateScheduledRule": {"version": 1, "content": _SCHEDULED},
        "createPosition": {"name": f"P {identity}", "areas": [identity]},
        "updatePosition": {"version": 1, "content": _POSITION},
        **_bodies_about_alarms(identity, own),
        "startRun": {"kind": "daily_report", "device_ids": [own.ids["device_id"], identity]},
        "previewReplay": {"numbers": [1]},
        "startReplay": {"numbers": [1]},
        "changeFactory": {"adopts_automatically": True},
        "acceptDevice": {"key": f"press-{identity}"},
        "declineDevice": {"key": "press-9"},
        "createCredential": {"kind": "gateway"},
        "rotateCredential": {"overlap_h": 1},
        "startBackTest": {"rule": _CONTENT, **_SPAN},
        "startMending": {**_SPAN, "alarm_ids": [identity]},
        "declareOutage": _OUTAGE,
        "markIncident": _SPAN,
        "changeIncident": _SPAN,
        "createMapping": _MAPPING,
        "changeRetention": {"version": 0, "rules": [{"name": "all", "raw_days": 30}]},
        "updateMapping": {"version": 1, "content": _MAPPING},
        "tryMapping": {"content": _MAPPING, "topic": "hall2/press-7/state", "payload": "{}"},
        "uploadFile": ["time", "pressure"],
        "previewUpload": {"device": "press-1"},
        "startImport": {"upload_id": identity, "plan": {"device": "press-1"}},
        "startExport": {**_SPAN, "parameter_ids": [own.ids["parameter_id"], identity]},
        "estimateExport": {**_SPAN, "parameter_ids": [own.ids["parameter_id"], identity]},
        "changeSchedule": {"is_enabled": False, "local_time": "06:00"},
    }
    return known.get(route.operation)


def _query(route: Route, identities: list[str], *, rule: str | None = None) -> dict[str, Any]:
    span = {"start_us": now_us() - 10_000_000, "end_us": now_us()}
    if route.operation == "getSamples":
        return span
    if route.operation == "compareRuleVersions":
        return {"old": 1, "new": 1}
    if route.operation == "previewNotifications":
        return {"rule": rule or identities[0]}
    if route.operation == "getAlarmWhy":
        return {"annunciation": 1}
    return {"parameter_id": identities, **span} if route.operation in ("getBinned", "getStatistics") else {}


_IN_PATH = [route for route in ROUTES if "_id}" in route.path]
_IN_BODY = {
    "createRoster": "contact_id",
    "createPolicy": "contact_id",
    "sendTestMessage": "contact_id",
    **dict.fromkeys(("shelveAlarms", "unshelveAlarms", "takeAlarmsOut", "returnAlarms", "resetAlarms"), "alarm_id"),
    "acknowledgeAlarms": "alarm",
    "startRun": "device_id",
    "startImport": "upload_id",
    "startExport": "parameter_id",
    "estimateExport": "parameter_id",
}


def _fingerprint(answer: httpx.Response) -> tuple[int, dict[str, Any], list[str]]:
    """All of an answer that may not tell a foreign id from an absent one."""
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, body, sorted(name for name in answer.headers if name != "date")


@pytest.mark.parametrize("role", _ROLES)
@pytest.mark.parametrize("route", _IN_PATH, ids=lambda route: route.operation)
def test_a_foreign_id_in_the_path_is_as_unknown_as_an_absent_one(
    service: ApiService, kit: FactoryKit, own: Known, foreign: Known, route: Route, role: Role
) -> None:
    name = next(iter(re.findall(r"{(\w+_id)}", route.path)))
    answers = []
    with service.client(kit.tokens[role]) as client:
        for identity in (foreign.ids[name], new_id()):
            path = route.path.replace(f"{{{name}}}", identity).lstrip("/")
            answers.append(
                client.request(route.method, path, json=_bodies(route, identity, own), params=_query(route, [identity]))
            )
    assert _fingerprint(answers[0]) == _fingerprint(answers[1])
    permission = ACCESS[route.operation].permission
    assert permission is not None
    is_permitted = permission in permissions_of(role)
    assert answers[0].status_code == (404 if is_permitted else 403)


@pytest.mark.parametrize("operation", sorted(_IN_BODY))
def test_one_foreign_id_in_a_list_makes_the_whole_call_unknown_and_nothing_is_done(
    service: ApiService, kit: FactoryKit, own: Known, foreign: Known, operation: str
) -> None:
    route = next(one for one in ROUTES if one.operation == operation)
    foreign_id = foreign.alarm if operation == "acknowledgeAlarms" else foreign.ids[_IN_BODY[operation]]
    with service.client(kit.tokens[Role.ADMIN]) as client:
        before = _state(client)
        answers = [
            client.request(route.method, route.path.lstrip("/"), json=_bodies(route, identity, own))
            for identity in (foreign_id, new_id())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert _fingerprint(answers[0]) == _fingerprint(answers[1])
        assert _state(client) == before


def _state(client: httpx.Client) -> list[Any]:
    return [client.get(path).json() for path in ("alarms", "rules", "runs")]


@pytest.mark.parametrize("path", ["quarantine/preview", "quarantine/replays"])
def test_a_foreign_message_in_quarantine_is_as_unknown_as_an_absent_one(
    service: ApiService, kit: FactoryKit, other: FactoryKit, path: str
) -> None:
    service.quarantine(other, b"their secret")
    with service.client(other.tokens[Role.ADMIN]) as client:
        number = client.get("quarantine").json()["messages"][0]["number"]
    with service.client(kit.tokens[Role.ADMIN]) as client:
        before = _state(client)
        answers = [client.post(path, json={"numbers": [one]}) for one in (number, 1_000_000)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert _fingerprint(answers[0]) == _fingerprint(answers[1])
        assert _state(client) == before
        assert "their secret" not in client.get("quarantine").text


def test_what_a_replay_was_told_is_not_shown_to_those_who_may_not_see_the_quarantine(
    service: ApiService, kit: FactoryKit
) -> None:
    service.quarantine(kit, b"7", topic=b"secret-hall/press-1/state")
    mapping = _MAPPING | {"topic": "secret-hall/{device}/state"}
    with service.client(kit.tokens[Role.ADMIN]) as client:
        number = client.get("quarantine").json()["messages"][0]["number"]
        assert client.post("quarantine/replays", json={"numbers": [number], "mapping": mapping}).status_code == 202
    with service.client(kit.tokens[Role.VIEWER]) as client:
        assert "secret-hall" not in client.get("runs").text
    entries = service.database.read(lambda tx: tx.audit(kit.scope).list(most=1))
    assert "secret-hall" in json.dumps(entries[0].new)


@pytest.mark.parametrize("operation", ["createCalculation", "tryCalculation"])
def test_a_foreign_parameter_in_an_expression_is_as_unknown_as_an_absent_one(
    service: ApiService, kit: FactoryKit, other: FactoryKit, own: Known, operation: str
) -> None:
    route = next(one for one in ROUTES if one.operation == operation)
    body = _bodies(route, "x", own)
    theirs = {"device_key": "only-theirs", "parameter_key": "twice", "name": "T", "expression": '"pump-1".pressure'}
    with service.client(other.tokens[Role.ADMIN]) as client:
        assert client.post("calculations", json=theirs).status_code in (201, 409)
    with service.client(kit.tokens[Role.ADMIN]) as client:
        answers = [
            client.post(route.path[1:], json=body | {"expression": f'"{device}".twice'})
            for device in ("only-theirs", "nobody-has")
        ]
    assert [answer.status_code for answer in answers] == [422, 422]
    told = [json.dumps(_fingerprint(answer)) for answer in answers]
    assert told[0].replace("only-theirs", "nobody-has") == told[1]


def test_a_taken_user_name_of_a_credential_tells_nothing_of_another_factory(service: ApiService) -> None:
    long = "a-slug-that-is-longer-than-what-fits-into-user-names"
    factories = [service.add_factory(f"{long}-{place}") for place in ("north", "south")]
    for factory in factories:
        with service.client(factory.tokens[Role.ADMIN]) as client:
            assert client.post("credentials", json={"kind": "gateway", "name": "hall2"}).status_code == 201
            assert client.post("credentials", json={"kind": "gateway", "name": "hall2"}).status_code == 409


def test_one_foreign_parameter_in_a_query_makes_the_whole_query_unknown(
    service: ApiService, kit: FactoryKit, own: Known, foreign: Known
) -> None:
    with service.client(kit.tokens[Role.VIEWER]) as client:
        answers = [
            client.get(
                "history",
                params={"parameter_id": [own.ids["parameter_id"], identity], "start_us": 0, "end_us": now_us()},
            )
            for identity in (foreign.ids["parameter_id"], new_id())
        ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert _fingerprint(answers[0]) == _fingerprint(answers[1])


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=lambda route: route.operation)
def test_no_list_shows_anything_of_another_factory(
    service: ApiService, kit: FactoryKit, other: FactoryKit, own: Known, foreign: Known, route: Route
) -> None:
    path = re.sub(r"{(\w+)}", lambda found: own.ids[found[1]], route.path).lstrip("/")
    with service.client(kit.tokens[Role.ADMIN]) as client:
        answer = client.get(path, params=_query(route, [own.ids["parameter_id"]], rule=own.ids["rule_id"]))
    assert answer.status_code == 200
    secrets = {*foreign.ids.values(), foreign.alarm, *map(str, foreign.series), other.factory.id} - {"daily_report"}
    assert not [one for one in secrets if one in answer.text]


def test_no_operation_takes_a_factory(service: ApiService, kit: FactoryKit, other: FactoryKit) -> None:
    document = build_openapi()
    text = json.dumps({name: value for name, value in document.items() if name != "info"})
    assert "factory_id" not in text
    with service.client(kit.tokens[Role.ADMIN]) as client:
        smuggled = {**_CONTENT, "factory_id": other.factory.id}
        assert client.post("rules", json=smuggled).status_code == 422
        assert client.get("devices", params={"factory_id": other.factory.id}).status_code == 422
        answer = client.get("devices", headers={"X-Factory-ID": other.factory.id})
        assert {one["id"] for one in answer.json()["devices"]} == {one.id for one in kit.devices}


def test_every_route_stands_in_the_permission_table() -> None:
    assert {route.operation for route in ROUTES} | {"openLive"} == set(ACCESS)
    described = {operation["operationId"] for path in build_openapi()["paths"].values() for operation in path.values()}
    assert described == {route.operation for route in ROUTES}


def test_nobody_without_a_session_gets_past_the_door(service: ApiService, own: Known) -> None:
    with service.client() as client:
        for route in ROUTES:
            if ACCESS[route.operation].permission is None:
                continue
            path = re.sub(r"{(\w+)}", lambda found: own.ids[found[1]], route.path).lstrip("/")
            answers = [
                client.request(route.method, path, headers=headers)
                for headers in ({}, {"Authorization": "Bearer " + "x" * 43}, {"Authorization": "Bearer"})
            ]
            assert [answer.status_code for answer in answers] == [401, 401, 401], route.operation


def test_the_role_matrix_is_the_reviewed_one(service: ApiService, own: Known) -> None:
    found = dict(_matrix(service, service.add_factory("matrix"), own))
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def _matrix(service: ApiService, kit: FactoryKit, own: Known) -> Iterator[tuple[str, dict[str, str]]]:
    """What each role is told by each route, asked about ids that do not exist: let in or not."""
    for route in ROUTES:
        if route.operation in ("logIn", "logOut"):
            continue
        row: dict[str, str] = {}
        for role in _ROLES:
            path = re.sub(r"{(\w+_id)}", new_id(), route.path).replace("{kind}", "daily_report").lstrip("/")
            with service.client(kit.tokens[role]) as client:
                answer = client.request(
                    route.method, path, json=_bodies(route, new_id(), own), params=_query(route, [new_id()])
                )
            assert answer.status_code in (200, 201, 202, 204, 403, 404), (route.operation, answer.text)
            row[role.value] = "refused" if answer.status_code == 403 else "let in"
        yield f"{route.method} {PREFIX}{route.path}", row


def test_two_factories_with_the_same_device_never_meet(service: ApiService, kit: FactoryKit, other: FactoryKit) -> None:
    moment = now_us()
    service.receive(kit, [(0, moment, 1.25)])
    service.receive(other, [(0, moment, 2.5)])
    for one, value in ((kit, 1.25), (other, 2.5)):
        with service.client(one.tokens[Role.VIEWER]) as client:
            query = {"start_us": moment, "end_us": moment + 1}
            address = f"parameters/{one.parameters[0].id}/samples"
            wait_until(lambda: client.get(address, params=query).json()["value"])  # noqa: B023 - called at once
            assert client.get(address, params=query).json()["value"] == [value]


def test_a_problem_of_one_factory_is_told_to_its_people_alone(
    service: ApiService, kit: FactoryKit, other: FactoryKit
) -> None:
    def problems(one: FactoryKit) -> dict[str, str]:
        with service.client(one.tokens[Role.VIEWER]) as client:
            return {found["code"]: found["message"] for found in client.get("health").json()["problems"]}

    beats = HeartbeatFile(service.context.heartbeat_folder, "historian")
    beats.write(
        {},
        (
            Problem("bucket_away", "The bucket of one factory is away.", now_us(), other.factory.id),
            Problem("history_behind", "History is behind.", now_us()),
        ),
    )
    try:
        wait_until(lambda: "history_behind" in problems(kit))
        assert "bucket_away" not in problems(kit)
        assert problems(other)["bucket_away"] == "The bucket of one factory is away."
    finally:
        beats.remove()
