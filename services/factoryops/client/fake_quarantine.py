"""What the imagined plant could not accept: a broken message, a device nobody took up, and one with its own format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from factoryops.client import imagined
from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, NotFoundError
from factoryops.domain.identity import device_id
from factoryops.domain.naming import readable_name
from factoryops.domain.time import US_PER_S, from_us

_MINUTE_US = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class _Case:
    reason: str
    origin: str
    detail: str
    topic: str
    client: str = "gateway-1"
    device: str = ""


def _telemetry(device: str) -> str:
    return f"factories/{imagined.SLUG}/devices/{device}/telemetry"


_BROKEN = _Case(
    "invalid_json", "pump-1", "The message is not valid JSON in UTF-8.", _telemetry("pump-1"), device="pump-1"
)
_AHEAD = _Case(
    "future_time", "pump-1", "The timestamp is more than 10 minutes ahead; check the device's clock.",
    _telemetry("pump-1"), device="pump-1",
)  # fmt: skip
_UNKNOWN = _Case(
    "unknown_device", "packer-2", "The factory does not adopt devices by itself; add this one first.",
    _telemetry("packer-2"), "gateway-2", "packer-2",
)  # fmt: skip
_OWN_FORMAT = _Case(
    "invalid_topic", "+/+/state", "The topic is none that a device of this factory publishes to.",
    "hall2/press-7/state", "press-controller",
)  # fmt: skip


class FakeQuarantine:
    """Messages in memory, with the factory's setting and what was declined."""

    def __init__(self, start_us: int, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._declined: set[str] = set()
        self._kept: list[tuple[_Case, http.QuarantinedMessage]] = []
        self.adopts_automatically = False
        rows: list[tuple[_Case, int, bytes]] = [
            (_AHEAD, 60, b'{"timestamp": "2099-01-01T00:00:00Z", "metrics": {"pressure": 4.2}}'),
            (_BROKEN, 120, b'{"metrics": {"pressure": 4.'),
            (_BROKEN, 121, b"\x7b\x22\xff"),
        ]
        rows += [(_UNKNOWN, 180 + n, _packer(start_us + (180 + n) * _MINUTE_US, n)) for n in range(12)]
        rows += [(_OWN_FORMAT, 200 + n, _press(start_us + (200 + n) * _MINUTE_US, n)) for n in range(8)]
        for number, (case, minute, payload) in enumerate(rows, start=1):
            self._kept.append((case, _message(number, case, start_us + minute * _MINUTE_US, payload)))

    def __len__(self) -> int:
        return len(self._kept)

    def page(self, before: int | None, reason: str | None, origin: str | None) -> http.QuarantinePage:
        """Newest first."""
        messages = [
            message
            for case, message in reversed(self._kept)
            if (before is None or message.number < before)
            and reason in (None, case.reason)
            and origin in (None, case.origin)
        ]
        return http.QuarantinePage(messages=messages)

    def groups(self) -> list[http.QuarantineGroup]:
        """By reason and origin."""
        found: dict[tuple[str, str], list[tuple[_Case, http.QuarantinedMessage]]] = {}
        for case, message in self._kept:
            found.setdefault((case.reason, case.origin), []).append((case, message))
        groups = [_group(kept) for kept in found.values()]
        return sorted(groups, key=lambda group: -group.example.number)

    def waiting(self, known: set[str]) -> list[http.WaitingDevice]:
        """Devices that nobody took up."""
        return [
            http.WaitingDevice(
                key=group.origin, client=group.example.client, count=group.count, first_at=group.first_at,
                last_at=group.last_at, example=group.example,
            )
            for group in self.groups()
            if group.reason == "unknown_device" and group.origin not in known | self._declined
        ]  # fmt: skip

    def chosen(self, choice: http.QuarantineChoice) -> list[http.QuarantinedMessage]:
        """The messages that are meant; NotFoundError when there are none."""
        found = [
            message
            for message in self.page(None, choice.reason, choice.origin).messages
            if not choice.numbers or message.number in choice.numbers
        ]
        if not found:
            raise NotFoundError("There are no such messages in quarantine.")
        return found

    def mark(self, numbers: Iterable[int]) -> None:
        """They were put into the history now."""
        marked, at = set(numbers), from_us(self._clock())
        self._kept = [
            (case, message.model_copy(update={"replayed_at": at}) if message.number in marked else message)
            for case, message in self._kept
        ]

    def decline(self, key: str) -> None:
        """Do not offer it."""
        self._declined.add(key)


def accepted(acceptance: http.DeviceAcceptance, known: set[str]) -> http.Device:
    """The device that is taken up."""
    if acceptance.key in known:
        raise ConflictError(f"The device {acceptance.key} was taken up already.")
    return http.Device(
        id=device_id(imagined.FACTORY_ID, acceptance.key), key=acceptance.key,
        name=acceptance.name or readable_name(acceptance.key), kind=acceptance.kind, area=acceptance.area,
        line=acceptance.line,
    )  # fmt: skip


def _group(kept: list[tuple[_Case, http.QuarantinedMessage]]) -> http.QuarantineGroup:
    case, newest = kept[-1]
    return http.QuarantineGroup(
        reason=case.reason, origin=case.origin, is_device=bool(case.device), count=len(kept),
        replayed=sum(message.replayed_at is not None for _, message in kept), first_at=kept[0][1].received_at,
        last_at=newest.received_at, example=newest,
    )  # fmt: skip


def _message(number: int, case: _Case, received_us: int, payload: bytes) -> http.QuarantinedMessage:
    try:
        text, is_hex = payload.decode("utf-8"), False
    except UnicodeDecodeError:
        text, is_hex = payload.hex(), True
    return http.QuarantinedMessage(
        number=number, received_at=from_us(received_us), client=case.client, topic=case.topic, reason=case.reason,
        detail=case.detail, payload=text, is_hex=is_hex, size_bytes=len(payload), device=case.device,
    )  # fmt: skip


def _packer(time_us: int, n: int) -> bytes:
    moment = from_us(time_us).isoformat().replace("+00:00", "Z")
    return msgspec.json.encode({"timestamp": moment, "metrics": {"packs": 400 + 7 * n, "speed": 58.5 + n % 4}})


def _press(time_us: int, n: int) -> bytes:
    body = {"force": 512 + 3 * n, "oil": 414 + n, "on": n % 4 != 3, "mode": "auto" if n % 4 != 3 else "setup"}
    return msgspec.json.encode({"t": time_us // 1_000, "d": body})
