"""The alarm history as the figures need it: the span, and what was active when it began."""

from __future__ import annotations

from factoryops.domain.identity import alarm_id
from tests.support.databases import Site

SECOND = 1_000_000


def test_events_of_the_span_come_with_the_raise_of_what_was_active_before(site: Site, other_site: Site) -> None:
    rule = site.add_rule()
    pump = site.add_device("pump-2")
    second = {
        "device_id": pump.id, "device_key": pump.key, "device_name": pump.name,
        "alarm_id": alarm_id(site.factory.id, rule.id, pump.key),
    }  # fmt: skip
    site.apply(
        *(site.transition(rule, kind, 1, at_us=at * SECOND) for kind, at in (("raised", 5), ("cleared", 10))),
        *(site.transition(rule, kind, 2, at_us=at * SECOND) for kind, at in (("raised", 90), ("cleared", 110))),
        site.transition(rule, "raised", 3, at_us=120 * SECOND),
        site.transition(rule, "raised", 1, at_us=50 * SECOND, **second),
    )
    read = site.database.read(lambda tx: tx.alarm_performance(site.scope).lines(100 * SECOND, 200 * SECOND))
    found = sorted((one.device_name, one.annunciation, one.kind, one.at_us // SECOND) for one in read)
    assert found == [
        ("Pump-1", 2, "cleared", 110),
        ("Pump-1", 2, "raised", 90),
        ("Pump-1", 3, "raised", 120),
        ("Pump-2", 1, "raised", 50),
    ]
    assert site.database.read(lambda tx: tx.alarm_performance(other_site.scope).lines(0, 10**15)) == []
