"""The values of a mapping: found in a record, read as what they are, gathered by their flags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, cast

from factoryops.contracts.telemetry.documents import read_number
from factoryops.contracts.telemetry.messages import Reason
from factoryops.domain.json_path import MISSING, JsonPath, parse_path
from factoryops.domain.mapping import LONGEST_TEXT, MappedValue, PayloadKind, TopicMapping, ValueType
from factoryops.domain.samples import SampleFlag

GROUP_DEPTH: Final = 3
GROUP_NAMES: Final = 200

_TRUE: Final = frozenset({"true", "on", "yes", "1"})
_FALSE: Final = frozenset({"false", "off", "no", "0"})
_UNCERTAIN: Final = int(SampleFlag.UNCERTAIN)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)
_TEXT: Final = int(SampleFlag.TEXT)

Take = Callable[[object], object]
"""What lies at a place of a record, `MISSING` when nothing does."""

Values = dict[int, dict[str, float | str]]
"""Values by name, by the `SampleFlag` bits that hold for them; those flagged TEXT are texts, the others numbers."""


class Refusal(NamedTuple):
    """A value, or with parameter "" a whole record, that cannot be used."""

    reason: Reason
    parameter: str


class CompiledValue(NamedTuple):
    """A value of a mapping, its path parsed and its reader chosen."""

    name: str
    take: Take
    read: Callable[[object], float | str | Reason]
    flags: int
    quality: Take | None
    good: frozenset[str]
    unit: str


class CompiledGroup(NamedTuple):
    """A group of a mapping; `left_out` are names in it that the mapping reads in another way."""

    path: JsonPath
    prefix: str
    left_out: frozenset[str]


def take_from(path: str, kind: PayloadKind) -> Take:
    """How to find what lies at `path` in a record of a payload of this kind."""
    if kind is PayloadKind.PLAIN:
        return lambda record: record
    if kind is PayloadKind.CSV:
        return _column(int(path) - 1)
    parsed = parse_path(path)
    if len(parsed.steps) == 1 and isinstance(parsed.steps[0], str):
        return _field(parsed.steps[0])
    return parsed.first


def _field(name: str) -> Take:
    return lambda record: record.get(name, MISSING) if isinstance(record, dict) else MISSING


def _column(index: int) -> Take:
    def take(record: object) -> object:
        columns = cast("list[str]", record)
        return columns[index].strip() if index < len(columns) else MISSING

    return take


def compiled_value(value: MappedValue, kind: PayloadKind) -> CompiledValue:
    """A value, ready to be taken from records."""
    flags = {ValueType.NUMBER: 0, ValueType.BOOLEAN: _BOOLEAN, ValueType.TEXT: _TEXT}[value.type]
    quality = take_from(value.quality_path, kind) if value.quality_path else None
    good = frozenset(one.lower() for one in value.good)
    return CompiledValue(value.parameter, take_from(value.path, kind), _reader(value), flags, quality, good, value.unit)


def _reader(value: MappedValue) -> Callable[[object], float | str | Reason]:
    if value.type is ValueType.TEXT:
        return _read_text
    if value.type is ValueType.BOOLEAN:
        return _read_boolean
    if not value.codes and value.scale == 1 and value.offset == 0:
        return read_number
    return _scaled(value)


def _scaled(value: MappedValue) -> Callable[[object], float | str | Reason]:
    codes, scale, offset = dict(value.codes), value.scale, value.offset

    def read(found: object) -> float | str | Reason:
        number = codes[found] if isinstance(found, str) and found in codes else read_number(found)
        if isinstance(number, Reason):
            return number
        return read_number(number * scale + offset)

    return read


def _read_boolean(found: object) -> float | str | Reason:
    if isinstance(found, str):
        word = found.strip().lower()
        if word in _TRUE or word in _FALSE:
            return float(word in _TRUE)
    elif isinstance(found, int | float) and found in (0, 1):
        return float(found)
    return Reason.NOT_A_BOOLEAN


def _read_text(found: object) -> float | str | Reason:
    if isinstance(found, bool):
        found = "true" if found else "false"
    elif isinstance(found, int | float):
        found = str(found)
    if not isinstance(found, str) or not found.isprintable():
        return Reason.NOT_A_TEXT
    return found if len(found) <= LONGEST_TEXT else Reason.TEXT_TOO_LONG


def take_value(value: CompiledValue, record: object, flags: int, values: Values, refused: list[Refusal]) -> None:
    """Put a record's value among `values`, or among `refused`; nothing when the record has none."""
    found = value.take(record)
    if found is MISSING:
        return
    read = value.read(found)
    if isinstance(read, Reason):
        refused.append(Refusal(read, value.name))
        return
    flags |= value.flags
    if value.quality is not None and not _is_good(value.quality(record), value.good):
        flags |= _UNCERTAIN
    values.setdefault(flags, {})[value.name] = read


def _is_good(quality: object, good: frozenset[str]) -> bool:
    return quality is MISSING or str(quality).strip().lower() in good


# --- groups ----------------------------------------------------------------------------------------------------------


def compiled_groups(definition: TopicMapping) -> list[CompiledGroup]:
    """The groups of a mapping, ready to be taken from records."""
    elsewhere = [definition.device_path, definition.time.path]
    elsewhere += [path for value in definition.values for path in (value.path, value.quality_path)]
    if definition.payload is not PayloadKind.JSON:
        return []
    taken = [parse_path(path).steps for path in elsewhere if path]
    groups = ((parse_path(group.path), group.prefix) for group in definition.groups)
    return [CompiledGroup(path, prefix, _inside(path, taken)) for path, prefix in groups]


def _inside(path: JsonPath, taken: list[tuple[str | int | None, ...]]) -> frozenset[str]:
    """Names under the group's object that the mapping reads in another way."""
    depth = len(path.steps)
    inner = (steps[depth:] for steps in taken if steps[:depth] == path.steps and len(steps) > depth)
    return frozenset(".".join(str(step) for step in steps) for steps in inner)


def take_group(group: CompiledGroup, record: object, flags: int, values: Values, refused: list[Refusal]) -> None:
    """Put all numbers and booleans of a record's group among `values`, or among `refused`."""
    found = group.path.first(record)
    if not isinstance(found, dict):
        return
    count = 0
    for name, value in _flat(found, "", GROUP_DEPTH):
        if name in group.left_out:
            continue
        count += 1
        number = read_number(value)
        if count > GROUP_NAMES:
            refused.append(Refusal(Reason.TOO_MANY_PARAMETERS, group.prefix + name))
        elif isinstance(number, Reason):
            refused.append(Refusal(number, group.prefix + name))
        else:
            kind = flags | _BOOLEAN if isinstance(value, bool) else flags
            values.setdefault(kind, {})[group.prefix + name] = number


def _flat(found: dict[str, object], before: str, depth: int) -> Iterable[tuple[str, float]]:
    for name, value in found.items():
        if isinstance(value, int | float):
            yield before + name, value
        elif isinstance(value, dict) and depth > 1:
            yield from _flat(value, f"{before}{name}.", depth - 1)
