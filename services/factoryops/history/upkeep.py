"""When the historian gives up old history: at its start, when the plan changes, and after every UTC midnight."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from factoryops.domain.errors import StorageError
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.time import US_PER_S
from factoryops.history.store import HistoryStore

logger = logging.getLogger(__name__)

_DAY_US: Final = 86_400 * US_PER_S
_LOOK_EVERY_US: Final = 60 * US_PER_S


def write_plan(path: Path, plan: RetentionPlan) -> None:
    """Put the plan where the historian looks for it; it has no access to the database.

    Raises:
        StorageError: it cannot be written.
    """
    temporary = path.with_suffix(".new")
    try:
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(plan))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"The retention plan {path} cannot be written ({error.strerror}): history is kept by the one before."
        ) from error


class Upkeep:
    """Applies the plan in `path`; as long as there is none, or it cannot be read, everything is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._plan: RetentionPlan | None = None
        self._is_due = True
        self._looked_us = 0

    def run(self, store: HistoryStore, now_us: int, *, budget_s: float) -> None:
        """Do what is due; raises as HistoryStore.append does."""
        if now_us - self._looked_us >= _LOOK_EVERY_US:
            self._look(now_us)
        if self._is_due and self._plan is not None:
            self._is_due = not store.retain(self._plan, budget_s=budget_s)

    def _look(self, now_us: int) -> None:
        plan = self._read()
        is_new_day = now_us // _DAY_US != self._looked_us // _DAY_US
        self._is_due = self._is_due or plan != self._plan or is_new_day
        self._plan, self._looked_us = plan, now_us

    def _read(self) -> RetentionPlan | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=RetentionPlan)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            logger.warning("The retention plan %s cannot be read (%s); nothing is given up.", self._path, error)
            return None
