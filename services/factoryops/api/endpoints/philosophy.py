"""The site's alarm philosophy: classes of alarms and the matrix that priorities follow from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from factoryops.api.call import Asking
from factoryops.contracts import http


async def get_philosophy(asking: Asking) -> http.Philosophy:
    """The classes and the matrix in force."""
    return await asking.read(lambda tx: tx.philosophy(asking.scope).get())


async def change_philosophy(body: http.PhilosophyChange, asking: Asking) -> http.Philosophy:
    """Put all of it anew; refused with the rules' names when one of them is of a class that would be gone."""
    return await asking.change(lambda tx: tx.philosophy(asking.scope).replace(body))


async def propose_priority(
    asking: Asking,
    severity: Annotated[str, Query(max_length=50)] = "",
    time_to_respond_s: Annotated[float, Query(ge=0, allow_inf_nan=False)] = 0.0,
) -> http.ProposedPriority:
    """The priority that the matrix gives a severity and a time to respond; none where one of them is not stated."""
    kept = await asking.read(lambda tx: tx.philosophy(asking.scope).get())
    return http.ProposedPriority(priority=kept.philosophy().matrix.proposed(severity, time_to_respond_s))
