"""The alarm classes and the priority matrix while a person edits them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Self

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError
from factoryops_app.models.drafts import content_faults, seconds
from factoryops_app.models.typed import parsed_s, span_text
from factoryops_resources.words import say

YES: Final = "yes"
NO: Final = "no"
_PLACE: Final = re.compile(r"classes\.(\d+)\.(\w+)")


@dataclass(frozen=True, slots=True)
class ClassDraft:
    """One class; yes or no, and lengths of time as typed."""

    id: str
    name: str
    needs_comment: str = NO
    may_be_shelved: str = YES
    longest_shelving_s: str = "8 h"
    re_alarm_s: str = "0 s"
    is_latching: str = NO
    is_counted: str = YES

    @classmethod
    def of(cls, kept: http.AlarmClass) -> ClassDraft:
        """As text."""
        return cls(
            kept.id, kept.name, _yes(is_so=kept.needs_comment), _yes(is_so=kept.may_be_shelved),
            span_text(kept.longest_shelving_s), span_text(kept.re_alarm_s), _yes(is_so=kept.is_latching),
            _yes(is_so=kept.is_counted),
        )  # fmt: skip

    def kept(self) -> http.AlarmClass:
        """What is sent; what is no time is sent as one that no field takes."""
        return http.AlarmClass(
            id=self.id.strip(), name=self.name.strip(), needs_comment=self.needs_comment == YES,
            may_be_shelved=self.may_be_shelved == YES, longest_shelving_s=seconds(self.longest_shelving_s),
            re_alarm_s=seconds(self.re_alarm_s), is_latching=self.is_latching == YES,
            is_counted=self.is_counted == YES,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeverityDraft:
    """One row of the matrix: the site's word, and a priority per time to respond."""

    word: str
    priorities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhilosophyDraft:
    """What is filled in.

    Attributes:
        bounds: of the matrix's columns, as typed: times apart by semicolons.
        held: what it changes; what is not edited here is sent as it is.
    """

    classes: tuple[ClassDraft, ...] = ()
    bounds: str = ""
    severities: tuple[SeverityDraft, ...] = ()
    held: http.Philosophy = field(default=http.FIRST_PHILOSOPHY, compare=False)

    @classmethod
    def of(cls, held: http.Philosophy) -> PhilosophyDraft:
        """The draft that changes it."""
        rows = zip(held.matrix.severities, held.matrix.priorities, strict=True)
        return cls(
            tuple(ClassDraft.of(one) for one in held.classes),
            "; ".join(span_text(one) for one in held.matrix.response_times_s),
            tuple(SeverityDraft(word, tuple(str(int(one)) for one in row)) for word, row in rows),
            held,
        )

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
        known = self.held.model_dump(include={*http.PhilosophyChange.model_fields})
        matrix = {
            "severities": [one.word.strip() for one in self.severities],
            "response_times_s": bounds_s(self.bounds) or [],
            "priorities": [[int(one) for one in row.priorities] for row in self.severities],
        }
        classes = [one.kept().model_dump() for one in self.classes]
        return http.PhilosophyChange.model_validate(known | {"classes": classes, "matrix": matrix})

    def errors(self) -> dict[str, str]:
        """What cannot be saved, by field and cell."""
        found = content_faults(self.content, {}) or self._faults()
        if bounds_s(self.bounds) is None:
            found["bounds"] = say("Write ascending times apart by semicolons, such as 5 min; 15 min.")
        return found

    def _faults(self) -> dict[str, str]:
        try:
            self.content().philosophy().check()
        except InvalidInputError as error:
            return dict(_named(key) for key in error.fields)
        return {}


def bounds_s(text: str) -> list[float] | None:
    """Times to respond as typed, ascending; None when they are not."""
    found = [parsed_s(one) for one in text.split(";") if one.strip()]
    times = [one for one in found if one is not None]
    if len(times) < len(found) or times != sorted(set(times)):
        return None
    return times


def _named(key: str) -> tuple[str, str]:
    sentences = {
        "id": say("Give it a key of its own."),
        "name": say("Give it a name of its own."),
        "longest_shelving_s": say("Between 1 min and 7 days."),
        "re_alarm_s": say("Between 0 s and 24 h."),
        "classes": say("There must be at least one class."),
        "matrix.severities": say("Give each row a word of its own."),
        "matrix.response_times_s": say("Write ascending times apart by semicolons, such as 5 min; 15 min."),
    }
    place = _PLACE.fullmatch(key)
    if place is not None:
        return f"classes[{place[1]}].{place[2]}", sentences.get(place[2], say("This cannot be used."))
    rows = {"matrix.response_times_s": "bounds", "classes": "classes"}
    return rows.get(key, "matrix"), sentences.get(key, say("This cannot be used."))


def _yes(*, is_so: bool) -> str:
    return YES if is_so else NO
