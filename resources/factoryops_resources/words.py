"""Everything people read, translated by its English text."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}


class _Chosen:
    """The language of this process."""

    code: str = "en"


def set_language(code: str) -> None:
    """Choose the language of `say`; raises KeyError when it is none of LANGUAGES."""
    _Chosen.code = code if code in LANGUAGES else _unknown(code)


def _unknown(code: str) -> str:
    raise KeyError(f"there is no language {code!r}: choose one of {', '.join(LANGUAGES)}")


def language() -> str:
    """The code of the chosen language."""
    return _Chosen.code


def say(text: str, **values: object) -> str:
    """`text` in the chosen language, with `{names}` filled in.

    Args:
        text: the English sentence, which is also the key of the catalogues.
        **values: what stands in the braces; text from devices and people is put in as it is.
    """
    translated = catalogue(_Chosen.code).get(text, text)
    return translated.format(**values) if values else translated


@cache
def catalogue(code: str) -> dict[str, str]:
    """All translations of a language by English text; English has none."""
    folder = files("factoryops_resources") / "data" / "words" / code
    if not folder.is_dir():
        return {}
    merged: dict[str, str] = {}
    for part in sorted(folder.iterdir(), key=lambda entry: entry.name):
        merged |= json.loads(part.read_text(encoding="utf-8"))
    return merged
