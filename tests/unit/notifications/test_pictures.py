"""Which messages carry pictures, and of which alarms."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from factoryops.database.notification_rows import Queued
from factoryops.domain.bins import bin_samples
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import ChannelKind, Language
from factoryops.identity.vault import Vault
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.composing import MessageComposer
from factoryops.notifications.hook_bodies import MOST_WEBHOOK_BYTES, body_of, in_few_words
from factoryops.notifications.mail import email_of
from factoryops.notifications.wording import word
from tests.support.messages import NOON_US, SHEET

PNG = b"\x89PNG"


class Reader:
    """A history that goes away after so many questions."""

    def __init__(self, answers: int = 100) -> None:
        self.answers = answers

    def binned(self, series: list[int], start_us: int, end_us: int, width_us: int) -> dict[int, object]:
        if not self.answers:
            raise UnavailableError("The history is away.")
        self.answers -= 1
        times = np.arange(start_us, end_us, width_us)
        return {series[0]: bin_samples(times, np.linspace(4, 6, len(times)), width_us)}


def lines(channel: ChannelKind, count: int, series: int = 7) -> list[Queued]:
    return [
        Queued(
            FactoryId("f"), f"d{number}", "c", f"a{number}", 1, "raised", "x", "Jana", "", channel,
            msgspec.structs.replace(SHEET, priority=4 - number % 4, device_name=f"<{number}>", series_id=series),
            0, "", NOON_US,
        )
        for number in range(count)
    ]  # fmt: skip


def illustrated(told: Sequence[Queued], reader: Reader) -> Outgoing:
    said = word(told, Language.ENGLISH, "UTC")
    message = Outgoing(
        "m", "j@example.com", Language.ENGLISH, said.subject, said.text, said.html, said.short, told, style="webhook",
        spare=said.spare,
    )  # fmt: skip
    return MessageComposer(Vault(bytes(32)), reader).illustrate(message)  # type: ignore[arg-type]  # one query


@pytest.mark.parametrize(("count", "pictures"), [(1, 1), (3, 3), (5, 5), (40, 5)])
def test_an_e_mail_carries_a_picture_of_each_of_the_most_urgent_alarms(count: int, pictures: int) -> None:
    message = illustrated(lines(ChannelKind.EMAIL, count), Reader())
    assert len(message.pictures) == pictures
    urgent = sorted(message.deliveries, key=lambda one: (one.facts.priority, one.id))
    assert message.pictures[0].alarm_id == urgent[0].alarm_id
    mail = email_of(message, "factoryops@example.com")
    parts = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert len(parts) == pictures
    html = next(part for part in mail.walk() if part.get_content_type() == "text/html").get_content()
    for part in parts:
        assert part.get_content().startswith(PNG)
        assert f'<img src="cid:{part["Content-ID"][1:-1]}" alt="&lt;' in html


def test_an_alarm_without_a_parameter_has_none() -> None:
    message = illustrated(lines(ChannelKind.EMAIL, 1, series=0), Reader())
    assert not message.pictures
    assert "<img" not in email_of(message, "factoryops@example.com").as_string()


def test_a_history_that_goes_away_costs_pictures_and_no_message() -> None:
    assert len(illustrated(lines(ChannelKind.EMAIL, 4), Reader(answers=2)).pictures) == 2


def test_a_webhook_gets_them_as_data_while_there_is_room() -> None:
    message = illustrated(lines(ChannelKind.WEBHOOK, 2), Reader())
    told = json.loads(body_of(message))["pictures"]
    assert [one["alarm_id"] for one in told] == [one.alarm_id for one in message.pictures]
    assert base64.b64decode(told[0]["data"]).startswith(PNG)
    full = dataclasses.replace(message, text="x" * (MOST_WEBHOOK_BYTES - 12_000))
    assert len(json.loads(body_of(full))["pictures"]) < 2
    assert json.loads(body_of(in_few_words(message)))["pictures"] == []


@pytest.mark.parametrize("channel", [ChannelKind.CHAT, ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.IN_APP])
def test_other_channels_carry_none(channel: ChannelKind) -> None:
    assert not illustrated(lines(channel, 1), Reader()).pictures
