"""The runs of jobs as this session knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from factoryops.contracts import http
from factoryops.contracts.http import RunState
from factoryops_app.models.events import Event

OVER = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.MISSED})
_ORDER = {RunState.QUEUED: 0, RunState.RUNNING: 1}


class RunStore:
    """Runs by id, newest first.

    Attributes:
        changed: some run is different now.
    """

    def __init__(self) -> None:
        self.changed: Event[None] = Event()
        self.is_known = False
        self._runs: dict[str, http.Run] = {}

    def replace(self, runs: Iterable[http.Run]) -> None:
        """Take a complete picture."""
        fresh = {run.id: run for run in runs}
        self._runs = {key: _newer(self._runs.get(key), run) for key, run in fresh.items()}
        self.is_known = True
        self.changed.emit(None)

    def merge(self, run: http.Run) -> None:
        """Take one run; an older copy changes nothing."""
        newer = _newer(self._runs.get(run.id), run)
        if self._runs.get(run.id) != newer:
            self._runs[run.id] = newer
            self.changed.emit(None)

    @property
    def all(self) -> Sequence[http.Run]:
        """Newest first."""
        return sorted(self._runs.values(), key=lambda run: run.created_at, reverse=True)

    def get(self, run_id: str) -> http.Run | None:
        """One run."""
        return self._runs.get(run_id)

    def clear(self) -> None:
        """Forget everything."""
        self._runs.clear()
        self.is_known = False
        self.changed.emit(None)


def is_over(run: http.Run) -> bool:
    """Whether nothing more will happen to it."""
    return run.state in OVER


def _newer(held: http.Run | None, come: http.Run) -> http.Run:
    """The later of two copies: by attempt, then by how far it got."""
    if held is None:
        return come
    return come if _progress(come) >= _progress(held) else held


def _progress(run: http.Run) -> tuple[int, int, float]:
    return (3 if is_over(run) else 0), run.attempt, _ORDER.get(run.state, 2) + run.progress
