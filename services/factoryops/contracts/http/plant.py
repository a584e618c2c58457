"""Devices and their parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Received, Sent, example


class Parameter(Received):
    """One quantity of a device."""

    id: Identifier
    device_id: Identifier
    series_id: int
    key: str
    name: str
    unit: str
    decimals: int
    low: float | None = None
    high: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None


class ParameterChange(Sent):
    """What may be edited of a parameter; absent fields stay."""

    model_config = example({"name": "Discharge pressure", "unit": "bar", "decimals": 2, "high": 10})

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)] | None = None
    unit: Annotated[str, Field(max_length=50, pattern=LINE)] | None = None
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    low: Finite | None = None
    high: Finite | None = None
    normal_low: Finite | None = None
    normal_high: Finite | None = None


class Device(Received):
    """Something that publishes telemetry, with its parameters."""

    id: Identifier
    key: str
    name: str
    kind: str
    area: str
    line: str
    last_received_at: datetime | None = None
    """When the service last received anything from it (receive time, not the device's)."""
    late_share: float = 0.0
    """Share of its samples flagged late in the last hour; they never alarm, so the client warns about its clock."""
    parameters: list[Parameter] = []


class DeviceChange(Sent):
    """What may be edited of a device; absent fields stay."""

    model_config = example({"name": "Feed pump 1", "area": "Utilities"})

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)] | None = None
    kind: Annotated[str, Field(max_length=50, pattern=LINE)] | None = None
    area: Annotated[str, Field(max_length=100, pattern=LINE)] | None = None
    line: Annotated[str, Field(max_length=100, pattern=LINE)] | None = None


class DeviceList(Received):
    """All devices of the factory."""

    devices: list[Device]
