"""How long history is kept."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import http


async def get_retention(asking: Asking) -> http.Retention:
    """The rules in force; without any, history is kept for ever."""
    return await asking.read(lambda tx: tx.retention(asking.scope).get())


async def change_retention(body: http.RetentionChange, asking: Asking) -> http.Retention:
    """Put all rules anew; the historian applies them within minutes, and what it gives up cannot be brought back."""
    return await asking.change(lambda tx: tx.retention(asking.scope).replace(body))
