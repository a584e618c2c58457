"""Which topics a mapping is for: `site/+/{device}/data`, `meters/{device}/{parameter}`, `line-1/#`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from factoryops.domain.errors import InvalidInputError

LONGEST_TEMPLATE: Final = 300
MOST_LEVELS: Final = 16
DEVICE: Final = "{device}"
PARAMETER: Final = "{parameter}"
_PLACES: Final = (DEVICE, PARAMETER)


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """A parsed template.

    Attributes:
        levels: literal words, `+`, `{device}` or `{parameter}`; without a trailing `#`.
        is_open: it ended in `#`: whatever follows fits, nothing included.
    """

    text: str
    levels: tuple[str, ...]
    is_open: bool

    @property
    def filter(self) -> str:
        """The MQTT topic filter to subscribe to."""
        levels = ["+" if level in _PLACES else level for level in self.levels]
        return "/".join([*levels, "#"] if self.is_open else levels)

    def names(self, place: str) -> bool:
        """Whether a level of the topic is the device or the parameter."""
        return place in self.levels

    def match(self, topic: str) -> dict[str, str] | None:
        """What stands at the template's places, when `topic` fits; None when it does not."""
        given = topic.split("/")
        if len(given) < len(self.levels) or (len(given) > len(self.levels) and not self.is_open):
            return None
        found: dict[str, str] = {}
        for level, word in zip(self.levels, given, strict=False):
            if level in _PLACES:
                found[level] = word
            elif level not in {"+", word}:
                return None
        return found

    def overlaps(self, other: TopicTemplate) -> bool:
        """Whether there is a topic that fits both."""
        mine, theirs = self.levels, other.levels
        if len(mine) != len(theirs):
            shorter = self if len(mine) < len(theirs) else other
            if not shorter.is_open:
                return False
        return all(_is_open(a) or _is_open(b) or a == b for a, b in zip(mine, theirs, strict=False))


def _is_open(level: str) -> bool:
    return level == "+" or level in _PLACES


def parse_template(text: str) -> TopicTemplate:
    """The template that `text` writes down.

    Raises:
        InvalidInputError: says which rule of MQTT or of ours it breaks.
    """
    if not 0 < len(text) <= LONGEST_TEMPLATE or not text.isprintable():
        raise InvalidInputError(f"A topic has 1 to {LONGEST_TEMPLATE} printable characters.")
    levels = text.split("/")
    if len(levels) > MOST_LEVELS:
        raise InvalidInputError(f"A topic has at most {MOST_LEVELS} levels.")
    is_open = levels[-1] == "#"
    if is_open:
        levels.pop()
    _check_levels(levels)
    return TopicTemplate(text, tuple(levels), is_open)


def _check_levels(levels: list[str]) -> None:
    for level in levels:
        if "#" in level:
            raise InvalidInputError("# stands for whatever follows: it can only be the topic's last level, alone.")
        if ("+" in level and level != "+") or (("{" in level or "}" in level) and level not in _PLACES):
            raise InvalidInputError(f"The level {level!r} must be a word, +, {DEVICE} or {PARAMETER}, each alone.")
    for place in _PLACES:
        if levels.count(place) > 1:
            raise InvalidInputError(f"The topic names {place} twice.")
    if not levels or levels[0].startswith("$"):
        raise InvalidInputError("A topic that begins with $ belongs to the broker, and # alone would take everything.")
