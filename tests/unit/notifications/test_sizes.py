"""However many alarms a message is about, its receiver takes it, and what has no room is said."""

from __future__ import annotations

import json

import msgspec
import pytest

from factoryops.database.notification_rows import Queued
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import ChannelKind, Language
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.hook_bodies import body_of, fits, fitted
from factoryops.notifications.wording import word
from tests.support.messages import NOON_US, SHEET

LONG = "Schließen Sie das Ventil, dann rufen Sie die Schichtleitung an. " * 60


def flood(count: int, announced: int = 1) -> list[Queued]:
    return [
        Queued(
            FactoryId("f"), f"d{number}-{again}", "c", f"a{number}", again + 1, "raised", "x", "Hook", "",
            ChannelKind.CHAT,
            msgspec.structs.replace(
                SHEET, rule_name=f"Rule {number}", device_name=f"Device {number}", priority=1 + 3 * (number > 0),
                message=LONG[:200], response=LONG, cause=LONG, consequence=LONG,
            ),
            0, "", NOON_US,
        )
        for number in range(count)
        for again in range(announced)
    ]  # fmt: skip


def made(lines: list[Queued], style: str) -> Outgoing:
    def about(most: int | None) -> Outgoing:
        said = word(lines, Language.ENGLISH, "UTC", most)
        return Outgoing(
            "m", "", Language.ENGLISH, said.subject, said.text, said.html, said.short,
            lines if most is None else said.told, style=style, spare=said.spare, left_out=said.left_out,
        )  # fmt: skip

    return fitted(about)


@pytest.mark.parametrize(("style", "most"), [("teams", 14_000), ("slack", 40_000), ("webhook", 256_000)])
@pytest.mark.parametrize(("count", "announced"), [(500, 1), (2_000, 1), (3, 600), (1, 1)])
def test_a_flood_has_room(style: str, most: int, count: int, announced: int) -> None:
    message = made(flood(count, announced), style)
    body = body_of(message)
    assert fits(message)
    assert len(body.decode()) <= most
    assert "Rule 0" in message.subject
    assert json.loads(body)


@pytest.mark.parametrize("style", ["teams", "slack", "webhook"])
def test_the_least_urgent_are_left_out_and_counted(style: str) -> None:
    message = made(flood(500), style)
    told = {one.alarm_id for one in message.deliveries}
    assert "a0" in told
    assert message.left_out == 500 - len(told) > 0
    assert message.subject.startswith("500 alarms, most urgent: [Critical] Rule 0")
    assert f"want of room: {message.left_out};" in message.text
    if style == "webhook":
        body = json.loads(body_of(message))
        assert (body["left_out"], len(body["alarms"])) == (message.left_out, len(told))


def test_an_alarm_that_came_often_stands_for_itself_where_room_is_short() -> None:
    message = made(flood(3, 600), "webhook")
    assert [one.annunciation for one in message.deliveries] == [600, 600, 600]
    assert (message.left_out, message.text.count("(600 times)")) == (0, 3)


def test_what_has_room_is_told_whole() -> None:
    message = made(flood(3), "webhook")
    assert (message.left_out, len(message.deliveries)) == (0, 3)
    assert LONG.strip() in message.text


def test_one_alarm_with_a_very_long_sheet_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.notifications.test_sizes.LONG", LONG * 20)
    message = made(flood(1), "teams")
    assert fits(message)
    assert message.text.endswith("…")
