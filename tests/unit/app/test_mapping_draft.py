from __future__ import annotations

import json
from dataclasses import replace

import pytest

from factoryops.contracts import http
from factoryops.contracts.http.trials import outcome_of
from factoryops.domain.mapping import PayloadKind, TimeForm
from factoryops.domain.time import EPOCH
from factoryops_app.models.mapping_draft import MappingDraft, ValueRow, guessed

PRESS = {"t": 1_772_323_200_000, "d": {"force": 512, "oil": 415, "on": True, "mode": "auto"}}


def _kept(content: http.MappingContent) -> http.KeptMapping:
    return http.KeptMapping(id="0" * 32, version=3, content=content, changed_by="admin", changed_at=EPOCH)


def test_a_guess_from_a_message_stores_every_value_of_it() -> None:
    draft = guessed("hall2/press-7/state", json.dumps(PRESS))
    assert draft.errors() == {}
    assert (draft.topic, draft.time_path, draft.time_form) == ("hall2/{device}/state", "$.t", TimeForm.AUTOMATIC)
    content = draft.content()
    assert content is not None
    outcome = outcome_of(
        http.MappingTrial(content=content, topic="hall2/press-7/state", payload=json.dumps(PRESS))
    )  # fmt: skip
    assert {one.parameter: one.value for one in outcome.samples} == PRESS["d"]
    assert {(one.device, one.time_us) for one in outcome.samples} == {("press-7", 1_772_323_200_000_000)}


@pytest.mark.parametrize(
    ("topic", "payload", "kind", "parameters"),
    [
        ("line/4/temperature", "21.5", PayloadKind.PLAIN, ["value"]),
        ("a/b", '{"x": {"v": 1}, "y": {"v": 2}, "odd name": 3}', PayloadKind.JSON, ["x.v", "y.v", "odd name"]),
        ("a", "not json", PayloadKind.JSON, []),
        ("a/b/c", "[1, 2]", PayloadKind.JSON, []),
    ],
)
def test_a_guess_is_never_wrong_about_its_own_form(
    topic: str, payload: str, kind: PayloadKind, parameters: list[str]
) -> None:
    draft = guessed(topic, payload)
    assert draft.payload is kind
    assert [row.parameter for row in draft.values] == parameters
    assert not any("path" in field for field in draft.errors())


def test_a_mapping_comes_back_from_the_form_as_it_was() -> None:
    content = http.MappingContent.model_validate(
        {
            "name": "Presses", "topic": "hall2/{device}/state", "order": -4, "is_enabled": True,
            "time": {"path": "$.t", "form": "iso", "zone": "Europe/Berlin"},
            "values": [
                {"parameter": "force", "path": "$.f", "scale": 0.001, "offset": -2.5, "unit": "kN"},
                {"parameter": "mode", "path": "$.m", "codes": [["run", 1.0], ["stop", 0.0]], "quality_path": "$.q",
                 "good": ["fine"]},
            ],
            "groups": [{"path": "$.d", "prefix": "d."}],
        }
    )  # fmt: skip
    draft = MappingDraft.of(_kept(content))
    assert draft.content() == content
    assert (draft.version, draft.values[1].codes) == (3, "run = 1; stop = 0")


def test_what_cannot_be_read_is_said_before_the_mapping_is_checked() -> None:
    draft = MappingDraft(name="x", topic="a/{device}", values=(ValueRow("p", "$.p", scale="ten", codes="run"),))
    assert set(draft.errors()) == {"values[0].scale", "values[0].codes"}
    assert draft.content() is None
    mended = replace(draft, values=(ValueRow("p", "p", scale="0,1"),), topic="a/b")
    assert set(mended.errors()) == {"values[0].path", "topic"}


def test_fields_that_do_not_belong_to_the_form_of_a_message_are_left_out() -> None:
    draft = MappingDraft(
        name="x", topic="a/{device}", payload=PayloadKind.PLAIN, records="$.r[*]", device_path="$.d", time_path="$.t",
        values=(ValueRow("p"),),
    )  # fmt: skip
    assert draft.errors() == {}
