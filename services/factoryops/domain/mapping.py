"""Mappings: how messages of a format of their own become samples, as data and not as code.

A mapping says for which topics it is, where the device, the time and the values lie in the message, and what each value
is. It belongs to one factory. `check` names every fault; what passes can be compiled and applied without raising.
"""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.json_path import parse_path
from factoryops.domain.plant import is_key
from factoryops.domain.topic_template import DEVICE, PARAMETER, TopicTemplate, parse_template

MOST_VALUES: Final = 200
MOST_GROUPS: Final = 20
MOST_CODES: Final = 100
MOST_COLUMNS: Final = 500
LONGEST_TEXT: Final = 256
"""Characters of a text sample."""


class PayloadKind(StrEnum):
    """What a message's bytes are."""

    JSON = "json"
    PLAIN = "plain"
    """One number or text and nothing else: `21.5`."""
    CSV = "csv"
    """Lines of columns; each line is a record."""


class ValueType(StrEnum):
    """What a value is kept as."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


class TimeForm(StrEnum):
    """How a time is written."""

    AUTOMATIC = "automatic"
    """ISO 8601, Unix seconds or milliseconds: told apart as in dialect A."""
    ISO = "iso"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"
    RECEIVED = "received"
    """The message has none: the time of receipt."""


@dataclass(frozen=True, slots=True)
class TimeSource:
    """Where the time lies.

    Attributes:
        path: JSON path, or the number of a CSV column counted from 1; empty with the form RECEIVED.
        zone: IANA name of the clock that ISO times without an offset were read from.
    """

    path: str = ""
    form: TimeForm = TimeForm.RECEIVED
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class MappedValue:
    """One value of a message.

    Attributes:
        parameter: the key it gets; `{parameter}` in it stands for the topic's level of that name.
        path: JSON path in the record, a CSV column counted from 1, or `$` for a plain payload.
        scale / offset: a number is kept as number * scale + offset.
        unit: of the result, for people.
        quality_path: where its quality lies; "" for none.
        good: what the quality says when it is good, in lower case; anything else flags the sample as uncertain.
        codes: (text, number) for numbers that are sent as words.
    """

    parameter: str
    path: str = "$"
    type: ValueType = ValueType.NUMBER
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    quality_path: str = ""
    good: tuple[str, ...] = ("good", "ok", "true", "1", "192")
    codes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """All numbers and booleans under an object of a JSON message, named as they are there; inner names join with dots.

    Attributes:
        path: JSON path of the object.
        prefix: put before each name; `{parameter}` in it stands for the topic's level of that name.
    """

    path: str = "$"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class TopicMapping:
    """What messages of some topics mean.

    Attributes:
        name: what people call it.
        topic: template of the topics, such as `site/+/{device}/data`.
        device_path: where the device's key lies in the record; "" when the topic has a level `{device}`.
        records: JSON path of records with times of their own, such as `$.samples[*]`; "" when the message is one.
        values / groups: what is taken from each record. Paths are looked up in the record, those of device and time in
            the whole message where the record has none.
        separator: between CSV columns.
        order: of two mappings whose topics overlap, the lower one counts.
    """

    name: str
    topic: str
    payload: PayloadKind = PayloadKind.JSON
    device_path: str = ""
    records: str = ""
    time: TimeSource = TimeSource()
    values: tuple[MappedValue, ...] = ()
    groups: tuple[ValueGroup, ...] = ()
    separator: str = ","
    order: int = 0

    @property
    def template(self) -> TopicTemplate:
        """Its parsed topic template; raises InvalidInputError."""
        return parse_template(self.topic)

    def check(self) -> dict[str, str]:
        """Every fault by field (`values[2].path`), empty when it can be used."""
        return _Check(self).faults


def conflict(one: TopicMapping, other: TopicMapping) -> str:
    """Why two mappings of one factory cannot both be in force; "" when they can."""
    if one.order != other.order or not one.template.overlaps(other.template):
        return ""
    return (
        f"The topics of {one.name!r} and {other.name!r} overlap, so it is not certain which of them counts: "
        "give them different orders, or narrow one of the topics."
    )


class _Check:
    """Collects the faults of one mapping."""

    def __init__(self, mapping: TopicMapping) -> None:
        self.faults: dict[str, str] = {}
        self._mapping = mapping
        if not 0 < len(mapping.name.strip()) <= 100:
            self.faults["name"] = "give the mapping a name of at most 100 characters"
        self._template = self._topic()
        self._where()
        self._time()
        if not mapping.values and not mapping.groups:
            self.faults["values"] = "name at least one value, or a group of them"
        self._count("values", len(mapping.values), MOST_VALUES)
        self._count("groups", len(mapping.groups), MOST_GROUPS)
        for number, value in enumerate(mapping.values):
            self._value(f"values[{number}]", value)
        for number, group in enumerate(mapping.groups):
            self._group(f"groups[{number}]", group)
        keys = [value.parameter for value in mapping.values]
        if len(set(keys)) != len(keys):
            self.faults.setdefault("values", "two values have the same parameter key")

    def _topic(self) -> TopicTemplate | None:
        try:
            return self._mapping.template
        except InvalidInputError as error:
            self.faults["topic"] = str(error)
            return None

    def _count(self, field: str, count: int, most: int) -> None:
        if count > most:
            self.faults[field] = f"at most {most} can be named"

    def _where(self) -> None:
        mapping = self._mapping
        has_level = self._template is not None and self._template.names(DEVICE)
        if mapping.device_path:
            self._path("device_path", mapping.device_path)
            if has_level:
                self.faults["device_path"] = f"the topic has {DEVICE} already: name the device in one place"
        elif self._template is not None and not has_level:
            self.faults["topic"] = f"say which device it is: {DEVICE} as a level of the topic, or a path in the message"
        if mapping.records:
            if mapping.payload is not PayloadKind.JSON:
                self.faults["records"] = "only JSON messages have records; each line of CSV is one anyway"
            self._path("records", mapping.records, is_single=False)
        if mapping.payload is PayloadKind.CSV and mapping.separator not in {",", ";", "\t", "|"}:
            self.faults["separator"] = "use a comma, a semicolon, a tab or |"

    def _time(self) -> None:
        time = self._mapping.time
        if time.form is TimeForm.RECEIVED:
            if time.path:
                self.faults["time.path"] = "the time of receipt has no place in the message: leave the path empty"
        elif self._mapping.payload is PayloadKind.PLAIN:
            self.faults["time.form"] = "a plain value has no time of its own: use the time of receipt"
        else:
            self._path("time.path", time.path)
        if time.zone not in zoneinfo.available_timezones():
            self.faults["time.zone"] = f"{time.zone!r} is not a time zone; an example is Europe/Berlin"

    def _value(self, field: str, value: MappedValue) -> None:
        self._key(f"{field}.parameter", value.parameter)
        self._path(f"{field}.path", value.path)
        if value.quality_path:
            self._path(f"{field}.quality_path", value.quality_path)
        if not (math.isfinite(value.scale) and math.isfinite(value.offset)) or value.scale == 0:
            self.faults[f"{field}.scale"] = "scale and offset must be finite, and the scale not 0"
        if len(value.unit) > 50:
            self.faults[f"{field}.unit"] = "a unit has at most 50 characters"
        if value.type is not ValueType.NUMBER and (value.scale != 1 or value.offset or value.codes):
            self.faults[f"{field}.type"] = "only numbers have a scale, an offset or codes"
        if len(value.codes) > MOST_CODES or any(not math.isfinite(number) for _, number in value.codes):
            self.faults[f"{field}.codes"] = f"at most {MOST_CODES} codes, each a finite number"

    def _group(self, field: str, group: ValueGroup) -> None:
        if self._mapping.payload is not PayloadKind.JSON:
            self.faults[field] = "only JSON messages have groups: name each value"
        else:
            self._path(f"{field}.path", group.path)
        if group.prefix:
            self._key(f"{field}.prefix", group.prefix)

    def _key(self, field: str, key: str) -> None:
        has_level = self._template is None or self._template.names(PARAMETER)
        if PARAMETER in key and not has_level:
            self.faults[field] = f"the topic has no level {PARAMETER}"
        elif not is_key(key):
            self.faults[field] = "use 1 to 100 printable characters"

    def _path(self, field: str, path: str, *, is_single: bool = True) -> None:
        fault = _PATH_FAULTS[self._mapping.payload](path)
        if not fault and is_single and "[*]" in path:
            fault = "[*] means many: name the records with it, and values inside a record"
        if fault:
            self.faults[field] = fault


def _json_fault(path: str) -> str:
    try:
        parse_path(path)
    except InvalidInputError as error:
        return str(error)
    return ""


def _column_fault(path: str) -> str:
    is_column = path.isascii() and path.isdigit() and len(path) < 5 and 0 < int(path) <= MOST_COLUMNS
    return "" if is_column else f"give the number of a column, 1 to {MOST_COLUMNS}"


def _plain_fault(path: str) -> str:
    return "" if path == "$" else "a plain value is the whole payload: the path is $"


_PATH_FAULTS: Final[dict[PayloadKind, Callable[[str], str]]] = {
    PayloadKind.JSON: _json_fault,
    PayloadKind.CSV: _column_fault,
    PayloadKind.PLAIN: _plain_fault,
}
