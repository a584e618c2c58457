"""P12: at least once and not a flood, whatever the other side does; one channel that hangs delays no other."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from factoryops.domain.notifying import ChannelKind, HookKind, TargetKind
from factoryops.domain.time import now_us
from factoryops.notifications.channel import ACCEPTED, Channel, Outcome, Outgoing, UnusableChannel
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.hook_secrets import HookRules
from factoryops.notifications.hooks import HookChannel, HookPoster
from factoryops.notifications.mail import MailChannel, MailServer
from factoryops.notifications.service import NotificationService
from factoryops.observability.heartbeat import Problem, read_heartbeats
from tests.support.mail_server import MailServerStub
from tests.support.notified_site import VAULT, NotifiedSite
from tests.support.waiting import until

ALARMS = 50
RECIPIENTS = 5
EMAIL = ChannelKind.EMAIL


def channel(mail: MailServerStub, **fields: object) -> MailChannel:
    values: dict[str, object] = {"timeout_s": 5.0, **fields}
    return MailChannel(
        MailServer("127.0.0.1", mail.port, "factoryops@example.com", "none", **values)  # type: ignore[arg-type]  # by name
    )


def raise_alarms(told: NotifiedSite, count: int) -> None:
    site = told.site
    for number in range(count):
        rule = site.add_rule(name=f"Alarm {number:03}")
        site.apply(site.transition(rule, "raised", 1, message=f"Message {number:03}."))


def everybody(told: NotifiedSite, count: int = RECIPIENTS) -> list[tuple[TargetKind, str, ChannelKind]]:
    contacts = [told.contact(f"Person {n}", email=f"p{n}@example.com", most_per_hour=0) for n in range(count)]
    return [(TargetKind.CONTACT, one, EMAIL) for one in contacts]


@pytest.mark.parametrize("behaviour", ["well", "4xx first", "dropped after accepting", "refused connection first"])
async def test_each_alarm_arrives_once_whatever_the_mail_server_does(
    told: NotifiedSite, mail: MailServerStub, behaviour: str
) -> None:
    seen: Counter[str] = Counter()

    def answer(identity: str) -> str:
        seen[identity] += 1
        if seen[identity] > 1 or behaviour in {"well", "refused connection first"}:
            return "250 OK"
        return "451 later" if behaviour == "4xx first" else "drop"

    mail.answer = answer
    port = mail.port
    if behaviour == "refused connection first":
        mail.port = 1
    told.policy((0, everybody(told)))
    sender = channel(mail)
    async with told.dispatching([sender]):
        await asyncio.to_thread(raise_alarms, told, ALARMS)
        if behaviour == "refused connection first":
            await until(lambda: any(state == "queued" and reason for state, reason in told.states()), timeout_s=20)
            sender._server = MailServer("127.0.0.1", port, "factoryops@example.com", "none", timeout_s=5.0)
        await until(lambda: told.states() == [("accepted", "")] * ALARMS * RECIPIENTS, timeout_s=40)
    most = 2 if behaviour == "dropped after accepting" else 1
    assert max(mail.ids().values()) <= most
    first_copies = {str(one["Message-ID"]): one for one in mail.kept}.values()
    told_of = Counter(
        (str(one["To"]), number)
        for one in first_copies
        for number in range(ALARMS)
        if any(f"Message {number:03}." in str(part.get_payload()) for part in one.walk())
    )
    listed = sum(told_of.values())
    assert set(told_of.values()) == {1}
    assert listed == ALARMS * RECIPIENTS or any("more" in str(one) for one in first_copies)


async def test_a_refused_recipient_is_not_tried_again(told: NotifiedSite, mail: MailServerStub) -> None:
    mail.refusal = "550 no such user"
    told.policy((0, everybody(told, 1)))
    async with told.dispatching([channel(mail)]):
        await asyncio.to_thread(raise_alarms, told, 1)
        await until(lambda: told.states() == [("failed", "The mail server answered 550.")])
    assert [one.attempts for one in told.ledger()] == [1]


async def test_a_refused_login_is_an_alarm_of_the_service_and_the_message_waits(
    told: NotifiedSite, mail: MailServerStub
) -> None:
    told.policy((0, everybody(told, 1)))
    refused = channel(mail, username="factoryops", password="wrong-password")
    async with told.dispatching([refused]):
        await asyncio.to_thread(raise_alarms, told, 1)

        def problems() -> list[str]:
            beats = read_heartbeats(told.folder)
            return [one.code for beat in beats.values() for one in beat.problems]

        await until(lambda: "channel_refused:email" in problems(), what="the service's own alarm")
        assert all("wrong-password" not in reason for _, reason in told.states())
        assert told.ledger()[0].state.value in {"queued", "attempted"}


class _Poisoned:
    """A channel that one message brings down."""

    kind = EMAIL

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: Outgoing) -> Outcome:
        if "Message 000" in message.text:
            raise ValueError("nobody thought of this")
        self.sent.append(message.id)
        return ACCEPTED


async def test_a_message_that_brings_the_code_down_fails_alone(
    told: NotifiedSite, caplog: pytest.LogCaptureFixture
) -> None:
    told.policy((0, everybody(told, 1)))
    poisoned = _Poisoned()
    async with told.dispatching([poisoned]):
        await asyncio.to_thread(raise_alarms, told, 1)
        await until(lambda: [state for state, _ in told.states()] == ["failed"])
        other = told.site.add_rule(name="Another")
        await asyncio.to_thread(told.site.apply, told.site.transition(other, "raised", 1, message="Another one."))
        await until(lambda: sorted(state for state, _ in told.states()) == ["accepted", "failed"])
    assert len(poisoned.sent) == 1
    assert "fault of the service" in caplog.text
    caplog.clear()


async def test_a_webhook_that_hangs_delays_no_mail(told: NotifiedSite, mail: MailServerStub) -> None:
    release = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hooks = [told.hook(f"http://127.0.0.1:{port}/{n}") for n in range(8)]
    targets = [(TargetKind.HOOK, one, ChannelKind.WEBHOOK) for one in hooks]
    told.policy((0, [*everybody(told, 2), *targets]))
    poster = HookPoster(HookRules(allowed_networks=(ipaddress.ip_network("127.0.0.0/8"),), allow_http=True))
    async with told.dispatching([channel(mail), HookChannel(ChannelKind.WEBHOOK, poster)]):
        await asyncio.to_thread(raise_alarms, told, 10)

        def mails() -> list[timedelta]:
            lines = [one for one in told.ledger() if one.channel is EMAIL]
            return [one.accepted_at - one.created_at for one in lines if one.accepted_at]

        await until(lambda: len(mails()) == 20, what="every mail")
        assert max(mails()) < timedelta(seconds=5)
        assert all(one.accepted_at is None for one in told.ledger() if one.channel is ChannelKind.WEBHOOK)
        release.set()
    server.close()
    await server.wait_closed()


async def test_a_name_server_that_hangs_delays_no_mail(
    told: NotifiedSite, mail: MailServerStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, asked = threading.Event(), Counter[str]()
    honest = socket.getaddrinfo

    def hang(host: str, *more: Any, **named: Any) -> Any:
        if not host.endswith(".example.com"):
            return honest(host, *more, **named)
        asked[host] += 1
        assert release.wait(60.0)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    kinds = (HookKind.WEBHOOK, HookKind.SLACK) * 4
    hooks = [told.hook(f"https://hook-{number}.example.com/", kind) for number, kind in enumerate(kinds)]
    told.policy((0, [*everybody(told, 2), *((TargetKind.HOOK, one, ChannelKind.WEBHOOK) for one in hooks)]))
    sender = channel(mail)
    sender._server = MailServer("localhost", mail.port, "factoryops@example.com", "none", timeout_s=5.0)
    poster = HookPoster(HookRules())
    channels: list[Channel] = [sender, *(HookChannel(one, poster) for one in (ChannelKind.WEBHOOK, ChannelKind.CHAT))]
    service = NotificationService(told.database, channels, MessageComposer(VAULT), told.folder, jitter=lambda: 0.001)
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    try:
        await until(lambda: "notifications" in read_heartbeats(told.folder), what="the dispatcher's heartbeat")
        await asyncio.to_thread(raise_alarms, told, 10)

        def mails() -> list[timedelta]:
            lines = [one for one in told.ledger() if one.channel is EMAIL]
            return [one.accepted_at - one.created_at for one in lines if one.accepted_at]

        await until(lambda: len(mails()) == 20 and len(asked) == len(hooks), timeout_s=30, what="every mail")
        assert max(mails()) < timedelta(seconds=5)
        assert set(asked.values()) == {1}
    finally:
        stop.set()
        await asyncio.wait_for(running, 20.0)
        release.set()


async def test_a_burst_becomes_one_message_grouped_by_priority_and_device(
    told: NotifiedSite, mail: MailServerStub
) -> None:
    told.policy((0, everybody(told, 1)))
    site = told.site
    rules = [site.add_rule(name=f"Trip {number:03}") for number in range(ALARMS)]
    site.apply(*(site.transition(rule, "raised", 1, message=f"Trip {n}.") for n, rule in enumerate(rules)))
    async with told.dispatching([channel(mail)]):
        await until(lambda: told.states() == [("accepted", "")] * ALARMS)
    assert len(mail.kept) == 1
    assert str(mail.kept[0]["Subject"]).startswith("50 alarms")
    assert "and 30 more" in str(mail.kept[0])


async def test_a_channel_that_is_not_set_up_says_so_in_the_ledger(told: NotifiedSite) -> None:
    told.policy((0, everybody(told, 1)))
    async with told.dispatching([UnusableChannel(EMAIL, Outcome("This channel is not set up.", is_permanent=True))]):
        await asyncio.to_thread(raise_alarms, told, 1)
        await until(lambda: [state for state, _ in told.states()] == ["failed"])
    assert "not set up" in told.ledger()[0].reason


async def test_an_alarm_nobody_was_reached_for_in_five_minutes_is_an_alarm_of_the_service_until_somebody_takes_it(
    told: NotifiedSite,
) -> None:
    told.policy((0, everybody(told, 1)))
    minutes = 0
    refused = UnusableChannel(EMAIL, Outcome("The mail server answered 550.", is_permanent=True))
    service = NotificationService(
        told.database, [refused], MessageComposer(VAULT), told.folder, clock=lambda: now_us() + minutes * 60_000_000
    )
    stop = asyncio.Event()
    running = asyncio.create_task(service.work(stop))

    def problems() -> list[Problem]:
        beats = read_heartbeats(told.folder).values()
        return [one for beat in beats for one in beat.problems if one.code == "nobody_reached"]

    rule = told.site.add_rule(name="Pressure high")
    transition = told.site.transition(rule, "raised", 1)
    await asyncio.to_thread(told.site.apply, transition)
    await until(lambda: [state for state, _ in told.states()] == ["failed"])
    assert problems() == []
    minutes = 6
    await until(problems, what="the service's own alarm")
    (problem,) = problems()
    assert problem.factory == told.scope.factory_id
    assert "Nobody was reached for the alarm Pressure high within 5 minutes" in problem.message
    await asyncio.to_thread(told.site.acknowledge, transition.alarm_id, 1)
    await until(lambda: problems() == [], what="its end")
    stop.set()
    await asyncio.wait_for(running, 20.0)


async def test_the_dispatcher_ends_when_its_process_does(told: NotifiedSite) -> None:
    service = NotificationService(told.database, [], MessageComposer(VAULT), told.folder)
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await until(lambda: "notifications" in read_heartbeats(told.folder), what="the dispatcher's heartbeat")
    stop.set()
    await asyncio.wait_for(running, 20.0)
