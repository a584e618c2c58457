"""Warnings ahead of a certificate's end: 30, 14 and 3 days before it, and after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from factoryops.certificates.facts import inspect
from factoryops.domain.errors import InvalidInputError

_WARN_DAYS: Final = (3, 14, 30)


def expiry_warning(what: str, ends_at: datetime, moment: datetime) -> str:
    """One sentence about a certificate that ends soon; "" while it is good for more than 30 days.

    Args:
        what: whose certificate, as the sentence's subject ("The certificate of the API").
        ends_at: when it ends.
        moment: now.
    """
    left = ends_at - moment
    if left <= timedelta(0):
        return (
            f"{what} has ended on {ends_at:%Y-%m-%d %H:%M} UTC: nobody who checks it connects any more. Renew it with "
            "`factoryops-service certificate renew`."
        )
    for days in _WARN_DAYS:
        if left <= timedelta(days=days):
            return (
                f"{what} ends within {days} days, on {ends_at:%Y-%m-%d %H:%M} UTC; from then on nobody who checks it "
                "connects. Renew it with `factoryops-service certificate renew`."
            )
    return ""


@dataclass(frozen=True, slots=True)
class WatchedCertificate:
    """A certificate file of the installation.

    Attributes:
        key: a fixed word for it, part of its problem's code.
        what: whose it is, as a sentence's subject.
    """

    key: str
    what: str
    file: Path


def expiry_warnings(watched: Iterable[WatchedCertificate], moment: datetime) -> dict[str, str]:
    """The warnings of several certificate files, by the code of a problem; blocks while small files are read."""
    found: dict[str, str] = {}
    for one in watched:
        try:
            warning = expiry_warning(one.what, inspect(one.file).ends_at, moment)
        except InvalidInputError as error:
            warning = f"{one.what} cannot be watched: {error}"
        if warning:
            found[f"certificate_ends:{one.key}"] = warning
    return found
