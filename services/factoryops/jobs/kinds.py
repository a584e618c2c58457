"""The kinds of work a child can do. Each is loaded when it is asked for, so that what is quick begins at once."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from factoryops.contracts.http import JobKind
from factoryops.domain.errors import InvalidInputError
from factoryops.jobs.orders import Done, Order, Progress, Report
from factoryops.jobs.sources import Sources, open_sources
from factoryops.reports.collect import Tell

Work = Callable[[Order, Sources, Tell], Done]

_KINDS: Final[dict[JobKind, tuple[str, str]]] = {
    JobKind.DAILY_REPORT: ("factoryops.jobs.documents", "daily_report"),
    JobKind.ANOMALY_SCAN: ("factoryops.jobs.documents", "anomaly_scan"),
    JobKind.IMPORT: ("factoryops.jobs.transfers", "import_history"),
    JobKind.EXPORT: ("factoryops.jobs.transfers", "export_history"),
    JobKind.QUARANTINE_REPLAY: ("factoryops.jobs.replays", "replay_quarantine"),
    JobKind.BACK_TEST: ("factoryops.jobs.back_tests", "back_test"),
    JobKind.SCHEDULED_RULES: ("factoryops.jobs.scheduled_rules", "evaluate_scheduled_rules"),
    JobKind.ALARM_MENDS: ("factoryops.jobs.mends", "mend_alarms"),
}
"""Where each kind of work is done: a module and a function of it."""


def perform(order: Order, tell: Callable[[Report], None]) -> Done:
    """Carry out an order; its files are then in its folder.

    Raises:
        FactoryOpsError: it cannot be done, and why.
    """
    work = work_of(order.kind)
    with open_sources(order) as sources:
        return work(order, sources, lambda share, message: tell(Progress(share, message)))


def work_of(kind: JobKind) -> Work:
    """What carries out a kind of work; raises InvalidInputError for one this program does not know."""
    if kind not in _KINDS:
        raise InvalidInputError(f"This program does not know the work '{kind.value}'. Update the service.")
    module, function = _KINDS[kind]
    work: Work = getattr(importlib.import_module(module), function)
    return work
