"""Statistics weigh every value by how long it holds, and say how good the data are."""

from __future__ import annotations

import pytest

from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import Role, new_id
from factoryops.domain.time import now_us
from tests.contract.client.conftest import Subject

_MINUTE_US = 60_000_000


async def test_a_span_s_figures_agree_with_its_samples(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0]
    end = now_us() // _MINUTE_US * _MINUTE_US - 5 * _MINUTE_US
    start = end - 20 * _MINUTE_US
    raw = await plant.raw(parameter.id, start, end)
    answer = await plant.statistics([parameter.id], start, end)
    (figures,) = answer.parameters
    assert (answer.start_us, answer.end_us) == (start, end)
    assert figures.quality.samples == len(raw.time_us)
    assert (figures.minimum, figures.maximum) == (min(raw.value), max(raw.value))
    assert figures.mean == pytest.approx(sum(raw.value) / len(raw.value), rel=0.05)
    assert figures.good_share == pytest.approx(1.0, abs=0.02)
    assert figures.deviation is not None
    assert figures.deviation <= max(raw.value) - min(raw.value)


async def test_a_span_without_samples_has_no_mean(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    parameter = (await plant.devices())[0].parameters[0]
    (figures,) = (await plant.statistics([parameter.id], 0, _MINUTE_US)).parameters
    assert (figures.mean, figures.deviation, figures.minimum, figures.good_share) == (None, None, None, 0.0)


async def test_statistics_of_nobody_s_parameter_are_not_found(subject: Subject) -> None:
    plant = await subject.enter(Role.VIEWER)
    with pytest.raises(NotFoundError):
        await plant.statistics([new_id()], 0, 1)
    parameter = (await plant.devices())[0].parameters[0]
    with pytest.raises(InvalidInputError, match="span is empty"):
        await plant.statistics([parameter.id], 5, 5)
