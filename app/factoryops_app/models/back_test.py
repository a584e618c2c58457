"""What a back-test came to, as the panel shows it; no screen needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Compare, Constant
from factoryops.domain.rule import RuleDefinition
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.typed import number_fault, parsed, parsed_s, plain, span_text
from factoryops_resources.words import say
from factoryops_widgets.formatting import NOTHING, number

_APART: Final = re.compile(r"[;\s]+")
_STEPS: Final = (-0.1, -0.05, 0.0, 0.05, 0.1)
_SHARES: Final = (0.0, 0.01, 0.02, 0.05)
_DELAYS_S: Final = (0.0, 5.0, 30.0, 120.0)


def span_names() -> dict[int, str]:
    """Spans to try a rule on, by hours."""
    return {
        1: say("1 h"), 24: say("24 h"), 7 * 24: say("7 d"), 30 * 24: say("30 d"), 365 * 24: say("12 months"),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """An alarm it would have made: from raise to clear.

    Attributes:
        cleared_at: None while it would still stand at the end of the span.
        told_at: when operators would have been told: later than it was raised where it was suppressed by design, and
            None where they never were.
        why: in words, where it is kept.
        leaves: what its comparisons said, where that is kept.
    """

    device_key: str
    raised_at: datetime
    cleared_at: datetime | None
    value: float | None
    why: str
    told_at: datetime | None
    leaves: tuple[http.DecidingLeaf, ...] = ()

    @property
    def lasted_s(self) -> float | None:
        """How long it would have stood; None where it had not ended."""
        return (self.cleared_at - self.raised_at).total_seconds() if self.cleared_at is not None else None


def episodes(events: Sequence[http.BackTestEvent]) -> list[EpisodeRow]:
    """Raises, each with the clear that follows it on its device; in the order they were raised."""
    found: list[EpisodeRow] = []
    open_at: dict[str, int] = {}
    for event in events:
        if event.kind is AlarmEventKind.RAISED:
            open_at[event.device_key] = len(found)
            found.append(_raised(event))
        elif event.kind is AlarmEventKind.RENEWED and event.device_key in open_at:
            at = open_at[event.device_key]
            found[at] = replace(found[at], told_at=found[at].told_at or event.at)
        elif event.kind is AlarmEventKind.CLEARED and event.device_key in open_at:
            at = open_at.pop(event.device_key)
            found[at] = replace(found[at], cleared_at=event.at)
    return found


def _raised(event: http.BackTestEvent) -> EpisodeRow:
    told_at = event.at if event.is_told else None
    return EpisodeRow(event.device_key, event.at, None, event.value, event.why, told_at, tuple(event.leaves))


def figure_sentences(outcome: http.BackTestOutcome) -> list[str]:
    """What it came to, one sentence each."""
    figures = outcome.figures
    found = [
        say("One alarm, {rate} a day.", rate=_short(figures.alarms_per_day))
        if figures.alarms == 1
        else say("{count} alarms, {rate} a day.", count=figures.alarms, rate=_short(figures.alarms_per_day)),
        say("{count} more were suppressed by design: nobody is told of them.", count=figures.suppressed)
        if figures.suppressed
        else "",
        _lengths(figures),
        effect_sentence(outcome),
    ]  # fmt: skip
    if figures.hits or figures.misses:
        found.append(say("Of {all} marked incidents it saw {hits}; {apart} alarms were during none.",
                         all=figures.hits + figures.misses, hits=figures.hits, apart=figures.apart))  # fmt: skip
    if outcome.is_cut:
        found.append(say("Only the first alarms are listed; the figures count all."))
    return [one for one in [*found, *outcome.notes] if one]


def effect_sentence(outcome: http.BackTestOutcome) -> str:
    """The figures of the factory that the rule changes, without it and with it; "" where they are not known."""
    before, after = outcome.load_without, outcome.load_with
    if before is None or after is None:
        return ""
    changes = [
        f"{name} {old} → {new}"
        for name, old, new in zip(_effect_names(), _effect_words(before), _effect_words(after), strict=True)
        if old != new
    ]
    if not changes:
        return say("The alarm figures of the factory stay as they are.")
    return say("Alarm figures of the factory, without it → with it: {changes}.", changes="; ".join(changes))


def _effect_names() -> list[str]:
    return [
        say("Alarms a day"), say("Alarms an hour"), say("Alarms in 10 min"), say("Most in 10 min"),
        say("10 min with too many"), say("Hours with too many"), say("Time in flood"),
        say("critical/high/medium/low"), say("Share of the ten most frequent"), say("Chattering alarms"),
        say("Fleeting alarms"), say("Stale alarms"),
    ]  # fmt: skip


def _effect_words(load: http.AlarmLoad) -> list[str]:
    """As many as there are names."""

    def rate(value: float | None) -> str:
        return NOTHING if value is None else number(value, 1)

    def share(value: float | None) -> str:
        return NOTHING if value is None else f"{number(100 * value, 1)} %"

    mix = "/".join(number(100 * one, 1) for one in load.priority_shares)
    return [
        rate(load.per_day), rate(load.per_hour), rate(load.per_10_min), number(load.peak_10_min, 0),
        share(load.busy_intervals), share(load.busy_hours), share(load.flood_share), f"{mix} %" if mix else NOTHING,
        share(load.top_share), number(load.chattering, 0), number(load.fleeting, 0), number(load.stale, 0),
    ]  # fmt: skip


def _lengths(figures: http.BackTestFigures) -> str:
    if figures.longest_s is None or figures.shortest_s is None:
        return ""
    words = say("The longest stood for {longest}, the shortest for {shortest}", longest=length_words(figures.longest_s),
                shortest=length_words(figures.shortest_s))  # fmt: skip
    if figures.short_share is None:
        return f"{words}."
    return say("{words}; {share} % were over within a minute.", words=words, share=f"{100 * figures.short_share:.0f}")


def lasted_words(seconds: float | None) -> str:
    """How long an alarm stood."""
    return say("still standing") if seconds is None else length_words(seconds)


@dataclass(frozen=True, slots=True)
class SweepDraft:
    """Lists of values to try, as typed: numbers or times apart by semicolons or spaces."""

    limits: str = ""
    deadbands: str = ""
    on_delays: str = ""
    off_delays: str = ""

    def errors(self) -> dict[str, str]:
        """Why a list cannot be used."""
        found: dict[str, str] = {}
        for key, is_time in (("limits", False), ("deadbands", False), ("on_delays", True), ("off_delays", True)):
            typed = getattr(self, key)
            values = _times(typed) if is_time else _numbers(typed)
            if values is None:
                found[key] = number_fault(typed, say("Write values apart by semicolons."))
            elif key != "limits" and any(value < 0 for value in values):
                found[key] = say("Enter zero or a positive number.")
        if not found and self.sweep_size() > http.MOST_TRIALS:
            found["limits"] = say("These are {count} combinations; at most {most} are tried at once.",
                                  count=self.sweep_size(), most=http.MOST_TRIALS)  # fmt: skip
        return found

    def sweep_size(self) -> int:
        """How many combinations it asks for."""
        size = 1
        for values in (_numbers(self.limits), _numbers(self.deadbands), _times(self.on_delays),
                       _times(self.off_delays)):  # fmt: skip
            size *= max(1, len(values or ()))
        return size

    def sweep(self) -> http.Sweep:
        """What is asked for; only without errors."""
        return http.Sweep(
            limits=_numbers(self.limits) or [],
            deadbands=_numbers(self.deadbands) or [],
            on_delays_s=_times(self.on_delays) or [],
            off_delays_s=_times(self.off_delays) or [],
        )


def proposed_sweep(definition: RuleDefinition) -> SweepDraft:
    """Values around those the rule has: for a plain limit also limits and deadbands."""
    limit = plain_limit(definition.condition)
    on_delays = "; ".join(span_text(one) for one in sorted({*_DELAYS_S, definition.on_delay_s}))
    if limit is None:
        return SweepDraft(on_delays=on_delays)
    size = abs(limit.limit) or 1.0
    limits = "; ".join(_rounded(limit.limit + step * size, size) for step in _STEPS)
    deadbands = [float(_rounded(share * size, size)) for share in _SHARES]
    return SweepDraft(limits, "; ".join(plain(one) for one in sorted({*deadbands, limit.deadband})), on_delays)


def with_trial(draft: RuleDraft, trial: http.BackTestTrial) -> RuleDraft:
    """The draft with the values of one combination."""
    changed = draft.with_(on_delay=span_text(trial.on_delay_s), off_delay=span_text(trial.off_delay_s))
    condition = draft.condition()
    if trial.limit is None or trial.deadband is None or not isinstance(condition, Compare):
        return changed
    varied = msgspec.structs.replace(condition, right=Constant(trial.limit), deadband=trial.deadband)
    with_condition = RuleDraft.of(msgspec.structs.replace(draft.definition(), condition=varied))
    template = with_condition.template if draft.template is not None else None
    return changed.with_(template=template, tree=with_condition.tree)


def _numbers(text: str) -> list[float] | None:
    values = [parsed(one) for one in _APART.split(text.strip()) if one]
    return None if None in values else sorted({one for one in values if one is not None})


def _times(text: str) -> list[float] | None:
    values = [parsed_s(one) for one in text.split(";") if one.strip()]
    return None if None in values else sorted({one for one in values if one is not None})


def _rounded(value: float, size: float) -> str:
    """Three digits of the size that matters."""
    return f"{value:.3g}" if abs(value) >= size / 2 else f"{value:.2g}"


def _short(value: float) -> str:
    return f"{value:.3g}"


def length_words(seconds: float) -> str:
    """A length of time, rounded to what matters."""
    if seconds < 120:
        return span_text(round(seconds, 1))
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
