"""Anomalies of one machine: a moving Hotelling T² over all its parameters, and which of them are to blame.

Healthy behaviour is learned from a reference: mean, spread and correlation of the moving averages. A moment is abnormal
when its distance from that, T² (Hotelling 1947), is half as large again as the largest in the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

WINDOW: Final = 30
"""Bins of the moving average."""

FEWEST_REFERENCE: Final = 120
"""Bins below which a reference says nothing."""

_SHRINKAGE: Final = 0.02
_MARGIN: Final = 1.5


@dataclass(frozen=True, slots=True)
class Health:
    """How a machine behaves when it is well.

    Attributes:
        mean / scale: float64[p] of the moving averages.
        precision: float64[p, p], the inverse of their correlation.
        limit: the T² beyond which a moment is abnormal.
    """

    mean: Vector
    scale: Vector
    precision: Matrix
    limit: float

    def standardised(self, smooth: Matrix) -> Matrix:
        """Distances from the mean in spreads."""
        return (smooth - self.mean) / self.scale

    def t_squared(self, smooth: Matrix) -> Vector:
        """T² of each row of moving averages."""
        distances = self.standardised(smooth)
        squared: Vector = np.einsum("ij,jk,ik->i", distances, self.precision, distances)
        return squared

    def blame(self, smooth: Matrix) -> Matrix:
        """By how much T² would fall if one parameter alone followed the others, per row and parameter.

        The conditional term of Mason, Tracy and Young (1995); never negative.
        """
        pulled = self.standardised(smooth) @ self.precision
        terms: Matrix = pulled**2 / np.diag(self.precision)
        return terms


@dataclass(frozen=True, slots=True)
class Cause:
    """A parameter's part in an episode.

    Attributes:
        index: its column.
        share: of the blame, 0 to 1.
        deviation: mean distance from its healthy mean, in spreads; the sign is the direction.
    """

    index: int
    share: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of abnormal bins.

    Attributes:
        first / last: rows, both included.
        severity: the largest T² as a multiple of the limit.
        causes: parameters to blame, most first.
    """

    first: int
    last: int
    severity: float
    causes: tuple[Cause, ...]


def moving_average(values: Matrix, window: int = WINDOW) -> Matrix:
    """The mean of each row and up to `window` - 1 rows before it."""
    total = np.cumsum(np.vstack([np.zeros((1, values.shape[1])), values]), axis=0)
    last = np.arange(1, len(values) + 1)
    first = np.maximum(0, last - window)
    average: Matrix = (total[last] - total[first]) / (last - first)[:, None]
    return average


def learn(reference: Matrix, resolution: Vector) -> Health:
    """Healthy behaviour from float64[n, p] values, n at least `FEWEST_REFERENCE`.

    Args:
        reference: one row per bin, one column per parameter.
        resolution: float64[p], the smallest step each parameter shows; a constant one is measured by it.
    """
    smooth = moving_average(reference)
    mean = smooth.mean(axis=0)
    scale = np.maximum(smooth.std(axis=0), np.maximum(resolution, 1e-12))
    distances = (smooth - mean) / scale
    correlation = distances.T @ distances / len(distances)
    precision = np.linalg.inv((1 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(mean)))
    health = Health(mean, scale, precision, 0.0)
    limit = float(health.t_squared(smooth).max()) * _MARGIN
    return Health(mean, scale, precision, max(limit, 1e-9))


def find_episodes(health: Health, smooth: Matrix, *, most_causes: int = 3) -> list[Episode]:
    """Abnormal stretches; those closer than a window are one, those shorter than a third of it are noise."""
    squared = health.t_squared(smooth)
    abnormal = np.flatnonzero(squared > health.limit)
    if not len(abnormal):
        return []
    edges = np.flatnonzero(np.diff(abnormal) > WINDOW) + 1
    stretches = [part for part in np.split(abnormal, edges) if len(part) >= WINDOW // 3]
    return [_episode(health, smooth, squared, part, most_causes) for part in stretches]


def _episode(health: Health, smooth: Matrix, squared: Vector, rows: npt.NDArray[np.intp], most: int) -> Episode:
    return Episode(
        first=int(rows[0]),
        last=int(rows[-1]),
        severity=float(squared[rows].max() / health.limit),
        causes=_causes(health, smooth[rows], most),
    )


def _causes(health: Health, smooth: Matrix, most: int) -> tuple[Cause, ...]:
    blame = health.blame(smooth).mean(axis=0)
    total = float(blame.sum()) or 1.0
    deviation = health.standardised(smooth).mean(axis=0)
    order: Sequence[int] = np.argsort(-blame)[:most].tolist()
    return tuple(Cause(index, float(blame[index]) / total, float(deviation[index])) for index in order)
