"""Proposals for alarms that chatter or flicker: changes of their rules, tried on their own history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

from factoryops.contracts.http.back_tests import LONGEST_BACK_TEST_DAYS, Incident
from factoryops.contracts.http.jobs import Run
from factoryops.contracts.http.parts import Finite, Identifier, Received, Sent, SentMoment, example
from factoryops.contracts.http.rules import RuleContent
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import plain_limit
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.performance.candidates import Basis
from factoryops.domain.performance.mending import Told, Trial
from factoryops.domain.performance.proposing import REAL_AFTER_S, Proposal
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import from_us

MOST_MENDED: Final = 20
"""Alarms of one run, the worst first."""

_MOST_OCCASIONS: Final = 50


class MendRequest(Sent):
    """Look for changes that make alarms calmer.

    Attributes:
        start / end: the history they are tried on.
        alarm_ids: the alarms; by default those that chatter or flicker in the span, the worst first.
        real_after_s: what stood as long, with all that came again within a minute, is real trouble and is looked for
            in what the changed rule would have raised.
    """

    model_config = example({"start": "2026-02-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"})

    start: SentMoment
    end: SentMoment
    alarm_ids: Annotated[list[Identifier], Field(max_length=MOST_MENDED)] = []
    real_after_s: Annotated[Finite, Field(ge=0, le=86_400)] = REAL_AFTER_S

    def check(self) -> None:
        """Raise InvalidInputError saying what cannot be tried."""
        if self.end <= self.start:
            raise InvalidInputError(
                "The span is empty: its end must lie after its start.", fields={"end": "must lie after the start"}
            )
        if self.end - self.start > timedelta(days=LONGEST_BACK_TEST_DAYS):
            raise InvalidInputError(
                f"Changes are tried on {LONGEST_BACK_TEST_DAYS} days at most: choose a shorter span.",
                fields={"start": "too early"},
            )


class MendTrial(Received):
    """What the rule came to with these values; what is not changed is as the rule has it.

    Attributes:
        deadband: None where the rule has none to change.
        bases: where the changed values come from; empty for the rule as it is.
        raises: in the span.
        most_in_span / chatter_index: as chattering is judged by.
        fleeting: raises that were over before anybody could act and did not come again soon.
        active_s: time for which the alarm stood.
        delay_median_s / delay_longest_s: by which real occasions are told later than by the rule as it is.
        later / missed: real occasions and marked incidents that are told later, or not at all.
        incidents_missed: of those, marked incidents.
        is_enough: the alarm would be no nuisance any more, stand for no day that it does not stand for now, and miss no
            marked incident.
    """

    deadband: float | None
    on_delay_s: float
    off_delay_s: float
    bases: list[Basis] = []
    raises: int
    most_in_span: int
    chatter_index: float
    fleeting: int
    active_s: float
    delay_median_s: float | None = None
    delay_longest_s: float | None = None
    later: int = 0
    missed: int = 0
    incidents_missed: int = 0
    is_enough: bool = False

    @classmethod
    def of(cls, trial: Trial, rule: RuleDefinition) -> MendTrial:
        """A trial of a changed rule as it travels."""
        plain = plain_limit(rule.condition)
        return cls(
            deadband=plain.deadband if plain else None, on_delay_s=rule.on_delay_s, off_delay_s=rule.off_delay_s,
            bases=list(trial.candidate.bases), raises=trial.raises, most_in_span=trial.most,
            chatter_index=trial.index, fleeting=trial.fleeting, active_s=trial.active_s,
            delay_median_s=trial.delay_median_s, delay_longest_s=trial.delay_longest_s, later=trial.later,
            missed=trial.missed, incidents_missed=trial.incidents_missed, is_enough=trial.is_enough,
        )  # fmt: skip


class MendOccasion(Received):
    """Real trouble that the proposed rule would tell later, or not at all.

    Attributes:
        told_at: when the rule as it is tells of it.
        after_s: how much later the proposed one does; None where it does not.
        incident_id / note: of a marked incident.
    """

    told_at: datetime
    end: datetime
    after_s: float | None
    incident_id: Identifier | None = None
    note: str = ""

    @classmethod
    def of(cls, told: Told, incidents: Mapping[str, Incident]) -> MendOccasion:
        """An occasion as it travels."""
        occasion, incident = told.occasion, incidents.get(told.occasion.incident)
        return cls(
            told_at=from_us(occasion.told_us), end=from_us(occasion.end_us), after_s=told.after_s,
            incident_id=occasion.incident or None, note=incident.content.note if incident else "",
        )  # fmt: skip


class MendedAlarm(Received):
    """The alarm a proposal is about.

    Attributes:
        recorded: how often it was raised in the span, by whichever versions of its rule held then.
        watched: how many devices its rule is evaluated for; a change holds for all of them.
    """

    alarm_id: Identifier
    rule_id: Identifier
    rule_name: str
    rule_version: int
    device_key: str
    device_name: str
    area: str
    priority: Priority
    recorded: int
    watched: int = 1


class AlarmMend(Received):
    """What was tried for one alarm.

    Attributes:
        is_chattering: whether the rule as it is chatters on this history; else it only flickers, or neither.
        unit: of deadbands.
        before: the rule as it is; None where it could not be tried, and `notes` say why.
        occasions: real ones that the rule as it is tells of.
        trials: what was tried.
        proposed: the place among `trials` of the least intrusive change that is enough; None where there is none.
        affected: occasions that the proposed rule tells later or not at all, at most 50.
        content: the rule with the proposed change, to be saved as its next version.
        notes: what a person should know, one sentence each.
    """

    alarm: MendedAlarm
    is_chattering: bool = False
    unit: str = ""
    before: MendTrial | None = None
    occasions: int = 0
    trials: list[MendTrial] = []
    proposed: int | None = None
    affected: list[MendOccasion] = []
    content: RuleContent | None = None
    notes: list[str] = []

    @classmethod
    def of(
        cls, alarm: MendedAlarm, rule: RuleDefinition, found: Proposal, incidents: Mapping[str, Incident],
        *, unit: str, notes: list[str],
    ) -> AlarmMend:  # fmt: skip
        """A proposal as it travels."""
        before = found.before
        chosen = None if found.chosen is None else found.trials[found.chosen]
        told = chosen.told[:_MOST_OCCASIONS] if chosen else ()
        return cls(
            alarm=alarm,
            is_chattering=before.is_chattering,
            unit=unit,
            before=MendTrial.of(before.trial, rule),
            occasions=len(before.occasions),
            trials=[MendTrial.of(one, one.candidate.definition(rule)) for one in found.trials],
            proposed=found.chosen,
            affected=[MendOccasion.of(one, incidents) for one in told],
            content=RuleContent.of(chosen.candidate.definition(rule)) if chosen else None,
            notes=notes,
        )


class MendOutcome(Received):
    """Proposals, the worst alarm first.

    Attributes:
        left_out: how many alarms that chatter or flicker were not looked at: the worst are, as far as time allows.
        took_s: how long it took.
    """

    start: datetime
    end: datetime
    mends: list[AlarmMend]
    left_out: int = 0
    took_s: float = 0.0


class Mending(Received):
    """A search for proposals and what it came to.

    Attributes:
        outcome: None until the run has succeeded.
    """

    run: Run
    outcome: MendOutcome | None = None
