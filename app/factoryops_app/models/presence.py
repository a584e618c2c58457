"""Whether a device is heard: by when the service or this program received something, never by the device's clock."""

from __future__ import annotations

from typing import Final

from factoryops.contracts import http
from factoryops.domain.time import US_PER_S, to_us
from factoryops_app.models.samples import SampleStore

SHORTEST_PATIENCE_US: Final = 30 * US_PER_S
"""A device is not called offline before this, however often it usually publishes."""


def last_heard_us(samples: SampleStore, device: http.Device) -> int | None:
    """When anything was last received from a device; None when nothing ever was."""
    readings = [samples.reading(one.series_id) for one in device.parameters]
    arrived = [one.arrived_us for one in readings if one is not None and one.arrived_us != one.time_us]
    if device.last_received_at is not None:
        arrived.append(to_us(device.last_received_at))
    return max(arrived, default=None)


def is_offline(samples: SampleStore, device: http.Device, now: int) -> bool:
    """Whether a device that was heard has been silent for three of its usual periods."""
    heard_us = last_heard_us(samples, device)
    if heard_us is None:
        return False
    patience_us = min((samples.patience_us(one.series_id) for one in device.parameters), default=SHORTEST_PATIENCE_US)
    return now - heard_us > max(patience_us, SHORTEST_PATIENCE_US)
