"""A rule in plain words: what it does, for which devices, and whether it tells anybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from factoryops.domain.alarms import Priority
from factoryops.domain.rule import RuleDefinition, RuleMode, RuleScope
from factoryops.domain.rule_advice import mistaken_for_silence
from factoryops_app.models.back_test import length_words
from factoryops_app.models.condition_draft import NodeDraft
from factoryops_app.models.condition_words import condition_words
from factoryops_app.models.names import Names
from factoryops_app.models.plant import Measured
from factoryops_app.models.rule_draft import RuleDraft
from factoryops_app.models.schedule_draft import schedule_words
from factoryops_app.models.typed import parsed_s
from factoryops_resources.words import say

_MOST_NAMES: Final = 3


def mode_name(mode: RuleMode) -> str:
    """What a rule does with what it finds."""
    names = {
        RuleMode.LIVE: say("live"),
        RuleMode.SHADOW: say("shadow"),
        RuleMode.OFF: say("switched off"),
    }
    return names[mode]


def mode_sentence(mode: RuleMode) -> str:
    """The same in a sentence."""
    sentences = {
        RuleMode.LIVE: say("Live: it raises alarms."),
        RuleMode.SHADOW: say("Shadow: it is evaluated and recorded, and tells nobody."),
        RuleMode.OFF: say("Switched off: nothing is evaluated."),
    }
    return sentences[mode]


def scope_words(scope: RuleScope, names: Names) -> str:
    """For which devices, in a few words."""
    if scope.is_whole_factory:
        return say("every device that has it")
    parts = [names.device(key) for key in scope.devices]
    parts += [say("every {kind}", kind=kind) for kind in scope.kinds]
    parts += [say("area {area}", area=area) for area in scope.areas]
    if len(parts) > _MOST_NAMES:
        return say("{names} and {count} more", names=", ".join(parts[:_MOST_NAMES]), count=len(parts) - _MOST_NAMES)
    return ", ".join(parts)


def definition_words(definition: RuleDefinition, names: Names) -> str:
    """The condition of a rule that exists."""
    return condition_words(NodeDraft.of(definition.condition), names)


def rule_warning(draft: RuleDraft, measured: Iterable[Measured]) -> str:
    """What the author should know before saving; "" where there is nothing, or the rule is not complete yet."""
    named = draft if draft.name.strip() else draft.with_(name="…")
    sifted = [one.sifted for one in measured if one.parameter.deadband]
    if not sifted or named.errors():
        return ""
    found = mistaken_for_silence(named.definition(), sifted)
    if not found:
        return ""
    return say(
        "This will be raised by mistake: a deadband of {parameter} on {device} holds samples back for up to {longest}, "
        "which looks like missing data. Wait longer than that, or look at all data of the device.",
        parameter=found[0].parameter, device=found[0].device, longest=length_words(found[0].longest_s),
    )  # fmt: skip


def rule_sentence(draft: RuleDraft, names: Names) -> str:
    """What the rule will do; what is still missing appears as a gap."""
    tree = draft.shown_tree()
    condition = condition_words(tree, names) if tree is not None else "…"
    where = scope_words(draft.scope.scope(), names) if not draft.scope.is_empty else "…"
    values = {"priority": _priority_word(draft.priority), "where": where, "condition": condition}
    if parsed_s(draft.on_delay):
        first = say("{priority} alarm on {where} once this has been so for {delay}: {condition}.",
                    delay=draft.on_delay.strip(), **values)  # fmt: skip
    else:
        first = say("{priority} alarm on {where} as soon as this is so: {condition}.", **values)
    return " ".join([first, *_further(draft, names)])


def _further(draft: RuleDraft, names: Names) -> list[str]:
    found: list[str] = []
    if parsed_s(draft.off_delay):
        found.append(say("It ends when that is over for {delay}.", delay=draft.off_delay.strip()))
    if draft.is_latching:
        found.append(say("It stays until somebody resets it."))
    if not draft.schedule.errors() and not draft.schedule.schedule().is_always:
        found.append(say("Only {schedule}.", schedule=schedule_words(draft.schedule, names.shift)))
    if draft.suppress_while is not None:
        found.append(say("Suppressed while {condition}.", condition=condition_words(draft.suppress_while, names)))
    if draft.mode is not RuleMode.LIVE:
        found.append(mode_sentence(draft.mode))
    return found


def _priority_word(priority: Priority) -> str:
    words = {
        Priority.CRITICAL: say("Critical"),
        Priority.HIGH: say("High"),
        Priority.MEDIUM: say("Medium"),
        Priority.LOW: say("Low"),
    }
    return words[priority]
