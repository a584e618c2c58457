from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from factoryops.alarms.plant_records import PlantRecords
from factoryops.contracts import http
from factoryops.contracts.snapshot import SnapshotDeadband
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import DeviceId, device_id
from factoryops.domain.mapping import MappedValue, TopicMapping
from factoryops.domain.plant import Device
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.identity.snapshot_file import take_snapshot
from factoryops.journal.records import ClockOffset
from tests.support.databases import NOON, Site


def test_a_device_is_added_once_and_keeps_what_an_operator_edited(site: Site) -> None:
    site.database.run(lambda tx: tx.devices(site.scope).change(site.device.id, name="Main pump", area="Hall 1"))
    assert not site.database.run(lambda tx: tx.devices(site.scope).ensure(site.device))
    (kept,) = site.database.read(lambda tx: tx.devices(site.scope).list())
    assert (kept.name, kept.area, kept.key) == ("Main pump", "Hall 1", "pump-1")


@pytest.mark.parametrize("keys", [("a", "A"), ("a", "a "), ("ä", "a"), ("ß", "ss"), ("e\u0301", "é"), ("🏭", "🏗")])
def test_keys_that_differ_by_code_point_are_different_devices(site: Site, keys: tuple[str, str]) -> None:
    made = [Device(device_id(site.factory.id, key), site.factory.id, key, key) for key in keys]
    assert site.database.run(lambda tx: tx.devices(site.scope).ensure_many(made)) == 2
    assert {device.key for device in site.database.read(lambda tx: tx.devices(site.scope).list())} >= set(keys)


def test_many_devices_are_added_in_one_call(site: Site) -> None:
    made = [Device(device_id(site.factory.id, f"d{n}"), site.factory.id, f"d{n}", f"D{n}") for n in range(1_200)]
    assert site.database.run(lambda tx: tx.devices(site.scope).ensure_many(made)) == 1_200
    assert site.database.run(lambda tx: tx.devices(site.scope).ensure_many(made)) == 0
    ids = [device.id for device in made]
    assert [device.id for device in site.database.read(lambda tx: tx.devices(site.scope).get_many(ids))] == ids


def test_last_received_never_goes_back_and_unknown_devices_are_passed_over(site: Site) -> None:
    unknown = device_id(site.factory.id, "nobody")
    for seconds in (10, 5):
        site.database.run(partial(_touch, site, [site.device.id, unknown], NOON + timedelta(seconds=seconds)))
    (device,) = site.database.read(lambda tx: tx.devices(site.scope).list())
    assert device.last_received_at == NOON + timedelta(seconds=10)


def _touch(site: Site, devices: list[DeviceId], at: datetime, tx: Transaction) -> None:
    tx.devices(site.scope).touch_received(dict.fromkeys(devices, at))


def test_a_changed_device_leaves_an_audit_entry_and_raises_the_plant_counter(site: Site) -> None:
    before = site.database.read(lambda tx: tx.changes())
    site.database.run(lambda tx: tx.devices(site.scope).change(site.device.id, name="X", kind=None))
    site.database.run(lambda tx: tx.devices(site.scope).change(site.device.id, name="X"))
    after = site.database.read(lambda tx: tx.changes())
    assert after.plant[site.factory.id] == before.plant[site.factory.id] + 1
    newest = site.database.read(lambda tx: tx.audit(site.scope).list())[0]
    assert (newest.action, newest.old, newest.new, newest.actor) == (
        "device.change",
        {"name": "Pump-1"},
        {"name": "X"},
        "op1",
    )


def test_only_what_may_be_edited_can_be_changed(site: Site) -> None:
    with pytest.raises(InvalidInputError) as raised:
        site.database.run(lambda tx: tx.devices(site.scope).change(site.device.id, factory_id="x"))
    assert "factory_id" in raised.value.fields


def test_parameters_keep_every_field(site: Site) -> None:
    wanted = replace(site.parameter(), decimals=1, low=0.0, high=10.0, normal_low=2.5, normal_high=7.1)
    assert site.database.run(lambda tx: tx.parameters(site.scope).ensure(wanted))
    assert not site.database.run(lambda tx: tx.parameters(site.scope).ensure(wanted))
    assert site.database.read(lambda tx: tx.parameters(site.scope).list()) == [wanted]


def test_a_limit_can_be_cleared_and_the_rest_stays(site: Site) -> None:
    parameter = site.add_parameter()
    change = {"low": 1.0, "high": 2.0, "unit": "mbar"}
    site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, **change))
    changed = site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, low=None, name=None))
    assert (changed.low, changed.high, changed.unit, changed.name) == (None, 2.0, "mbar", "Pressure")


def test_limits_out_of_order_are_refused(site: Site) -> None:
    parameter = site.add_parameter()
    site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, high=2.0))
    with pytest.raises(InvalidInputError) as raised:
        site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, low=2.0))
    assert raised.value.fields == {"low": "must be below the upper limit"}
    assert site.database.read(lambda tx: tx.parameters(site.scope).list())[0].low is None


def test_an_unknown_id_among_many_fails_the_whole_question(site: Site) -> None:
    parameter = site.add_parameter()
    with pytest.raises(NotFoundError):
        site.database.read(lambda tx: tx.parameters(site.scope).get_many([parameter.id, "0" * 32]))
    with pytest.raises(NotFoundError):
        site.database.read(lambda tx: tx.devices(site.scope).get_many([site.device.id, "0" * 32]))


def test_a_deadband_reaches_the_snapshot_and_can_be_taken_away(site: Site) -> None:
    parameter = site.add_parameter()
    before = site.database.read(lambda tx: tx.changes())
    change = {"deadband": 0.25, "deadband_max_s": 60.0}
    changed = site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, **change))
    assert (changed.deadband, changed.deadband_max_s) == (0.25, 60.0)
    (plant,) = [one for one in take_snapshot(site.database).factories if one.id == site.factory.id]
    assert plant.deadbands == [SnapshotDeadband("pump-1", parameter.key, 0.25, 60.0)]
    assert site.database.read(lambda tx: tx.changes()).access > before.access
    site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, deadband=None))
    assert site.database.read(lambda tx: tx.parameters(site.scope).with_deadband()) == []


@pytest.mark.parametrize(
    "change", [{"deadband": -0.1}, {"deadband": math.nan}, {"deadband_max_s": 0.5}, {"deadband_max_s": 90_000.0}]
)
def test_a_deadband_that_makes_no_sense_is_refused(site: Site, change: dict[str, float]) -> None:
    parameter = site.add_parameter()
    with pytest.raises(InvalidInputError) as raised:
        site.database.run(lambda tx: tx.parameters(site.scope).change(parameter.id, **change))
    assert set(raised.value.fields) == set(change)


def test_the_engine_records_clock_offsets_and_sets_them_back(site: Site) -> None:
    records = PlantRecords(site.database)
    records.note_clocks([ClockOffset(site.factory.id, "pump-1", 3_600_000_000), ClockOffset(site.factory.id, "x", 5)])
    assert site.database.read(lambda tx: tx.devices(site.scope).get(site.device.id)).clock_offset_us == 3_600_000_000
    PlantRecords(site.database).note_clocks([])
    assert site.database.read(lambda tx: tx.devices(site.scope).get(site.device.id)).clock_offset_us == 0


def test_a_factory_may_have_a_tenant_id_that_no_other_has(site: Site) -> None:
    made = site.database.run(lambda tx: tx.factories.set_tenant(site.factory.id, "SH00000042"))
    assert made.tenant == "SH00000042"
    assert "SH00000042" in {one.tenant for one in take_snapshot(site.database).factories}
    with pytest.raises(ConflictError):
        site.database.run(lambda tx: tx.factories.create("second", "Second", "UTC", tenant="SH00000042"))
    for wrong in ("SH42", "sh00000042", "XX00000042", "SH000000421"):
        with pytest.raises(InvalidInputError):
            site.database.run(lambda tx, wrong=wrong: tx.factories.set_tenant(site.factory.id, wrong))  # type: ignore[misc]  # bound per round
    newest = site.database.read(lambda tx: tx.audit(site.scope).list())[0]
    assert (newest.action, newest.new) == ("factory.change", {"tenant": "SH00000042"})
    assert site.database.run(lambda tx: tx.factories.set_tenant(site.factory.id, "")).tenant == ""


def test_a_mapped_parameter_gets_the_unit_that_its_mapping_gives(site: Site) -> None:
    values = (MappedValue("Druck", "$.p", unit="mbar"),)
    content = http.MappingContent.of(TopicMapping("m", "site/{device}/data", values=values), is_enabled=True)
    site.database.run(lambda tx: tx.mappings(site.scope).create(content))
    key = SeriesKey(site.factory.id, "c-1", "Druck")
    assert PlantRecords(site.database).copy({series_id(key): key}) == 1
    (added,) = [one for one in site.database.read(lambda tx: tx.parameters(site.scope).list()) if one.key == "Druck"]
    assert added.unit == "mbar"
