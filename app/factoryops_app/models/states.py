"""Texts on a time axis: each text of a parameter is a state with a small number, in the order they are met."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from factoryops_resources.words import say


class States:
    """The states of one parameter.

    Attributes:
        words: what each state's number stands for; grows as states are met.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self.words: dict[float, str] = {}

    def numbers(self, codes: npt.NDArray[np.float64], texts: Mapping[int, str]) -> npt.NDArray[np.float64]:
        """The number of each code's state; `texts` says what codes stand for, where that is known."""
        met = np.unique(codes).astype(np.int64).tolist()
        for code in met:
            number = self._numbers.setdefault(code, len(self._numbers) + 1)
            if code in texts:
                self.words[number] = texts[code]
        return np.array([self._numbers[int(code)] for code in codes.tolist()], np.float64)


def switch_words() -> dict[float, str]:
    """What true and false are called."""
    return {0.0: say("no"), 1.0: say("yes")}
