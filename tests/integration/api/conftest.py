from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api_service import ApiService, FactoryKit, running_api


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiService]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def kit(service: ApiService) -> FactoryKit:
    return service.add_factory("riverside")


@pytest.fixture(scope="module")
def other(service: ApiService) -> FactoryKit:
    return service.add_factory("hillside")
