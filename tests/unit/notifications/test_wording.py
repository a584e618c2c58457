"""What a message says: plain words in the reader's language, and nothing a device's name can break out of."""

from __future__ import annotations

import io
import math

import msgspec
import numpy as np
import pytest
from PIL import Image

from factoryops.database.notification_rows import AlarmFacts, Queued
from factoryops.domain.bins import bin_samples
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId
from factoryops.domain.notifying import ChannelKind, Language, mask
from factoryops.notifications.channel import Outgoing
from factoryops.notifications.mail import email_of
from factoryops.notifications.trend import trend
from factoryops.notifications.wording import word

NOON_US = 1_772_452_800_000_000
FACTS = AlarmFacts(
    "r", "Pressure high", "press-1", "Press 1", "Hall 2", "pressure", 7, "bar", 1, "Pressure is high.", "Close it.",
    NOON_US, 6.5, 5.0,
)  # fmt: skip


def queued(facts: AlarmFacts = FACTS, event: str = "raised", alarm: str = "a", annunciation: int = 1) -> Queued:
    return Queued(
        FactoryId("f"), "d", "c", alarm, annunciation, event, "x", "Jana", "", ChannelKind.EMAIL, facts, 0, "", NOON_US
    )


def test_what_where_since_when_value_limit_and_what_to_do() -> None:
    said = word([queued()], Language.ENGLISH, "Europe/Berlin")
    assert said.subject == "[Critical] Pressure high, Press 1"
    assert said.text.splitlines() == [
        "What: Pressure is high.",
        "Where: Press 1 (Hall 2)",
        "Since: 2026-03-02 13:00:00 CET",
        "Value: 6.5 bar (limit 5)",
        "What to do: Close it.",
    ]
    german = word([queued()], Language.GERMAN, "Europe/Berlin")
    assert "Wert: 6,5 bar (Grenze 5)" in german.text
    assert "Seit: 02.03.2026 13:00:00 CET" in german.text


SHEET = msgspec.structs.replace(
    FACTS, cause="The valve is stuck.", consequence="The seal bursts.", time_to_respond_s=600.0, owner="Jana Berg"
)


def test_the_whole_response_sheet_is_in_a_mail() -> None:
    said = word([queued(SHEET)], Language.ENGLISH, "UTC")
    assert said.text.splitlines()[-5:] == [
        "What to do: Close it.",
        "Time to respond: 10 min",
        "Possible cause: The valve is stuck.",
        "If nobody acts: The seal bursts.",
        "Owner: Jana Berg",
    ]
    assert all(f"<p>{line}</p>" in said.html for line in said.text.splitlines())
    german = word([queued(SHEET)], Language.GERMAN, "UTC").text
    assert [line.partition(":")[0] for line in german.splitlines()[-5:]] == [
        "Was zu tun ist", "Zeit zum Handeln", "Mögliche Ursache", "Wenn niemand handelt", "Verantwortlich",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(45.0, "45 s"), (90.0, "90 s"), (179.0, "2 min"), (600.0, "10 min"), (7_200.0, "2 h"), (9_000.0, "2 h 30 min")],
)
def test_the_time_to_respond_is_said_in_words(seconds: float, said: str) -> None:
    facts = msgspec.structs.replace(FACTS, time_to_respond_s=seconds)
    assert f"Time to respond: {said}" in word([queued(facts)], Language.ENGLISH, "UTC").text.splitlines()


def test_many_alarms_in_one_mail_bring_the_sheet_of_each_rule_once() -> None:
    other = msgspec.structs.replace(FACTS, rule_name="Too hot", response="Cool it.", priority=2)
    said = word(
        [queued(SHEET), queued(other, alarm="b"), queued(SHEET, alarm="c")], Language.ENGLISH, "UTC"
    ).text.splitlines()  # fmt: skip
    assert said[said.index("Pressure high:") :][:2] == ["Pressure high:", "What to do: Close it."]
    assert said.count("What to do: Close it.") == 1
    assert said[-2:] == ["Too hot:", "What to do: Cool it."]


def test_an_alarm_that_came_again_and_again_is_told_once_with_how_often() -> None:
    later = [msgspec.structs.replace(FACTS, raised_us=NOON_US + minute * 60_000_000) for minute in range(4)]
    lines = [queued(facts, annunciation=count) for count, facts in enumerate(later, 1)]
    said = word([lines[1], lines[3], lines[0], lines[2]], Language.ENGLISH, "Europe/Berlin")
    assert said.subject == "[Critical] Pressure high, Press 1 (4 times)"
    assert "Since: 2026-03-02 13:03:00 CET" in said.text
    assert "Announced 4 times since 2026-03-02 13:00:00 CET" in said.text
    assert "(4 times)" in said.short
    german = word(lines, Language.GERMAN, "Europe/Berlin")
    assert german.subject == "[Kritisch] Pressure high, Press 1 (4-mal)"
    assert "Gemeldet 4-mal seit 02.03.2026 13:00:00 CET" in german.text
    many = word([*lines, queued(FACTS, alarm="b")], Language.ENGLISH, "UTC")
    assert many.subject == "2 alarms, most urgent: [Critical] Pressure high, Press 1"
    assert many.text.count("(4 times)") == 1


def test_a_return_that_was_gathered_with_its_raise_says_that_it_returned() -> None:
    gone = msgspec.structs.replace(FACTS, cleared_us=NOON_US + 1_000_000)
    said = word([queued(gone, "cleared"), queued()], Language.ENGLISH, "UTC")
    assert said.subject == "Returned: [Critical] Pressure high, Press 1"
    assert "Returned at: 2026-03-02 12:00:01 UTC" in said.text


def test_an_sms_says_what_to_do_however_long_the_rest_is() -> None:
    facts = msgspec.structs.replace(SHEET, message="long " * 200, rule_name="Very " * 60, response="Close it. " * 50)
    said = word([queued(facts)], Language.ENGLISH, "UTC").short
    assert "What to do: Close it." in said
    assert "Value: 6.5 bar (limit 5)" in said
    assert len(said) <= 300
    assert "The seal bursts" not in word([queued(SHEET)], Language.ENGLISH, "UTC").short


def test_a_name_cannot_break_out_of_headers_or_html() -> None:
    facts = msgspec.structs.replace(FACTS, rule_name="x\r\nBcc: all@example.com", device_name="<img src=x>")
    said = word([queued(facts)], Language.ENGLISH, "UTC")
    assert "<img" not in said.html
    mail = email_of(
        Outgoing("m", "j@example.com", Language.ENGLISH, said.subject, said.text, said.html, said.short, [queued()]),
        "factoryops@example.com",
    )
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == "<m@example.com>"


def test_an_sms_is_short() -> None:
    facts = msgspec.structs.replace(FACTS, message="long " * 200)
    assert len(word([queued(facts)], Language.ENGLISH, "UTC").short) <= 300


def test_addresses_are_masked() -> None:
    assert [mask(one) for one in ("jana@example.com", "+4915112345612", "jana", "")] == [
        "j…@example.com", "+49…12", "jana", "",
    ]  # fmt: skip


class _Reader:
    def binned(self, series: list[int], start_us: int, end_us: int, width_us: int) -> dict[int, object]:
        times = np.arange(start_us, end_us, width_us)
        return {series[0]: bin_samples(times, np.linspace(4, 6, len(times)), width_us)}


def test_the_picture_shows_an_hour_with_its_limit_and_its_last_value() -> None:
    png = trend(_Reader(), FACTS, "Europe/Berlin")  # type: ignore[arg-type]  # the one query it asks
    image = Image.open(io.BytesIO(png))
    colours = {colour for _, colour in image.getcolors(1 << 16) or ()}
    assert image.size == (640, 220)
    assert {(0xC0, 0x20, 0x20), (0x1F, 0x5F, 0x9F)} <= colours


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_limit_or_a_value_that_is_no_number_is_left_out_of_the_picture(odd: float) -> None:
    facts = msgspec.structs.replace(FACTS, limit=odd, value=odd)
    assert trend(_Reader(), facts, "UTC").startswith(b"\x89PNG")  # type: ignore[arg-type]  # as above


def test_values_without_room_in_one_picture_are_refused_in_words() -> None:
    facts = msgspec.structs.replace(FACTS, limit=1e308, value=-1e308)
    with pytest.raises(InvalidInputError, match="too far apart"):
        trend(_Reader(), facts, "UTC")  # type: ignore[arg-type]  # as above
