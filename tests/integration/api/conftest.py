from __future__ import annotations

from collections.abc import Iterator

import pytest

from factoryops.api.context import ApiLimits
from tests.support.api_service import ApiService, FactoryKit, running_api


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiService]:
    # A module's tests share their sessions; how often one may ask is tested with limits of its own.
    limits = ApiLimits(light_per_min=100_000, history_per_min=100_000, work_per_min=100_000)
    with running_api(tmp_path_factory.mktemp("api"), limits=limits) as running:
        yield running


@pytest.fixture(scope="module")
def kit(service: ApiService) -> FactoryKit:
    return service.add_factory("riverside")


@pytest.fixture(scope="module")
def other(service: ApiService) -> FactoryKit:
    return service.add_factory("hillside")
