"""Every example on the page about rules is one that can be saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from factoryops.contracts import http
from factoryops.domain.conditions.checking import check, from_builtins
from factoryops.domain.conditions.tree import Condition, walk

_PAGE = Path(__file__).parents[3] / "docs/reference/rules.md"
_EXAMPLES = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)]
_CONDITIONS = [from_builtins(one) for one in _EXAMPLES if "kind" in one]


@pytest.mark.parametrize("condition", _CONDITIONS)
def test_each_condition_can_be_evaluated(condition: Condition) -> None:
    check(condition)


def test_the_whole_rule_can_be_saved() -> None:
    (rule,) = [one for one in _EXAMPLES if "kind" not in one]
    http.RuleContent.model_validate(rule).definition().check()


def test_every_kind_of_node_has_an_example() -> None:
    shown = {type(node) for condition in _CONDITIONS for node in walk(condition)}
    assert shown == {*get_args(Condition)}
