"""The targets and thresholds of the alarm figures while a person edits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, auto
from typing import Any, Final, Self

from pydantic import ValidationError

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.performance.thresholds import Thresholds
from factoryops_app.models.drafts import NOT_A_NUMBER
from factoryops_app.models.typed import number_fault, parsed, parsed_s, plain, span_text
from factoryops_resources.words import say

_PREFIX: Final = "thresholds."
_GOOD, _MOST = "_good", "_most"


class Kind(Enum):
    """How a field is typed."""

    COUNT = auto()
    SPAN = auto()
    PERCENT = auto()
    NUMBER = auto()


_TARGETS: Final = {
    "rate_per_hour": Kind.NUMBER, "share_of_time": Kind.PERCENT, "busiest": Kind.NUMBER, "top_ten": Kind.PERCENT,
    "stale_at_once": Kind.NUMBER,
}  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {
    "busy_interval": Kind.COUNT, "busy_hour": Kind.COUNT, "flood_entry": Kind.COUNT, "flood_exit": Kind.COUNT,
    "chatter_count": Kind.COUNT, "chatter_span_s": Kind.SPAN, "chatter_index": Kind.NUMBER, "fleeting_s": Kind.SPAN,
    "repeat_s": Kind.SPAN, "stale_s": Kind.SPAN, "pair_s": Kind.SPAN, "pair_confidence": Kind.PERCENT,
    "pair_support": Kind.COUNT,
} | {f"{name}{part}": kind for name, kind in _TARGETS.items() for part in (_GOOD, _MOST)}  # fmt: skip
"""How each field is typed; a target has two, up to where a figure is within it and above which it is far beyond."""


def typed_of(limits: Thresholds) -> dict[str, str]:
    """Every field as one would type it."""
    values: dict[str, Any] = asdict(limits)
    for name in _TARGETS:
        target = values.pop(name)
        values |= {f"{name}{_GOOD}": target["good"], f"{name}{_MOST}": target["most"]}
    return {key: _text(kind, values[key]) for key, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class ThresholdsDraft:
    """What is filled in.

    Attributes:
        typed: by field.
        held: what it changes; what is not edited here is sent as it is.
    """

    typed: Mapping[str, str] = field(default_factory=lambda: typed_of(http.FIRST_PHILOSOPHY.thresholds))
    held: http.Philosophy = field(default=http.FIRST_PHILOSOPHY, compare=False)

    @classmethod
    def of(cls, held: http.Philosophy) -> ThresholdsDraft:
        """The draft that changes them."""
        return cls(typed_of(held.thresholds), held)

    @property
    def identity(self) -> str | None:
        """There is one of it."""
        return None

    @property
    def version(self) -> int:
        """The one it changes."""
        return self.held.version

    def based_on(self, held: http.Philosophy) -> Self:
        """The same as a change of another version."""
        return replace(self, held=held)

    def content(self) -> http.PhilosophyChange:
        """What is sent; raises ValidationError for a draft with errors."""
        limits: dict[str, Any] = asdict(self.held.thresholds)
        for key, text in self.typed.items():
            name = _name_of(key)
            if name in _TARGETS:
                limits[name] = limits[name] | {key.removeprefix(f"{name}_"): _value(key, text)}
            else:
                limits[name] = _value(key, text)
        known = self.held.model_dump(include={*http.PhilosophyChange.model_fields})
        return http.PhilosophyChange.model_validate(known | {"thresholds": limits})

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field; of a target that is refused as a whole, the far end."""
        unread = {
            key: number_fault(text, _sentence(key))
            for key, text in self.typed.items()
            if _value(key, text) == NOT_A_NUMBER
        }
        spoilt = {_name_of(key) for key in unread}
        refused = [name for name in self._refused() if name not in spoilt]
        keys = [f"{name}{_MOST}" if name in _TARGETS else name for name in refused]
        return unread | {key: _sentence(key) for key in keys}

    def _refused(self) -> list[str]:
        """Names of thresholds that contract or domain do not take."""
        try:
            self.content().philosophy().check()
        except ValidationError as error:
            return [str(one["loc"][1]) for one in error.errors() if one["loc"][:1] == ("thresholds",)]
        except InvalidInputError as error:
            return [key.removeprefix(_PREFIX) for key in error.fields if key.startswith(_PREFIX)]
        return []


def _name_of(key: str) -> str:
    """The threshold that a field is of."""
    return next((name for name in _TARGETS if key in (f"{name}{_GOOD}", f"{name}{_MOST}")), key)


def _text(kind: Kind, value: float) -> str:
    if kind is Kind.SPAN:
        return span_text(value)
    return plain(value * 100 if kind is Kind.PERCENT else value)


def _value(key: str, text: str) -> float:
    """What is typed, shares from 0 to 1; NOT_A_NUMBER for what is none or negative."""
    kind = KINDS[key]
    value = parsed_s(text) if kind is Kind.SPAN else parsed(text)
    if value is None or value < 0:
        return NOT_A_NUMBER
    return value / 100 if kind is Kind.PERCENT else value


def _sentence(key: str) -> str:
    """What a field wants."""
    own = {
        "chatter_count": say("A whole number from 2 to 1000000."),
        "chatter_index": say("Between 0.0001 and 1."),
        "pair_confidence": say("Between 1 and 100 per cent."),
        "flood_exit": say("A whole number, not above the one a flood begins with."),
    }
    if key in own:
        return own[key]
    kind = KINDS[key]
    if key.endswith(_MOST):
        return (
            say("Not below the target, and at most 100 per cent.")
            if kind is Kind.PERCENT
            else say("Not below the target, and at most 1000000.")
        )
    return {
        Kind.COUNT: say("A whole number from 1 to 1000000."),
        Kind.SPAN: say("Between 1 s and 400 days, such as 90 s or 24 h."),
        Kind.PERCENT: say("Between 0 and 100 per cent."),
        Kind.NUMBER: say("A number from 0 to 1000000."),
    }[kind]
