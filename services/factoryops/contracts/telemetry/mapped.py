"""Messages of formats of their own: a mapping compiled once, then applied to every message of its topics."""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Callable
from datetime import tzinfo
from typing import Final, NamedTuple

import msgspec

from factoryops.contracts.telemetry.documents import TOO_LARGE, read_document
from factoryops.contracts.telemetry.mapped_values import (
    Refusal,
    Values,
    compiled_groups,
    compiled_value,
    take_from,
    take_group,
    take_value,
)
from factoryops.contracts.telemetry.messages import FUTURE_TIME, MOST_BYTES, Reason, Rejection
from factoryops.contracts.telemetry.timestamps import parse_count, parse_iso, parse_timestamp
from factoryops.domain.json_path import MISSING, parse_path
from factoryops.domain.mapping import PayloadKind, TimeForm, TopicMapping
from factoryops.domain.plant import is_key
from factoryops.domain.samples import SampleFlag
from factoryops.domain.topic_template import DEVICE, PARAMETER

MOST_RECORDS: Final = 5_000
_LONGEST_SHOWN: Final = 100

_WILD: Final = frozenset("+#")
_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)
_COUNTS: Final = {
    TimeForm.SECONDS: 1, TimeForm.MILLISECONDS: 1_000, TimeForm.MICROSECONDS: 1_000_000,
    TimeForm.NANOSECONDS: 1_000_000_000,
}  # fmt: skip

_NOT_TEXT: Final = Rejection(Reason.INVALID_JSON, "The message is not text in UTF-8.")
_NO_RECORD: Final = Rejection(Reason.NO_USABLE_VALUE, "The message has no record where the mapping looks for them.")
_NO_VALUE: Final = Rejection(Reason.NO_USABLE_VALUE, "None of the mapping's values is in the message.")
_TOO_MANY_RECORDS: Final = Rejection(Reason.TOO_LARGE, f"The message has more than {MOST_RECORDS} records.")
_DETAILS: Final[dict[Reason, str]] = {
    Reason.NO_DEVICE: "The message does not name its device where the mapping looks for it.",
    Reason.INVALID_TIMESTAMP: "The message has no time where the mapping looks for it, or one of another form.",
    Reason.FUTURE_TIME: FUTURE_TIME.detail,
}


class Record(NamedTuple):
    """The values of one device at one time.

    Attributes:
        time_us: the device's own time, or the time of receipt.
    """

    device: str
    time_us: int
    values: Values


class Mapped(msgspec.Struct, frozen=True):
    """What a message comes to under a mapping."""

    records: list[Record]
    refused: list[Refusal]


class BoundMapping:
    """A mapping on one topic: ready to read its messages.

    Attributes:
        device: the device that the topic names, "" where each message does.
    """

    def __init__(self, compiled: CompiledMapping, device: str, parameter: str) -> None:
        self._compiled = compiled
        self.device = device
        self._values = [one._replace(name=one.name.replace(PARAMETER, parameter)) for one in compiled.values]
        self._groups = [one._replace(prefix=one.prefix.replace(PARAMETER, parameter)) for one in compiled.groups]

    @property
    def units(self) -> dict[str, str]:
        """The units of its values, by parameter key."""
        return {value.name: value.unit for value in self._values}

    def read(self, payload: bytes, received_us: int) -> Mapped | Rejection:
        """What a message comes to; never raises. Times are not compared with the clock here."""
        compiled = self._compiled
        document = compiled.open(payload)
        if isinstance(document, Rejection):
            return document
        records = compiled.records(document)
        if len(records) > MOST_RECORDS:
            return _TOO_MANY_RECORDS
        mapped = Mapped([], [])
        for record in records:
            self._read_record(record, document, received_us, mapped)
        if mapped.records:
            return mapped
        return _why_nothing(mapped.refused) if records else _NO_RECORD

    def _read_record(self, record: object, document: object, received_us: int, mapped: Mapped) -> None:
        device = self.device or _key_of(self._compiled.device(record, document))
        if not device:
            mapped.refused.append(Refusal(Reason.NO_DEVICE, ""))
            return
        time_us, flags = received_us, _RECEIVE_TIME
        if self._compiled.has_time:
            found = self._compiled.time(record, document)
            if found is None or found < 0:
                mapped.refused.append(Refusal(Reason.INVALID_TIMESTAMP, ""))
                return
            time_us, flags = found, 0
        values: Values = {}
        for value in self._values:
            take_value(value, record, flags, values, mapped.refused)
        for group in self._groups:
            take_group(group, record, flags, values, mapped.refused)
        if values:
            mapped.records.append(Record(device, time_us, values))


class CompiledMapping:
    """A mapping whose paths are parsed and whose readers are chosen.

    Attributes:
        definition: what it was made of.
        template: of its topics.
        has_time: whether records have a time of their own.
    """

    def __init__(self, definition: TopicMapping) -> None:
        """Compile a mapping that `check` finds no fault with; raises InvalidInputError for others."""
        self.definition = definition
        self.template = definition.template
        self.open = _OPENERS[definition.payload](definition)
        self._records = parse_path(definition.records) if definition.records else None
        self.values = [compiled_value(value, definition.payload) for value in definition.values]
        self.groups = compiled_groups(definition)
        self.device = _either(definition.device_path, definition.payload) if definition.device_path else _nothing
        self.has_time = definition.time.form is not TimeForm.RECEIVED
        self._time_at = _either(definition.time.path, definition.payload) if self.has_time else _nothing
        self._read_time = _time_reader(definition.time.form, zoneinfo.ZoneInfo(definition.time.zone))

    def bind(self, topic: str) -> BoundMapping | None:
        """This mapping on one topic; None when the topic is not one of its."""
        found = self.template.match(topic)
        if found is None:
            return None
        device = found.get(DEVICE, "")
        if DEVICE in found and not (is_key(device) and _WILD.isdisjoint(device)):
            return None
        return BoundMapping(self, device, found.get(PARAMETER, ""))

    def records(self, document: object) -> list[object]:
        """The records of an opened message."""
        if self._records is not None:
            return self._records.every(document)
        return document if isinstance(document, _Lines) else [document]

    def time(self, record: object, document: object) -> int | None:
        """The time of a record in microseconds; None when it has none of the mapping's form."""
        return self._read_time(self._time_at(record, document))


def detail_of(one: Refusal) -> str:
    """Why a value or a record cannot be used, as a sentence.

    A name in it may come from the message: whatever it holds, the sentence is short and can be stored and sent.
    """
    name = one.parameter
    if len(name) > _LONGEST_SHOWN or not name.isprintable():
        name = ascii(name[:_LONGEST_SHOWN])
    return _DETAILS.get(one.reason) or f"The value of {name} is {one.reason.value.replace('_', ' ')}."


def _why_nothing(refused: list[Refusal]) -> Rejection:
    """Why a message with records comes to nothing at all."""
    if not refused:
        return _NO_VALUE
    first = refused[0]
    if first.reason in _DETAILS:
        return Rejection(first.reason, _DETAILS[first.reason])
    return Rejection(Reason.NO_USABLE_VALUE, f"None of the message's values can be used. {detail_of(first)}")


# --- opening a payload -----------------------------------------------------------------------------------------------


class _Lines(list[object]):
    """The records of a CSV message."""


def _open_json(_: TopicMapping) -> Callable[[bytes], object]:
    return read_document


def _open_plain(_: TopicMapping) -> Callable[[bytes], object]:
    return _text


def _open_csv(definition: TopicMapping) -> Callable[[bytes], object]:
    def opened(payload: bytes) -> object:
        text = _text(payload)
        if isinstance(text, Rejection):
            return text
        try:
            rows = csv.reader(io.StringIO(text), delimiter=definition.separator)
            return _Lines(row for row in rows if row)
        except csv.Error as error:
            return Rejection(Reason.INVALID_JSON, f"The message cannot be read as lines of columns ({error}).")

    return opened


def _text(payload: bytes) -> str | Rejection:
    if len(payload) > MOST_BYTES:
        return TOO_LARGE
    try:
        return payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        return _NOT_TEXT


_OPENERS: Final[dict[PayloadKind, Callable[[TopicMapping], Callable[[bytes], object]]]] = {
    PayloadKind.JSON: _open_json,
    PayloadKind.PLAIN: _open_plain,
    PayloadKind.CSV: _open_csv,
}


# --- device and time -------------------------------------------------------------------------------------------------


def _either(path: str, kind: PayloadKind) -> Callable[[object, object], object]:
    """A place in the record, or where it has none, in the whole message."""
    take = take_from(path, kind)
    if kind is PayloadKind.CSV:
        return lambda record, _: take(record)

    def both(record: object, document: object) -> object:
        found = take(record)
        return take(document) if found is MISSING else found

    return both


def _nothing(_: object, __: object) -> object:
    return MISSING


def _key_of(value: object) -> str:
    """The device key that a value gives, "" when it gives none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    elif isinstance(value, float):
        value = str(int(value)) if value.is_integer() and abs(value) < 2**53 else ""
    return value if isinstance(value, str) and is_key(value) else ""


def _time_reader(form: TimeForm, zone: tzinfo) -> Callable[[object], int | None]:
    if form in _COUNTS:
        per_s = _COUNTS[form]
        return lambda value: parse_count(value, per_s)
    if form is TimeForm.ISO:
        return lambda value: parse_iso(value, zone)
    return lambda value: parse_timestamp(value, zone)
