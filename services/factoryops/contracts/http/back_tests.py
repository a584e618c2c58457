"""Trying a rule on recorded history, and the incidents that it is held against."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import prod
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from factoryops.contracts.http.alarm_whys import DecidingLeaf
from factoryops.contracts.http.jobs import Run
from factoryops.contracts.http.parts import TEXT, Finite, Identifier, Key, Received, Sent, SentMoment, example
from factoryops.contracts.http.rules import RuleContent
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.performance.figures import Performance
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.rule_variants import variants

LONGEST_BACK_TEST_DAYS: Final = 400
MOST_TRIALS: Final = 400
"""Combinations of a sweep, at most."""

MOST_BACK_TEST_EVENTS: Final = 5_000
MOST_EXPLAINED: Final = 1_000
"""Of so many of its events a back-test tells which samples decided them."""

_Values = Annotated[list[Finite], Field(max_length=50)]
_Widths = Annotated[list[Annotated[Finite, Field(ge=0)]], Field(max_length=50)]
_Delays = Annotated[list[Annotated[Finite, Field(ge=0, le=86_400)]], Field(max_length=50)]


class Sweep(Sent):
    """Values to try: every combination is judged; where a list is empty, what the rule says is kept.

    Limits and deadbands need a rule that compares one parameter with a number.
    """

    limits: _Values = []
    deadbands: _Widths = []
    on_delays_s: _Delays = []
    off_delays_s: _Delays = []

    @property
    def trials(self) -> int:
        """How many combinations it asks for; 0 for none."""
        lists = [one for one in (self.limits, self.deadbands, self.on_delays_s, self.off_delays_s) if one]
        return prod(map(len, lists)) if lists else 0

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self.trials > MOST_TRIALS:
            raise ValueError(f"the lists make {self.trials} combinations; at most {MOST_TRIALS} are tried at once")
        return self


class BackTestRequest(Sent):
    """Try a rule, saved or not, on a span of history.

    Attributes:
        rule_id: the saved rule whose place it would take: that one's alarms are then left out of the factory's figures.
    """

    model_config = example(
        {
            "rule": {
                "name": "Pressure high",
                "condition": {
                    "kind": "compare",
                    "left": {"kind": "parameter", "key": "pressure"},
                    "comparison": "gt",
                    "right": {"kind": "constant", "value": 5.0},
                },
                "priority": 2,
            },
            "start": "2026-02-01T00:00:00Z",
            "end": "2026-03-01T00:00:00Z",
            "sweep": {"limits": [4.8, 5.0, 5.2], "on_delays_s": [0, 5, 30]},
        }
    )

    rule: RuleContent
    start: SentMoment
    end: SentMoment
    sweep: Sweep = Sweep()
    rule_id: Identifier | None = None

    def check(self) -> None:
        """Raise InvalidInputError saying what cannot be tried."""
        self.rule.definition().check()
        if self.end <= self.start:
            raise InvalidInputError(
                "The span is empty: its end must lie after its start.", fields={"end": "must lie after the start"}
            )
        if self.end - self.start > timedelta(days=LONGEST_BACK_TEST_DAYS):
            raise InvalidInputError(
                f"A rule is tried on {LONGEST_BACK_TEST_DAYS} days at most: choose a shorter span.",
                fields={"start": "too early"},
            )
        self.variants()

    def variants(self) -> list[RuleDefinition]:
        """The rules of the sweep; raises InvalidInputError when the rule has nothing to vary so."""
        sweep = self.sweep
        return variants(
            self.rule.definition(),
            limits=sweep.limits,
            deadbands=sweep.deadbands,
            on_delays_s=sweep.on_delays_s,
            off_delays_s=sweep.off_delays_s,
        )


class BackTestEvent(Received):
    """Something that would have happened to an alarm: raised, cleared, suppressed, unsuppressed or renewed.

    Attributes:
        value: of the sample that led to it; None where no single sample did.
        is_told: operators would have been told; of a raise that is suppressed by design they are not.
        why: what decided it, in words.
        turned_at: when the condition turned; a delay may have run after that.
        leaves: what each comparison said, and the samples it said it of; kept of the first `MOST_EXPLAINED` events.
        is_whole: whether these are all comparisons and all their samples.
    """

    device_key: str
    kind: AlarmEventKind
    at: datetime
    value: float | None = None
    is_told: bool = False
    why: str = ""
    turned_at: datetime | None = None
    leaves: list[DecidingLeaf] = []
    is_whole: bool = True


class BackTestFigures(Received):
    """How often and how long the alarms were active.

    Attributes:
        short_share: of those that cleared, the share that was over within a minute (0 to 1).
        hits / misses: marked incidents during which an alarm was active, and those without.
        apart: alarms during no marked incident.
        suppressed: raises of which nobody would have been told, since the alarm was suppressed by design; `alarms`
            leaves them out, and counts what is announced again when that ends.
    """

    alarms: int
    alarms_per_day: float
    longest_s: float | None = None
    shortest_s: float | None = None
    short_share: float | None = None
    hits: int = 0
    misses: int = 0
    apart: int = 0
    suppressed: int = 0


class BackTestDevice(Received):
    """What it came to on one device.

    Attributes:
        samples: on-time ones it was judged by.
        is_active_at_end: the alarm would stand now.
    """

    device_key: str
    device_name: str
    alarms: int
    samples: int
    is_active_at_end: bool = False


class BackTestTrial(Received):
    """One combination of a sweep; what was not varied is as the rule has it, None where the rule has no such value."""

    limit: float | None
    deadband: float | None
    on_delay_s: float
    off_delay_s: float
    figures: BackTestFigures


class BackTestIncident(Received):
    """How a marked incident fared.

    Attributes:
        seen_at: when the first alarm that was active during it was raised; None when it was missed.
    """

    incident_id: str
    start: datetime
    end: datetime
    note: str = ""
    seen_at: datetime | None = None


class BackTestDay(Received):
    """Alarms of one local date of the factory.

    Attributes:
        date: "YYYY-MM-DD".
    """

    date: str
    alarms: int


class AlarmLoad(Received):
    """Alarm figures of the whole factory, as `/alarms/performance` has them; None where there was nothing to judge.

    Attributes:
        per_day / per_hour / per_10_min: annunciations on average.
        peak_10_min: in the worst ten minutes of the clock.
        busy_intervals / busy_hours: share of those with more than an operator can handle (0 to 1).
        flood_share: share of the time in a flood (0 to 1).
        top_share: of the ten most frequent alarms in all (0 to 1).
        priority_shares: of critical, high, medium and low alarms (0 to 1); empty without alarms.
        chattering / fleeting / stale: how many such alarms there are; 100 stands for 100 and more.
    """

    per_day: float | None = None
    peak_10_min: int = 0
    per_hour: float | None = None
    per_10_min: float | None = None
    busy_intervals: float | None = None
    busy_hours: float | None = None
    flood_share: float | None = None
    top_share: float | None = None
    priority_shares: list[float] = []
    chattering: int = 0
    fleeting: int = 0
    stale: int = 0

    @classmethod
    def of(cls, figures: Performance) -> Self:
        """Of the figures of a span."""
        load = figures.rates
        return cls(
            per_day=load.per_day, peak_10_min=load.busiest, per_hour=load.per_hour, per_10_min=load.per_interval,
            busy_intervals=load.busy_intervals, busy_hours=load.busy_hours, flood_share=load.flood_share,
            top_share=figures.top_share,
            priority_shares=[one.share for one in figures.priorities if one.share is not None],
            chattering=len(figures.chattering), fleeting=len(figures.fleeting), stale=len(figures.stale),
        )  # fmt: skip


class BackTestOutcome(Received):
    """What a rule would have done.

    Attributes:
        rule_name: as it was tried.
        samples: on-time samples it was judged by.
        late / imported: samples of the span that move no condition.
        events: oldest first, at most `MOST_BACK_TEST_EVENTS`; `is_cut` says that there were more.
        load_without / load_with: the factory's figures of the span, without this rule and with it; None where they are
            of too many alarms.
        notes: what a person should know about the data, one sentence each.
        took_s: how long it took.
    """

    rule_name: str
    start: datetime
    end: datetime
    samples: int
    late: int = 0
    imported: int = 0
    figures: BackTestFigures
    days: list[BackTestDay] = []
    devices: list[BackTestDevice] = []
    events: list[BackTestEvent] = []
    is_cut: bool = False
    trials: list[BackTestTrial] = []
    incidents: list[BackTestIncident] = []
    load_without: AlarmLoad | None = None
    load_with: AlarmLoad | None = None
    notes: list[str] = []
    took_s: float = 0.0


class BackTest(Received):
    """A back-test and what it came to.

    Attributes:
        outcome: None until the run has succeeded.
    """

    run: Run
    outcome: BackTestOutcome | None = None


class IncidentContent(Sent):
    """Something that went wrong, marked so that rules can be held against it.

    Attributes:
        device_keys / areas: what was concerned; neither for the whole factory.
    """

    model_config = example(
        {
            "start": "2026-02-11T04:10:00Z",
            "end": "2026-02-11T05:30:00Z",
            "device_keys": ["pump-1"],
            "note": "The bearing seized.",
        }
    )

    start: SentMoment
    end: SentMoment
    device_keys: Annotated[list[Key], Field(max_length=100)] = []
    areas: Annotated[list[Key], Field(max_length=100)] = []
    note: Annotated[str, Field(max_length=1_000, pattern=TEXT)] = ""

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError("an incident must not end before it begins")
        return self


class Incident(Received):
    """A marked incident."""

    id: Identifier
    content: IncidentContent
    marked_by: str
    marked_at: datetime


class IncidentList(Received):
    """The factory's marked incidents, newest first."""

    incidents: list[Incident]
