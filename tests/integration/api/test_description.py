"""The description is complete and true: hostile and right requests made from it never find a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from factoryops.api.app import build_openapi
from factoryops.api.context import ApiLimits
from factoryops.api.permissions import ACCESS
from factoryops.domain.identity import Role
from tests.support.api_service import ApiService, FactoryKit, running_api

schema = schemathesis.openapi.from_dict(build_openapi())
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiService, FactoryKit]]:
    plenty = 10_000_000
    limits = ApiLimits(light_per_min=plenty, history_per_min=plenty, work_per_min=plenty)
    with running_api(tmp_path_factory.mktemp("described"), limits=limits) as service:
        yield service, service.add_factory("riverside")


@schema.exclude(operation_id="logOut").parametrize()
@settings(
    max_examples=12, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
def test_generated_requests_get_described_answers(
    case: schemathesis.Case[Any], described: tuple[ApiService, FactoryKit]
) -> None:
    service, kit = described
    headers = {} if case.operation.definition.raw["operationId"] == "logIn" else kit.auth(Role.ADMIN)
    case.call_and_validate(base_url=service.url, headers=headers, checks=_CHECKS, excluded_checks=[ignored_auth])


def test_the_description_is_whole() -> None:
    document = build_openapi()
    assert document["openapi"].startswith("3.1")
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"], operation["operationId"]
            successes = [status for status in operation["responses"] if status.startswith("2")]
            assert len(successes) == 1
            assert "500" in operation["responses"]
            is_open = ACCESS[operation["operationId"]].permission is None
            assert ("security" in operation) == is_open
            if not is_open:
                assert {"401", "403", "429", "503"} <= set(operation["responses"])
    used = {
        name
        for path in document["paths"].values()
        for operation in path.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
        for name in [operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
    }
    for name in used:
        assert document["components"]["schemas"][name]["examples"], name
    assert "HTTPValidationError" not in document["components"]["schemas"]
