from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError
from factoryops.domain.mapping import MappedValue
from factoryops.domain.plant import ParameterKind
from factoryops.identity.snapshot_file import take_snapshot
from tests.support.databases import Clock, Site


def test_an_accepted_device_is_there_with_its_audit_and_tells_ingest(site: Site, other_site: Site) -> None:
    access = site.database.read(lambda tx: tx.changes().access)
    device = site.database.run(lambda tx: tx.adoption(site.scope).accept("press-7", name="Press 7", area="Hall 2"))
    assert (device.key, device.name, device.area) == ("press-7", "Press 7", "Hall 2")
    assert site.database.read(lambda tx: tx.changes().access) > access
    entry = site.database.read(lambda tx: tx.audit(site.scope).list(most=1))[0]
    assert (entry.action, entry.object_id, entry.actor) == ("device.accept", device.id, site.scope.actor)
    with pytest.raises(ConflictError):
        site.database.run(lambda tx: tx.adoption(site.scope).accept("press-7"))
    assert device.key not in [one.key for one in site.database.read(lambda tx: tx.devices(other_site.scope).list())]


def test_a_key_that_names_nothing_is_refused(site: Site) -> None:
    with pytest.raises(InvalidInputError):
        site.database.run(lambda tx: tx.adoption(site.scope).accept("a\nb"))


def test_a_declined_device_is_forgotten_after_seven_days_or_when_accepted(
    site: Site, other_site: Site, clock: Clock
) -> None:
    def declined() -> set[str]:
        return site.database.read(lambda tx: tx.adoption(site.scope).declined())

    for key in ("press-7", "press-8", "press-7"):
        site.database.run(lambda tx, key=key: tx.adoption(site.scope).decline(key))  # type: ignore[misc] # bound per turn
    assert declined() == {"press-7", "press-8"}
    assert site.database.read(lambda tx: tx.adoption(other_site.scope).declined()) == set()
    site.database.run(lambda tx: tx.adoption(site.scope).accept("press-8"))
    assert declined() == {"press-7"}
    clock.advance(7 * 86_400 + 1)
    assert declined() == set()


def test_what_a_parameter_carries_is_recorded_for_the_scopes_factory_alone(site: Site, other_site: Site) -> None:
    mine, theirs = site.add_parameter("mode"), other_site.add_parameter("mode")
    found = {mine.id: ParameterKind.TEXT, theirs.id: ParameterKind.BOOLEAN}
    site.database.run(lambda tx: tx.parameters(site.scope).set_kinds(found))
    (kept,) = site.database.read(lambda tx: tx.parameters(site.scope).list())
    assert kept.kind is ParameterKind.TEXT
    (other,) = site.database.read(lambda tx: tx.parameters(other_site.scope).list())
    assert other.kind is ParameterKind.NUMBER


def test_the_setting_is_the_factorys_own_and_audited_once(site: Site, other_site: Site) -> None:
    def entries() -> list[str]:
        return [one.action for one in site.database.read(lambda tx: tx.audit(site.scope).list())]

    for _ in range(2):
        changed = site.database.run(lambda tx: tx.adoption(site.scope).set_automatic(is_automatic=False))
        assert not changed.adopts_automatically
    assert entries().count("factory.change") == 1
    assert site.database.read(lambda tx: tx.adoption(other_site.scope).factory()).adopts_automatically


def test_a_message_is_marked_once_however_often_it_is_replayed(site: Site, other_site: Site, clock: Clock) -> None:
    messages = [(number, 5_000 + number) for number in range(1_200)]
    for expected in (len(messages), 0):
        assert site.database.run(lambda tx: tx.quarantine_marks(site.scope).mark(messages)) == expected
    assert site.database.run(lambda tx: tx.quarantine_marks(site.scope).mark([(3, 9)])) == 1
    replayed = site.database.read(lambda tx: tx.quarantine_marks(site.scope).replayed())
    assert replayed == dict.fromkeys([*messages, (3, 9)], clock())
    site.database.run(lambda tx: tx.quarantine_marks(site.scope).forget_before(1_198))
    assert set(site.database.read(lambda tx: tx.quarantine_marks(site.scope).replayed())) == set(messages[1_198:])
    assert site.database.read(lambda tx: tx.quarantine_marks(other_site.scope).replayed()) == {}


def _mapping(**fields: object) -> http.MappingContent:
    plain: dict[str, object] = {"name": "Presses", "topic": "hall2/{device}/state", "values": [{"parameter": "µ/°"}]}
    return http.MappingContent.model_validate({**plain, "payload": "plain", **fields})


def test_only_mappings_that_are_switched_on_reach_ingest_each_with_its_factory(site: Site, other_site: Site) -> None:
    access = site.database.read(lambda tx: tx.changes().access)
    kept = site.database.run(lambda tx: tx.mappings(site.scope).create(_mapping()))
    assert site.database.read(lambda tx: tx.changes().access) > access
    assert take_snapshot(site.database).mappings == []
    site.database.run(lambda tx: tx.mappings(site.scope).update(kept.id, 1, _mapping(is_enabled=True)))
    other_site.database.run(lambda tx: tx.mappings(other_site.scope).create(_mapping(is_enabled=True)))
    found = {one.factory_id: one for one in take_snapshot(site.database).mappings}
    assert set(found) == {site.factory.id, other_site.factory.id}
    mine = found[site.factory.id]
    assert (mine.id, mine.version, mine.definition.values) == (kept.id, 2, (MappedValue("µ/°"),))


def test_every_change_of_a_mapping_is_audited(site: Site) -> None:
    kept = site.database.run(lambda tx: tx.mappings(site.scope).create(_mapping()))
    site.database.run(lambda tx: tx.mappings(site.scope).update(kept.id, 1, _mapping(order=3)))
    site.database.run(lambda tx: tx.mappings(site.scope).delete(kept.id))
    entries = site.database.read(lambda tx: tx.audit(site.scope).list(most=3))
    assert [one.action for one in entries] == ["mapping.delete", "mapping.update", "mapping.create"]
    assert {one.object_id for one in entries} == {kept.id}
