"""What a webhook and the chats are sent: the shape each expects, with the whole response sheet, signed where asked."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from factoryops.certificates.authority import Authority, create_authority
from factoryops.certificates.ledger import Purpose
from factoryops.domain.notifying import ChannelKind, HookKind, TargetKind
from factoryops.notifications.hook_secrets import HookRules
from factoryops.notifications.hooks import HookChannel, HookPoster, signature
from factoryops.notifications.tls import Trust
from tests.support.http_stub import HttpStub, http_stub
from tests.support.messages import alarm_message
from tests.support.notified_site import NotifiedSite
from tests.support.waiting import until

WEBHOOK, CHAT = ChannelKind.WEBHOOK, ChannelKind.CHAT
RULES = HookRules(allowed_networks=(ipaddress.ip_network("127.0.0.0/8"),), allow_http=True)
SHEET = [
    "What to do: Close it.",
    "Time to respond: 10 min",
    "Possible cause: The valve is stuck.",
    "If nobody acts: The seal bursts.",
    "Owner: Jana Berg",
]


async def test_a_webhook_gets_the_alarm_as_data_and_its_whole_sheet_signed() -> None:
    async with http_stub(204) as stub:
        message = alarm_message(WEBHOOK, f"http://127.0.0.1:{stub.port}/erp", signing_key="sesame")
        channel = HookChannel(WEBHOOK, HookPoster(RULES), clock=lambda: 1_772_452_800.9)
        assert (await channel.send(message)).is_accepted
    (asked,) = stub.asked
    assert asked.headers["x-factoryops-message"] == "m1"
    assert asked.headers["x-factoryops-timestamp"] == "1772452800"
    assert asked.headers["x-factoryops-signature"] == signature("sesame", "1772452800", asked.body)
    body = json.loads(asked.body)
    assert set(body) == {"id", "subject", "text", "alarms", "left_out", "pictures"}
    assert body["text"].splitlines()[-5:] == SHEET
    (alarm,) = body["alarms"]
    told = {name: alarm[name] for name in ("response", "cause", "consequence", "time_to_respond_s", "owner", "event")}
    assert told == {
        "response": "Close it.", "cause": "The valve is stuck.", "consequence": "The seal bursts.",
        "time_to_respond_s": 600.0, "owner": "Jana Berg", "event": "raised",
    }  # fmt: skip


async def test_without_a_key_a_message_is_not_signed() -> None:
    async with http_stub(200) as stub:
        await HookChannel(WEBHOOK, HookPoster(RULES)).send(alarm_message(WEBHOOK, f"http://127.0.0.1:{stub.port}/"))
    assert "x-factoryops-signature" not in stub.asked[0].headers


async def test_slack_gets_a_text() -> None:
    async with http_stub(200) as stub:
        message = alarm_message(CHAT, f"http://127.0.0.1:{stub.port}/", style="slack")
        assert (await HookChannel(CHAT, HookPoster(RULES)).send(message)).is_accepted
    body = json.loads(stub.asked[0].body)
    assert set(body) == {"text"}
    assert body["text"].splitlines()[0] == "[Critical] Pressure high, Press 1"
    assert body["text"].splitlines()[-5:] == SHEET


async def test_teams_gets_an_adaptive_card() -> None:
    async with http_stub(202) as stub:
        message = alarm_message(CHAT, f"http://127.0.0.1:{stub.port}/", style="teams")
        assert (await HookChannel(CHAT, HookPoster(RULES)).send(message)).is_accepted
    body = json.loads(stub.asked[0].body)
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"], card["$schema"]) == (
        "AdaptiveCard", "1.4", "http://adaptivecards.io/schemas/adaptive-card.json",
    )  # fmt: skip
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    title, *lines = (run for block in card["body"] for run in block["inlines"])
    assert title == {"type": "TextRun", "text": "[Critical] Pressure high, Press 1", "weight": "Bolder"}
    assert [line["text"] for line in lines][-5:] == SHEET


async def test_a_device_s_name_calls_nobody_in_a_chat() -> None:
    message = alarm_message(CHAT, "", style="slack")
    async with http_stub(200) as stub:
        hostile = dataclasses.replace(
            message, address=f"http://127.0.0.1:{stub.port}/", subject="<!channel> & <http://evil.example|Press>"
        )
        await HookChannel(CHAT, HookPoster(RULES)).send(hostile)
    first = json.loads(stub.asked[0].body)["text"].splitlines()[0]
    assert first == "&lt;!channel&gt; &amp; &lt;http://evil.example|Press&gt;"


@pytest.mark.parametrize(("channel", "style"), [(CHAT, "slack"), (CHAT, "teams"), (WEBHOOK, "webhook")])
async def test_whoever_finds_a_message_too_long_gets_it_once_more_in_a_few_words(
    channel: ChannelKind, style: str
) -> None:
    async with http_stub(413, 200) as stub:
        message = alarm_message(channel, f"http://127.0.0.1:{stub.port}/", style=style, signing_key="sesame")
        assert (await HookChannel(channel, HookPoster(RULES)).send(message)).is_accepted
    long, short = stub.asked
    assert b"The valve is stuck." in long.body
    assert b"The valve is stuck." not in short.body
    assert b"What to do: Close it." in short.body
    assert b"all of it is in the list of alarms in FactoryOps" in short.body
    assert long.headers["x-factoryops-message"] == short.headers["x-factoryops-message"]
    stamp = short.headers["x-factoryops-timestamp"]
    assert short.headers["x-factoryops-signature"] == signature("sesame", stamp, short.body)


async def test_what_is_too_long_even_in_a_few_words_has_failed() -> None:
    async with http_stub(413, 413, 200) as stub:
        message = alarm_message(WEBHOOK, f"http://127.0.0.1:{stub.port}/")
        outcome = await HookChannel(WEBHOOK, HookPoster(RULES)).send(message)
    assert (outcome.reason, outcome.is_permanent, len(stub.asked)) == ("The hook answered 413.", True, 2)


@pytest.mark.parametrize("kind", [HookKind.TEAMS, HookKind.SLACK, HookKind.WEBHOOK])
async def test_a_hook_that_is_busy_gets_the_same_message_again(told: NotifiedSite, kind: HookKind) -> None:
    async with http_stub(429, 500, 200) as stub:
        hook = told.hook(f"http://127.0.0.1:{stub.port}/", kind)
        told.policy((0, [(TargetKind.HOOK, hook, kind.channel)]))
        async with told.dispatching([HookChannel(kind.channel, HookPoster(RULES))]):
            await asyncio.to_thread(told.site.apply, told.site.transition(told.site.add_rule(), "raised", 1))
            await until(lambda: told.states() == [("accepted", "")], timeout_s=20, what="the third attempt")
    assert len({(one.body, one.headers["x-factoryops-message"]) for one in stub.asked}) == 1
    assert len(stub.asked) == 3


@asynccontextmanager
async def tls_hook(authority: Authority, name: str) -> AsyncIterator[HttpStub]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate_file(name), authority.key_file(name))
    stub = HttpStub()
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(("name", "is_taken"), [("hooks", True), ("elsewhere", False)])
async def test_over_tls_the_certificate_has_to_be_of_the_host_that_was_named(
    tmp_path: Path, name: str, is_taken: bool
) -> None:
    authority = create_authority(tmp_path / "authority")
    authority.issue("hooks", Purpose.SERVER, ["hooks.example.com"])
    authority.issue("elsewhere", Purpose.SERVER, ["127.0.0.1", "elsewhere.example.com"])

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    trust = Trust(lambda: ssl.create_default_context(cafile=authority.ca_file))
    async with tls_hook(authority, name) as stub:
        poster = HookPoster(RULES, resolver=resolver, trust=trust)
        outcome = await poster.post(f"https://hooks.example.com:{stub.port}/", b"{}", {})
    assert (outcome.is_accepted, len(stub.asked)) == (is_taken, int(is_taken))


async def test_an_authority_that_is_not_known_is_refused(tmp_path: Path) -> None:
    authority = create_authority(tmp_path / "authority")
    authority.issue("hooks", Purpose.SERVER, ["127.0.0.1"])
    async with tls_hook(authority, "hooks") as stub:
        outcome = await HookPoster(RULES).post(f"https://127.0.0.1:{stub.port}/", b"{}", {})
    assert (outcome.is_accepted, outcome.is_permanent, stub.asked) == (False, False, [])
