"""What clients see when something of ours breaks, and when they ask too much."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryops.api.context import ApiLimits
from factoryops.contracts import http
from factoryops.contracts.alarm_orders import acknowledging
from factoryops.domain.alarm_life import Deed
from factoryops.domain.identity import Role
from factoryops.domain.time import now_us
from tests.support.api_service import ApiService, FactoryKit, running_api
from tests.support.waiting import wait_until


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[ApiService]:
    limits = ApiLimits(light_per_min=30, history_per_min=6, work_per_min=3, query_s=0.5)
    with running_api(tmp_path / "narrow", limits=limits) as service:
        yield service


def test_a_fault_of_ours_is_logged_under_the_requests_id_and_shows_no_trace(
    service: ApiService, kit: FactoryKit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("secret inner detail")

    token = kit.tokens[Role.VIEWER]
    with service.client(token) as client, caplog.at_level(logging.ERROR, "factoryops.api"):
        assert client.get("session").status_code == 200
        with monkeypatch.context() as patched:
            patched.setattr(service.context.history, "latest", break_down)
            answer = client.get("latest", headers={"X-Request-ID": "fault-1"})
        assert client.get("latest").status_code == 200
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.json()["request_id"] == "fault-1"
    assert "secret" not in answer.text
    assert any("fault-1" in record.message and record.exc_info for record in caplog.records)


def test_a_token_never_reaches_the_log(service: ApiService, kit: FactoryKit, caplog: pytest.LogCaptureFixture) -> None:
    token = kit.tokens[Role.OPERATOR]
    with caplog.at_level(logging.DEBUG), service.client(token) as client:
        client.get("devices")
        client.get("devices", params={"token": token})
        client.post("session", json={"factory": "riverside", "user": "x", "password": "canary-password"})
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("factoryops", "uvicorn"))]
    assert any("/api/v1/devices" in line for line in ours)
    assert not [line for line in ours if "canary-password" in line or token in line]


def test_one_session_that_asks_too_often_waits_and_no_other_does(narrow: ApiService) -> None:
    kit = narrow.add_factory("riverside")
    with narrow.client(kit.tokens[Role.VIEWER]) as greedy, narrow.client(kit.tokens[Role.OPERATOR]) as calm:
        answers = [greedy.get("session") for _ in range(15)]
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert answers[-1].json()["title"] == "Too many requests"
        assert calm.get("session").status_code == 200


def test_a_question_that_takes_too_long_is_given_up(narrow: ApiService, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = narrow.add_factory("riverside")
    release = threading.Event()
    monkeypatch.setattr(narrow.context.history, "latest", lambda _: release.wait(5))
    with narrow.client(kit.tokens[Role.VIEWER]) as client:
        answer = client.get("latest")
    release.set()
    assert answer.status_code == 503
    assert "too long" in answer.json()["detail"]


def test_alarms_that_were_never_read_are_unavailable_not_none(tmp_path: Path) -> None:
    service = ApiService(tmp_path)
    kit = service.add_factory("riverside")
    service.login.session(kit.tokens[Role.VIEWER])
    with service.database_away():
        service.start()
        with service.client(kit.tokens[Role.VIEWER]) as client:
            assert client.get("alarms").status_code == 503
    with service.client(kit.tokens[Role.VIEWER]) as client:
        wait_until(lambda: client.get("alarms").status_code == 200)
    service.stop()


def test_what_the_engine_said_before_the_start_is_not_raised_again(tmp_path: Path) -> None:
    service = ApiService(tmp_path)
    kit = service.add_factory("riverside")
    service.transition(kit, "raised")
    transition = service.transition(kit, "cleared")
    request = http.AcknowledgeRequest(items=[http.AcknowledgeItem(alarm_id=transition.alarm_id, annunciation=1)])
    orders = acknowledging(request, Deed("anna", now_us()))
    service.database.run(lambda tx: tx.alarm_handling(kit.scope).carry_out(orders, action=""))
    service.start()
    with service.client(kit.tokens[Role.VIEWER]) as client:
        assert client.get("alarms").json()["alarms"] == []
    service.stop()
