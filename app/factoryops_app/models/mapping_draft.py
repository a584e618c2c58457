"""A mapping as it is being filled in: its check, the content to be saved, and a first guess from a message."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from factoryops.contracts import http
from factoryops.domain.mapping import MappedValue, PayloadKind, TimeForm, ValueType
from factoryops_app.models.typed import number_fault, parsed, plain
from factoryops_resources.words import say

MOST_GUESSED: Final = 60
_GOOD: Final = MappedValue("").good
_PLAIN_NAME: Final = re.compile(r"[^.\[\]'\"\s]+")
_TIMES: Final = frozenset({"t", "ts", "time", "timestamp", "date", "datetime", "at"})


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value, as typed; `codes` reads "run = 1; stop = 0"."""

    parameter: str = ""
    path: str = "$"
    type: str = ValueType.NUMBER.value
    scale: str = "1"
    offset: str = "0"
    unit: str = ""
    quality_path: str = ""
    codes: str = ""
    good: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """The fields of the form.

    Attributes:
        groups: (path, prefix) of objects whose numbers are all taken.
        mapping_id / version: of the mapping being changed; None and 0 for a new one.
    """

    name: str = ""
    topic: str = ""
    payload: PayloadKind = PayloadKind.JSON
    device_path: str = ""
    records: str = ""
    time_path: str = ""
    time_form: TimeForm = TimeForm.RECEIVED
    zone: str = "UTC"
    values: tuple[ValueRow, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    separator: str = ","
    order: str = "0"
    is_enabled: bool = False
    mapping_id: str | None = None
    version: int = 0

    @classmethod
    def of(cls, kept: http.KeptMapping) -> MappingDraft:
        """The form filled with a mapping that exists."""
        content = kept.content
        return cls(
            name=content.name,
            topic=content.topic,
            payload=content.payload,
            device_path=content.device_path,
            records=content.records,
            time_path=content.time.path,
            time_form=content.time.form,
            zone=content.time.zone,
            values=tuple(_row_of(value) for value in content.values),
            groups=tuple((group.path, group.prefix) for group in content.groups),
            separator=content.separator,
            order=str(content.order),
            is_enabled=content.is_enabled,
            mapping_id=kept.id,
            version=kept.version,
        )

    def content(self) -> http.MappingContent | None:
        """What is to be saved or tried; None while a figure or a list of codes cannot be read."""
        return None if self._unreadable() else self._content()

    def errors(self) -> dict[str, str]:
        """What cannot be used, by field (`values[2].path`)."""
        return self._unreadable() or self._content().definition().check()

    def _content(self) -> http.MappingContent:
        return http.MappingContent.model_construct(
            name=self.name.strip(),
            topic=self.topic.strip(),
            payload=self.payload,
            device_path=self.device_path.strip() if self.payload is not PayloadKind.PLAIN else "",
            records=self.records.strip() if self.payload is PayloadKind.JSON else "",
            time=http.MappingTime.model_construct(
                path=self.time_path.strip() if self.time_form is not TimeForm.RECEIVED else "",
                form=self.time_form,
                zone=self.zone.strip(),
            ),
            values=[_value_of(row) for row in self.values],
            groups=[http.MappingGroup.model_construct(path=path, prefix=prefix) for path, prefix in self.groups],
            separator=self.separator,
            order=int(self.order or "0"),
            is_enabled=self.is_enabled,
        )

    def _unreadable(self) -> dict[str, str]:
        faults: dict[str, str] = {}
        if not re.fullmatch(r"-?\d{1,3}|", self.order.strip()):
            faults["order"] = say("Enter a whole number from -999 to 999.")
        for number, row in enumerate(self.values):
            for field in ("scale", "offset"):
                typed = getattr(row, field)
                if parsed(typed) is None:
                    faults[f"values[{number}].{field}"] = number_fault(typed, say("Enter a number."))
            if _codes_of(row.codes) is None:
                faults[f"values[{number}].codes"] = number_fault(row.codes, say("Write codes as: run = 1; stop = 0."))
        return faults


def _row_of(value: http.MappingValue) -> ValueRow:
    return ValueRow(
        parameter=value.parameter,
        path=value.path,
        type=value.type.value,
        scale=plain(value.scale),
        offset=plain(value.offset),
        unit=value.unit,
        quality_path=value.quality_path,
        codes="; ".join(f"{text} = {plain(number)}" for text, number in value.codes),
        good=tuple(value.good),
    )


def _value_of(row: ValueRow) -> http.MappingValue:
    scale, offset = parsed(row.scale), parsed(row.offset)
    return http.MappingValue.model_construct(
        parameter=row.parameter,
        path=row.path,
        type=ValueType(row.type),
        scale=1.0 if scale is None else scale,
        offset=offset or 0.0,
        unit=row.unit,
        quality_path=row.quality_path,
        good=list(row.good or _GOOD),
        codes=_codes_of(row.codes) or [],
    )


def _codes_of(text: str) -> list[tuple[str, float]] | None:
    """(text, number) of each code; None when they cannot be read."""
    found: list[tuple[str, float]] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, figure = part.rpartition("=")
        number = parsed(figure)
        if not sign or not name.strip() or number is None:
            return None
        found.append((name.strip(), number))
    return found


# --- a first guess ---------------------------------------------------------------------------------------------------


def guessed(topic: str, payload: str) -> MappingDraft:
    """A draft for messages like this one: the topic's last level with a digit is the device, every value is taken."""
    levels = topic.split("/")
    at = next((place for place in reversed(range(len(levels))) if any(map(str.isdigit, levels[place]))), None)
    if at is None:
        at = max(0, len(levels) - 2)
    levels[at] = "{device}"
    draft = MappingDraft(name=" ".join(level for level in levels if level != "{device}"), topic="/".join(levels))
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return draft
    if not isinstance(document, dict):
        is_value = isinstance(document, int | float | str)
        rows = (ValueRow(parameter="value"),) if is_value else ()
        return MappingDraft(draft.name, draft.topic, PayloadKind.PLAIN if is_value else PayloadKind.JSON, values=rows)
    return _guessed_fields(draft, document)


def _guessed_fields(draft: MappingDraft, document: dict[str, object]) -> MappingDraft:
    leaves = list(_leaves(document, "$"))
    time = next((path for path, name, _ in leaves if name.lower() in _TIMES), "")
    named = Counter(name for _, name, _ in leaves)
    rows = [
        ValueRow(parameter=name if named[name] == 1 else path[2:], path=path, type=_type_of(value).value)
        for path, name, value in leaves
        if path != time
    ]
    form = TimeForm.AUTOMATIC if time else TimeForm.RECEIVED
    return MappingDraft(draft.name, draft.topic, time_path=time, time_form=form, values=tuple(rows[:MOST_GUESSED]))


def _leaves(value: dict[str, object], path: str, depth: int = 0) -> Iterator[tuple[str, str, object]]:
    for name, inner in value.items():
        step = f".{name}" if _PLAIN_NAME.fullmatch(name) else f"['{name}']"
        if isinstance(inner, dict) and depth < 8:
            yield from _leaves(inner, path + step, depth + 1)
        elif isinstance(inner, bool | int | float | str) and "'" not in name:
            yield path + step, name, inner


def _type_of(value: object) -> ValueType:
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    return ValueType.TEXT if isinstance(value, str) else ValueType.NUMBER
