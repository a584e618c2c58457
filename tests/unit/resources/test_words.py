from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Iterator

import pytest

from factoryops_resources.words import catalogue, language, say, set_language
from tests.support.words import ROOT, texts_said


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


@pytest.mark.parametrize("folder", ["widgets", "resources", "app"])
def test_everything_said_has_a_german_entry(folder: str) -> None:
    missing = sorted(texts_said(ROOT / folder) - set(catalogue("de")))
    assert missing == []


def test_every_text_is_translated_in_one_place() -> None:
    folder = ROOT / "resources" / "factoryops_resources" / "data" / "words" / "de"
    found = Counter(text for part in folder.iterdir() for text in json.loads(part.read_text(encoding="utf-8")))
    assert [text for text, count in found.items() if count > 1] == []


def test_translations_fill_in_the_same_values() -> None:
    for english, german in catalogue("de").items():
        assert _fields(german) == _fields(english), english


def test_the_language_is_chosen_once_for_all_texts() -> None:
    assert say("Acknowledge") == "Acknowledge"
    set_language("de")
    assert language() == "de"
    assert say("Acknowledge") == "Quittieren"
    assert say("+{count} new", count=3) == "+3 neu"


def test_braces_in_what_is_filled_in_stay_as_they_are() -> None:
    assert say("+{count} new", count="{x}") == "+{x} new"


def test_a_language_we_do_not_have_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="fr"):
        set_language("fr")


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
