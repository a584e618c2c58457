from __future__ import annotations

import pytest

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from factoryops.domain.identity import Role, new_id
from factoryops.domain.time import now_us
from tests.contract.client.conftest import Subject


def content(parameter: str, **fields: object) -> http.CalculationContent:
    values: dict[str, object] = {
        "device_key": "pump-1", "parameter_key": parameter, "name": "Doubled", "unit": "bar",
        "expression": "pressure * 2",
    }  # fmt: skip
    return http.CalculationContent.model_validate(values | fields)


async def test_a_calculated_parameter_is_made_changed_and_taken_out_of_use(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    made = await plant.create_calculation(content("doubled"))
    assert (made.version, made.content, made.fault) == (1, content("doubled"), None)
    (parameter,) = [one for device in await plant.devices() for one in device.parameters if one.id == made.parameter_id]
    assert (parameter.key, parameter.name, parameter.unit) == ("doubled", "Doubled", "bar")
    wanted = content("doubled", expression="pressure * 3", name="Tripled")
    update = http.CalculationUpdate(version=1, content=wanted)
    changed = await plant.update_calculation(made.id, update)
    assert (changed.version, changed.content) == (2, wanted)
    assert changed in await plant.calculations()
    with pytest.raises(ConflictError):
        await plant.update_calculation(made.id, update)
    with pytest.raises(ConflictError):
        await plant.create_calculation(content("doubled"))
    await plant.delete_calculation(made.id)
    assert made.id not in [one.id for one in await plant.calculations()]
    with pytest.raises(NotFoundError):
        await plant.delete_calculation(made.id)
    again = await plant.create_calculation(content("doubled"))
    assert again.id == made.id
    await plant.delete_calculation(again.id)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"expression": "pressure *"}, "ends too early"),
        ({"expression": "presure * 2"}, "no parameter 'presure' of the device 'pump-1'"),
        ({"expression": "refused + 1"}, "calculated from itself"),
        ({"expression": "2 + 2"}, "names no parameter"),
    ],
)
async def test_what_cannot_be_calculated_is_refused_with_its_field(
    subject: Subject, fields: dict[str, object], sentence: str
) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    with pytest.raises(InvalidInputError, match=sentence) as caught:
        await plant.create_calculation(content("refused", **fields))
    assert "expression" in caught.value.fields
    assert "refused" not in [one.content.parameter_key for one in await plant.calculations()]


async def test_calculations_chain_on_a_device_of_their_own_but_not_in_a_circle(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    first = await plant.create_calculation(content("first", device_key="hall", expression='"pump-1".pressure'))
    second = await plant.create_calculation(content("second", device_key="hall", expression="first + 1"))
    assert any(device.key == "hall" for device in await plant.devices())
    circle = http.CalculationUpdate(version=1, content=content("first", device_key="hall", expression="second + 1"))
    with pytest.raises(InvalidInputError, match="calculated from itself"):
        await plant.update_calculation(first.id, circle)
    renamed = http.CalculationUpdate(version=1, content=content("other", device_key="hall", expression="second"))
    with pytest.raises(InvalidInputError, match="keeps its keys"):
        await plant.update_calculation(first.id, renamed)
    for one in (first, second):
        await plant.delete_calculation(one.id)


async def test_a_key_that_a_device_sends_itself_is_refused(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    with pytest.raises(ConflictError):
        await plant.create_calculation(content("pressure", expression="flow * 2"))


async def test_an_expression_is_tried_on_history_before_it_is_saved(subject: Subject) -> None:
    plant = await subject.enter(Role.SUPERVISOR)
    end_us = now_us() - 10_000_000
    trial = http.CalculationTrial(
        device_key="pump-1", expression="mean(pressure, 1 min) - mean(pressure, 1 min)",
        start_us=end_us - 600_000_000, end_us=end_us,
    )  # fmt: skip
    tried = await plant.try_calculation(trial)
    assert tried.count == len(tried.value) == 300
    assert set(tried.value) == {0.0}
    assert tried.time_us == sorted(tried.time_us)
    compared = await plant.try_calculation(trial.model_copy(update={"expression": "pressure / 0 > 1"}))
    assert (compared.is_condition, compared.count, compared.without_value) == (True, 0, 300)
    for wrong in ({"expression": "presure"}, {"expression": "(("}, {"end_us": trial.start_us}):
        with pytest.raises(InvalidInputError):
            await plant.try_calculation(trial.model_copy(update=wrong))


async def test_operators_see_calculations_and_change_none(subject: Subject) -> None:
    plant = await subject.enter(Role.OPERATOR)
    await plant.calculations()
    identity = new_id()
    trial = http.CalculationTrial(device_key="pump-1", expression="pressure", start_us=0, end_us=1)
    for change in (
        plant.create_calculation(content("doubled")),
        plant.update_calculation(identity, http.CalculationUpdate(version=1, content=content("doubled"))),
        plant.delete_calculation(identity),
        plant.try_calculation(trial),
    ):
        with pytest.raises(NotAllowedError):
            await change
