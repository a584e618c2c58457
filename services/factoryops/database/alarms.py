"""Alarms of one factory as an operator handles them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from factoryops.contracts import http


class Alarms:
    """The factory's alarms. Writes acknowledgement facts only; the condition's facts are the engine's."""

    def list_abnormal(self) -> list[http.Alarm]:
        """Every alarm that is not normal, most urgent and newest first."""
        raise NotImplementedError

    def get_many(self, alarm_ids: Sequence[str]) -> list[http.Alarm]:
        """In the order asked for; NotFoundError when any is unknown."""
        raise NotImplementedError

    def acknowledge(
        self, items: Sequence[http.AcknowledgeItem], actor: str, comment: str | None, at: datetime
    ) -> list[http.Alarm]:
        """Acknowledge all of `items` or none; answers the alarms named, as they now are.

        Answering an older annunciation than the present one is recorded and leaves the present one unacknowledged;
        repeating an acknowledgement changes nothing.

        Raises:
            NotFoundError: one of them is not an alarm of this factory.
            UnavailableError: an annunciation is not recorded yet; try again in a moment.
        """
        raise NotImplementedError

    def events(
        self, before: str | None = None, most: int = 200, start: datetime | None = None, end: datetime | None = None
    ) -> http.AlarmEventPage:
        """History, newest first, within [start, end); `before` is `next_before` of the page above."""
        raise NotImplementedError
