"""A proposal for one nuisance alarm: what is tried on its history, in which order, and what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from factoryops.domain.back_tests import Episode, MarkedIncident
from factoryops.domain.performance.candidates import SignalFacts, candidates
from factoryops.domain.performance.mending import Baseline, Trial, baseline, judge_trial, least
from factoryops.domain.performance.thresholds import DEFAULT, Thresholds
from factoryops.domain.rule import RuleDefinition

Try = Callable[[Sequence[RuleDefinition]], Sequence[Sequence[Episode]]]
"""The episodes that each of some rules would have made on the alarm's device, in order."""

Facts = Callable[[Sequence[Episode]], SignalFacts]
"""What is known of the signal that a plain limit compares; told of the episodes of the rule as it is."""

REAL_AFTER_S: Final = 60.0
"""What lasted as long could have been answered."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a proposal is held against.

    Attributes:
        span: [start, end) of the history, microseconds since 1970.
        incidents: marked ones that touch it and concern the device.
        real_after_s: an occasion that lasted as long is real.
        limits: what chattering and fleeting are.
    """

    span: tuple[int, int]
    incidents: Sequence[MarkedIncident] = ()
    real_after_s: float = REAL_AFTER_S
    limits: Thresholds = DEFAULT


@dataclass(frozen=True, slots=True)
class Proposal:
    """What came of it.

    Attributes:
        before: the rule as it is.
        trials: everything that was tried; none where the rule is calm already.
        chosen: the place of the least intrusive change that is enough, None where there is none.
    """

    before: Baseline
    trials: list[Trial] = field(default_factory=list)
    chosen: int | None = None


def propose(rule: RuleDefinition, question: Question, try_rules: Try, facts_of: Facts) -> Proposal:
    """Try the rule as it is, and changes of it unless it is calm already."""
    (made,) = try_rules([rule])
    span, incidents, limits = question.span, question.incidents, question.limits
    before = baseline(made, span, incidents, limits, real_after_s=question.real_after_s)
    if before.trial.is_enough:
        return Proposal(before)
    changes = candidates(rule, made, facts_of(made), is_chattering=before.is_chattering)
    if not changes:
        return Proposal(before)
    tried = try_rules([one.definition(rule) for one in changes])
    trials = [
        judge_trial(change, episodes, span, incidents, before, limits)
        for change, episodes in zip(changes, tried, strict=True)
    ]
    return Proposal(before, trials, least(trials))
