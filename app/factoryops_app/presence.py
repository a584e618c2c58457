"""What people read of a device's presence."""

from __future__ import annotations

from factoryops.contracts import http
from factoryops.domain.time import US_PER_S
from factoryops_app.models.presence import is_offline, last_heard_us
from factoryops_app.models.samples import SampleStore
from factoryops_resources.words import say
from factoryops_widgets.formatting import age


def presence_words(samples: SampleStore, device: http.Device, now: int) -> str:
    """Such as "offline for 12 min 05 s" or "last received 3 s ago"."""
    heard_us = last_heard_us(samples, device)
    if heard_us is None:
        return say("nothing received yet")
    silent = age(max(0, now - heard_us) / US_PER_S)
    if is_offline(samples, device, now):
        return say("offline for {age}", age=silent)
    return say("last received {age} ago", age=silent)
