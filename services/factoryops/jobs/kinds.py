"""The kinds of work a child can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from factoryops.contracts.http import JobKind
from factoryops.domain.errors import InvalidInputError, StorageError
from factoryops.domain.identity import FactoryId
from factoryops.jobs.back_tests import back_test
from factoryops.jobs.orders import Done, LeftFile, Order, Progress, Report
from factoryops.jobs.replays import replay_quarantine
from factoryops.jobs.scheduled_rules import evaluate_scheduled_rules
from factoryops.jobs.sources import Sources, open_sources
from factoryops.jobs.transfers import export_history, import_history
from factoryops.reports.anomalies import write_anomaly_report
from factoryops.reports.collect import Request, Tell, collect
from factoryops.reports.daily import write_daily_report
from factoryops.reports.scan import scan
from factoryops.reports.text import count


def perform(order: Order, tell: Callable[[Report], None]) -> Done:
    """Carry out an order; its files are then in its folder.

    Raises:
        FactoryOpsError: it cannot be done, and why.
    """
    work = _KINDS.get(order.kind)
    if work is None:
        raise InvalidInputError(f"This program does not know the work '{order.kind.value}'. Update the service.")
    with open_sources(order) as sources:
        return work(order, sources, lambda share, message: tell(Progress(share, message)))


def _daily_report(order: Order, sources: Sources, tell: Tell) -> Done:
    request = Request(FactoryId(order.factory_id), order.start, order.end, order.device_ids, order.requested_by)
    figures = collect(request, sources.database, sources.history, tell, quarantine=sources.journal)
    target = Path(order.folder) / "report.pdf"
    try:
        result = write_daily_report(figures, target, tell)
    except OSError as error:
        raise StorageError(f"The report could not be written: {error.strerror or error}. Free some space.") from error
    local = order.start.astimezone(figures.zone)
    name = f"{figures.factory.slug}-report-{local:%Y-%m-%d}.pdf"
    message = (
        f"{count(len(figures.alarms))} alarms, {count(figures.samples)} samples of {len(figures.devices)} devices, "
        f"{figures.completeness:.1%} complete."
    )
    return Done(message, result, (LeftFile(target.name, name, "application/pdf"),))


def _anomaly_scan(order: Order, sources: Sources, tell: Tell) -> Done:
    request = Request(FactoryId(order.factory_id), order.start, order.end, order.device_ids, order.requested_by)
    figures = scan(request, sources.database, sources.history, tell)
    target = Path(order.folder) / "scan.pdf"
    try:
        write_anomaly_report(figures, target, tell)
    except OSError as error:
        raise StorageError(f"The scan could not be written: {error.strerror or error}. Free some space.") from error
    local = order.start.astimezone(ZoneInfo(figures.factory.timezone))
    result = figures.result()
    message = f"{result['anomalies']} anomalies in {result['scanned']} of {result['devices']} devices."
    name = f"{figures.factory.slug}-anomalies-{local:%Y-%m-%d}.pdf"
    return Done(message, result, (LeftFile(target.name, name, "application/pdf"),))


_KINDS: Final[dict[JobKind, Callable[[Order, Sources, Tell], Done]]] = {
    JobKind.DAILY_REPORT: _daily_report,
    JobKind.ANOMALY_SCAN: _anomaly_scan,
    JobKind.IMPORT: import_history,
    JobKind.EXPORT: export_history,
    JobKind.QUARANTINE_REPLAY: replay_quarantine,
    JobKind.BACK_TEST: back_test,
    JobKind.SCHEDULED_RULES: evaluate_scheduled_rules,
}
