"""Every English text the client says, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_TITLED: Final = {"ColumnSpec": 1, "_figure": 1}
"""Calls whose argument at this place is translated when shown."""
_BOUND: Final = {"bind": (1, 2), "describe": (1, 2)}


def texts_said(folder: Path) -> set[str]:
    """Literal texts given to `say`, titles of columns, and words of key maps below `folder`."""
    return {text for path in folder.rglob("*.py") for text in _texts(ast.parse(path.read_text(encoding="utf-8")))}


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = str(getattr(node.func, "id", "") or getattr(node.func, "attr", ""))
        for place in _places(name):
            if place < len(node.args):
                yield from _literals(node.args[place])


def _places(name: str) -> tuple[int, ...]:
    if name == "say":
        return (0,)
    return (_TITLED[name],) if name in _TITLED else _BOUND.get(name, ())


def _literals(node: ast.expr) -> Iterator[str]:
    """The text itself, or both branches of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
