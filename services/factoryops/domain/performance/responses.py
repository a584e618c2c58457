"""How alarms are spread over the priorities, and how they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.performance.episodes import Episodes, Whole
from factoryops.domain.time import US_PER_S

TARGET_SHARES: Final = {1: 0.01, 2: 0.05, 3: 0.15, 4: 0.80}
"""About what share of the annunciations each of four priorities should have."""


@dataclass(frozen=True, slots=True)
class PriorityFigures:
    """One priority's share and answers; times are None where nothing was answered or returned.

    Attributes:
        returned_unanswered: share of those that returned which did so before anybody had acknowledged them.
    """

    priority: int
    annunciations: int
    share: float | None
    target_share: float
    acknowledged: int
    acknowledge_median_s: float | None
    acknowledge_p95_s: float | None
    returned: int
    return_median_s: float | None
    return_p95_s: float | None
    returned_unanswered: float | None


def by_priority(episodes: Episodes, end_us: int) -> list[PriorityFigures]:
    """Figures of each priority as of `end_us`, most urgent first."""
    return [_figures(episodes, priority, end_us) for priority in TARGET_SHARES]


def _figures(episodes: Episodes, priority: int, end_us: int) -> PriorityFigures:
    own = episodes.where(episodes.priority == priority)
    answered, returned = own.acknowledged_us < end_us, own.cleared_us < end_us
    early = returned & (own.cleared_us < own.acknowledged_us)
    acknowledge_s = _after(own.acknowledged_us[answered], own.at_us[answered])
    return_s = _after(own.cleared_us[returned], own.at_us[returned])
    return PriorityFigures(
        priority=priority,
        annunciations=len(own),
        share=len(own) / len(episodes) if len(episodes) else None,
        target_share=TARGET_SHARES[priority],
        acknowledged=int(answered.sum()),
        acknowledge_median_s=_quantile(acknowledge_s, 0.5),
        acknowledge_p95_s=_quantile(acknowledge_s, 0.95),
        returned=int(returned.sum()),
        return_median_s=_quantile(return_s, 0.5),
        return_p95_s=_quantile(return_s, 0.95),
        returned_unanswered=float(early.sum() / returned.sum()) if returned.any() else None,
    )


def _after(moments: Whole, since: Whole) -> npt.NDArray[np.float64]:
    passed: npt.NDArray[np.float64] = np.maximum(moments - since, 0) / US_PER_S
    return passed


def _quantile(values: npt.NDArray[np.float64], share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
