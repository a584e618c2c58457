"""Long histories are read in pages, cost is bounded, and a query nobody waits for ends."""

from __future__ import annotations

import threading

import httpx
import pytest

from factoryops.domain.bins import align_down
from factoryops.domain.identity import Role
from factoryops.domain.samples import SampleFlag, text_code
from factoryops.domain.time import now_us
from factoryops.history.queries import History
from factoryops.history.store import go_on
from tests.support.api_service import ApiService, FactoryKit
from tests.support.waiting import wait_until

S = 1_000_000


def test_pages_follow_their_cursor_and_refuse_another_s(service: ApiService, kit: FactoryKit) -> None:
    start = now_us() // S * S - 4_000 * S
    service.receive(kit, [(0, start + n * S, float(n)) for n in range(100)])
    service.seal()
    query = {"start_us": start, "end_us": start + 100 * S, "most_samples": 40}
    found: list[float] = []
    with service.client(kit.tokens[Role.VIEWER]) as client:
        path = f"parameters/{kit.parameters[0].id}/samples"
        page = client.get(path, params=query).json()
        found += page["value"]
        foreign = {**query, "cursor": page["next_cursor"]}
        other = client.get(f"parameters/{kit.parameters[1].id}/samples", params=foreign)
        assert other.status_code == 422
        assert client.get(path, params={**query, "cursor": "nonsense"}).status_code == 422
        while page["next_cursor"]:
            page = client.get(path, params={**query, "cursor": page["next_cursor"]}).json()
            found += page["value"]
    assert found == [float(n) for n in range(100)]


def test_bins_say_how_good_their_samples_are(service: ApiService, kit: FactoryKit) -> None:
    start = align_down(now_us(), 10 * S) - 8_000 * S
    service.receive(kit, [(2, start, 1.0)], flags=SampleFlag.LATE)
    service.receive(kit, [(2, start + S, 2.0)], flags=SampleFlag.UNCERTAIN)
    service.receive(kit, [(2, start + 2 * S, 3.0), (2, start + 3 * S, 4.0)])
    service.seal()
    span = {"start_us": start, "end_us": start + 10 * S}
    with service.client(kit.tokens[Role.VIEWER]) as client:
        query: dict[str, int | str] = {**span, "parameter_id": kit.parameters[2].id}
        (column,) = client.get("history", params=query).json()["columns"]
        assert column["quality"] == {"samples": 4, "late": 1, "imported": 0, "uncertain": 1, "texts": 0}
        assert (column["resolution_us"], column["weighted_mean"]) == (0, [])
        (column,) = client.get("history", params={**query, "most_bins": 1, "weighted": True}).json()["columns"]
        assert column["weighted_mean"] == [pytest.approx((1.0 + 3.0 + 4.0 * 7) / 9)]
        (figures,) = client.get("statistics", params=query).json()["parameters"]
    assert figures["good_share"] == pytest.approx(0.9)
    assert figures["mean"] == pytest.approx((1.0 + 3.0 + 4.0 * 7) / 9)


def test_a_text_says_what_it_is(service: ApiService, kit: FactoryKit) -> None:
    code = text_code(kit.factory.id, "running")
    moment = now_us()
    service.receive(kit, [(1, moment, float(code))], flags=SampleFlag.TEXT)
    service.store.append(
        service.store.raw(0, 0, 1, most=1), {}, gaps=(), checkpoints={}, texts={code: (kit.factory.id, "running")}
    )
    service.seal()
    parameter = kit.parameters[1].id
    with service.client(kit.tokens[Role.VIEWER]) as client:
        span: dict[str, int | str] = {"start_us": moment - S, "end_us": moment + S}
        assert client.get(f"parameters/{parameter}/samples", params=span).json()["texts"] == {str(code): "running"}
        latest = {one["parameter_id"]: one["text"] for one in client.get("latest").json()["values"]}
        assert latest[parameter] == "running"
        (column,) = client.get("history", params=span | {"parameter_id": parameter}).json()["columns"]
        assert (column["count"], column["quality"]["texts"]) == ([], 1)


def test_statistics_of_too_much_are_refused_with_what_to_do(service: ApiService, kit: FactoryKit) -> None:
    with service.client(kit.tokens[Role.VIEWER]) as client:
        query: dict[str, int | str] = {"start_us": 0, "end_us": 500 * 86_400 * S, "parameter_id": kit.parameters[0].id}
        answer = client.get("statistics", params=query)
    assert answer.status_code == 422
    assert "at most 400 days" in answer.text


def test_a_query_whose_client_has_gone_ends(
    service: ApiService, kit: FactoryKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(self: History, *span: object, cancelled: object, **more: object) -> None:
        begun.set()
        try:
            while True:
                go_on(cancelled)  # type: ignore[arg-type]  # stands in for a query of many pieces
                threading.Event().wait(0.01)
        finally:
            ended.set()

    monkeypatch.setattr(History, "binned", endless)
    query: dict[str, int | str] = {"start_us": 0, "end_us": 10 * S, "parameter_id": kit.parameters[0].id}
    with service.client(kit.tokens[Role.VIEWER]) as client, pytest.raises(httpx.ReadTimeout):
        client.get("history", params=query, timeout=0.5)
    assert begun.is_set()
    wait_until(ended.is_set, timeout_s=3)
