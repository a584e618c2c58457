"""The notification book is kept as a file: by names, without secrets, shown before it is changed, all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.domain.identity import Role, Scope
from factoryops.server.settings import data_folder, load_settings
from tests.integration.server.test_command_line import Command, command, settings
from tests.support.rules import limit_content

__all__ = ["command", "settings"]

URL = "https://hooks.example.com/services/very-secret"
BOOK: dict[str, list[dict[str, Any]]] = {
    "contacts": [
        {"name": "Ben", "phone": "+4915112345678"},
        {"name": "Jana Berg", "email": "jana@example.com", "quiet": [{"start": "22:00", "end": "06:00"}]},
    ],
    "rosters": [
        {
            "name": "Night",
            "members": ["Jana Berg", "Ben"],
            "starts_on": "2026-03-02",
            "overrides": [{"start": "2026-03-05T00:00:00Z", "end": "2026-03-06T00:00:00Z", "contact": "Ben"}],
        }
    ],
    "policies": [
        {
            "name": "Urgent",
            "priorities": [1],
            "steps": [
                {"to": [{"kind": "role", "name": "operator", "channels": ["in_app"]}]},
                {"to": [{"kind": "roster", "name": "Night", "channels": ["sms"]}], "after_s": 600.0},
            ],
        }
    ],
}


class Book:
    """A file and the commands that read and write it."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.command, self.file = command, folder / "book.json"

    def take(self, content: object, *options: str) -> tuple[int, str]:
        self.file.write_text(json.dumps(content), encoding="utf-8")
        said = self.command("notify", "import", str(self.file), *options)
        return said.code, said.out + said.err

    def exported(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = json.loads(self.command("notify", "export").out)
        return found


@pytest.fixture
def book(command: Command, tmp_path: Path) -> Book:
    command("factory", "add", "works")
    return Book(command, tmp_path)


def set_hook(command: Command, tmp_path: Path, url: str = URL) -> None:
    secret = tmp_path / "address"
    secret.write_text(url, encoding="utf-8")
    secret.chmod(0o600)
    said = command("notify", "set-hook", "Shift chat", "--kind", "slack", "--address-file", str(secret))
    assert said.code == 0, said.err
    assert "very-secret" not in said.out


def test_a_book_is_shown_then_taken_and_comes_back_as_it_was(book: Book) -> None:
    code, said = book.take(BOOK)
    assert (code, said.splitlines()) == (
        0,
        [
            "+ contact Ben", "+ contact Jana Berg", "+ roster Night", "+ policy Urgent",
            "Nothing was changed; repeat it with --apply.",
        ],
    )  # fmt: skip
    assert book.exported()["contacts"] == []
    assert book.take(BOOK, "--apply")[1].endswith("That was done.\n")
    assert book.exported() == BOOK | {"hooks": []}
    assert book.take(book.exported()) == (0, "The book is as the file says.\n")


def test_what_changes_is_said_field_by_field_and_by_names(book: Book) -> None:
    book.take(BOOK, "--apply")
    changed = json.loads(json.dumps(BOOK))
    changed["policies"][0]["gather_s"] = 30
    changed["rosters"][0]["members"] = ["Ben"]
    _, said = book.take(changed)
    assert '~ roster Night: members: ["Jana Berg","Ben"] -> ["Ben"]' in said
    assert "~ policy Urgent: gather_s: 10.0 -> 30.0" in said


def test_each_mistake_has_a_sentence_and_nothing_is_done(book: Book) -> None:
    wrong = {
        "contacts": [{"name": "Ben", "email": "no address"}, {"name": "Ben"}, {"email": "x@example.com"}],
        "hooks": [{"name": "Shift chat", "kind": "slack"}],
        "rosters": [{"name": "Night", "members": ["Nobody"], "starts_on": "2026-03-02"}],
        "policies": [{"name": "P", "steps": [{"to": [{"kind": "hook", "name": "ERP"}]}]}, {"name": "Q", "steps": [1]}],
    }
    code, said = book.take(wrong, "--apply")
    assert code != 0
    for sentence in [
        "Nothing was changed.",
        "The contact Ben is in the file twice.",
        "A contact of the file has no name.",
        "There is no hook Shift chat: make it with notify set-hook",
        "The contact Ben cannot be used: email:",
        "The roster Night names the contact Nobody, which is neither in the file nor in the book.",
        "The policy P names the hook ERP,",
        "The policy Q has not the shape of one",
    ]:
        assert sentence in said
    assert book.exported() == {"contacts": [], "hooks": [], "rosters": [], "policies": []}


def test_what_only_the_book_refuses_is_found_when_it_is_shown(book: Book) -> None:
    late = {"to": [{"kind": "role", "name": "operator"}], "after_s": 600}
    code, said = book.take({"policies": [{"name": "P", "steps": [late, {"to": late["to"], "after_s": 5}]}]})
    assert code != 0
    assert "The policy cannot be used" in said
    code, said = book.take({"people": []})
    assert code != 0
    assert "holds no notification book" in said


def test_what_the_file_has_no_more_is_taken_away_only_where_that_is_said(book: Book) -> None:
    book.take(BOOK, "--apply")
    without = {"contacts": BOOK["contacts"], "policies": []}
    assert book.take(without)[1] == "The book is as the file says.\n"
    assert book.take(without, "--remove", "--apply")[1].splitlines()[0] == "- policy Urgent"
    assert [one["name"] for one in book.exported()["rosters"]] == ["Night"]
    code, said = book.take({"contacts": []}, "--remove", "--apply")
    assert code != 0
    assert "The roster Night names this contact" in said
    assert book.command("notify", "remove", "roster", "Night").code == 0
    assert book.take({"contacts": []}, "--remove", "--apply")[0] == 0


def test_a_hook_s_secrets_are_in_no_file_and_stay(book: Book, tmp_path: Path, settings: Path) -> None:
    set_hook(book.command, tmp_path)
    exported = book.exported()
    assert exported["hooks"] == [{"name": "Shift chat", "kind": "slack"}]
    exported["hooks"][0]["language"] = "de"
    assert '~ hook Shift chat: language: "en" -> "de"' in book.take(exported, "--apply")[1]
    set_hook(book.command, tmp_path, URL.replace("hooks.", "other."))
    with_database = Database.open(f"sqlite:///{data_folder(load_settings(settings)).metadata}")
    factory = with_database.read(lambda tx: tx.factories.list())[0]
    scope = Scope(factory.id, "test", Role.ADMIN)
    (hook,) = with_database.read(lambda tx: tx.notifications(scope).list_hooks())
    assert (hook.host, hook.version) == ("other.example.com", 3)
    with_database.close()
    assert "Shift chat" in book.command("notify", "list").out
    said = book.command("notify", "show", "hook", "Shift chat")
    assert json.loads(said.out) == {"hooks": [{"name": "Shift chat", "kind": "slack"}]}
    assert book.command("notify", "show", "hook", "ERP").code != 0
    assert book.command("notify", "remove", "hook", "Shift chat").code == 0


def test_a_preview_says_who_would_be_told_of_a_rule(book: Book, settings: Path) -> None:
    plain = {"name": "All", "steps": [{"to": [{"kind": "contact", "name": "Jana Berg"}]}]}
    book.take(BOOK | {"policies": [plain]}, "--apply")
    database = Database.open(f"sqlite:///{data_folder(load_settings(settings)).metadata}")
    factory = database.read(lambda tx: tx.factories.list())[0]
    scope = Scope(factory.id, "test", Role.ADMIN)
    content = http.RuleContent.of(limit_content(name="Too hot").definition())
    database.run(lambda tx: tx.rules(scope).create(content, "test"))
    database.close()
    said = book.command("notify", "preview", "Too hot").out
    assert "The alarm follows All" in said
    assert "  All: At once Jana Berg" in said
    assert book.command("notify", "preview", "Too cold").code != 0
