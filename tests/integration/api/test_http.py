from __future__ import annotations

import hashlib
import json

import pytest

from factoryops.domain.identity import Role
from factoryops.domain.samples import SampleColumns, SampleFlag, text_code
from factoryops.domain.time import now_us
from factoryops.journal.records import Entry, MessageLedger
from tests.support.api_service import ApiService, FactoryKit
from tests.support.rules import limit_content
from tests.support.waiting import wait_until


def test_health_without_a_session_tells_the_status_alone(service: ApiService) -> None:
    with service.client() as client:
        answer = client.get("health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status"}


def test_health_with_a_session_balances_both_ledgers(service: ApiService, kit: FactoryKit) -> None:
    service.receive(kit, [(0, now_us(), 1.5), (1, now_us(), 2.5)])
    service.seal()
    service.receive(kit, [(0, now_us(), 1.6)])
    service.quarantine(kit, b"{")
    with service.client(kit.tokens[Role.VIEWER]) as client:
        health = client.get("health").json()
    messages, values = health["messages"], health["values"]
    assert messages["received"] == messages["accepted"] + messages["quarantined"]
    assert values["accepted"] == values["stored"] + values["replaced"] + values["in_journal"]
    assert values["in_journal"] >= 1
    assert values["stored"] >= 2
    lost = {role["role"] for role in health["roles"] if not role["is_alive"]}
    assert {"ingest", "historian", "engine", "worker"} <= lost
    assert any("nothing is received" in problem["message"] for problem in health["problems"])


def test_texts_are_told_with_the_samples_that_carry_their_codes(service: ApiService) -> None:
    kit = service.add_factory("texts")
    moment = now_us()
    code = text_code(kit.factory.id, "auto mode")
    series = kit.parameters[0].series_id
    samples = SampleColumns.of([(series, moment, float(code))], flags=int(SampleFlag.TEXT))
    writer, old = service.writers["journal"], service.writers["journal"].ledger
    ledger = MessageLedger(old.received + 1, old.accepted + 1, old.quarantined, old.values_accepted + 1)
    writer.append(Entry(moment, ledger, samples), kit.keys(), [(kit.factory.id, "auto mode")])
    service.doorbell.ring()
    with service.client(kit.tokens[Role.VIEWER]) as client:
        wait_until(lambda: client.get("latest").json()["values"])
        (latest,) = client.get("latest").json()["values"]
        assert (latest["value"], latest["flags"], latest["text"]) == (float(code), int(SampleFlag.TEXT), "auto mode")
        span = {"start_us": moment, "end_us": moment + 1}
        raw = client.get(f"parameters/{kit.parameters[0].id}/samples", params=span).json()
        assert raw["texts"] == {str(code): "auto mode"}
        asked: dict[str, str | int] = {"parameter_id": kit.parameters[0].id, **span}
        (column,) = client.get("history", params=asked).json()["columns"]
        assert column["count"] == []


def test_history_and_live_tail_are_one_line(service: ApiService, kit: FactoryKit) -> None:
    start = now_us() // 1_000_000 * 1_000_000 - 100_000_000
    service.receive(kit, [(2, start + n * 1_000_000, float(n)) for n in range(50)])
    service.seal()
    service.receive(kit, [(2, start + n * 1_000_000, float(n)) for n in range(40, 100)])
    parameter = kit.parameters[2].id
    with service.client(kit.tokens[Role.VIEWER]) as client:
        query = {"start_us": start, "end_us": start + 100_000_000}
        wait_until(lambda: len(client.get(f"parameters/{parameter}/samples", params=query).json()["time_us"]) == 100)
        raw = client.get(f"parameters/{parameter}/samples", params=query).json()
        assert raw["value"] == [float(n) for n in range(100)]
        assert raw["next_start_us"] is None
        binned = client.get("history", params={**query, "parameter_id": parameter, "most_bins": 20}).json()
        assert sum(binned["columns"][0]["count"]) == 100
        assert binned["columns"][0]["bin_us"] == 5_000_000
        first = client.get(f"parameters/{parameter}/samples", params={**query, "most_samples": 30}).json()
        assert len(first["time_us"]) == 30
        assert first["next_start_us"] == start + 30_000_000
        latest = {one["parameter_id"]: one["value"] for one in client.get("latest").json()["values"]}
        assert latest[parameter] == 99.0


def test_every_error_has_one_shape_and_the_clients_request_id(service: ApiService, kit: FactoryKit) -> None:
    with service.client(kit.tokens[Role.ADMIN]) as client:
        answers = [
            client.get("nowhere", headers={"X-Request-ID": "abc-1"}),
            client.delete("devices", headers={"X-Request-ID": "abc-2"}),
            client.get("parameters/xyz/samples", params={"start_us": 0, "end_us": 1}),
            client.get("devices", params={"factory_id": "x"}),
            client.post("rules", content=b"{", headers={"Content-Type": "application/json"}),
            client.post("rules", json={"name": "x", "surprise": 1}),
            client.get("rules", headers={"Authorization": "Bearer wrong"}),
            client.get("rules", headers={"Authorization": "Basic eDp5"}),
        ]
    assert [answer.status_code for answer in answers] == [404, 405, 422, 422, 422, 422, 401, 401]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        assert answer.json()["detail"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Traceback" not in answer.text
    assert answers[0].headers["X-Request-ID"] == "abc-1"
    assert answers[5].json()["fields"]["surprise"]


@pytest.mark.parametrize("sent", ["x" * 65, "a b", "ü".encode().decode("latin-1"), "a\tb"])
def test_a_request_id_that_is_long_or_not_plain_is_replaced(service: ApiService, sent: str) -> None:
    with service.client() as client:
        answer = client.get("health", headers=[(b"X-Request-ID", sent.encode("latin-1"))])
    assert answer.headers["X-Request-ID"] != sent
    assert len(answer.headers["X-Request-ID"]) == 32


def test_a_token_in_the_address_is_refused(service: ApiService, kit: FactoryKit) -> None:
    with service.client() as client:
        answer = client.get("devices", params={"token": kit.tokens[Role.ADMIN]})
    assert answer.status_code == 401


def test_bodies_beyond_the_bounds_are_refused(service: ApiService, kit: FactoryKit) -> None:
    headers = {"Content-Type": "application/json"}
    with service.client(kit.tokens[Role.ADMIN]) as client:
        large = client.post("rules", content=b" " * ((1 << 20) + 1), headers=headers)
        chunked = client.post("rules", content=iter([b" " * (1 << 19)] * 3), headers=headers)
        deep = client.post("rules", content=b"[" * 151 + b"]" * 151, headers=headers)
        hostile = client.post("rules", content=b'"' + b'\\"' * 400_000, headers=headers)
        text = client.post("rules", content=b'{"name": "\\ud800"}', headers=headers)
        digits = client.post("rules", content=b'{"limit": ' + b"9" * 5_000 + b"}", headers=headers)
    assert [large.status_code, chunked.status_code] == [413, 413]
    assert deep.status_code == 422
    assert hostile.status_code in (400, 422)
    assert text.status_code == 422
    assert digits.status_code in (400, 422)


@pytest.mark.parametrize("path", ["exports", "exports/estimate", "runs"])
def test_a_moment_beyond_all_years_is_refused_as_a_wrong_field(service: ApiService, kit: FactoryKit, path: str) -> None:
    kind = {"kind": "daily_report"} if path == "runs" else {}
    with service.client(kit.tokens[Role.ADMIN]) as client:
        for field, moment in (("start", "0001-01-01T00:00:00+14:00"), ("end", "9999-12-31T23:59:59-14:00")):
            span = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
            answer = client.post(path, json=span | {field: moment} | kind)
            assert answer.status_code == 422
            assert "years 1 to 9999" in answer.json()["fields"][field]


def test_a_rule_lives_through_its_versions(service: ApiService, kit: FactoryKit) -> None:
    content = limit_content(name="Too warm", parameter_key="temperature", limit=80.0).model_dump(mode="json")
    with service.client(kit.tokens[Role.SUPERVISOR]) as client:
        rule = client.post("rules", json=content)
        assert rule.status_code == 201
        address = f"rules/{rule.json()['id']}"
        changed = client.put(address, json={"version": 1, "content": {**content, "on_delay_s": 85}})
        assert changed.json()["version"] == 2
        conflict = client.put(address, json={"version": 1, "content": content})
        assert conflict.status_code == 409
        assert client.delete(address).status_code == 204
        assert client.delete(address).status_code == 404
        absent = client.post("rules", json={**content, "scope": {"devices": ["nobody"]}})
        assert (absent.status_code, [*absent.json()["fields"]]) == (422, ["scope"])
        unknown = client.post("rules", json={**content, "condition": {"kind": "magic"}})
        assert (unknown.status_code, [*unknown.json()["fields"]]) == (422, ["condition"])


def test_editing_the_plant_shows_at_once(service: ApiService, kit: FactoryKit) -> None:
    with service.client(kit.tokens[Role.ADMIN]) as client:
        device = client.patch(f"devices/{kit.devices[1].id}", json={"name": "Press A", "area": "Hall 2"}).json()
        assert (device["name"], device["area"], len(device["parameters"])) == ("Press A", "Hall 2", 2)
        parameter = client.patch(f"parameters/{kit.parameters[3].id}", json={"unit": "K", "low": 0, "high": 500}).json()
        assert (parameter["unit"], parameter["high"]) == ("K", 500)
        cleared = client.patch(f"parameters/{kit.parameters[3].id}", json={"high": None}).json()
        assert cleared["high"] is None
        listed = {one["id"]: one for one in client.get("devices").json()["devices"]}
        assert listed[kit.devices[1].id]["name"] == "Press A"
        assert {one["unit"] for one in listed[kit.devices[1].id]["parameters"]} == {"K", "bar"}


def test_a_file_comes_as_an_attachment_with_its_hash(service: ApiService, kit: FactoryKit) -> None:
    content = b"%PDF-1.4 " + bytes(range(256)) * 1_000
    artifact = service.finished_run(kit, content).artifacts[0]
    with service.client(kit.tokens[Role.VIEWER]) as client:
        answer = client.get(f"artifacts/{artifact.id}")
    assert answer.content == content
    assert answer.headers["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Report _ 1.pdf"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/pdf"


def test_a_file_that_has_gone_is_not_found(service: ApiService, kit: FactoryKit) -> None:
    artifact = service.finished_run(kit).artifacts[0]
    (service.folder / "artifacts" / kit.factory.id / artifact.id).unlink()
    with service.client(kit.tokens[Role.VIEWER]) as client:
        assert client.get(f"artifacts/{artifact.id}").status_code == 404


def test_a_link_out_of_the_factorys_folder_is_not_followed(service: ApiService, kit: FactoryKit) -> None:
    artifact = service.finished_run(kit).artifacts[0]
    path = service.folder / "artifacts" / kit.factory.id / artifact.id
    secret = service.folder / "secret"
    secret.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(secret)
    with service.client(kit.tokens[Role.VIEWER]) as client:
        assert client.get(f"artifacts/{artifact.id}").status_code == 404


def test_quarantine_shows_its_own_factorys_messages_page_by_page(
    service: ApiService, kit: FactoryKit, other: FactoryKit
) -> None:
    for number in range(120):
        service.quarantine(kit, json.dumps({"n": number}).encode())
    service.quarantine(other, b"\xff\x00")
    with service.client(kit.tokens[Role.SUPERVISOR]) as client:
        first = client.get("quarantine").json()
        second = client.get("quarantine", params={"before": first["next_before"]}).json()
    assert first["messages"][0]["payload"] == '{"n": 119}'
    assert first["messages"][-1]["number"] > second["messages"][0]["number"]
    with service.client(other.tokens[Role.SUPERVISOR]) as client:
        (message,) = client.get("quarantine").json()["messages"]
    assert (message["payload"], message["is_hex"], message["size_bytes"]) == ("ff00", True, 2)


def test_history_and_alarms_go_on_while_the_database_is_away(service: ApiService, kit: FactoryKit) -> None:
    token = kit.tokens[Role.OPERATOR]
    with service.client(token) as client:
        assert client.get("devices").status_code == 200
        with service.database_away():
            transition = service.transition(kit, device=1, is_applied=False, is_recorded=False)
            assert client.get("devices").status_code == 200
            assert client.get("latest").status_code == 200
            wait_until(lambda: transition.alarm_id in {one["id"] for one in client.get("alarms").json()["alarms"]})
            (alarm,) = [one for one in client.get("alarms").json()["alarms"] if one["id"] == transition.alarm_id]
            assert alarm["is_recorded"] is False
            refused = client.post(
                "alarms/acknowledgements", json={"items": [{"alarm_id": alarm["id"], "annunciation": 1}]}
            )
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) >= 1
            assert client.get("rules").status_code == 503
        service.apply(transition)
        (alarm,) = [one for one in client.get("alarms").json()["alarms"] if one["id"] == transition.alarm_id]
        assert alarm["is_recorded"] is True
        answer = client.post(
            "alarms/acknowledgements",
            json={"items": [{"alarm_id": alarm["id"], "annunciation": 1}], "comment": "seen"},
        ).json()["alarms"][0]
        assert (answer["state"], answer["acknowledged_by"], answer["comment"]) == ("acknowledged", "operator", "seen")
        assert answer["change"] > alarm["change"]


def test_a_logged_out_token_is_worth_nothing(service: ApiService, kit: FactoryKit) -> None:
    token = service.open_session(kit, Role.VIEWER)
    with service.client(token) as client:
        assert client.get("session").json()["user"] == "viewer"
        assert client.delete("session").status_code == 204
        assert client.get("session").status_code == 401
