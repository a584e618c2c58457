"""Cells of a table as numbers: whole columns at once, cell by cell only where a column holds something else."""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from factoryops.history.transfer.blocks import Column

_ODD: Final = re.compile("[_nNiI]")
"""Letters with which `float` reads more than we do: 1_000, nan, infinity."""

_NOTHING: Final = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "nat"})
_TRUTHS: Final = {"true": 1.0, "false": 0.0}
_INFINITE: Final = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


class CellKind(IntEnum):
    """What a cell holds."""

    EMPTY = 0
    NUMBER = 1
    BOOLEAN = 2
    TEXT = 3
    NOT_FINITE = 4


Cells = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]
"""float64[n], the values (NaN where there is none), and uint8[n], `CellKind`."""


def read_cells(column: Column, decimal: str = ".") -> Cells:
    """The cells of a column of values."""
    if isinstance(column, np.ndarray):
        return _typed(column)
    joined = "\n".join(column)
    if column and not _ODD.search(joined) and joined.count("\n") == len(column) - 1:
        try:
            return _plain(column if decimal == "." else _with_points(joined).split("\n"))
        except ValueError:
            pass
    return _one_by_one(column, decimal)


def _with_points(text: str) -> str:
    """A decimal comma becomes a point; a point that was there (1.234,5) becomes what no number holds."""
    return text.replace(".", "\0").replace(",", ".")


def _typed(column: npt.NDArray[Any]) -> Cells:
    if column.dtype == np.bool_:
        return column.astype(np.float64), np.full(len(column), CellKind.BOOLEAN, np.uint8)
    values = column.astype(np.float64)
    kinds = np.full(len(values), CellKind.NUMBER, np.uint8)
    kinds[np.isinf(values)] = CellKind.NOT_FINITE
    kinds[np.isnan(values)] = CellKind.EMPTY
    return values, kinds


def _plain(column: list[str]) -> Cells:
    """All cells numbers or empty; raises ValueError when one is neither."""
    values = np.array(list(map(float, [cell or "nan" for cell in column])), np.float64)
    return _typed(values)


def _one_by_one(column: list[str], decimal: str) -> Cells:
    known = {cell: _read(cell.strip(), decimal) for cell in set(column)}
    values = np.array([known[cell][0] for cell in column], np.float64)
    kinds = np.array([known[cell][1] for cell in column], np.uint8)
    return values, kinds


def _read(cell: str, decimal: str) -> tuple[float, CellKind]:
    word = cell.lower()
    if word in _NOTHING:
        return math.nan, CellKind.EMPTY
    if word in _TRUTHS:
        return _TRUTHS[word], CellKind.BOOLEAN
    if word in _INFINITE:
        return math.nan, CellKind.NOT_FINITE
    if "_" in cell:
        return math.nan, CellKind.TEXT
    try:
        value = float(cell if decimal == "." else _with_points(cell))
    except ValueError:
        return math.nan, CellKind.TEXT
    return (value, CellKind.NUMBER) if math.isfinite(value) else (math.nan, CellKind.NOT_FINITE)
