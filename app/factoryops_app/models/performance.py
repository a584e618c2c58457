"""The figures of alarm performance as people read them; no screen needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from factoryops.contracts import http
from factoryops.domain.performance.figures import Performance
from factoryops.domain.performance.judging import Band, Load
from factoryops.domain.performance.left_out import unreceived_s
from factoryops.domain.performance.thresholds import Target
from factoryops_app.models.back_test import length_words
from factoryops_resources.words import say
from factoryops_widgets.formatting import NOTHING, number

Of = TypeVar("Of")

FIRST_SPAN_H: Final = 30 * 24

_SIGNS: Final = {Band.GOOD: "", Band.TOLERABLE: "! ", Band.POOR: "!! "}
"""Shapes mean priorities of alarms, and nothing else."""


def span_titles() -> dict[int, str]:
    """Spans to look at, by hours."""
    return {24: say("24 h"), 7 * 24: say("7 d"), 30 * 24: say("30 d"), 90 * 24: say("90 d")}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure.

    Attributes:
        value: what it sorts by; None where there was nothing to judge.
        text: as it is read.
        target: what it is compared with.
        band: how it compares, UNKNOWN where there is nothing to compare it with.
        reason: why it is not compared though it has a target.
    """

    key: str
    name: str
    value: float | None
    text: str
    target: str = ""
    band: Band = Band.UNKNOWN
    reason: str = ""

    @property
    def verdict(self) -> str:
        """In words, with a sign where it is beyond its target."""
        names = {
            Band.GOOD: say("within target"), Band.TOLERABLE: say("beyond target"), Band.POOR: say("far beyond target"),
        }  # fmt: skip
        return f"{_SIGNS[self.band]}{names[self.band]}" if self.band in names else self.reason

    @property
    def is_beyond(self) -> bool:
        """Whether it is to stand out."""
        return self.band in (Band.TOLERABLE, Band.POOR)


def figure_rows(figures: Performance) -> list[FigureRow]:
    """All figures with what they are compared with."""
    load, judged, limits = figures.rates, figures.judgement, figures.limits

    def rated(key: str, name: str, value: float | None, target: Target) -> FigureRow:
        words = say("up to {good}, at most {most}", good=_short(target.good), most=_short(target.most))
        return FigureRow(key, name, value, number(value, 1), words, judged.rate)

    return [
        FigureRow("all", say("Alarms in all"), load.annunciations, number(load.annunciations, 0)),
        rated("day", say("Alarms a day"), load.per_day, limits.rate_per_day),
        rated("hour", say("Alarms an hour"), load.per_hour, limits.rate_per_hour),
        rated("interval", say("Alarms in 10 min"), load.per_interval, limits.rate_per_interval),
        FigureRow("busiest", say("Most in 10 min"), load.busiest if load.intervals else None,
                  number(load.busiest, 0) if load.intervals else NOTHING, _up_to(limits.busiest), judged.busiest),
        _share("busy_intervals", say("10 min with more than {count}", count=limits.busy_interval), load.busy_intervals,
               limits.share_of_time, judged.busy_intervals),
        _share("busy_hours", say("Hours with more than {count}", count=limits.busy_hour), load.busy_hours,
               limits.share_of_time, judged.busy_hours),
        _share("flood", say("Time in flood"), load.flood_share, limits.share_of_time, judged.flood),
        _share("top", say("Share of the ten most frequent"), figures.top_share, limits.top_ten, judged.top_ten,
               say("too few alarms to judge")),
        _none("chattering", say("Chattering alarms"), len(figures.chattering)),
        _none("fleeting", say("Fleeting alarms"), len(figures.fleeting)),
        FigureRow("stale", say("Stale at once"), figures.stale_at_once, number(figures.stale_at_once, 0),
                  _up_to(limits.stale_at_once), judged.stale),
        FigureRow("standing", say("Standing at the end"), len(figures.standing), number(len(figures.standing), 0)),
        FigureRow("quiet", say("Raised while put aside"), figures.quiet_raises, number(figures.quiet_raises, 0)),
    ]  # fmt: skip


def _share(key: str, name: str, value: float | None, target: Target, band: Band, reason: str = "") -> FigureRow:
    text = NOTHING if value is None else f"{number(100 * value, 1)} %"
    words = say("up to {most} %", most=_short(round(100 * target.good, 6)))
    return FigureRow(key, name, value, text, words, band, "" if value is None else reason)


def _up_to(target: Target) -> str:
    return say("up to {most}", most=_short(target.good))


def _short(value: float) -> str:
    return number(value, 0 if float(value).is_integer() else 2)


def _none(key: str, name: str, count: int) -> FigureRow:
    return FigureRow(key, name, count, number(count, 0), say("none"), Band.TOLERABLE if count else Band.GOOD)


def summary(found: http.AlarmPerformance) -> list[str]:
    """What is to be known before the figures, one sentence each."""
    figures = found.figures
    load = figures.rates
    sentences = [load_name(figures.judgement.load)] if figures.judgement.load else []
    if figures.is_indicative:
        sentences.append(
            say("Indicative only: {days} of the 30 days that such figures need could be judged.",
                days=number(load.judged_s / 86_400, 1))
        )  # fmt: skip
    if (unreceived := unreceived_s(figures)) > 0:
        sentences.append(say("{time} in which nothing could be received are left out.",
                             time=length_words(unreceived)))  # fmt: skip
    if figures.declared_s:
        sentences.append(say("{time} of declared outages are left out.", time=length_words(figures.declared_s)))
    return sentences


def load_name(load: Load) -> str:
    """EEMUA's word for the average."""
    return {
        Load.ACCEPTABLE: say("The load on the operator is very likely acceptable."),
        Load.MANAGEABLE: say("The load on the operator is manageable."),
        Load.DEMANDING: say("The load on the operator is likely over-demanding."),
        Load.UNACCEPTABLE: say("The load on the operator is very likely unacceptable."),
    }[load]


@dataclass(frozen=True)
class Listed(Generic[Of]):
    """An alarm with what a list says of it."""

    alarm: http.NumberedAlarm
    of: Of


def listed(found: http.AlarmPerformance, items: Iterable[Of], number_of: Callable[[Of], int]) -> list[Listed[Of]]:
    """Items of the figures with the alarms they speak of."""
    by_number = {one.number: one for one in found.alarms}
    return [Listed(by_number[number_of(one)], one) for one in items]


def nuisance_ids(found: http.AlarmPerformance | None) -> list[str]:
    """Ids of the alarms that chatter, then of those that are only fleeting; the worst first."""
    if found is None:
        return []
    by_number = {one.number: one.alarm_id for one in found.alarms}
    numbers = [one.alarm for one in found.figures.chattering] + [one.alarm for one in found.figures.fleeting]
    return [by_number[one] for one in dict.fromkeys(numbers)]


@dataclass(frozen=True, slots=True)
class PairRow:
    """An alarm that follows another."""

    first: http.NumberedAlarm
    then: http.NumberedAlarm
    support: int
    confidence: float


def pair_rows(found: http.AlarmPerformance) -> list[PairRow]:
    """Alarms of which one tells nothing new."""
    by_number = {one.number: one for one in found.alarms}
    return [
        PairRow(by_number[one.first], by_number[one.then], one.support, one.confidence) for one in found.figures.pairs
    ]


def percent(share: float | None, decimals: int = 0) -> str:
    """A share as people read it."""
    return NOTHING if share is None else f"{number(100 * share, decimals)} %"


def seconds(length_s: float | None) -> str:
    """A length of time; a dash for none."""
    return NOTHING if length_s is None else length_words(length_s)


def is_nothing_judged(figures: Performance) -> bool:
    """Whether nothing was received in all of the time; where outages were declared, that is shown with the figures."""
    return figures.rates.judged_s <= 0 and not figures.declared_s
