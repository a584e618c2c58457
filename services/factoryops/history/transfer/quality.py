"""What is known about a sample beside its value, in words for tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.transfer.frames import Values


def quality_words(flags: npt.NDArray[np.uint8]) -> list[str]:
    """Such as "late imported"; "" for a sample of which nothing is to be said. What a value is (text) is not said."""
    kinds, index = np.unique(flags, return_inverse=True)
    words = [_words(int(kind)) for kind in kinds]
    return [words[place] for place in index.tolist()]


def _words(flags: int) -> str:
    named = (flag for flag in SampleFlag if flag not in (SampleFlag.BOOLEAN, SampleFlag.TEXT))
    return " ".join(str(flag.name).lower() for flag in named if flags & flag)


def values_of(samples: SampleColumns, texts: Mapping[int, str]) -> Values:
    """The values of samples, truths and texts in words.

    Args:
        samples: any.
        texts: what each text code stands for.
    """
    special = np.flatnonzero(samples.flags & (SampleFlag.BOOLEAN | SampleFlag.TEXT))
    if not len(special):
        return Values(samples.value)
    numbers, words = samples.value.copy(), {}
    for place in special.tolist():
        if samples.flags[place] & SampleFlag.TEXT:
            words[place] = texts.get(int(numbers[place]), "")
            numbers[place] = np.nan
        else:
            words[place] = "true" if numbers[place] else "false"
    return Values(numbers, words)
