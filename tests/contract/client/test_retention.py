"""How long history is kept is decided as a whole, by administrators, and never by accident over somebody's head."""

from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError
from tests.contract.client.conftest import Subject


async def test_rules_are_put_anew_as_a_whole(subject: Subject) -> None:
    plant = await subject.enter()
    before = await plant.retention()
    rules = [
        http.RetentionRule(name="Vibration", parameters=["vibration"], raw_days=30, minute_days=365),
        http.RetentionRule(name="The rest", raw_days=90, minute_days=730, hour_days=3_650),
    ]
    after = await plant.change_retention(http.RetentionChange(version=before.version, rules=rules))
    assert after.rules == rules
    assert after.changed_at is not None
    assert await plant.retention() == after
    with pytest.raises(ConflictError, match="Somebody else changed"):
        await plant.change_retention(http.RetentionChange(version=before.version, rules=[]))
    cleared = await plant.change_retention(http.RetentionChange(version=after.version, rules=[]))
    assert cleared.rules == []


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([{"name": "a", "raw_days": 30, "minute_days": 10}], "rules.0.minute_days"),
        ([{"name": "a"}, {"name": "b"}], "rules.1.parameters"),
        ([{"name": "a", "parameters": ["x"]}, {"name": "b", "parameters": ["y", "x"]}], "rules.1.parameters"),
    ],
)
async def test_rules_that_contradict_are_refused_with_their_field(
    subject: Subject, rules: list[dict[str, object]], field: str
) -> None:
    plant = await subject.enter()
    version = (await plant.retention()).version
    change = http.RetentionChange.model_validate({"version": version, "rules": rules})
    with pytest.raises(InvalidInputError) as caught:
        await plant.change_retention(change)
    assert field in caught.value.fields
