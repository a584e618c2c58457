"""How far each consumer has come, told to the journal's writer so that it can trim.

A consumer's true checkpoint lies in the store it writes, in the transaction of the effect. What stands here is a copy,
written afterwards: a stale or lost one only keeps rows a little longer (decision 0004).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)


def publish_checkpoint(folder: Path, consumer: str, journal: str, seq: int) -> None:
    """Leave word in `folder` that `consumer` needs no row of `journal` up to `seq` any more.

    Where that cannot be written (a full disk) the word before it stays, and nobody is kept from going on.
    """
    final = folder / f"{journal}.{consumer}"
    temporary = final.with_name(final.name + ".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(str(seq), encoding="utf-8")
        temporary.replace(final)
    except OSError as error:
        logger.debug("How far %s has come cannot be noted at the moment: %s", consumer, error)


def lowest_checkpoint(folder: Path, consumers: Iterable[str], journal: str) -> int:
    """The row up to which every one of `consumers` has come; 0 when one has not said anything yet."""
    lowest: int | None = None
    for consumer in consumers:
        try:
            seq = int((folder / f"{journal}.{consumer}").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return 0
        lowest = seq if lowest is None else min(lowest, seq)
    return lowest or 0


def highest_checkpoint(folder: Path, consumers: Iterable[str], journal: str) -> int:
    """The furthest row that any of `consumers` is known to have seen; 0 when none has said anything."""
    highest = 0
    for consumer in consumers:
        with contextlib.suppress(FileNotFoundError, ValueError):
            highest = max(highest, int((folder / f"{journal}.{consumer}").read_text(encoding="utf-8")))
    return highest
