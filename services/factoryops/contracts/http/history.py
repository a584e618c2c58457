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


class BinnedColumns(Received):
    """One parameter per bin; bins without numbers are absent."""

    parameter_id: Identifier
    series_id: int
    bin_us: int
    start_us: list[int]
    count: list[int]
    minimum: list[float]
    maximum: list[float]
    mean: list[float]


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
    """

    parameter_id: Identifier
    series_id: int
    time_us: list[int]
    value: list[float]
    flags: list[int]
    texts: dict[int, str] = {}
    next_start_us: int | None = None
    gaps: list[GapSpan] = []
    pending_from_us: int | None = None
