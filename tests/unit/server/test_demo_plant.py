from __future__ import annotations

from pathlib import Path

from factoryops.domain.identity import Role, Scope
from factoryops.server.demo_plant import calculate
from tests.support.job_plant import factory_of, make_plant


def test_the_demonstrations_calculation_is_made_of_what_its_plant_measures(tmp_path: Path) -> None:
    database = make_plant(tmp_path).open_database()
    factory = factory_of(database)
    calculate(database, factory.id)
    scope = Scope(factory.id, "demo", Role.ADMIN)
    assert [one.content.parameter_key for one in database.read(lambda tx: tx.calculations(scope).list())] == [
        "cooling_power"
    ]
    database.close()
