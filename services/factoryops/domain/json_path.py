"""Places inside a JSON document: `$.a.b[0]['c d'][*]`, and nothing more of JSONPath than that.

A path is parsed once and then followed many times; following it raises nothing whatever the document is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from factoryops.domain.errors import InvalidInputError

LONGEST_PATH: Final = 300
MOST_STEPS: Final = 16

_STEP: Final = re.compile(
    r"\.(?P<name>[^.\[\]'\"\s]+)|\[(?P<index>\d{1,6})\]|\[(?P<all>\*)\]|\['(?P<single>[^']+)'\]|\[\"(?P<double>[^\"]+)\"\]"
)


class Missing:
    """What a path leads to when the document has no such place."""


MISSING: Final = Missing()

Step = str | int | None
"""A name in an object, a place in an array, or None for every element of an array."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path; `steps` is empty for the whole document."""

    text: str
    steps: tuple[Step, ...]

    @property
    def is_single(self) -> bool:
        """Whether it leads to one place at most."""
        return None not in self.steps

    def first(self, document: object) -> object:
        """What lies at the path, `MISSING` when nothing does; of several places the first."""
        for step in self.steps:
            if step.__class__ is str:
                document = document.get(step, MISSING) if isinstance(document, dict) else MISSING
            else:
                document = _element(document, step)
            if document is MISSING:
                break
        return document

    def every(self, document: object) -> list[object]:
        """All that lies at the path, in the document's order."""
        found = [document]
        for step in self.steps:
            if step is None:
                found = [one for value in found if isinstance(value, list) for one in value]
            else:
                found = [one for value in found if (one := _next(value, step)) is not MISSING]
        return found


def _element(document: object, step: Step) -> object:
    index = step if isinstance(step, int) else 0
    return document[index] if isinstance(document, list) and index < len(document) else MISSING


def _next(document: object, step: str | int) -> object:
    if isinstance(step, int):
        return _element(document, step)
    return document.get(step, MISSING) if isinstance(document, dict) else MISSING


def parse_path(text: str) -> JsonPath:
    """The path that `text` writes down.

    Raises:
        InvalidInputError: it is not of the form `$.a.b[0]['c d'][*]`, or too long; says where it goes wrong.
    """
    if not text.startswith("$"):
        raise InvalidInputError(f"A path begins with $, the whole message; {text[:40]!r} does not.")
    if len(text) > LONGEST_PATH:
        raise InvalidInputError(f"A path has at most {LONGEST_PATH} characters.")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise InvalidInputError(f"The path cannot be read from {text[at : at + 20]!r} on; an example is $.a.b[0].")
        steps.append(_step(found))
        at = found.end()
    if len(steps) > MOST_STEPS:
        raise InvalidInputError(f"A path has at most {MOST_STEPS} steps.")
    return JsonPath(text, tuple(steps))


def _step(found: re.Match[str]) -> Step:
    if found["all"]:
        return None
    if found["index"]:
        return int(found["index"])
    return found["name"] or found["single"] or found["double"]
