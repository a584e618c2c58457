"""The ISA-18.2 state follows from independent facts."""

from __future__ import annotations

import dataclasses

import pytest

from factoryops.domain.alarms import Alarm, AlarmState
from factoryops.domain.identity import AlarmId, DeviceId, FactoryId, RuleId
from factoryops.domain.rules import Priority

NORMAL = Alarm(AlarmId("a"), FactoryId("f"), RuleId("r"), DeviceId("d"), Priority.HIGH, is_active=False, annunciation=0)


def after(*happenings: str) -> AlarmState:
    alarm = NORMAL
    for one in happenings:
        match one:
            case "raise":
                alarm = dataclasses.replace(alarm, is_active=True, annunciation=alarm.annunciation + 1)
            case "clear":
                alarm = dataclasses.replace(alarm, is_active=False)
            case "acknowledge":
                alarm = dataclasses.replace(alarm, acknowledged_annunciation=alarm.annunciation)
    return alarm.state


@pytest.mark.parametrize(
    ("happenings", "state"),
    [
        ((), AlarmState.NORMAL),
        (("raise",), AlarmState.UNACKNOWLEDGED),
        (("raise", "acknowledge"), AlarmState.ACKNOWLEDGED),
        (("raise", "clear"), AlarmState.RETURNED_UNACKNOWLEDGED),
        (("raise", "acknowledge", "clear"), AlarmState.NORMAL),
        (("raise", "clear", "acknowledge"), AlarmState.NORMAL),
        (("raise", "clear", "raise"), AlarmState.UNACKNOWLEDGED),
        (("raise", "acknowledge", "clear", "raise"), AlarmState.UNACKNOWLEDGED),
    ],
)
def test_each_row_of_the_diagram_leads_where_the_standard_says(happenings: tuple[str, ...], state: AlarmState) -> None:
    assert after(*happenings) is state
