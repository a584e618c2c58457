"""A message about one alarm, as the dispatcher hands it to a channel."""

from __future__ import annotations

from factoryops.database.notification_rows import AlarmFacts, Queued
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import ChannelKind, Language
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.wording import word

NOON_US = 1_772_452_800_000_000
SHEET = AlarmFacts(
    "r", "Pressure high", "press-1", "Press 1", "Hall 2", "pressure", 7, "bar", 1, "Pressure is high.", "Close it.",
    NOON_US, 6.5, 5.0, cause="The valve is stuck.", consequence="The seal bursts.", time_to_respond_s=600.0,
    owner="Jana Berg",
)  # fmt: skip


def alarm_message(channel: ChannelKind, address: str, *, style: str = "", signing_key: str = "") -> Outgoing:
    one = Queued(FactoryId("f"), "d", "c", "a", 1, "raised", "x", "Jana", "", channel, SHEET, 0, "", NOON_US)
    said = word([one], Language.ENGLISH, "UTC")
    return Outgoing(
        "m1", address, Language.ENGLISH, said.subject, said.text, said.html, said.short, [one], style=style,
        signing_key=signing_key, spare=said.spare,
    )  # fmt: skip
