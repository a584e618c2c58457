"""How far an announcement has come in a policy's steps: when that begins, goes on with a repeat, and ends."""

from __future__ import annotations

import dataclasses
from typing import Final

from factoryops.database.notification_rows import (
    DONE,
    NO_POLICY,
    SUPERSEDED,
    WITHDRAWN,
    AlarmStanding,
    Chain,
    OutboxEvent,
)
from factoryops.domain.identity import derived_id
from factoryops.domain.notification_repeats import REPEAT_US
from factoryops.domain.notifying import Policy
from factoryops.domain.time import US_PER_S

_RESUMED: Final = (DONE, "returned", "suppressed")
"""Ends after which a repeat that follows soon is still the same story."""


def begun(event: OutboxEvent, policy_id: str, policy: Policy) -> Chain:
    """The chain an announcement begins in a policy."""
    chain = _of(event, policy_id)
    return dataclasses.replace(chain, due_us=_due_us(chain, policy))


def taken_over(event: OutboxEvent, before: Chain, policy: Policy) -> Chain:
    """The chain of an announcement that goes on where an earlier one's is."""
    chain = dataclasses.replace(
        _of(event, before.policy_id), began_us=before.began_us, step=before.step, repeats=before.repeats
    )
    due_us = before.due_us if before.due_us is not None else _due_us(chain, policy)
    return dataclasses.replace(chain, due_us=due_us, outcome=DONE if due_us is None else "")


def without_policy(event: OutboxEvent) -> Chain:
    """What stands for an announcement whose rule names policies of which none is in use."""
    return dataclasses.replace(_of(event, ""), outcome=NO_POLICY)


def _of(event: OutboxEvent, policy_id: str) -> Chain:
    return Chain(
        factory_id=event.factory_id,
        id=derived_id(event.factory_id, "chain", event.id, policy_id),
        event_id=event.id,
        alarm_id=event.alarm_id,
        annunciation=event.annunciation,
        renewal=event.renewal,
        policy_id=policy_id,
        began_us=event.created_us,
    )


def goes_on(before: Chain, policy: Policy, standing: AlarmStanding, now_us: int) -> bool:
    """Whether an announcement at a moment is a repeat of one that has come so far and that nobody has answered."""
    if standing.answers(*before.mark):
        return False
    if before.due_us is not None:
        return True
    over_us = before.began_us + int(policy.over_s(before.step, before.repeats) * US_PER_S)
    return before.outcome in _RESUMED and now_us < over_us + REPEAT_US


def replaced(chain: Chain) -> Chain:
    """A chain that a later announcement has taken over."""
    return dataclasses.replace(chain, due_us=None, outcome=SUPERSEDED)


def stepped(chain: Chain, policy: Policy) -> Chain:
    """A chain whose due step was taken."""
    is_repeat = chain.step >= len(policy.steps)
    step, repeats = (chain.step, chain.repeats + 1) if is_repeat else (chain.step + 1, 0)
    taken = dataclasses.replace(chain, step=step, repeats=repeats)
    due_us = _due_us(taken, policy)
    return dataclasses.replace(taken, due_us=due_us, outcome=DONE if due_us is None else "")


def _due_us(chain: Chain, policy: Policy) -> int | None:
    due_s = policy.due_s(chain.step, chain.repeats)
    return None if due_s is None else chain.began_us + int(due_s * US_PER_S)


def ending(chain: Chain, policy: Policy | None, standing: AlarmStanding | None) -> str:
    """Why a chain ends before its next step; "" when it goes on."""
    if policy is None or not policy.is_enabled or standing is None:
        return WITHDRAWN
    if standing.answers(*chain.mark):
        return "acknowledged"
    if standing.out_of_sight:
        return standing.out_of_sight
    if chain.step and not standing.is_active and policy.stops_on_return:
        return "returned"
    return ""
