"""`rule`: alarm rules as files, with their versions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer
from pydantic import TypeAdapter, ValidationError

from factoryops.contracts import http
from factoryops.contracts.rule_versions import differences_between
from factoryops.database.rules import Rules
from factoryops.database.transaction import Transaction
from factoryops.domain.conditions.words import condition_words
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.rule import RuleMode
from factoryops.server.back_test_commands import back_test
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, choose_factory, context_of

Slug = Annotated[str, typer.Argument(help="The factory's slug, as in topics and at login.")]
Name = Annotated[str, typer.Argument(help="The rule's name or id.")]
File = Annotated[Path, typer.Argument(help="A JSON file with one rule or a list of them.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the version and in the audit trail.")]
Answer = TypeVar("Answer")

_ACTOR: Final = "administration"
_FILE: Final = TypeAdapter(list[http.RuleContent] | http.RuleContent)
_ORIGINAL: Final = TypeAdapter(list[dict[str, Any]] | dict[str, Any])


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="Alarm rules and their versions.", no_args_is_help=True)
    group.command("list")(list_rules)
    group.command("show")(show_rule)
    group.command("export")(export_rules)
    group.command("import")(import_rules)
    group.command("import-original")(import_original)
    group.command("versions")(list_versions)
    group.command("diff")(compare_versions)
    group.command("roll-back")(roll_back)
    group.command("back-test")(back_test)
    app.add_typer(group, name="rule")


def list_rules(context: typer.Context, factory: Slug) -> None:
    """List the rules of a factory."""
    rows = [
        (
            one.content.name,
            one.content.priority.name.lower(),
            one.content.mode.value,
            condition_words(one.content.condition),
            one.version,
            one.changed_by,
            one.fault or "",
        )
        for one in _ask(context_of(context), factory, lambda rules: rules.list())
    ]
    show_table(("name", "priority", "mode", "condition", "version", "changed by", "stopped because"), rows)


def show_rule(context: typer.Context, factory: Slug, rule: Name) -> None:
    """Write one rule to standard output, with who changed it and why."""
    held = _ask(context_of(context), factory, lambda rules: _named(rules, rule))
    _write(held.model_dump(mode="json"))


def export_rules(
    context: typer.Context,
    factory: Slug,
    rule: Annotated[str | None, typer.Option(help="The name or id of the only one to write; else all.")] = None,
) -> None:
    """Write rules to standard output, in the form `import` reads."""
    found = _ask(context_of(context), factory, lambda rules: rules.list() if rule is None else [_named(rules, rule)])
    _write([one.content.model_dump(mode="json") for one in found])


def import_rules(context: typer.Context, factory: Slug, file: File, reason: Reason = "") -> None:
    """Take rules from a file: those of a known name are changed, others added; all of them or none."""
    found = _read(file, _FILE)
    contents = found if isinstance(found, list) else [found]
    added, changed = _change(context_of(context), factory, lambda rules: _take(rules, contents, reason))
    say(f"{added} rules were added and {changed} changed; they hold within seconds.")


def import_original(
    context: typer.Context,
    factory: Slug,
    file: Annotated[Path, typer.Argument(help="A JSON file with rules as the original product's API answered them.")],
    device: Annotated[
        list[str] | None, typer.Option(help="ID=KEY: which of our devices one of its device ids is; repeat it.")
    ] = None,
    mode: Annotated[RuleMode | None, typer.Option(help="What all of them are to do; by default what they did.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Make them; without it, only say what would come.")] = False,
) -> None:
    """Take over rules of the original product; shows rule by rule what is different from then on."""
    found = _read(file, _ORIGINAL)
    rules = found if isinstance(found, list) else found.get("data", [found])
    devices = dict(_pair(text) for text in device or ())
    try:
        request = http.RuleImport(rules=rules, devices=devices, mode=mode, is_dry_run=not apply)
    except ValidationError as error:
        raise _not_understood(file, error) from error
    report = _change(context_of(context), factory, lambda held: held.take_over(request, _ACTOR))
    for one in report.rules:
        say(f"{one.name or 'a rule without a name'}: {'left out' if one.content is None else 'taken over'}")
        for note in one.notes:
            say(f"  {note}")
    say("Nothing was changed; repeat it with --apply." if report.is_dry_run else "They hold within seconds.")


def list_versions(context: typer.Context, factory: Slug, rule: Name) -> None:
    """List every version of a rule: who made it, when, why, and from which row of the journal it held."""
    versions = _ask(context_of(context), factory, lambda rules: rules.versions(_named(rules, rule).id))
    rows = [
        (one.version, one.changed_at.isoformat(), one.changed_by, one.holds_from_seq or "", one.reason, one.fault or "")
        for one in versions
    ]
    show_table(("version", "changed at", "changed by", "holds from", "reason", "stopped because"), rows)


def compare_versions(
    context: typer.Context,
    factory: Slug,
    rule: Name,
    old: Annotated[int, typer.Argument(help="The older version.")],
    new: Annotated[int | None, typer.Argument(help="The newer one; by default the present one.")] = None,
) -> None:
    """Show what one version of a rule has different from another."""

    def compare(rules: Rules) -> http.RuleDifferences:
        held = _named(rules, rule)
        return differences_between(rules.version(held.id, old), rules.version(held.id, new or held.version))

    changes = _ask(context_of(context), factory, compare).changes
    show_table(("what", "before", "after"), [(one.path, one.old, one.new) for one in changes])


def roll_back(
    context: typer.Context,
    factory: Slug,
    rule: Name,
    to: Annotated[int, typer.Argument(help="The version whose content is to hold again.")],
    reason: Reason = "",
) -> None:
    """Put an older content of a rule in force again, as a new version."""

    def work(rules: Rules) -> http.Rule:
        held = _named(rules, rule)
        return rules.roll_back(held.id, http.RuleRollBack(version=held.version, to_version=to, reason=reason), _ACTOR)

    made = _change(context_of(context), factory, work)
    say(f"Version {made.version} of {made.content.name} is as version {to} was; it holds within seconds.")


# --- inside ----------------------------------------------------------------------------------------------------------


def _ask(ours: Context, factory: str, work: Callable[[Rules], Answer]) -> Answer:
    return _within(ours, factory, work, is_change=False)


def _change(ours: Context, factory: str, work: Callable[[Rules], Answer]) -> Answer:
    return _within(ours, factory, work, is_change=True)


def _within(ours: Context, factory: str, work: Callable[[Rules], Answer], *, is_change: bool) -> Answer:
    with ours.database() as database:
        scope = Scope(choose_factory(database, factory).id, _ACTOR, Role.ADMIN)

        def bound(tx: Transaction) -> Answer:
            return work(tx.rules(scope))

        return database.run(bound) if is_change else database.read(bound)


def _named(rules: Rules, wanted: str) -> http.Rule:
    found = [one for one in rules.list() if wanted in (one.id, one.content.name)]
    if not found:
        raise NotFoundError(f"The factory has no rule {wanted}.")
    if len(found) > 1:
        raise ConflictError(f"{len(found)} rules are called {wanted}: name one of them by its id ({found[0].id}, …).")
    return found[0]


def _take(rules: Rules, contents: Sequence[http.RuleContent], reason: str) -> tuple[int, int]:
    known: dict[str, list[http.Rule]] = {}
    for one in rules.list():
        known.setdefault(one.content.name, []).append(one)
    added = changed = 0
    for content in contents:
        held = known.get(content.name, [])
        if len(held) > 1:
            raise ConflictError(f"{len(held)} rules are called {content.name}: give them names of their own first.")
        if not held:
            rules.create(content, _ACTOR, reason)
            added += 1
        elif held[0].content != content:
            rules.update(held[0].id, held[0].version, content, _ACTOR, reason)
            changed += 1
    return added, changed


def _pair(text: str) -> tuple[str, str]:
    identity, equals, key = text.partition("=")
    if not equals:
        raise InvalidInputError(f"{text} does not say which device is meant: write it as 7=press-1.")
    return identity, key


def _read(file: Path, form: TypeAdapter[Answer]) -> Answer:
    try:
        return form.validate_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        raise _not_understood(file, error) from error


def _not_understood(file: Path, error: ValidationError) -> InvalidInputError:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return InvalidInputError(f"{file} holds no rules: {first['msg']} (at {place or 'its start'}).")


def _write(plain: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n")
