"""Alarms and what operators do with them, over HTTP: the part of `HttpPlant` that implements `AlarmsClient`."""

from __future__ import annotations

from datetime import datetime

from factoryops.client.http_sources import Asks
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind


class HttpAlarms:
    """Alarms, their handling and their classes."""

    async def alarms(self: Asks) -> list[http.Alarm]:
        """Every alarm that is not normal, those that are put aside too."""
        return (await self._ask("GET", "alarms", http.AlarmList)).alarms

    async def alarm_list(self: Asks, tab: http.AlarmTab | None = None) -> http.AlarmList:
        """One list of alarms, or all of them, with the counts of all lists."""
        return await self._ask("GET", "alarms", http.AlarmList, query={"tab": tab and tab.value})

    async def alarm_places(self: Asks) -> list[http.AlarmPlace]:
        """Where the alarms are, rolled up along the plant."""
        return (await self._ask("GET", "alarms/places", http.AlarmPlaces)).places

    async def acknowledge(self: Asks, request: http.AcknowledgeRequest) -> list[http.Alarm]:
        """Acknowledge; answers the alarms as they now are."""
        return (await self._ask("POST", "alarms/acknowledgements", http.AlarmList, body=request)).alarms

    async def reset_alarms(self: Asks, request: http.ResetRequest) -> list[http.Alarm]:
        """Reset latches."""
        return (await self._ask("POST", "alarms/resets", http.AlarmList, body=request)).alarms

    async def shelve(self: Asks, request: http.ShelveRequest) -> list[http.Alarm]:
        """Put alarms aside; the request's id goes with it, so that it may be repeated."""
        body = request.model_dump(mode="json")
        return (await self._ask("POST", "alarms/shelvings", http.AlarmList, body=body)).alarms

    async def unshelve(self: Asks, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Take up again what was shelved."""
        return (await self._ask("POST", "alarms/unshelvings", http.AlarmList, body=request)).alarms

    async def prepare_alarms(self: Asks, rule_id: str, device_ids: list[str]) -> list[http.Alarm]:
        """A rule's alarms on devices, never raised ones too."""
        body = http.QuietAlarmsRequest(device_ids=device_ids)
        return (await self._ask("POST", f"rules/{rule_id}/alarms", http.AlarmList, body=body)).alarms

    async def take_out_of_service(self: Asks, request: http.TakeOutRequest) -> list[http.Alarm]:
        """Take alarms out of service; the request's id goes with it, so that it may be repeated."""
        body = request.model_dump(mode="json")
        return (await self._ask("POST", "alarms/out-of-service", http.AlarmList, body=body)).alarms

    async def return_to_service(self: Asks, request: http.TakeUpRequest) -> list[http.Alarm]:
        """Return alarms to service."""
        return (await self._ask("POST", "alarms/in-service", http.AlarmList, body=request)).alarms

    async def alarm_events(
        self: Asks, *, before: str | None = None, most: int = 200, start: datetime | None = None,
        end: datetime | None = None, alarm_id: str | None = None, shadow_of: str | None = None,
    ) -> http.AlarmEventPage:  # fmt: skip
        """Alarm history, newest first; of one alarm or of all."""
        query = {
            "before": before, "most": most, "start": start and start.isoformat(), "end": end and end.isoformat(),
            "alarm_id": alarm_id,
            "shadow_of": shadow_of,
        }  # fmt: skip
        return await self._ask("GET", "alarms/events", http.AlarmEventPage, query=query)

    async def alarm_why(
        self: Asks, alarm_id: str, annunciation: int, kind: AlarmEventKind = AlarmEventKind.RAISED,
        at: datetime | None = None,
    ) -> http.AlarmWhy:  # fmt: skip
        """Why an annunciation began or ended."""
        query = {"annunciation": annunciation, "kind": kind.value, "at": at and at.isoformat()}
        return await self._ask("GET", f"alarms/{alarm_id}/why", http.AlarmWhy, query=query)

    async def response_sheet(self: Asks, alarm_id: str) -> http.ResponseSheet:
        """What is to be known and done about an alarm."""
        return await self._ask("GET", f"alarms/{alarm_id}/sheet", http.ResponseSheet)

    async def philosophy(self: Asks) -> http.Philosophy:
        """The factory's classes and matrix."""
        return await self._ask("GET", "alarm-philosophy", http.Philosophy)

    async def change_philosophy(self: Asks, change: http.PhilosophyChange) -> http.Philosophy:
        """Put all of it anew."""
        return await self._ask("PUT", "alarm-philosophy", http.Philosophy, body=change)

    async def proposed_priority(self: Asks, severity: str, time_to_respond_s: float) -> http.ProposedPriority:
        """The priority that the matrix gives a severity and a time to respond."""
        query = {"severity": severity, "time_to_respond_s": time_to_respond_s}
        return await self._ask("GET", "alarm-philosophy/priority", http.ProposedPriority, query=query)
