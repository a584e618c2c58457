"""The work that leaves documents: the daily report and the scan for anomalies."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from factoryops.domain.errors import StorageError
from factoryops.domain.identity import FactoryId
from factoryops.jobs.orders import Done, LeftFile, Order
from factoryops.jobs.sources import Sources
from factoryops.reports.anomalies import write_anomaly_report
from factoryops.reports.collect import Request, Tell, collect
from factoryops.reports.daily import write_daily_report
from factoryops.reports.scan import scan
from factoryops.reports.text import count


def daily_report(order: Order, sources: Sources, tell: Tell) -> Done:
    """Write the daily report; raises StorageError when it cannot be written."""
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


def anomaly_scan(order: Order, sources: Sources, tell: Tell) -> Done:
    """Write what a scan found; raises StorageError when it cannot be written."""
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
