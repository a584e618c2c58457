from __future__ import annotations

from factoryops.contracts import http
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import US_PER_S, from_us
from factoryops_app.models.presence import is_offline, last_heard_us
from factoryops_app.models.samples import SampleStore
from factoryops_app.presence import presence_words

NOW = 1_800_000_000 * US_PER_S
HOUR_US = 3_600 * US_PER_S


def _device(last_received_us: int | None = None) -> http.Device:
    parameter = http.Parameter(
        id="0" * 32, device_id="1" * 32, series_id=7, key="pressure", name="Pressure", unit="bar", decimals=1
    )
    return http.Device(
        id="1" * 32, key="pump-1", name="Pump", kind="", area="", line="", parameters=[parameter],
        last_received_at=None if last_received_us is None else from_us(last_received_us),
    )  # fmt: skip


def test_a_device_whose_clock_is_an_hour_slow_is_heard_when_it_is_heard() -> None:
    store = SampleStore(lambda: NOW)
    store.add_latest(7, NOW - HOUR_US, 1.0, 0)
    assert last_heard_us(store, _device()) is None
    assert presence_words(store, _device(), NOW) == "nothing received yet"
    store.add_live(SampleColumns.of([(7, NOW - HOUR_US + 1, 1.0)]))
    assert last_heard_us(store, _device()) == NOW
    assert not is_offline(store, _device(), NOW + 20 * US_PER_S)
    assert presence_words(store, _device(), NOW + 5 * US_PER_S) == "last received 5 s ago"


def test_a_clock_that_is_fast_does_not_keep_a_silent_device_online() -> None:
    store = SampleStore(lambda: NOW)
    store.add_live(SampleColumns.of([(7, NOW + HOUR_US, 1.0)]))
    assert is_offline(store, _device(), NOW + 60 * US_PER_S)
    assert presence_words(store, _device(), NOW + 60 * US_PER_S) == "offline for 1 min 00 s"


def test_what_the_service_heard_counts_before_anything_came_live() -> None:
    store = SampleStore(lambda: NOW)
    assert presence_words(store, _device(NOW - 3 * US_PER_S), NOW) == "last received 3 s ago"
    assert is_offline(store, _device(NOW - HOUR_US), NOW)
