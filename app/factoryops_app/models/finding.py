"""Finding devices, parameters, pages and actions by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

MOST_FOUND: Final = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that can be found and gone to.

    Attributes:
        kind: what it is, in a word.
        detail: where it is, or its keys.
        go: what choosing it does.
        weight: of two that fit equally well the smaller stands first.
    """

    title: str
    kind: str
    detail: str
    go: Callable[[], None]
    weight: int = 0


def find(entries: Iterable[Finding], text: str) -> list[Finding]:
    """Those that hold every word of `text`, best first: title begins with it, then holds it, then the detail does."""
    words = text.casefold().split()
    ranked = [(rank, entry) for entry in entries if (rank := _rank(entry, words)) is not None]
    ranked.sort(key=lambda pair: (pair[0], pair[1].weight, pair[1].title.casefold()))
    return [entry for _, entry in ranked[:MOST_FOUND]]


def _rank(entry: Finding, words: list[str]) -> int | None:
    title, detail = entry.title.casefold(), f"{entry.detail} {entry.kind}".casefold()
    worst = 0
    for word in words:
        if title.startswith(word):
            rank = 0
        elif f" {word}" in title:
            rank = 1
        elif word in title:
            rank = 2
        elif word in detail:
            rank = 3
        else:
            return None
        worst = max(worst, rank)
    return worst
