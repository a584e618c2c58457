"""What a rule names beside devices and its class: shifts, notification policies and the rule it follows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Protocol

from factoryops.domain.errors import ConflictError, InvalidInputError
from factoryops.domain.rule import RuleDefinition

_MOST_NAMED: Final = 3


class KnownNames(Protocol):
    """The ids of what a factory has; each kind is asked for only where a rule names one of it."""

    def shifts(self) -> Collection[str]:
        """Of its shifts."""
        ...

    def policies(self) -> Collection[str]:
        """Of its notification policies."""
        ...

    def rules(self) -> Collection[str]:
        """Of its rules in use."""
        ...


def check_names(definition: RuleDefinition, known: KnownNames, *, own_id: str = "") -> None:
    """Raise InvalidInputError where the rule names something that the factory does not have, or follows itself.

    Args:
        definition: what is to be saved.
        known: what there is.
        own_id: of the rule that is changed; "" of a new one.
    """
    fields: tuple[tuple[str, Iterable[str], Callable[[], Collection[str]], str], ...] = (
        ("schedule", sorted(definition.shifts), known.shifts, "shift"),
        ("notify", definition.notify, known.policies, "notification policy"),
        ("parent_rule", filter(None, [definition.parent_rule]), known.rules, "rule to follow"),
    )
    for field, named, ask, word in fields:
        wanted = [*named]
        there = frozenset(ask()) if wanted else frozenset()
        missing = next((one for one in wanted if one not in there), None)
        if missing is not None:
            raise InvalidInputError(
                f"There is no {word} {missing!r} in this factory (any more): choose another one, or leave it out.",
                fields={field: f"there is no {word} {missing!r}"},
            )
    if own_id and definition.parent_rule == own_id:
        raise InvalidInputError(
            "A rule cannot follow itself: choose another rule, or none.", fields={"parent_rule": "is the rule itself"}
        )


def check_not_followed(identity: str, rules: Iterable[tuple[str, RuleDefinition]]) -> None:
    """Raise ConflictError when other rules follow the rule that is to be deleted.

    Args:
        identity: of the rule to delete.
        rules: all that are in use, with their ids.
    """
    followers = [one.name for own, one in rules if own != identity and one.parent_rule == identity]
    if followers:
        raise ConflictError(f"The rule is followed by {first_of(followers)}: change these rules first, then delete it.")


def first_of(names: Sequence[str]) -> str:
    """The first of many names, for a sentence."""
    return ", ".join(names[:_MOST_NAMED]) + (" and others" if len(names) > _MOST_NAMED else "")
