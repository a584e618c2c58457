from __future__ import annotations

from functools import partial

import pytest

from factoryops.contracts import http
from factoryops.database.transaction import Transaction
from factoryops.domain.calculations import VIRTUAL_KIND
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from tests.support.databases import Site


def content(**fields: object) -> http.CalculationContent:
    values: dict[str, object] = {
        "device_key": "pump-1", "parameter_key": "Wirkung ²", "name": "Wirkung", "unit": "kW",
        "expression": '"pump-1".pressure * 2 + pressure', "maximum_age_s": 1.5, "is_enabled": True,
    }  # fmt: skip
    return http.CalculationContent.model_validate(values | fields)


@pytest.fixture
def plant(site: Site) -> Site:
    site.add_parameter("pressure", site.add_device("pump-1"))
    return site


def create(site: Site, **fields: object) -> http.Calculation:
    return site.database.run(lambda tx: tx.calculations(site.scope).create(content(**fields), "op1"))


def test_a_calculation_comes_back_as_it_was_written_with_its_parameter_and_audit(plant: Site, other_site: Site) -> None:
    made = create(plant)
    assert made.content == content()
    assert (made.version, made.changed_by, made.holds_from_seq, made.fault) == (1, "op1", None, None)
    assert plant.database.read(lambda tx: tx.calculations(plant.scope).list()) == [made]
    assert plant.database.read(lambda tx: tx.calculations(other_site.scope).list()) == []
    (parameter,) = plant.database.read(lambda tx: tx.parameters(plant.scope).get_many([made.parameter_id]))
    assert (parameter.key, parameter.name, parameter.unit) == ("Wirkung ²", "Wirkung", "kW")
    (entry,) = plant.database.read(lambda tx: tx.audit(plant.scope).list(most=1))
    assert (entry.action, entry.object_id, entry.old) == ("calculation.create", made.id, None)


def test_a_device_of_its_own_is_made_for_it(plant: Site) -> None:
    create(plant, device_key="hall", expression='"pump-1".pressure')
    devices = plant.database.read(lambda tx: tx.devices(plant.scope).list())
    assert [one.kind for one in devices if one.key == "hall"] == [VIRTUAL_KIND]


def test_changes_from_an_old_version_and_of_another_factory_are_refused(plant: Site, other_site: Site) -> None:
    made = create(plant)
    wanted = content(expression="pressure", name="Druck")
    changed = plant.database.run(lambda tx: tx.calculations(plant.scope).update(made.id, 1, wanted, "op2"))
    assert (changed.version, changed.content, changed.changed_by) == (2, wanted, "op2")
    with pytest.raises(ConflictError):
        plant.database.run(lambda tx: tx.calculations(plant.scope).update(made.id, 1, wanted, "op3"))
    with pytest.raises(NotFoundError):
        plant.database.run(lambda tx: tx.calculations(other_site.scope).update(made.id, 2, wanted, "op3"))
    with pytest.raises(NotFoundError):
        plant.database.run(lambda tx: tx.calculations(other_site.scope).delete(made.id))
    (parameter,) = plant.database.read(lambda tx: tx.parameters(plant.scope).get_many([made.parameter_id]))
    assert parameter.name == "Druck"


def test_parameters_of_another_factory_are_as_unknown_as_absent_ones(plant: Site, other_site: Site) -> None:
    with pytest.raises(InvalidInputError, match="no parameter 'pressure'"):
        create(other_site)


def test_the_engine_sees_what_is_enabled_and_marks_it_once(plant: Site) -> None:
    made = create(plant)
    create(plant, parameter_key="off", is_enabled=False)
    (wanted,) = plant.database.read(lambda tx: tx.engine.current_calculations())
    assert (wanted.id, wanted.version, wanted.expression) == (made.id, 1, made.content.expression)
    for seq in (7, 9):
        plant.database.run(partial(_mark, wanted.id, seq))
    held = plant.database.read(lambda tx: tx.calculations(plant.scope).get(made.id))
    assert (held.holds_from_seq, held.fault) == (7, "too slow at 7")
    changed = plant.database.run(lambda tx: tx.calculations(plant.scope).update(made.id, 1, content(), "op2"))
    assert (changed.holds_from_seq, changed.fault) == (None, None)


def _mark(identity: str, seq: int, tx: Transaction) -> None:
    (wanted,) = [one for one in tx.engine.current_calculations() if one.id == identity]
    tx.engine.mark_calculation_holds(wanted.id, wanted.version, seq)
    tx.engine.note_faults({(identity, 1): f"too slow at {seq}"})


def test_every_change_is_told_to_the_engine(plant: Site) -> None:
    def number() -> int:
        return plant.database.read(lambda tx: tx.changes().rules)

    before = number()
    made = create(plant)
    plant.database.run(lambda tx: tx.calculations(plant.scope).delete(made.id))
    assert number() == before + 2
    assert plant.database.read(lambda tx: tx.engine.current_calculations()) == []


def test_a_factory_has_so_many_and_no_more(plant: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.database.calculations.MOST_CALCULATIONS", 2)
    first, _ = create(plant, parameter_key="a"), create(plant, parameter_key="b")
    with pytest.raises(InvalidInputError, match="at most 2"):
        create(plant, parameter_key="c")
    plant.database.run(lambda tx: tx.calculations(plant.scope).delete(first.id))
    create(plant, parameter_key="c")
