"""Samples of the past: newest, binned and raw."""

from __future__ import annotations

from factoryops.contracts.http.parts import Identifier, Received


class LatestValue(Received):
    """The newest sample of a parameter; with the flag TEXT, `value` is a code and `text` what it stands for."""

    parameter_id: Identifier
    series_id: int
    time_us: int
    value: float
    flags: int
    text: str | None = None


class LatestValues(Received):
    """The newest sample of each parameter that has one."""

    values: list[LatestValue]


class GapSpan(Received):
    """A span in which data may be missing, and why."""

    start_us: int
    end_us: int
    reason: str


class Quality(Received):
    """How many samples there are, and how many of them are late, imported, uncertain or texts."""

    samples: int
    late: int
    imported: int
    uncertain: int
    texts: int


class BinnedColumns(Received):
    """One parameter per bin; bins without numbers are absent.

    Attributes:
        weighted_mean: time-weighted, where it was asked for; None where no good value holds.
        quality: of all samples in the bins.
        resolution_us: part of the span is kept only in steps of this width any more; 0 when all is as fine as `bin_us`.
    """

    parameter_id: Identifier
    series_id: int
    bin_us: int
    start_us: list[int]
    count: list[int]
    minimum: list[float]
    maximum: list[float]
    mean: list[float]
    weighted_mean: list[float | None] = []
    quality: Quality | None = None
    resolution_us: int = 0


class BinnedAnswer(Received):
    """Binned history of several parameters over one span.

    Attributes:
        pending_from_us: samples received after this moment are not in the answer yet (a store is away); None when
            all are.
    """

    start_us: int
    end_us: int
    columns: list[BinnedColumns]
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None


class RawColumns(Received):
    """Samples of one parameter, ascending in time.

    Attributes:
        texts: what the values of samples with the flag TEXT stand for, by value.
        next_start_us: where to go on when the limit cut the answer; None at the end.
        next_cursor: the same, to be handed back as it is.
    """

    parameter_id: Identifier
    series_id: int
    time_us: list[int]
    value: list[float]
    flags: list[int]
    texts: dict[int, str] = {}
    next_start_us: int | None = None
    next_cursor: str | None = None
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None


class ParameterStatistics(Received):
    """Time-weighted figures of one parameter over a span: every good value counts for as long as it holds.

    Attributes:
        mean / deviation: None when no good value holds at any time of the span.
        minimum / maximum: of all numbers, uncertain ones included; None without any.
        good_share: share of the span in which a good value holds.
    """

    parameter_id: Identifier
    series_id: int
    mean: float | None
    deviation: float | None
    minimum: float | None
    maximum: float | None
    good_share: float
    quality: Quality


class StatisticsAnswer(Received):
    """Statistics of several parameters over one span; in its gaps nothing is known to hold."""

    start_us: int
    end_us: int
    parameters: list[ParameterStatistics]
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None
