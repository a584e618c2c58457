"""Deadbands and delays worth trying on an alarm that chatters or flickers: from its runs, its noise and practice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from factoryops.domain.back_tests import Episode
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.performance.signal_practice import PRACTICE, SignalKind
from factoryops.domain.rule import LONGEST_DELAY_S, RuleDefinition
from factoryops.domain.rule_variants import variants
from factoryops.domain.time import US_PER_S

Numbers = npt.NDArray[np.float64]

_DELAYS_S: Final = (1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
_SHARES: Final = (0.5, 0.75, 0.9, 0.97, 0.99, 1.0)
_SIGMAS: Final = (3.0, 6.0)
_SHORT_S: Final = 60.0
"""What lasts longer is no chatter: in a longer break the process itself came back, and a longer alarm was real."""

_MOST_BREAKS: Final = 2_000


class Basis(StrEnum):
    """Where a value comes from."""

    RUNS = "runs"
    """How long the condition was true or false in this alarm's own history, and how far its signal came back."""
    NOISE = "noise"
    """The signal's own noise."""
    PRACTICE = "practice"
    """What is customary for the kind of signal."""


class Candidate(NamedTuple):
    """One change to try; what is None stays as the rule says.

    Attributes:
        deadband: in the parameter's unit.
        bases: where the values come from.
    """

    deadband: float | None = None
    on_delay_s: float | None = None
    off_delay_s: float | None = None
    bases: tuple[Basis, ...] = ()

    def definition(self, rule: RuleDefinition) -> RuleDefinition:
        """The rule with the change."""
        lists: dict[str, float | None] = {
            "deadbands": self.deadband, "on_delays_s": self.on_delay_s, "off_delays_s": self.off_delay_s,
        }  # fmt: skip
        return variants(rule, **{name: [value] for name, value in lists.items() if value is not None})[0]


class SignalFacts(NamedTuple):
    """What is known of the one parameter that a plain limit compares.

    Attributes:
        kind: what it measures, None where that is not known.
        width: of its range, in its unit; None where nobody has said it.
        noise: standard deviation of its quick movement, in its unit; 0 where there is none.
        depths: how far it came back beyond the limit in each short break, in its unit.
    """

    kind: SignalKind | None = None
    width: float | None = None
    noise: float = 0.0
    depths: tuple[float, ...] = ()


def noise_of(values: Numbers) -> float:
    """The standard deviation of what a signal does from one sample to the next, without what it does slowly.

    Taken from the median step, which single jumps do not move; from the mean step where most steps are none.

    Args:
        values: float64[n], in order of time.
    """
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    if not len(steps):
        return 0.0
    median = float(np.median(steps))
    return median * 1.4826 / math.sqrt(2) if median else float(steps.mean()) * math.sqrt(math.pi) / 2


class Breaks:
    """The short breaks between episodes of a plain limit, and how far the signal came back in each.

    Args:
        rule: as it is.
        episodes: that it made on one device, in order.
    """

    def __init__(self, rule: RuleDefinition, episodes: Sequence[Episode]) -> None:
        self._plain = plain_limit(rule.condition)
        on_us, off_us = round(rule.on_delay_s * US_PER_S), round(rule.off_delay_s * US_PER_S)
        spans = [
            (one.cleared_us - off_us, then.raised_us - on_us)
            for one, then in pairwise(episodes)
            if one.cleared_us is not None and then.raised_us - one.cleared_us <= _SHORT_S * US_PER_S
        ]
        self._starts, self._ends = np.array(spans[-_MOST_BREAKS:], np.int64).reshape(-1, 2).T
        self._depths = np.full(len(self._starts), -np.inf)

    def take(self, time_us: npt.NDArray[np.int64], values: Numbers) -> None:
        """Look at the next samples.

        Args:
            time_us: int64[n], ascending.
            values: float64[n].
        """
        if self._plain is None or not len(time_us):
            return
        is_high = self._plain.comparison in (Comparison.ABOVE, Comparison.AT_OR_ABOVE)
        beyond = self._plain.limit - values if is_high else values - self._plain.limit
        firsts, lasts = np.searchsorted(time_us, self._starts), np.searchsorted(time_us, self._ends)
        for number in np.flatnonzero(firsts < lasts).tolist():
            deepest = float(beyond[firsts[number] : lasts[number]].max())
            self._depths[number] = max(self._depths[number], deepest)

    def depths(self) -> tuple[float, ...]:
        """Of each break in which something was seen."""
        return tuple(self._depths[np.isfinite(self._depths)].tolist())


def candidates(
    rule: RuleDefinition, episodes: Sequence[Episode], signal: SignalFacts, *, is_chattering: bool
) -> list[Candidate]:
    """Changes that make the rule calmer than it is, one value each.

    An off-delay longer than the breaks always ends chattering, so that changes need not be combined.

    An alarm that is only fleeting gets on-delays alone: everything else would make it stand longer, not come less.

    Args:
        rule: as it is.
        episodes: of one device, that the rule made, in order.
        signal: of a plain limit; empty for any other condition.
        is_chattering: whether it does more than flicker.
    """
    found = _on_delays(rule, episodes, signal)
    if is_chattering:
        found = [*_deadbands(rule, signal), *_off_delays(rule, episodes, signal), *found]
    return found


def _deadbands(rule: RuleDefinition, signal: SignalFacts) -> list[Candidate]:
    plain = plain_limit(rule.condition)
    if plain is None:
        return []
    wanted = {_rounded_up(factor * signal.noise): Basis.NOISE for factor in _SIGMAS if signal.noise > 0}
    if signal.depths:
        wanted |= {
            _rounded_up(depth, is_more=True): Basis.RUNS
            for depth in np.quantile(signal.depths, _SHARES, method="higher")
        }
    if signal.kind is not None and signal.width:
        wanted[_rounded_up(PRACTICE[signal.kind].deadband_share * signal.width)] = Basis.PRACTICE
    return [Candidate(deadband=value, bases=(wanted[value],)) for value in sorted(wanted) if value > plain.deadband]


def _on_delays(rule: RuleDefinition, episodes: Sequence[Episode], signal: SignalFacts) -> list[Candidate]:
    """Longer than the condition was true."""
    shift_s = rule.on_delay_s - rule.off_delay_s
    runs_s = [_s(one.raised_us, one.cleared_us) + shift_s for one in episodes if one.cleared_us is not None]
    wanted = _delays(runs_s, signal)
    return [
        Candidate(on_delay_s=value, bases=(wanted[value],)) for value in sorted(wanted) if value > rule.on_delay_s
    ]  # fmt: skip


def _off_delays(rule: RuleDefinition, episodes: Sequence[Episode], signal: SignalFacts) -> list[Candidate]:
    """Longer than the condition was false in between."""
    shift_s = rule.off_delay_s - rule.on_delay_s
    runs_s = [
        _s(one.cleared_us, then.raised_us) + shift_s for one, then in pairwise(episodes) if one.cleared_us is not None
    ]
    wanted = _delays(runs_s, signal)
    return [
        Candidate(off_delay_s=value, bases=(wanted[value],)) for value in sorted(wanted) if value > rule.off_delay_s
    ]  # fmt: skip


def _delays(runs_s: Sequence[float], signal: SignalFacts) -> dict[float, Basis]:
    short_s = [one for one in runs_s if one <= _SHORT_S]
    wanted: dict[float, Basis] = {}
    if signal.kind is not None:
        wanted[PRACTICE[signal.kind].delay_s] = Basis.PRACTICE
    if short_s:
        for length_s in np.quantile(short_s, _SHARES, method="higher").tolist():
            longer = next((one for one in _DELAYS_S if one > length_s), None)
            if longer is not None and longer <= LONGEST_DELAY_S:
                wanted[float(longer)] = Basis.RUNS
    return wanted


def _s(start_us: int | None, end_us: int | None) -> float:
    return ((end_us or 0) - (start_us or 0)) / US_PER_S


def _rounded_up(value: float, *, is_more: bool = False) -> float:
    """Two digits, never less; where `is_more`, never the same either."""
    if value <= 0:
        return 0.0
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    steps = math.ceil(value / digit - 1e-9)
    if is_more and steps * digit <= value * (1 + 1e-9):
        steps += 1
    return float(f"{steps * digit:.6g}")
