"""Mappings: what messages of a format of their own mean, as an administrator writes it down."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Received, Sent, example
from factoryops.domain.mapping import (
    MOST_CODES,
    MOST_GROUPS,
    MOST_VALUES,
    PayloadKind,
    TimeForm,
    TopicMapping,
    ValueType,
)

_Path = Annotated[str, Field(max_length=300)]
_Text = Annotated[str, Field(max_length=100)]

MAPPING_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Presses of hall 2",
    "topic": "hall2/{device}/state",
    "time": {"path": "$.t", "form": "ms"},
    "values": [
        {"parameter": "force", "path": "$.d.force", "unit": "kN"},
        {"parameter": "oil_temperature", "path": "$.d.oil", "scale": 0.1, "unit": "°C"},
        {"parameter": "is_on", "path": "$.d.on", "type": "boolean"},
    ],
}


class MappingTime(Sent):
    """Where the time lies; `zone` is the clock of ISO times without an offset."""

    path: _Path = ""
    form: TimeForm = TimeForm.RECEIVED
    zone: Annotated[str, Field(max_length=64)] = "UTC"


class MappingValue(Sent):
    """One value of a message; a number is kept as number * scale + offset.

    Attributes:
        quality_path: where its quality lies; anything not in `good` flags the sample as uncertain.
        codes: (text, number) for numbers that are sent as words.
    """

    parameter: Annotated[str, Field(max_length=200)]
    path: _Path = "$"
    type: ValueType = ValueType.NUMBER
    scale: Finite = 1.0
    offset: Finite = 0.0
    unit: Annotated[str, Field(max_length=50)] = ""
    quality_path: _Path = ""
    good: Annotated[list[_Text], Field(max_length=100)] = ["good", "ok", "true", "1", "192"]
    codes: Annotated[list[tuple[_Text, Finite]], Field(max_length=MOST_CODES)] = []


class MappingGroup(Sent):
    """All numbers and booleans under an object, named as they are there, after `prefix`."""

    path: _Path = "$"
    prefix: Annotated[str, Field(max_length=200)] = ""


class MappingContent(Sent):
    """What a person fills in for a mapping; the fields are those of docs/reference/mappings.md.

    Attributes:
        order: of two mappings whose topics overlap, the lower one counts.
        is_enabled: whether ingest applies it.
    """

    model_config = example(MAPPING_EXAMPLE)

    name: Annotated[str, Field(max_length=100, pattern=LINE)]
    topic: Annotated[str, Field(max_length=300)]
    payload: PayloadKind = PayloadKind.JSON
    device_path: _Path = ""
    records: _Path = ""
    time: MappingTime = MappingTime()
    values: Annotated[list[MappingValue], Field(max_length=MOST_VALUES)] = []
    groups: Annotated[list[MappingGroup], Field(max_length=MOST_GROUPS)] = []
    separator: Annotated[str, Field(max_length=1)] = ","
    order: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    is_enabled: bool = False

    def definition(self) -> TopicMapping:
        """What ingest applies; not checked yet."""
        return msgspec.convert(self.model_dump(mode="json", exclude={"is_enabled"}), TopicMapping)

    @classmethod
    def of(cls, definition: TopicMapping, *, is_enabled: bool) -> MappingContent:
        """The form filled with a mapping that exists."""
        return cls.model_validate({**msgspec.to_builtins(definition), "is_enabled": is_enabled})


class MappingUpdate(Sent):
    """A changed mapping; `version` is the one the change was made from, so that nobody overwrites another's."""

    model_config = example({"version": 1, "content": MAPPING_EXAMPLE})

    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    content: MappingContent


class KeptMapping(Received):
    """A mapping as it is kept."""

    id: Identifier
    version: int
    content: MappingContent
    changed_by: str
    changed_at: datetime


class MappingList(Received):
    """All mappings of the factory, by name."""

    mappings: list[KeptMapping]
