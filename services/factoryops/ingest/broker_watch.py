"""What a broker says of itself under `$SYS`, and what it means for our data.

Brokers other than Mosquitto may say nothing there; then nothing can be known.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Final

from factoryops.certificates.expiry import expiry_warning
from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops.ingest.broker_memory import ON_THE_WAY_US, BrokerMemory
from factoryops.ingest.config import BrokerConfig
from factoryops.journal.records import Gap

_DROPPED: Final = "$SYS/broker/publish/messages/dropped"
_HELD_MESSAGES: Final = "$SYS/broker/store/messages/count"
_HELD_BYTES: Final = "$SYS/broker/store/messages/bytes"
_MEMORY_BYTES: Final = "$SYS/broker/heap/current"
UPTIME: Final = "$SYS/broker/uptime"
_UPTIME: Final = re.compile(rb"(\d{1,10}) seconds")
_LONGEST_NUMBER: Final = 18
_REMIND_S: Final = 3_600.0
_WARN_SHARE: Final = 0.5

SYS_TOPICS: Final = (_DROPPED, _HELD_MESSAGES, _HELD_BYTES, _MEMORY_BYTES)


class BrokerWatch:
    """Counts what a broker threw away, and warns before it must.

    Attributes:
        certificate_ends_at: of the certificate it showed; None without TLS.
    """

    def __init__(self, config: BrokerConfig, memory: BrokerMemory) -> None:
        self._name = config.name
        self._memory = memory
        self._limits = {
            _HELD_MESSAGES: (config.max_queued_messages, "messages"),
            _HELD_BYTES: (config.max_queued_bytes, "bytes of messages"),
            _MEMORY_BYTES: (config.memory_limit_bytes, "bytes of memory"),
        }
        self._now: dict[str, int] = {}
        self._lost = 0
        self._lost_from_us = self._lost_until_us = 0
        self._lost_at_s = 0.0
        self._kept_since_us = 0
        self._session_gap: Gap | None = None
        self._session_at_s = 0.0
        self.certificate_ends_at: datetime | None = None

    def take(self, topic: str, payload: bytes, *, is_retained: bool = False) -> Gap | None:
        """Note a figure of the broker; answers the gap when it threw messages away or may have lost some."""
        if topic == UPTIME:
            return None if is_retained else self._note_uptime(payload)  # a retained one is old by some seconds
        if not payload.isdigit() or len(payload) > _LONGEST_NUMBER:
            return None
        self._now[topic] = int(payload)
        return self._note_dropped(int(payload)) if topic == _DROPPED else None

    def forget(self) -> None:
        """The connection is gone: what the broker holds is not known any more."""
        self._now = {}

    def _note_dropped(self, total: int) -> Gap | None:
        moment_us = now_us()
        lost, since_us = self._memory.note_dropped(total, moment_us)
        if not lost:
            return None
        if not self._is_fresh():
            self._lost, self._lost_from_us = 0, since_us
        self._lost += lost
        self._lost_until_us, self._lost_at_s = moment_us, time.monotonic()
        return Gap(since_us, moment_us, f"The broker {self._name} dropped messages because its queue was full.")

    def note_kept_session(self, since_us: int) -> None:
        """The broker still has what it kept for us since `since_us`; whether all of it, its uptime will say."""
        self._kept_since_us = self._kept_since_us or since_us

    def _note_uptime(self, payload: bytes) -> Gap | None:
        """The gap of a broker that was started meanwhile: what it had not saved is lost where it was killed."""
        uptime = _UPTIME.fullmatch(payload)
        since_us = self._kept_since_us
        if uptime is None or not since_us:
            return None
        self._kept_since_us = 0
        started_us = now_us() - int(uptime[1]) * US_PER_S
        if started_us <= since_us:
            return None
        reason = f"The broker {self._name} was restarted: where it was killed, its newest messages may be missing."
        return Gap(since_us - ON_THE_WAY_US, started_us, reason)

    def note_lost_session(self, gap: Gap) -> None:
        """The broker no longer had what it kept for us; `gap` is the span of which messages may be missing."""
        self._session_gap, self._session_at_s = gap, time.monotonic()

    def _is_fresh(self) -> bool:
        return self._lost > 0 and time.monotonic() - self._lost_at_s < _REMIND_S

    def problems(self) -> dict[str, str]:
        """What is wrong, by code; what was lost is told for an hour."""
        found: dict[str, str] = {}
        gap = self._session_gap
        if gap is not None and time.monotonic() - self._session_at_s < _REMIND_S:
            found["broker_session_lost"] = (
                f"The broker {self._name} has lost what it kept for us: messages published between "
                f"{_clock(gap.start_us)} and {_clock(gap.end_us)} may be missing. It was killed, or its persistence is "
                "off; `broker check` names what is wrong with its configuration."
            )
        if self._is_fresh():
            found["broker_dropped"] = (
                f"The broker {self._name} has thrown away {self._lost} messages between {_clock(self._lost_from_us)} "
                f"and {_clock(self._lost_until_us)} because its queue was full; data is missing. Raise "
                "max_queued_messages and max_queued_bytes in its configuration; `broker check` names what is wrong."
            )
        full = self._fullest()
        if full:
            found["broker_filling"] = full
        if self.certificate_ends_at is not None:
            what = f"The certificate of the broker {self._name}"
            warning = expiry_warning(what, self.certificate_ends_at, from_us(now_us()))
            if warning:
                found["certificate_ends"] = warning
        return found

    def _fullest(self) -> str:
        for topic, (limit, unit) in self._limits.items():
            held = self._now.get(topic, 0)
            if limit and held >= limit * _WARN_SHARE:
                return (
                    f"The broker {self._name} holds {held:,} of the {limit:,} {unit} it may: beyond that it throws "
                    "away what it has acknowledged. Somebody reads too slowly; look at this service's own load first."
                )
        return ""

    def figures(self) -> dict[str, int]:
        """What it holds, for the health page."""
        names = {_DROPPED: "dropped", _HELD_MESSAGES: "held_messages", _HELD_BYTES: "held_bytes"}
        now = self._now  # the client's thread may replace it meanwhile
        return {name: now[topic] for topic, name in names.items() if topic in now}


def _clock(time_us: int) -> str:
    return f"{from_us(time_us):%Y-%m-%d %H:%M:%S} UTC"
