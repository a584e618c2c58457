"""The service's promises, in sentences and as balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from factoryops.contracts import http
from factoryops_resources.words import say
from factoryops_widgets.formatting import number


@dataclass(frozen=True, slots=True)
class Term:
    """One number of a balance, and what it counts."""

    value: int
    name: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What must be equal at all times: one number on the left, a sum on the right."""

    title: str
    whole: Term
    parts: tuple[Term, ...]

    @property
    def difference(self) -> int:
        """Zero when the balance holds; what is unaccounted for otherwise."""
        return self.whole.value - sum(part.value for part in self.parts)


def balances(health: http.Health) -> list[Balance]:
    """Both ledgers, where the service knows them."""
    found: list[Balance] = []
    if health.messages is not None:
        messages = health.messages
        found.append(
            Balance(
                say("Messages"),
                Term(messages.received, say("received")),
                (Term(messages.accepted, say("accepted")), Term(messages.quarantined, say("quarantined"))),
            )
        )
    if health.values is not None:
        values = health.values
        parts = (
            Term(values.stored - values.expired, say("stored")),
            *([Term(values.expired, say("expired by retention"))] if values.expired else []),
            Term(values.replaced, say("replaced")),
            Term(values.in_journal, say("still in the journal")),
        )
        found.append(Balance(say("Values"), Term(values.accepted, say("accepted")), parts))
    return found


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, and whether it holds; None where nobody knows."""

    sentence: str
    is_kept: bool | None


def promises(health: http.Health) -> list[Promise]:
    """What the product promises, judged from what the service says."""
    found = [_balance_promise(balance) for balance in balances(health)]
    if health.roles:
        dead = [role.role for role in health.roles if not role.is_alive]
        found.append(
            Promise(say("Silent parts of the service: {roles}.", roles=", ".join(dead)), is_kept=False)
            if dead
            else Promise(say("All {count} parts of the service are at work.", count=len(health.roles)), is_kept=True)
        )
    return found


def _balance_promise(balance: Balance) -> Promise:
    if balance.difference == 0:
        text = say("{title}: every one that was {verb} is accounted for.", title=balance.title, verb=balance.whole.name)
        return Promise(text, is_kept=True)
    text = say("{title}: {count} are not accounted for.", title=balance.title, count=abs(balance.difference))
    return Promise(text, is_kept=False)


def refused_sentence(values: http.ValueBalance) -> str:
    """Values that could not be used, counted by reason, and those a deadband held back; empty when there were none."""
    counted = [
        f"{number(count, 0)} {reason.replace('_', ' ')}" for reason, count in sorted(values.refused.items()) if count
    ]
    refused = say("Values refused singly: {list}.", list=", ".join(counted)) if counted else ""
    count = sum(values.suppressed.values())
    held = (
        say("{count} values were held back by deadbands and are not stored.", count=number(count, 0)) if count else ""
    )
    return " ".join(part for part in (refused, held) if part)


def journal_sentence(health: http.Health) -> str:
    """How fast the journal grows and how long its limit lasts; empty while nobody knows."""
    figures = next((role.figures for role in health.roles if role.role == "ingest"), {})
    per_hour, hours = figures.get("journal_bytes_per_hour"), figures.get("journal_hours_until_full")
    if not isinstance(per_hour, int | float) or not isinstance(hours, int | float):
        return ""
    return say(
        "The journal takes {amount} MB an hour; if its readers stood still, its limit would last {hours} h.",
        amount=number(per_hour / 1e6, 1), hours=number(hours, 0),
    )  # fmt: skip


def figures_text(figures: dict[str, object], most: int = 6) -> str:
    """A role's own figures in one line."""
    plain = [(key, value) for key, value in figures.items() if isinstance(value, int | float | str) and _says(key)]
    return ", ".join(f"{key.replace('_', ' ')} {_figure(value)}" for key, value in plain[:most])


def beat_age_s(role: http.RoleHealth, now: datetime) -> float | None:
    """How long ago a role showed a sign of life; None when it never did."""
    return (now - role.beat_at).total_seconds() if role.beat_at is not None else None


def _says(key: str) -> bool:
    """Whether a figure tells a person something; bare positions and moments do not."""
    return not key.endswith("_us") and not key.endswith("_seq")


def _figure(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(value, 0 if isinstance(value, int) else 2)


def problem_lines(problems: Sequence[http.HealthProblem]) -> list[str]:
    """Problems in sentences, each once."""
    return list(dict.fromkeys(problem.message for problem in problems))
