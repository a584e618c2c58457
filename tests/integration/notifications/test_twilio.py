"""SMS and WhatsApp, as Twilio's interface describes them: the form, the login, and what each answer means."""

from __future__ import annotations

import asyncio
import base64
from urllib.parse import parse_qs

import pytest

from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops.notifications.channel import Outcome
from factoryops.notifications.twilio import TwilioAccount, TwilioChannel
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.http_stub import HttpStub, http_stub
from tests.support.messages import alarm_message
from tests.support.notified_site import NotifiedSite
from tests.support.waiting import until

SMS, WHATSAPP = ChannelKind.SMS, ChannelKind.WHATSAPP
NUMBER = "+4915112345678"
TOKEN = "the-token"


def channel(stub: HttpStub, kind: ChannelKind = SMS, sender: str = "+15005550006") -> TwilioChannel:
    return TwilioChannel(kind, TwilioAccount("AC123", TOKEN, sender, f"http://127.0.0.1:{stub.port}"))


async def sent(stub: HttpStub, kind: ChannelKind = SMS, sender: str = "+15005550006") -> Outcome:
    return await channel(stub, kind, sender).send(alarm_message(kind, NUMBER))


@pytest.mark.parametrize(
    ("kind", "sender", "numbers"),
    [
        (SMS, "+15005550006", {"To": [NUMBER], "From": ["+15005550006"]}),
        (SMS, "MG0123", {"To": [NUMBER], "MessagingServiceSid": ["MG0123"]}),
        (WHATSAPP, "+15005550006", {"To": [f"whatsapp:{NUMBER}"], "From": ["whatsapp:+15005550006"]}),
    ],
)
async def test_a_message_is_a_form_with_a_login_and_says_what_to_do(
    kind: ChannelKind, sender: str, numbers: dict[str, list[str]]
) -> None:
    async with http_stub(201) as stub:
        assert (await sent(stub, kind, sender)).is_accepted
    (asked,) = stub.asked
    assert asked.line == "POST /2010-04-01/Accounts/AC123/Messages.json HTTP/1.1"
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(f"AC123:{TOKEN}".encode()).decode()
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode(), strict_parsing=True)
    (text,) = form.pop("Body")
    assert form == numbers
    assert text.startswith("[Critical] Pressure high, Press 1. Value: 6.5 bar (limit 5) What to do: Close it.")
    assert len(text) <= 300


@pytest.mark.parametrize(
    ("status", "is_permanent", "is_login_refused"),
    [
        (400, True, False),
        (404, True, False),
        (401, False, True),
        (403, False, True),
        (429, False, False),
        (500, False, False),
        (503, False, False),
        (302, False, False),
    ],
)
async def test_what_an_answer_means(status: int, is_permanent: bool, is_login_refused: bool) -> None:
    async with http_stub(status) as stub:
        outcome = await sent(stub)
    assert (outcome.is_accepted, outcome.is_permanent) == (False, is_permanent)
    assert outcome.is_login_refused == is_login_refused
    assert str(status) in outcome.reason
    assert TOKEN not in outcome.reason
    assert len(stub.asked) == 1


async def test_nobody_at_the_other_end_is_tried_again_later() -> None:
    async with http_stub() as stub:
        pass
    outcome = await sent(stub)
    assert (outcome.is_accepted, outcome.is_permanent) == (False, False)
    assert "cannot be reached" in outcome.reason


async def test_a_message_waits_while_twilio_is_busy_or_broken_and_arrives_as_it_was(
    told: NotifiedSite, caplog: pytest.LogCaptureFixture
) -> None:
    told.policy((0, [(TargetKind.CONTACT, told.contact(phone=NUMBER), SMS)]))
    async with http_stub(429, 503, 500, 201) as stub, told.dispatching([channel(stub)]):
        await asyncio.to_thread(told.site.apply, told.site.transition(told.site.add_rule(), "raised", 1))
        await until(lambda: told.states() == [("accepted", "")], timeout_s=20, what="the fourth attempt")
    assert [one.attempts for one in told.ledger()] == [4]
    assert len({asked.body for asked in stub.asked}) == 1
    assert len(stub.asked) == 4
    assert NUMBER not in caplog.text
    assert TOKEN not in caplog.text


async def test_a_number_that_twilio_does_not_take_is_not_tried_again(told: NotifiedSite) -> None:
    told.policy((0, [(TargetKind.CONTACT, told.contact(phone=NUMBER), SMS)]))
    async with http_stub(400) as stub, told.dispatching([channel(stub)]):
        await asyncio.to_thread(told.site.apply, told.site.transition(told.site.add_rule(), "raised", 1))
        await until(lambda: told.states() == [("failed", "Twilio answered 400.")], timeout_s=20)
    assert len(stub.asked) == 1


async def test_a_token_that_twilio_refuses_is_an_alarm_of_the_service_and_the_message_waits(told: NotifiedSite) -> None:
    told.policy((0, [(TargetKind.CONTACT, told.contact(phone=NUMBER), SMS)]))
    async with http_stub(401) as stub, told.dispatching([channel(stub)]):
        await asyncio.to_thread(told.site.apply, told.site.transition(told.site.add_rule(), "raised", 1))

        def problems() -> list[str]:
            return [one.code for beat in read_heartbeats(told.folder).values() for one in beat.problems]

        await until(lambda: "channel_refused:sms" in problems(), timeout_s=20, what="the service's own alarm")
        assert told.ledger()[0].state.value in {"queued", "attempted"}
        stub.statuses = [201]
        await until(lambda: told.states() == [("accepted", "")], timeout_s=20, what="what waited")
        await until(lambda: problems() == [], timeout_s=20, what="the alarm's end")
