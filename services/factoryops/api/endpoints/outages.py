"""Outages that people declare, which the figures of alarms leave out."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import http


async def list_outages(asking: Asking) -> http.OutageList:
    """All declared outages, the latest first; withdrawn ones say who withdrew them."""
    return http.OutageList(outages=await asking.read(lambda tx: tx.outages(asking.scope).list()))


async def declare_outage(body: http.OutageContent, asking: Asking) -> http.Outage:
    """Leave a span out of the figures of alarms, such as a planned stop; conditions and alarms go on as ever."""
    return await asking.change(lambda tx: tx.outages(asking.scope).declare(body))


async def withdraw_outage(outage_id: http.Identifier, asking: Asking) -> http.Outage:
    """Take a declaration back: its time counts again. It stays in the list."""
    return await asking.change(lambda tx: tx.outages(asking.scope).withdraw(outage_id))
