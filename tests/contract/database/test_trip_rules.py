"""The rules of a plant trip beside those that a factory has already."""

from __future__ import annotations

from factoryops.simulator.trip import QUANTITIES, prepare_trip
from tests.support.databases import Site
from tests.support.rules import limit_content


def test_another_rule_of_the_same_name_keeps_none_of_the_trip_away(site: Site) -> None:
    other = limit_content(name=QUANTITIES[0].alarm, parameter_key="voltage", device_keys=["pump-1"])
    site.database.run(lambda tx: tx.rules(site.scope).create(other, "op1"))
    assert prepare_trip(site.database, site.factory.id) == len(QUANTITIES)
    assert prepare_trip(site.database, site.factory.id) == 0
