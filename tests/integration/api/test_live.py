from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from factoryops.client.http import HttpPlant
from factoryops.contracts import http, live
from factoryops.contracts.live import decode_frame
from factoryops.database.notification_rows import Queued
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import NotLoggedInError, TooManyAttemptsError
from factoryops.domain.identity import Role
from factoryops.domain.notifying import Addressee, ChannelKind
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.time import now_us
from tests.support.api_service import ApiService, FactoryKit
from tests.support.waiting import until, wait_until


def _live_url(service: ApiService) -> str:
    return f"ws://127.0.0.1:{service.port}/api/v1/live"


@asynccontextmanager
async def _linked(service: ApiService, token: str, **subscription: object) -> AsyncIterator[ClientConnection]:
    async with connect(_live_url(service), compression=None, proxy=None) as connection:
        await connection.send(json.dumps({"type": "hello", "token": token}))
        assert isinstance(await _next(connection), live.Welcome)
        if subscription:
            await connection.send(json.dumps({"type": "subscribe", **subscription}))
            await _next(connection, live.Beat)
        yield connection


async def _next(connection: ClientConnection, kind: type[live.ServiceMessage] | None = None) -> live.ServiceMessage:
    """The next message of a kind."""
    async with asyncio.timeout(10):
        while True:
            message = decode_frame(await connection.recv(decode=False))
            if kind is None or isinstance(message, kind):
                return message


async def _next_that(connection: ClientConnection, fits: Callable[[live.ServiceMessage], bool]) -> live.ServiceMessage:
    async with asyncio.timeout(10):
        while True:
            message = decode_frame(await connection.recv(decode=False))
            if fits(message):
                return message


async def _code_of_end(connection: ClientConnection) -> int | None:
    try:
        async with asyncio.timeout(10):
            while True:
                await connection.recv()
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd is not None else None


async def test_the_first_sample_after_quiet_comes_at_once(service: ApiService, kit: FactoryKit) -> None:
    async with _linked(service, kit.tokens[Role.VIEWER], is_all=True, most_frames_per_s=1) as connection:
        began, moment = time.monotonic(), now_us()
        await asyncio.to_thread(service.receive, kit, [(0, moment, 4.25)])
        frame = await _next(connection, live.Samples)
        assert isinstance(frame, live.Samples)
        assert time.monotonic() - began < 0.5
        columns = frame.columns()
        assert columns.series.tolist() == [kit.parameters[0].series_id]
        assert columns.time_us.tolist() == [moment]
        assert columns.value.tolist() == [4.25]


async def test_samples_between_frames_are_kept_and_come_together(service: ApiService, kit: FactoryKit) -> None:
    series = kit.parameters[1].series_id
    async with _linked(service, kit.tokens[Role.VIEWER], series=[series], most_frames_per_s=2) as connection:
        start = now_us()
        for n in range(30):
            await asyncio.to_thread(service.receive, kit, [(1, start + n, float(n)), (0, start + n, -1.0)])
        values: list[float] = []
        frames = 0
        while len(values) < 30:
            frame = await _next(connection, live.Samples)
            assert isinstance(frame, live.Samples)
            assert set(frame.columns().series.tolist()) == {series}
            values += frame.columns().value.tolist()
            frames += 1
        assert values == [float(n) for n in range(30)]
        assert frames <= 6


async def test_nothing_of_another_factory_ever_comes(service: ApiService, kit: FactoryKit, other: FactoryKit) -> None:
    foreign = [one.series_id for one in other.parameters]
    mine = kit.parameters[0].series_id
    async with _linked(service, kit.tokens[Role.VIEWER], series=[*foreign, mine], most_frames_per_s=60) as connection:
        await asyncio.to_thread(service.receive, other, [(0, now_us(), 666.0)])
        await asyncio.to_thread(service.transition, other)
        await asyncio.to_thread(
            service.database.run, lambda tx: tx.work.queue(other.scope, http.RunRequest(kind=http.JobKind.DAILY_REPORT))
        )
        await asyncio.to_thread(service.database.run, lambda tx: tx.devices(other.scope).change(
            other.devices[0].id, name="Secret"
        ))  # fmt: skip
        await asyncio.to_thread(service.receive, kit, [(0, now_us(), 1.0)])
        seen: list[live.ServiceMessage] = []
        beats = 0
        while beats < 3:
            seen.append(await _next(connection))
            beats += isinstance(seen[-1], live.Beat)
        kinds = {type(message) for message in seen}
        assert kinds == {live.Beat, live.Samples}
        values = [v for one in seen if isinstance(one, live.Samples) for v in one.columns().value.tolist()]
        assert values == [1.0]


async def test_an_alarm_is_live_at_once_and_an_acknowledgement_reaches_everybody(
    service: ApiService, kit: FactoryKit
) -> None:
    async with _linked(service, kit.tokens[Role.VIEWER]) as connection:
        began = time.monotonic()
        transition = await asyncio.to_thread(service.transition, kit, is_applied=False, is_recorded=False)
        frame = await _next(connection, live.AlarmChanged)
        assert isinstance(frame, live.AlarmChanged)
        alarm = http.Alarm.model_validate_json(frame.alarm)
        assert time.monotonic() - began < 0.5
        assert (alarm.id, alarm.state, alarm.is_recorded) == (transition.alarm_id, "unacknowledged", False)
        await asyncio.to_thread(service.apply, transition)
        recorded = await _alarm_that(connection, lambda one: one.is_recorded)
        assert recorded.change > alarm.change
        plant = HttpPlant(service.url)
        await plant.resume(kit.tokens[Role.OPERATOR])
        item = http.AcknowledgeItem(alarm_id=alarm.id, annunciation=1)
        await plant.acknowledge(http.AcknowledgeRequest(items=[item]))
        answered = await _alarm_that(connection, lambda one: one.state == "acknowledged")
        assert answered.acknowledged_by == "operator"
        await asyncio.to_thread(service.transition, kit, "cleared")
        cleared = await _alarm_that(connection, lambda one: one.state == "normal")
        assert cleared.change > answered.change
        assert alarm.id not in {one.id for one in await plant.alarms()}
        await plant.close()


async def _alarm_that(connection: ClientConnection, fits: Callable[[http.Alarm], bool]) -> http.Alarm:
    def is_it(message: live.ServiceMessage) -> bool:
        return isinstance(message, live.AlarmChanged) and fits(http.Alarm.model_validate_json(message.alarm))

    message = await _next_that(connection, is_it)
    assert isinstance(message, live.AlarmChanged)
    return http.Alarm.model_validate_json(message.alarm)


async def test_a_flood_is_told_when_it_begins_and_to_whoever_comes_later(
    service: ApiService, kit: FactoryKit, other: FactoryKit
) -> None:
    viewer, foreign = kit.tokens[Role.VIEWER], other.tokens[Role.VIEWER]
    async with _linked(service, viewer) as connection, _linked(service, foreign) as elsewhere:
        for number in range(1, 13):
            await asyncio.to_thread(service.transition, kit, annunciation=number)
        whole = await _flood_that(connection, lambda one: one.count == 12)
        assert (whole.position_id, whole.is_flood) == ("", True)
        plant = HttpPlant(service.url)
        await plant.resume(viewer)
        assert (await plant.alarm_list()).floods == await plant.floods() == [whole]
        uncounted = await asyncio.to_thread(service.database.run, lambda tx: _count_classes(tx, kit, is_counted=False))
        assert uncounted.version > 0
        await _flood_that(connection, lambda one: not one.is_flood)
        assert (await plant.alarm_list()).floods[0].count == 0
        await plant.close()
        seen = [await _next(elsewhere) for _ in range(3)]
        assert not any(isinstance(one, live.FloodsChanged) for one in seen)


async def test_a_flood_is_told_while_the_database_is_away(service: ApiService, other: FactoryKit) -> None:
    limits = replace(DEFAULT, flood_entry=1, flood_exit=1)
    await asyncio.to_thread(service.database.run, lambda tx: _count_classes(tx, other, is_counted=True, limits=limits))
    async with _linked(service, other.tokens[Role.VIEWER]) as connection:
        plant = HttpPlant(service.url)
        await plant.resume(other.tokens[Role.VIEWER])
        assert not (await plant.alarm_list()).floods[0].is_flood
        with service.database_away():
            for device in (0, 1):
                await asyncio.to_thread(
                    service.transition, other, is_applied=False, is_recorded=False, annunciation=5, device=device
                )
            await _flood_that(connection, lambda one: one.is_flood and one.count >= 2)
        await plant.close()


async def _flood_that(connection: ClientConnection, fits: Callable[[http.PositionFlood], bool]) -> http.PositionFlood:
    def whole(message: live.ServiceMessage) -> http.PositionFlood | None:
        if not isinstance(message, live.FloodsChanged):
            return None
        return http.FloodList.model_validate_json(message.floods).floods[0]

    message = await _next_that(connection, lambda one: (flood := whole(one)) is not None and fits(flood))
    found = whole(message)
    assert found is not None
    return found


def _count_classes(
    tx: Transaction, kit: FactoryKit, *, is_counted: bool, limits: Thresholds = DEFAULT
) -> http.Philosophy:
    before = tx.philosophy(kit.scope).get()
    classes = [one.model_copy(update={"is_counted": is_counted}) for one in before.classes]
    return tx.philosophy(kit.scope).replace(
        http.PhilosophyChange(version=before.version, classes=classes, matrix=before.matrix, thresholds=limits)
    )


async def test_changes_of_plant_and_runs_are_told(service: ApiService, kit: FactoryKit) -> None:
    async with _linked(service, kit.tokens[Role.VIEWER]) as connection:
        await asyncio.to_thread(
            service.database.run, lambda tx: tx.devices(kit.scope).change(kit.devices[0].id, name="Pump A")
        )
        await _next(connection, live.PlantChanged)
        run = await asyncio.to_thread(
            service.database.run, lambda tx: tx.work.queue(kit.scope, http.RunRequest(kind=http.JobKind.DAILY_REPORT))
        )
        frame = await _next(connection, live.RunChanged)
        assert isinstance(frame, live.RunChanged)
        assert http.Run.model_validate_json(frame.run).id == run.id


async def test_beats_come_every_second_with_the_watermark(service: ApiService, kit: FactoryKit) -> None:
    async with _linked(service, kit.tokens[Role.VIEWER]) as connection:
        await asyncio.to_thread(service.receive, kit, [(0, now_us(), 1.0)])
        beats: list[live.Beat] = []
        while len(beats) < 3:
            message = await _next(connection, live.Beat)
            assert isinstance(message, live.Beat)
            beats.append(message)
        assert beats[-1].watermark_us > 0
        assert 1_500_000 < beats[-1].time_us - beats[0].time_us < 3_500_000
        assert beats[-1].status == "failing"
        assert any("ingest" in sentence for sentence in beats[-1].problems)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([b'{"type": "hello", "token": "wrong"}'], live.CLOSE_NOT_LOGGED_IN),
        ([b'{"type": "subscribe", "is_all": true}'], live.CLOSE_NOT_LOGGED_IN),
        ([b"{"], live.CLOSE_BAD_MESSAGE),
        ([b""], live.CLOSE_BAD_MESSAGE),
        ([b"\x00\xff"], live.CLOSE_BAD_MESSAGE),
        ([b'{"type": "hello"}'], live.CLOSE_BAD_MESSAGE),
        ([b'{"type": "hello", "token": "x", "factory": "y"}'], live.CLOSE_BAD_MESSAGE),
        ([b"[" * 60_000], live.CLOSE_BAD_MESSAGE),
        ([b"x" * (1 << 24)], 1009),
    ],
    ids=["wrong token", "no hello", "half", "empty", "binary", "no token", "surprise", "deep", "16 MB"],
)
async def test_a_stranger_is_shown_out(service: ApiService, messages: list[bytes], code: int) -> None:
    async with connect(_live_url(service), compression=None, proxy=None) as connection:
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await connection.send(message)
        assert await _code_of_end(connection) == code


@pytest.mark.parametrize(
    "message",
    ['{"type": "hello", "token": "again"}', '{"type": "subscribe", "series": ["a"]}', '{"type": "subscribe", "x": 1}',
     '{"type": "subscribe", "series": [1e99]}', '{"type": "nothing"}'],
)  # fmt: skip
async def test_a_bad_message_of_a_known_client_ends_its_link(
    service: ApiService, kit: FactoryKit, message: str
) -> None:
    async with _linked(service, kit.tokens[Role.VIEWER]) as connection:
        await connection.send(message)
        assert await _code_of_end(connection) == live.CLOSE_BAD_MESSAGE


async def test_series_that_cannot_exist_are_as_unknown_as_any(service: ApiService, kit: FactoryKit) -> None:
    numbers = [-5, 0, 1 << 60, kit.parameters[0].series_id]
    async with _linked(service, kit.tokens[Role.VIEWER], series=numbers, most_frames_per_s=-3) as connection:
        await asyncio.to_thread(service.receive, kit, [(0, now_us(), 7.0)])
        assert isinstance(await _next(connection, live.Samples), live.Samples)


async def test_a_token_in_the_address_of_the_socket_is_refused(service: ApiService, kit: FactoryKit) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"{_live_url(service)}?token={kit.tokens[Role.ADMIN]}", proxy=None):
            pass


async def test_a_session_that_ends_closes_its_links_within_five_seconds(service: ApiService, kit: FactoryKit) -> None:
    token = service.open_session(kit, Role.VIEWER)
    async with _linked(service, token) as connection:
        plant = HttpPlant(service.url)
        await plant.resume(token)
        await plant.logout()
        await plant.close()
        assert await _code_of_end(connection) == live.CLOSE_NOT_LOGGED_IN


async def test_a_deactivated_user_is_out_within_five_seconds(service: ApiService) -> None:
    kit = service.add_factory("leaving")
    async with _linked(service, kit.tokens[Role.OPERATOR]) as connection:
        began = time.monotonic()
        await asyncio.to_thread(service.database.run, lambda tx: tx.users.set_active(kit.users[Role.OPERATOR], False))
        assert await _code_of_end(connection) == live.CLOSE_NOT_LOGGED_IN
        assert time.monotonic() - began < 5


async def test_one_user_has_ten_links_at_most(service: ApiService) -> None:
    kit = service.add_factory("crowd")
    plant = HttpPlant(service.url)
    await plant.resume(kit.tokens[Role.VIEWER])
    links = [await plant.open_live() for _ in range(10)]
    for link in links:
        assert isinstance(await anext(aiter(link)), live.Welcome)
    with pytest.raises(TooManyAttemptsError):
        await anext(aiter(await plant.open_live()))
    for link in links:
        await link.close()
    await plant.close()


async def test_a_link_with_a_wrong_token_ends_as_not_logged_in(service: ApiService, kit: FactoryKit) -> None:
    plant = HttpPlant(service.url)
    await plant.resume(service.open_session(kit, Role.VIEWER))
    token = plant.token
    assert token is not None
    await asyncio.to_thread(service.login.close_session, token)
    link = await plant.open_live()
    with pytest.raises(NotLoggedInError):
        await anext(aiter(link))
    await plant.close()


async def test_a_client_that_never_reads_is_closed_and_hurts_nobody(service: ApiService) -> None:
    kit = service.add_factory("slow")
    hub = service.app.state.service.hub
    await until(lambda: not hub._clients)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await asyncio.to_thread(_upgrade_and_stop_reading, slow, service, kit.tokens[Role.OPERATOR])
    await until(lambda: len(hub._clients) == 1)
    subscription = {"is_all": True, "most_frames_per_s": 50}
    async with _linked(service, kit.tokens[Role.VIEWER], **subscription) as reader:
        began, lags = time.monotonic(), []
        rows = [(n % 4, 0, float(n)) for n in range(2_000)]
        while len(hub._clients) > 1:
            assert time.monotonic() - began < 10
            moment = now_us()
            await asyncio.to_thread(service.receive, kit, [(p, moment + n, v) for n, (p, _, v) in enumerate(rows)])
            await _next(reader, live.Samples)
            lags.append(now_us() - moment)
        lags.sort()
        assert lags[int(len(lags) * 0.99)] < 500_000
    slow.close()


def _upgrade_and_stop_reading(slow: socket.socket, service: ApiService, token: str) -> None:
    slow.connect(("127.0.0.1", service.port))
    slow.sendall(
        b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in slow.recv(4_096)
    for text in (json.dumps({"type": "hello", "token": token}), json.dumps({"type": "subscribe", "is_all": True,
                                                                            "most_frames_per_s": 50})):  # fmt: skip
        data = text.encode()
        slow.sendall(bytes([0x81, 0x80 | len(data)]) + b"\0\0\0\0" + data)


async def test_a_client_that_says_nothing_is_closed_after_five_seconds(service: ApiService) -> None:
    async with connect(_live_url(service), compression=None, proxy=None) as connection:
        began = time.monotonic()
        assert await _code_of_end(connection) == live.CLOSE_NOT_LOGGED_IN
        assert 4 < time.monotonic() - began < 7


def test_a_flood_of_connections_leaves_the_service_up(service: ApiService, kit: FactoryKit) -> None:
    flood = []
    for _ in range(200):
        one = socket.create_connection(("127.0.0.1", service.port))
        one.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\n")
        flood.append(one)
    with service.client(kit.tokens[Role.VIEWER]) as client:
        wait_until(lambda: client.get("session").status_code == 200)
    for one in flood:
        one.close()


async def test_only_whose_inbox_changed_is_told_however_late_the_message_was(
    service: ApiService, kit: FactoryKit
) -> None:
    contact = http.ContactContent(name="Op", user=Role.OPERATOR.value)

    def deliver() -> None:
        row = service.database.run(lambda tx: tx.notifications(kit.scope).contacts.create(contact))
        to = Addressee(row.id, "Op", ChannelKind.IN_APP, Role.OPERATOR.value, Role.OPERATOR.value)
        service.database.run(lambda tx: tx.deliveries(kit.scope).queue_test(to))
        hours_late = now_us() - 7_200_000_000
        service.database.run(lambda tx: tx.notifying.note(_due(tx, to), not_before_us=hours_late))
        service.database.run(lambda tx: tx.notifying.accept(_due(tx, to), now_us(), subject="Test", body="Test"))

    def _due(tx: Transaction, to: Addressee) -> list[Queued]:
        return tx.notifying.due(ChannelKind.IN_APP, (kit.scope.factory_id, to.id), now_us(), 10)

    async with (
        _linked(service, kit.tokens[Role.OPERATOR]) as reader,
        _linked(service, kit.tokens[Role.VIEWER]) as other,
    ):
        await _next(other, live.Beat)
        await asyncio.to_thread(deliver)
        await _next(reader, live.InboxChanged)
        for _ in range(3):
            assert not isinstance(await _next(other), live.InboxChanged)
