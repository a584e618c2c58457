"""Importing the original product's rules: what the service and the imagined plant do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.original_rules import Understood, read_rule


def import_rules(
    request: http.RuleImport,
    names: Iterable[str],
    check: Callable[[http.RuleContent], object],
    create: Callable[[http.RuleContent], http.Rule],
) -> http.RuleImportReport:
    """What becomes of each rule; nothing is created in a dry run.

    Args:
        request: the rules, and whether they are only tried.
        names: of the rules that are there; one of the same name is not imported again.
        check: raises InvalidInputError when the factory cannot have it.
        create: makes it.
    """
    taken = set(names)
    told: list[http.ImportedRule] = []
    for rule in request.rules:
        understood = read_rule(rule, request.devices)
        told.append(_imported(request, understood, taken, check, create))
        taken.add(understood.name)
    return http.RuleImportReport(is_dry_run=request.is_dry_run, rules=told)


def _imported(
    request: http.RuleImport,
    understood: Understood,
    taken: set[str],
    check: Callable[[http.RuleContent], object],
    create: Callable[[http.RuleContent], http.Rule],
) -> http.ImportedRule:
    name, notes = understood.name, [*understood.notes]
    if understood.definition is None:
        return http.ImportedRule(name=name, content=None, notes=notes)
    if name in taken:
        return http.ImportedRule(name=name, content=None, notes=["A rule of this name is there already."])
    content = http.RuleContent.of(understood.definition)
    if request.mode is not None:
        content = content.model_copy(update={"mode": request.mode})
    try:
        check(content)
    except InvalidInputError as error:
        return http.ImportedRule(name=name, content=None, notes=[str(error)])
    made = None if request.is_dry_run else create(content).id
    return http.ImportedRule(name=name, content=content, rule_id=made, notes=notes)
