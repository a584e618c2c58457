from __future__ import annotations

from functools import partial

import pytest
from msgspec import structs

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.tree import Compare, Comparison, NoData, Parameter
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import RuleId, device_id
from factoryops.domain.rule import RuleScope
from tests.support.databases import Site
from tests.support.rules import limit_content, limit_of


def test_a_rule_comes_back_as_it_was_written(site: Site) -> None:
    wanted = limit_content(
        device_keys=["pump-1"],
        comparison=Comparison.AT_OR_BELOW,
        limit=-1.25e-3,
        priority=Priority.CRITICAL,
        deadband=0.1,
        on_delay_s=0.5,
        off_delay_s=3_600,
        is_enabled=False,
        response="Ventil schließen 🏭\nund melden.",
    )
    made = site.database.run(lambda tx: tx.rules(site.scope).create(wanted, "op1"))
    assert made.content == wanted
    assert (made.version, made.changed_by, made.holds_from_seq) == (1, "op1", None)
    assert site.database.read(lambda tx: tx.rules(site.scope).list()) == [made]


def test_a_change_made_from_an_old_version_is_refused(site: Site) -> None:
    rule = site.add_rule()
    changed = site.database.run(lambda tx: tx.rules(site.scope).update(rule.id, 1, limit_content(limit=6.0), "op2"))
    assert (changed.version, limit_of(changed.content).limit, changed.changed_by) == (2, 6.0, "op2")
    with pytest.raises(ConflictError):
        site.database.run(lambda tx: tx.rules(site.scope).update(rule.id, 1, limit_content(limit=7.0), "op3"))
    assert site.database.read(lambda tx: tx.rules(site.scope).get(rule.id)) == changed


def test_a_rule_beyond_what_is_evaluated_is_refused_with_the_count(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.database.rule_load.MOST_EVALUATIONS", 5)
    for number in range(3):
        site.add_parameter("flow", site.add_device(f"pump {number}"))
    of_flow = partial(_no_data, parameter="flow")
    first = site.database.run(lambda tx: tx.rules(site.scope).create(of_flow(), "op1"))
    site.add_rule(limit=7.0)
    with pytest.raises(InvalidInputError, match=r"evaluated 6 times, 3 of them for this one; 5 are possible"):
        site.database.run(lambda tx: tx.rules(site.scope).create(of_flow(), "op1"))
    site.database.run(lambda tx: tx.rules(site.scope).create(of_flow(device_keys=["pump 1", "pump 2"]), "op1"))
    monkeypatch.setattr("factoryops.database.rule_load.MOST_EVALUATIONS", 3)
    narrower = of_flow(device_keys=["pump 0", "pump 2"])
    assert site.database.run(lambda tx: tx.rules(site.scope).update(first.id, 1, narrower, "op1")).version == 2
    with pytest.raises(InvalidInputError, match="5 times"):
        site.database.run(lambda tx: tx.rules(site.scope).update(first.id, 2, of_flow(), "op1"))


def _no_data(parameter: str, **fields: object) -> http.RuleContent:
    made = limit_content(**fields)
    condition = NoData(60.0, Parameter(parameter))
    return http.RuleContent.of(structs.replace(made.definition(), condition=condition))


def test_a_deleted_rule_is_gone_and_cannot_be_changed(site: Site) -> None:
    rule = site.add_rule()
    site.database.run(lambda tx: tx.rules(site.scope).delete(rule.id))
    assert site.database.read(lambda tx: tx.rules(site.scope).list()) == []
    for act in (
        lambda tx: tx.rules(site.scope).get(rule.id),
        lambda tx: tx.rules(site.scope).delete(rule.id),
        lambda tx: tx.rules(site.scope).update(rule.id, 1, limit_content(), "op1"),
    ):
        with pytest.raises(NotFoundError):
            site.database.run(act)


def test_a_rule_on_another_factorys_device_is_refused_and_leaves_nothing(site: Site, other_site: Site) -> None:
    other_site.add_device("fan-9")
    with pytest.raises(InvalidInputError) as refused:
        site.add_rule(device_keys=["pump-1", "fan-9"])
    assert "scope" in refused.value.fields
    rule = site.add_rule()
    foreign = limit_content(device_keys=["fan-9"])
    inside = limit_content().model_copy(
        update={"condition": Compare(Parameter("flow", "fan-9"), Comparison.ABOVE, Parameter("flow"))}
    )
    for content in (foreign, inside):
        with pytest.raises(InvalidInputError):
            site.database.run(partial(_update, site, rule.id, content))
    assert site.database.read(lambda tx: tx.rules(site.scope).list()) == [rule]


def test_an_unusable_rule_names_its_field(site: Site) -> None:
    with pytest.raises(InvalidInputError) as raised:
        site.add_rule(name="   ")
    assert "name" in raised.value.fields


def test_the_engine_sees_enabled_rules_of_every_factory_with_device_keys(site: Site, other_site: Site) -> None:
    first = site.add_rule(device_keys=["pump-1"])
    second = other_site.add_rule()
    site.add_rule(name="off", is_enabled=False)
    gone = site.add_rule(name="gone")
    site.database.run(lambda tx: tx.rules(site.scope).delete(gone.id))
    rules = {one.rule.id: one for one in site.database.read(lambda tx: tx.engine.current_rules())}
    assert rules.keys() == {first.id, second.id}
    assert rules[RuleId(first.id)].devices == frozenset({"pump-1"})
    assert rules[RuleId(second.id)].devices is None
    assert {one.timezone for one in rules.values()} == {site.factory.timezone}


def test_a_scope_of_kinds_and_areas_names_the_devices_that_stand_there_now(site: Site) -> None:
    scope = RuleScope(devices=("pump-1",), kinds=("fan",), areas=("Hall 2",))
    content = limit_content().model_copy(update={"scope": scope})
    site.database.run(lambda tx: tx.rules(site.scope).create(content, "op1"))
    for key in ("fan-1", "press-1", "oven-1"):
        site.add_device(key)
    assert _devices(site) == frozenset({"pump-1"})
    site.database.run(lambda tx: tx.devices(site.scope).change(device_id(site.factory.id, "fan-1"), kind="fan"))
    site.database.run(lambda tx: tx.devices(site.scope).change(device_id(site.factory.id, "press-1"), area="Hall 2"))
    assert _devices(site) == frozenset({"pump-1", "fan-1", "press-1"})


def test_a_new_version_replaces_the_devices_of_the_old_one(site: Site) -> None:
    rule = site.add_rule(device_keys=["pump-1"])
    site.add_device("fan-1")
    site.database.run(partial(_update, site, rule.id, limit_content(device_keys=["fan-1"])))
    (current,) = site.database.read(lambda tx: tx.engine.current_rules())
    assert (current.rule.version, current.devices) == (2, frozenset({"fan-1"}))


def test_the_rules_counter_moves_with_every_change_only(site: Site) -> None:
    def counted() -> int:
        return site.database.read(lambda tx: tx.engine.rules_change())

    seen = [counted()]
    rule = site.add_rule()
    seen.append(counted())
    site.database.run(lambda tx: tx.rules(site.scope).update(rule.id, 1, limit_content(limit=9.0), "op1"))
    seen.append(counted())
    site.database.run(lambda tx: tx.rules(site.scope).delete(rule.id))
    seen.append(counted())
    site.add_device("fan-2")
    assert seen == sorted(set(seen))
    assert counted() == seen[-1]


def test_the_sequence_from_which_a_version_holds_is_marked_once(site: Site) -> None:
    rule = site.add_rule()
    for seq in (7, 9):
        site.database.run(partial(_mark, rule.id, seq))
    assert site.database.read(lambda tx: tx.rules(site.scope).get(rule.id)).holds_from_seq == 7


def test_every_change_of_a_rule_is_in_the_audit_trail(site: Site) -> None:
    rule = site.add_rule()
    site.database.run(lambda tx: tx.rules(site.scope).update(rule.id, 1, limit_content(limit=6.0), "op1"))
    site.database.run(lambda tx: tx.rules(site.scope).delete(rule.id))
    entries = [
        entry for entry in site.database.read(lambda tx: tx.audit(site.scope).list()) if entry.object_id == rule.id
    ]
    assert [entry.action for entry in entries] == ["rule.delete", "rule.update", "rule.create"]
    assert isinstance(entries[1].new, dict)
    assert entries[1].new["condition"]["right"]["value"] == 6.0


def test_why_a_version_is_stopped_is_noted_once_and_ends_with_the_next_version(site: Site) -> None:
    rule = site.add_rule()
    for fault in ("It is too slow.", "Something else."):
        site.database.run(partial(_note, rule.id, 1, fault))
    held = site.database.read(lambda tx: tx.rules(site.scope).get(rule.id))
    assert held.fault == "It is too slow."
    site.database.run(partial(_note, rule.id, 7, "Of a version that is not there."))
    changed = site.database.run(partial(_update, site, rule.id, limit_content(limit=6.0)))
    assert changed.fault is None
    versions = site.database.read(lambda tx: tx.rules(site.scope).versions(rule.id))
    assert [one.fault for one in versions] == [None, "It is too slow."]


def test_clients_hear_of_a_stopped_rule(site: Site) -> None:
    rule = site.add_rule()
    before = site.database.read(lambda tx: tx.changes()).plant[site.factory.id]
    site.database.run(partial(_note, rule.id, 1, "It is too slow."))
    after = site.database.read(lambda tx: tx.changes()).plant[site.factory.id]
    assert after > before
    site.database.run(partial(_note, rule.id, 1, "It is too slow."))
    assert site.database.read(lambda tx: tx.changes()).plant[site.factory.id] == after


def _note(rule_id: str, version: int, fault: str, tx: Transaction) -> None:
    tx.engine.note_rule_faults({(RuleId(rule_id), version): fault})


def _update(site: Site, rule_id: str, content: http.RuleContent, tx: Transaction) -> http.Rule:
    return tx.rules(site.scope).update(rule_id, 1, content, "op1")


def _devices(site: Site) -> frozenset[str] | None:
    (current,) = site.database.read(lambda tx: tx.engine.current_rules())
    return current.devices


def _mark(rule_id: str, seq: int, tx: Transaction) -> None:
    tx.engine.mark_rule_holds(rule_id, 1, seq)
