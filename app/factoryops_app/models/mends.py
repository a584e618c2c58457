"""Proposals for alarms that chatter, as people read them; no screen needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops.domain.performance.candidates import Basis
from factoryops.domain.rule_variants import variants
from factoryops_app.models.performance import seconds
from factoryops_app.models.typed import plain, span_text
from factoryops_resources.words import say
from factoryops_widgets.formatting import NOTHING, number


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A change and what it would come to.

    Attributes:
        place: among the trials; -1 for the rule as it is.
        is_proposed: it is the least that is enough.
    """

    place: int
    change: str
    basis: str
    is_proposed: bool
    trial: http.MendTrial

    @property
    def verdict(self) -> str:
        """Whether it would do."""
        if self.place < 0:
            return ""
        if self.is_proposed:
            return say("proposed")
        if self.trial.is_enough:
            return say("enough")
        return say("misses an incident") if self.trial.incidents_missed else say("not enough")


def trial_rows(mend: http.AlarmMend) -> list[TrialRow]:
    """The rule as it is, then everything that was tried."""
    if mend.before is None:
        return []
    rows = [TrialRow(-1, say("as it is"), "", is_proposed=False, trial=mend.before)]
    for place, trial in enumerate(mend.trials):
        basis = ", ".join(basis_name(one) for one in trial.bases)
        rows.append(TrialRow(place, change_words(mend, trial), basis, place == mend.proposed, trial))
    return rows


def basis_name(basis: Basis) -> str:
    """Where a value comes from."""
    names = {
        Basis.RUNS: say("its own runs"),
        Basis.NOISE: say("noise of the signal"),
        Basis.PRACTICE: say("common practice"),
    }
    return names[basis]


def change_words(mend: http.AlarmMend, trial: http.MendTrial) -> str:
    """What would be different, such as "off-delay 15 s"."""
    before = mend.before
    if before is None:
        return ""
    if trial.deadband != before.deadband and trial.deadband is not None:
        return say("deadband {value}", value=f"{plain(trial.deadband)} {mend.unit}".strip())
    if trial.on_delay_s != before.on_delay_s:
        return say("on-delay {time}", time=span_text(trial.on_delay_s))
    return say("off-delay {time}", time=span_text(trial.off_delay_s))


def proposal_words(mend: http.AlarmMend) -> str:
    """What is proposed for an alarm, or that nothing is."""
    if mend.proposed is not None:
        return change_words(mend, mend.trials[mend.proposed])
    if mend.before is None:
        return say("cannot be tried")
    return say("calm as it is now") if mend.before.is_enough else say("nothing is enough")


def raises_words(mend: http.AlarmMend) -> str:
    """Raises before and after the proposal."""
    if mend.before is None:
        return NOTHING
    before = number(mend.before.raises, 0)
    if mend.proposed is None:
        return before
    return f"{before} \N{RIGHTWARDS ARROW} {number(mend.trials[mend.proposed].raises, 0)}"


def sentences(mend: http.AlarmMend) -> list[str]:
    """What is to be known of one alarm's proposal."""
    found = []
    if mend.proposed is not None and mend.before is not None:
        chosen = mend.trials[mend.proposed]
        found.append(
            say("{change}: {after} alarms in place of {before}.", change=_capital(change_words(mend, chosen)),
                after=number(chosen.raises, 0), before=number(mend.before.raises, 0))
        )  # fmt: skip
        found.append(_cost_words(mend, chosen))
    return [*found, *mend.notes]


def _cost_words(mend: http.AlarmMend, trial: http.MendTrial) -> str:
    if not mend.occasions:
        return say("In this time it never told of real trouble: what the change would hide cannot be seen.")
    told = say("Of {count} real occasions", count=mend.occasions)
    if not (trial.later or trial.missed):
        return say("{told} all would have been told as soon as now.", told=told)
    return say("{told} {later} would have been told later, by {longest} at most, and {missed} not at all.", told=told,
               later=trial.later, missed=trial.missed, longest=seconds(trial.delay_longest_s))  # fmt: skip


def changed_content(rule: http.Rule, mend: http.AlarmMend, trial: http.MendTrial) -> http.RuleContent | None:
    """The rule with the values of a trial; None when it has changed since they were tried."""
    if rule.version != mend.alarm.rule_version or mend.before is None:
        return None
    before = mend.before.deadband
    (definition,) = variants(
        rule.content.definition(),
        deadbands=[one for one in (trial.deadband,) if one is not None and one != before],
        on_delays_s=[trial.on_delay_s],
        off_delays_s=[trial.off_delay_s],
    )
    return http.RuleContent.of(definition)


def reason_words(mend: http.AlarmMend, trial: http.MendTrial) -> str:
    """Why the rule is changed, to be kept with its version."""
    before = mend.before.raises if mend.before else 0
    return say("{change} against chattering of {device}: {after} alarms in place of {before} on its own history",
               change=_capital(change_words(mend, trial)), device=mend.alarm.device_name or mend.alarm.device_key,
               after=number(trial.raises, 0), before=number(before, 0))  # fmt: skip


def outcome_words(outcome: http.MendOutcome) -> str:
    """What a search came to, in one line."""
    proposals = sum(one.proposed is not None for one in outcome.mends)
    told = say("Alarms looked at: {alarms}, proposals: {proposals}.", alarms=len(outcome.mends), proposals=proposals)
    if not outcome.left_out:
        return told
    return say("{told} {count} more were left out: choose them and try again.", told=told, count=outcome.left_out)


def affected_words(after_s: float | None) -> str:
    """How an occasion fares under the proposal."""
    return say("not told") if after_s is None else say("{time} later", time=seconds(after_s))


def chosen_trial(mend: http.AlarmMend, rows: Sequence[TrialRow]) -> http.MendTrial | None:
    """The trial to be taken over: the selected one, else the proposed."""
    picked = [row.trial for row in rows if row.place >= 0]
    if picked:
        return picked[0]
    return None if mend.proposed is None else mend.trials[mend.proposed]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
