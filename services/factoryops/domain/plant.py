"""The plant's structure: factories, devices and their parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from factoryops.domain.identity import DeviceId, FactoryId, ParameterId
from factoryops.domain.samples import SeriesId

KEY_LENGTH: Final = 100
LONGEST_SILENCE_S: Final = 600.0
"""How long a deadband may hold samples back, where nobody says otherwise."""

_TENANT: Final = re.compile(r"SH\d{8}", re.ASCII)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,99}")


def is_key(text: str) -> bool:
    """Whether `text` can name a device or a parameter: any printable text of 1 to 100 characters."""
    return 0 < len(text) <= KEY_LENGTH and text.isprintable()


def is_slug(text: str) -> bool:
    """Whether `text` can name a factory in topics and at login."""
    return _SLUG.fullmatch(text) is not None


def is_tenant(text: str) -> bool:
    """Whether `text` can be a factory's tenant id: SH and eight digits."""
    return _TENANT.fullmatch(text) is not None


class ParameterKind(StrEnum):
    """What a parameter's samples have been found to be."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Factory:
    """One plant; a login opens exactly one.

    Attributes:
        tenant: its id in topics of the form `<tenant>/devices/<device>/telemetry`; "" for none.
    """

    id: FactoryId
    slug: str
    name: str
    timezone: str
    adopts_automatically: bool = True
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that publishes telemetry."""

    id: DeviceId
    factory_id: FactoryId
    key: str
    name: str
    kind: str = ""
    area: str = ""
    line: str = ""
    created_at: datetime | None = None
    last_received_at: datetime | None = None
    """When anything was last received from it (receive time, not the device's)."""
    clock_offset_us: int = 0
    """What must be added to its clock to give ours, as found from its messages; 0 for a good clock."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One quantity of a device; device × parameter is a series.

    Attributes:
        low / high: the range of the analogue bar, in `unit`.
        normal_low / normal_high: the normal band inside it.
        deadband: samples that differ from the last kept one by no more are not kept; None to keep all.
        deadband_max_s: with a deadband, a sample is kept after this time whatever it is.
        kind: boolean or text once such a sample was seen.
        decimals: how many a person is shown.
    """

    id: ParameterId
    factory_id: FactoryId
    device_id: DeviceId
    series_id: SeriesId
    key: str
    name: str
    unit: str = ""
    decimals: int = 2
    low: float | None = None
    high: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    deadband: float | None = None
    deadband_max_s: float = LONGEST_SILENCE_S
    kind: ParameterKind = ParameterKind.NUMBER
