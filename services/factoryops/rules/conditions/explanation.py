"""Why a condition turned: what each leaf said at that moment, and the samples that decided it."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.tree import Condition, Outside
from factoryops.rules.conditions.leaves import Compared, Scheduled, Silent
from factoryops.rules.conditions.lowering import Compiled, Leaf
from factoryops.rules.conditions.signal import FALSE, TRUE, UNKNOWN
from factoryops.rules.conditions.step import Step
from factoryops.rules.delays import Move

MOST_LEAVES: Final = 20
MOST_SAMPLES: Final = 50
"""Of all leaves together."""
_MOST_OF_A_SERIES: Final = 10


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """A sample as it was evaluated; its time is corrected by the device's clock offset."""

    series: int
    time_us: int
    value: float
    flags: int


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What a leaf said.

    Attributes:
        path: its place, as in `Leaf`.
        state: FALSE, UNKNOWN or TRUE.
        value / limit: what was compared, None where there was nothing.
    """

    path: str
    state: int
    value: float | None
    limit: float | None
    samples: tuple[Evidence, ...]


class Explanation(msgspec.Struct, frozen=True, array_like=True):
    """Why a condition turned.

    Attributes:
        at_us: when it did.
        leaves: at most `MOST_LEAVES`.
        is_whole: whether that is all leaves, and all their samples.
    """

    at_us: int
    leaves: tuple[Said, ...]
    is_whole: bool = True


def explained(compiled: Compiled, step: Step, moment_us: int) -> Explanation:
    """Why the condition is what it is at a moment of its newest step.

    Args:
        compiled: stepped through `step`, and no further.
        step: the step.
        moment_us: within it.
    """
    room = MOST_SAMPLES
    leaves: list[Said] = []
    is_whole = len(compiled.leaves) <= MOST_LEAVES
    for leaf in compiled.leaves[:MOST_LEAVES]:
        samples, is_cut = _evidence(leaf, step, moment_us)
        is_whole = is_whole and not is_cut and len(samples) <= room
        kept = samples[max(0, len(samples) - room) :]
        room -= len(kept)
        leaves.append(_said(leaf, moment_us, tuple(kept)))
    return Explanation(moment_us, tuple(leaves), is_whole)


def crossed(series: int, limit: float, move: Move) -> Explanation | None:
    """Why a plain limit turned: the one sample that crossed it."""
    if move.value is None:
        return None
    state = TRUE if move.kind is AlarmEventKind.RAISED else FALSE
    sample = Evidence(series, move.since_us, move.value, 0)
    return Explanation(move.since_us, (Said("", state, move.value, limit, (sample,)),))


def deciding(explanation: Explanation, state: int) -> Said | None:
    """The leaf that tells best why the condition is `state`: one that says so itself, and has a value to show."""
    agreeing = [said for said in explanation.leaves if said.state == state]
    for candidates in (agreeing, explanation.leaves):
        for said in candidates:
            if said.value is not None:
                return said
    return agreeing[0] if agreeing else next(iter(explanation.leaves), None)


def _said(leaf: Leaf, moment_us: int, samples: tuple[Evidence, ...]) -> Said:
    part = leaf.part
    state = UNKNOWN if part.said is None else part.said.at(moment_us)
    if isinstance(part, Compared):
        row = int(np.searchsorted(part.moments, moment_us, "right")) - 1
        left, right = float(part.left.value[row]), float(part.right.value[row])
        return Said(leaf.path, state, _known(left), _known(right), samples)
    value = samples[-1].value if samples and not isinstance(leaf.part, Silent) else None
    return Said(leaf.path, _of_node(leaf.node, state), value, None, samples)


def _of_node(node: Condition, state: int) -> int:
    return TRUE - state if isinstance(node, Outside) else state


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _evidence(leaf: Leaf, step: Step, moment_us: int) -> tuple[list[Evidence], bool]:
    """The newest samples of each series up to the moment, as far back as they count."""
    if isinstance(leaf.part, Scheduled):
        return [], False
    found: list[Evidence] = []
    is_cut = False
    for series, reach_us in sorted(leaf.part.series.items()):
        held = step.columns.of(series, reach_us)
        last = int(np.searchsorted(held.time_us, moment_us, "right"))
        reached = int(np.searchsorted(held.time_us, moment_us - reach_us, "right"))
        first = reached if reach_us else max(0, last - 1)
        is_cut = is_cut or last - first > _MOST_OF_A_SERIES
        part = held.part(max(first, last - _MOST_OF_A_SERIES), last)
        columns = (part.series.tolist(), part.time_us.tolist(), part.value.tolist(), part.flags.tolist())
        found += [Evidence(*row) for row in zip(*columns, strict=True)]
    return found, is_cut
