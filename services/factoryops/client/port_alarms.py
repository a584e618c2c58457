"""Alarms and what operators do with them. Part of `factoryops.client.port.PlantClient`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind


class AlarmHandlingClient(Protocol):
    """What operators do; each answers the alarms named, as they now are. All of a request is done, or none."""

    async def acknowledge(self, request: http.AcknowledgeRequest) -> list[http.Alarm]:
        """Acknowledge; repeating it changes nothing more. Raises UnavailableError while it is not recorded yet."""
        ...

    async def reset_alarms(self, request: http.ResetRequest) -> list[http.Alarm]:
        """Reset latches; raises ConflictError while a condition holds or nobody has acknowledged."""
        ...

    async def shelve(self, request: http.ShelveRequest) -> list[http.Alarm]:
        """Put alarms aside; raises InvalidInputError where their class does not permit it, or not for so long."""
        ...

    async def unshelve(self, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Take up again what was shelved; what is not shelved stays as it is."""
        ...

    async def prepare_alarms(self, rule_id: str, device_ids: list[str]) -> list[http.Alarm]:
        """A rule's alarms on devices, never raised ones too, so that they can be put aside beforehand.

        Raises ConflictError when the rule is not live, InvalidInputError when it is not evaluated on a device.
        """
        ...

    async def take_out_of_service(self, request: http.TakeOutRequest) -> list[http.Alarm]:
        """Take alarms out of service."""
        ...

    async def return_to_service(self, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Return alarms to service; what is in service stays as it is."""
        ...


class PhilosophyClient(Protocol):
    """Classes of alarms and how priorities are found."""

    async def philosophy(self) -> http.Philosophy:
        """The factory's classes and matrix."""
        ...

    async def change_philosophy(self, change: http.PhilosophyChange) -> http.Philosophy:
        """Put all of it anew; raises ConflictError when somebody else was faster, or rules name a class it lacks."""
        ...

    async def proposed_priority(self, severity: str, time_to_respond_s: float) -> http.ProposedPriority:
        """The priority that the matrix gives a severity and a time to respond."""
        ...


class AlarmsClient(AlarmHandlingClient, PhilosophyClient, Protocol):
    """What a client can ask about alarms."""

    async def alarms(self) -> list[http.Alarm]:
        """Every alarm that is not normal, those that are put aside too."""
        ...

    async def alarm_list(self, tab: http.AlarmTab | None = None) -> http.AlarmList:
        """One list of alarms, or all of them, with the counts of all lists."""
        ...

    async def alarm_places(self) -> list[http.AlarmPlace]:
        """Where the alarms are that are not put aside, rolled up along the plant."""
        ...

    async def alarm_events(
        self, *, before: str | None = None, most: int = 200, start: datetime | None = None,
        end: datetime | None = None, alarm_id: str | None = None, shadow_of: str | None = None,
    ) -> http.AlarmEventPage:  # fmt: skip
        """Alarm history, newest first; of one alarm or of all, or what a rule found that is only being tried."""
        ...

    async def alarm_why(
        self, alarm_id: str, annunciation: int, kind: AlarmEventKind = AlarmEventKind.RAISED,
        at: datetime | None = None,
    ) -> http.AlarmWhy:  # fmt: skip
        """Why an annunciation began or ended, or of suppressions the one `at` that moment, else the newest.

        Raises:
            NotFoundError: that is not recorded.
        """
        ...

    async def response_sheet(self, alarm_id: str) -> http.ResponseSheet:
        """What is to be known and done about an alarm."""
        ...
