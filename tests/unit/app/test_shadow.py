from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops_app.models.shadow import shadow_alarms, shadow_days, shadow_sentence, with_incidents

_BEGIN = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
_KINDS = {"r": AlarmEventKind.RAISED, "c": AlarmEventKind.CLEARED, "s": AlarmEventKind.SUPPRESSED}


def _events(*told: tuple[str, int, str]) -> list[http.AlarmEvent]:
    """Kind, minute and device of each, oldest first; answered as the service does, newest first."""
    events = [
        http.AlarmEvent(
            id=f"{place:032x}", alarm_id=device.encode().hex().zfill(32), annunciation=place, kind=_KINDS[kind],
            at=_BEGIN + timedelta(minutes=minute), value=1.0, actor=None, comment=None, rule_name="Tried",
            device_name=device, priority=Priority.LOW, is_shadow=True,
        )
        for place, (kind, minute, device) in enumerate(told)
    ]  # fmt: skip
    return events[::-1]


def test_each_raise_ends_with_the_clear_of_its_own_device() -> None:
    found = shadow_alarms(_events(("r", 0, "A"), ("r", 1, "B"), ("c", 2, "A"), ("s", 3, "B"), ("c", 9, "B")))
    assert [(one.device_name, one.lasted_s) for one in found] == [("B", 480.0), ("A", 120.0)]


def test_a_clear_whose_raise_is_on_an_older_page_is_left_out() -> None:
    assert [one.device_name for one in shadow_alarms(_events(("c", 0, "A"), ("r", 1, "B")))] == ["B"]


def test_days_are_those_of_the_factory() -> None:
    found = shadow_alarms(_events(("r", 0, "A"), ("c", 1, "A"), ("r", 60, "A"), ("r", 61, "B")))
    days = shadow_days(found, ZoneInfo("Europe/Berlin"))
    assert [(one.day, one.alarms, one.devices) for one in days] == [(date(2026, 3, 2), 2, 2), (date(2026, 3, 1), 1, 1)]


def test_devices_of_one_name_are_counted_each() -> None:
    events = [one.model_copy(update={"device_name": "Pump"}) for one in _events(("r", 0, "A"), ("r", 1, "B"))]
    assert [(day.alarms, day.devices) for day in shadow_days(shadow_alarms(events), UTC)] == [(2, 2)]


def test_an_incident_concerns_the_alarm_of_its_device_and_not_one_of_the_same_name() -> None:
    events = [one.model_copy(update={"device_name": "Pump"}) for one in _events(("r", 0, "A"), ("r", 0, "B"))]
    incident = http.Incident(
        id="1" * 32,
        marked_by="supervisor",
        marked_at=_BEGIN,
        content=http.IncidentContent(start=_BEGIN, end=_BEGIN + timedelta(minutes=1), note="Seal leaked"),
    )
    concerned = events[0].alarm_id
    found = with_incidents(shadow_alarms(events), [incident], lambda _, raised: raised == concerned)
    assert {one.alarm_id: one.incident for one in found} == {concerned: "Seal leaked", events[1].alarm_id: ""}


def test_the_sentence_says_what_stands_and_what_was_short() -> None:
    found = shadow_alarms(_events(("r", 0, "A"), ("c", 0, "A"), ("r", 5, "A")))
    assert shadow_sentence(found, are_all=True) == (
        "It would have alarmed 2 times; still standing: 1; over within a minute: 1."
    )
    assert shadow_sentence(found, are_all=False).endswith("older ones can be loaded.")
    assert shadow_sentence([], are_all=True) == "It would not have alarmed yet."
