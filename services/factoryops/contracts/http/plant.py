"""Devices and their parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from factoryops.contracts.http.parts import LINE, Finite, Identifier, Received, Sent, example
from factoryops.domain.plant import ParameterKind


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
    deadband: float | None = None
    """Samples that differ from the last kept one by no more are not kept; null to keep all."""
    deadband_max_s: float = 600.0
    """With a deadband, a sample is kept after this time whatever it is."""
    kind: ParameterKind = ParameterKind.NUMBER
    """Boolean or text once such a sample was seen."""


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
    deadband: Annotated[Finite, Field(ge=0)] | None = None
    deadband_max_s: Annotated[float, Field(ge=1, le=86_400)] | None = None


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
    clock_offset_s: float = 0.0
    """What must be added to its clock to give the service's, as found from its messages; 0 for a good clock."""
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
