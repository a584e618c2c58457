"""The notification book as a file: whole, by names instead of ids, and without secrets.

A file written in one installation can be read in another; a hook's address and key are never in it, so a hook has to be
there already, and keeps what it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from pydantic import BaseModel, Field, ValidationError

from factoryops.contracts.http.parts import Sent
from factoryops.database.notification_book import NotificationBook, Shelf
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import new_id

Plain: TypeAlias = dict[str, Any]
_Some = Annotated[list[Plain], Field(max_length=500)] | None
KINDS: Final = ("contact", "hook", "roster", "policy")
"""In this order each names only what comes before it."""


class BookFile(Sent):
    """What a file says; a kind that is not in it stays as it is."""

    contacts: _Some = None
    hooks: _Some = None
    rosters: _Some = None
    policies: _Some = None

    def of(self, kind: str) -> list[Plain] | None:
        """The items of a kind; None when the file does not speak of it."""
        found: list[Plain] | None = getattr(self, "policies" if kind == "policy" else f"{kind}s")
        return found


def shelves(book: NotificationBook) -> dict[str, Shelf[Any]]:
    """The four kinds of a book, by what a person calls one of them."""
    return {"contact": book.contacts, "hook": book.hooks, "roster": book.rosters, "policy": book.policies}


def exported(book: NotificationBook) -> dict[str, list[Plain]]:
    """The whole book, as `take` reads it; raises InvalidInputError when two of a kind have the same name."""
    names = {kind: {one: name for name, one in ids.items()} for kind, ids in _ids(book).items()}
    return {
        "policies" if kind == "policy" else f"{kind}s": [
            _renamed(kind, content.model_dump(mode="json", exclude_defaults=True), lambda of, one: names[of][one])
            for content in shelf.contents().values()
        ]
        for kind, shelf in shelves(book).items()
    }


def take(book: NotificationBook, wanted: BookFile, *, removes: bool = False) -> list[str]:
    """Make the book what a file says; answers a line for each change.

    Args:
        book: within the transaction that is to hold all of it or nothing.
        wanted: by names; what is known by its name is changed, the rest added.
        removes: what a kind of the file does not have is taken away.

    Raises:
        InvalidInputError: a sentence for each mistake of the file.
        ConflictError: something that is to be taken away is in use.
    """
    ids = _ids(book)
    held = {kind: dict(known) for kind, known in ids.items()}
    mistakes = [one for kind in KINDS for one in _add_names(kind, wanted.of(kind) or [], ids[kind])]
    contents: list[tuple[str, BaseModel]] = []
    for kind in KINDS:
        for plain in wanted.of(kind) or []:
            found, faults = _content(kind, plain, shelves(book)[kind].kind, ids)
            mistakes += faults
            contents += [(kind, found)] if found is not None else []
    if mistakes:
        raise InvalidInputError("Nothing was changed.\n" + "\n".join(mistakes))
    changes = [line for kind, content in contents for line in _put(book, kind, content, held[kind], ids)]
    return changes + (list(_removed(book, wanted, held)) if removes else [])


def _ids(book: NotificationBook) -> dict[str, dict[str, str]]:
    """By kind the id of each name."""
    found: dict[str, dict[str, str]] = {}
    for kind, shelf in shelves(book).items():
        rows = shelf.all()
        twice = [name for name, count in Counter(row.name for row in rows).items() if count > 1]
        if twice:
            raise InvalidInputError(
                f"There are several of the kind {kind} named {twice[0]}: give them names of their own."
            )
        found[kind] = {row.name: row.id for row in rows}
    return found


def _add_names(kind: str, items: list[Plain], known: dict[str, str]) -> Iterator[str]:
    """Give ids to what the file adds; answers a sentence for what cannot be named."""
    seen: set[str] = set()
    for plain in items:
        name = plain.get("name")
        if not isinstance(name, str) or not name:
            yield f"A {kind} of the file has no name."
        elif name in seen:
            yield f"The {kind} {name} is in the file twice."
        elif kind == "hook" and name not in known:
            yield f"There is no hook {name}: make it with notify set-hook, for its address is a secret and in no file."
        else:
            known.setdefault(name, new_id())
        seen.add(str(name))


def _content(
    kind: str, plain: Plain, model: type[BaseModel], ids: Mapping[str, Mapping[str, str]]
) -> tuple[BaseModel | None, list[str]]:
    """What an item of the file says, by ids; or a sentence for each of its mistakes."""
    what = f"The {kind} {plain.get('name', '')}"
    missing: list[str] = []

    def identity(of: str, name: str) -> str:
        if name not in ids[of]:
            missing.append(f"{what} names the {of} {name}, which is neither in the file nor in the book.")
        return ids[of].get(name, name)

    try:
        renamed = _renamed(kind, plain, identity)
        return (None, missing) if missing else (model.model_validate(renamed), [])
    except ValidationError as error:
        told = ((".".join(map(str, one["loc"])) or "its fields", one["msg"]) for one in error.errors())
        return None, [f"{what} cannot be used: {place}: {why}." for place, why in told]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None, [f"{what} has not the shape of one: compare it with what notify export writes."]


def _renamed(kind: str, plain: Plain, of: Callable[[str, str], str]) -> Plain:
    """An item with what it names called otherwise: `of` answers for a kind and an id or a name."""
    if kind == "roster":
        members = [of("contact", one) for one in plain.get("members", [])]
        overrides = [one | {"contact": of("contact", one["contact"])} for one in plain.get("overrides", [])]
        return plain | {"members": members} | ({"overrides": overrides} if overrides else {})
    if kind == "policy":
        steps = [one | {"to": [_target(to, of) for to in one.get("to", [])]} for one in plain.get("steps", [])]
        return plain | {"steps": steps}
    return plain


def _target(plain: Plain, of: Callable[[str, str], str]) -> Plain:
    kind, name = str(plain.get("kind")), str(plain.get("name"))
    return plain if kind not in KINDS else plain | {"name": of(kind, name)}


def _put(
    book: NotificationBook, kind: str, content: BaseModel, held: Mapping[str, str], ids: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Keep one item; answers what that changed."""
    shelf, name = shelves(book)[kind], str(getattr(content, "name"))  # noqa: B009 - every kind has one
    if name not in held:
        shelf.create(content, ids[kind][name])
        yield f"+ {kind} {name}"
        return
    row = shelf.one(held[name])
    before = shelf.read(row)
    if before == content:
        return
    shelf.update(row.id, row.version, content)
    names = {of: {one: known for known, one in some.items()} for of, some in ids.items()}
    old, new = (
        _renamed(kind, one.model_dump(mode="json"), lambda of, identity: names[of].get(identity, identity))
        for one in (before, content)
    )
    fields = [f"{field}: {_shown(old[field])} -> {_shown(new[field])}" for field in new if old[field] != new[field]]
    yield f"~ {kind} {name}: {'; '.join(fields)}"


def _removed(book: NotificationBook, wanted: BookFile, held: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Take away what the file does not have: first what names others."""
    for kind in reversed(KINDS):
        items = wanted.of(kind)
        kept = {one["name"] for one in items or []}
        for name, identity in held[kind].items():
            if items is not None and name not in kept:
                remove(book, kind, identity)
                yield f"- {kind} {name}"


def remove(book: NotificationBook, kind: str, identity: str) -> None:
    """Take one item away; raises ConflictError while something names it."""
    act = {
        "contact": book.delete_contact, "hook": book.delete_hook, "roster": book.delete_roster,
        "policy": book.delete_policy,
    }  # fmt: skip
    act[kind](identity)


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()
