"""Looking among the versions of a rule: what the service and the imagined plant do alike."""

from __future__ import annotations

from collections.abc import Iterable

from factoryops.contracts import http
from factoryops.domain.errors import NotFoundError
from factoryops.domain.rule_diff import differences


def version_among(versions: Iterable[http.Rule], number: int) -> http.Rule:
    """One version of a rule; raises NotFoundError."""
    found = next((one for one in versions if one.version == number), None)
    if found is None:
        raise NotFoundError(f"The rule has no version {number}.")
    return found


def differences_between(old: http.Rule, new: http.Rule) -> http.RuleDifferences:
    """What `new` has different from `old`."""
    found = differences(old.content.definition(), new.content.definition())
    return http.RuleDifferences(changes=[http.RuleDifference(path=one.path, old=one.old, new=one.new) for one in found])
