"""The fields of conditions as they are typed: what each takes, and why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factoryops.domain.conditions.checking import LONGEST_S
from factoryops_app.models.typed import number_fault, parsed, parsed_s
from factoryops_resources.words import say

_MOST_TIMES: Final = 1_000


class FieldType(StrEnum):
    """What a field takes."""

    PARAMETER = "parameter"
    NUMBER = "number"
    AMOUNT = "amount"
    """A number that is not negative."""
    SPAN = "span"
    """A length of time, longer than 0 s."""
    TIMES = "times"
    COMPARISON = "comparison"
    FUNCTION = "function"
    DIRECTION = "direction"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field; `default` is how it begins."""

    key: str
    type: FieldType
    default: str = ""
    is_optional: bool = False


def faults_of(fields: tuple[FieldSpec, ...], texts: Mapping[str, str]) -> dict[str, str]:
    """Why fields cannot be used."""
    found = {field.key: _fault(field, texts.get(field.key, "")) for field in fields}
    return {key: fault for key, fault in found.items() if fault}


def number(texts: Mapping[str, str], key: str) -> float:
    """The number of a field without a fault."""
    value = parsed(texts[key])
    if value is None:
        raise ValueError("a draft with errors has no condition")
    return value


def seconds(texts: Mapping[str, str], key: str) -> float:
    """The seconds of a field without a fault."""
    value = parsed_s(texts[key])
    if value is None:
        raise ValueError("a draft with errors has no condition")
    return value


def _fault(field: FieldSpec, text: str) -> str:
    if field.is_optional and not text.strip():
        return ""
    match field.type:
        case FieldType.PARAMETER:
            return "" if text else say("Choose a parameter.")
        case FieldType.NUMBER:
            return number_fault(text, say("Enter a number.")) if parsed(text) is None else ""
        case FieldType.AMOUNT:
            return _amount_fault(text)
        case FieldType.SPAN:
            return _span_fault(text)
        case FieldType.TIMES:
            return _times_fault(text)
        case _:
            return ""


def _amount_fault(text: str) -> str:
    value = parsed(text)
    wanted = say("Enter zero or a positive number.")
    return number_fault(text, wanted) if value is None or value < 0 else ""


def _span_fault(text: str) -> str:
    value = parsed_s(text)
    wanted = say("Enter a time such as 30 s, 10 min or 2 h; at most 24 h.")
    return number_fault(text, wanted) if not value or value > LONGEST_S else ""


def _times_fault(text: str) -> str:
    value = parsed(text)
    is_count = value is not None and value.is_integer() and 1 <= value <= _MOST_TIMES
    return "" if is_count else number_fault(text, say("Enter a whole number from 1 to 1,000."))
