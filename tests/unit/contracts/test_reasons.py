"""A reason that has to be given says something: white space is none, and none is kept around it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from factoryops.contracts import http

ALARMS = ["01932f0c8e7a7c3fa1b2c3d4e5f60718"]
SPAN: dict[str, object] = {"start": datetime(2026, 3, 1, tzinfo=UTC), "end": datetime(2026, 3, 2, tzinfo=UTC)}
REQUESTS: list[tuple[type[BaseModel], dict[str, object]]] = [
    (http.ShelveRequest, {"alarm_ids": ALARMS}),
    (http.TakeOutRequest, {"alarm_ids": ALARMS}),
    (http.OutageContent, SPAN),
]


@pytest.mark.parametrize(("kind", "values"), REQUESTS)
@pytest.mark.parametrize("blank", ["", "  ", "\t\n", "\u00a0\u2003"])
def test_a_blank_reason_is_refused(kind: type[BaseModel], values: dict[str, object], blank: str) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(values | {"reason": blank})
    assert [one["loc"] for one in caught.value.errors()] == [("reason",)]


@pytest.mark.parametrize(("kind", "values"), REQUESTS)
def test_white_space_around_a_reason_is_dropped(kind: type[BaseModel], values: dict[str, object]) -> None:
    made = kind.model_validate(values | {"reason": "  The sensor is being changed \n"})
    assert getattr(made, "reason") == "The sensor is being changed"  # noqa: B009 - each kind has one


def test_comments_and_reasons_of_versions_are_kept_without_white_space_around_them() -> None:
    assert http.TakeUpRequest(alarm_ids=ALARMS, comment=" done ").comment == "done"
    assert http.RuleRollBack(to_version=1, version=2, reason=" as before ").reason == "as before"
