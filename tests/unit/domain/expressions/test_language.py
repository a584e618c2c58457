"""The text of an expression: what is understood, what is refused and how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.errors import ExpressionError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.functions import FUNCTIONS
from factoryops.domain.expressions.parser import parse
from factoryops.domain.expressions.printer import print_expression
from factoryops.domain.expressions.tree import Node, Reference
from tests.unit.domain.expressions.written import constants, durations, references, trees


@given(trees(st.one_of(references, constants, durations)))
def test_what_is_printed_parses_to_the_same_tree(tree: Node) -> None:
    assert parse(print_expression(tree)) == tree


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("voltage*current", "voltage * current"),
        ("((a + b)) * c", "(a + b) * c"),
        ("-x^2", "-x ^ 2"),
        ("2^3^x", "2 ^ 3 ^ x"),
        ("(2^3)^x", "(2 ^ 3) ^ x"),
        ("a - (b - c)", "a - (b - c)"),
        ("not a > 1 and b == 2 or c<>3", "not a > 1 and b = 2 or c != 3"),
        ('"Press 1"."oil temp" + pump.flow', '"Press 1"."oil temp" + pump.flow'),
        ('"plain"', "plain"),
        ('"or" + x', '"or" + x'),
        ("mean(x,600s)", "mean(x, 10 min)"),
        ("mean(x, 1.5 h)", "mean(x, 90 min)"),
        ("rate(zähler)", "rate(zähler)"),
        ("max(x, .5 s)", "max(x, 500 ms)"),
        ("1e3 * x", "1000 * x"),
    ],
)
def test_each_expression_is_written_in_one_way(text: str, written: str) -> None:
    assert Formula.of(text).text == written


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("", "Write an expression", 0),
        ("a +", "ends too early", 3),
        ("a b", "operator such as + is missing before 'b'", 2),
        ("(a + b", "closing parenthesis is missing", 0),
        ("a + b)", "does not belong here", 5),
        ("a $ b", "'$' means nothing here", 2),
        ('"a', "quotation mark is missing", 0),
        ("'a'", "double quotation marks", 0),
        ('""', "1 to 100 printable", 0),
        ("1 + 2", "names no parameter", 0),
        ("5 kW * x", "no unit of time", 2),
        ("1e999 + x", "too large", 0),
        ("a < b < c", "two values at a time", 6),
        ("a + (b > 1)", "use if(condition, 1, 0)", 7),
        ("a and b + 1", "A condition is needed", 8),
        ("if(a + 1, 2, 3)", "A condition is needed", 5),
        ("if(a, b > 1, 3)", "A condition is needed", 13),
        ("average(a, b)", "no function 'average'", 0),
        ("sqr(a)", "Did you mean sqrt?", 0),
        ("sqrt(a, b)", "It is written sqrt(x)", 0),
        ("integral(a)", "It is written integral(x, 1 h)", 0),
        ("rate(a, b)", "A length of time is needed", 8),
        ("a + 10 min", "stands only in functions", 4),
        ("mean(2, 5 s) + a", "names no parameter", 0),
        ("mean(a, 25 h)", "at most 24 h", 8),
        ("mean(a, 0 s)", "at least 1 ms", 8),
        ("pump.", "After the point", 5),
        ("pump. 5", "After the point", 6),
        ("a and", "ends too early", 5),
        ("*a", "does not belong", 0),
        ("not true = false or a", "A number is needed", 4),
    ],
)
def test_a_fault_is_told_in_a_sentence_with_its_place(text: str, sentence: str, at: int) -> None:
    with pytest.raises(ExpressionError, match=re.escape(sentence)) as caught:
        Formula.of(text)
    assert caught.value.at == at
    assert caught.value.fields["expression"] == str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "a" + ")" * 5_000,
        "(" * 900 + "a" + ")" * 900,
        "-" * 1_900 + "a",
        "not " * 400 + "a",
        "abs(" * 400 + "a" + ")" * 400,
        "a^" * 900 + "a",
        "a+" * 900 + "a",
        "+".join(f"p{number}" for number in range(40)),
    ],
)
def test_hostile_texts_are_refused_and_harm_nothing(text: str) -> None:
    with pytest.raises(ExpressionError):
        Formula.of(text)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        formula = Formula.of(text)
    except ExpressionError as error:
        at = error.at
    else:
        at = 0
        assert Formula.of(formula.text).tree == formula.tree
    assert 0 <= at <= len(text)


def test_a_formula_knows_what_it_speaks_of() -> None:
    formula = Formula.of('a + "dev 2".a + a > 1')
    assert formula.references == (Reference("a"), Reference("a", "dev 2"))
    assert formula.is_condition


def test_every_function_can_be_called_as_its_usage_says() -> None:
    for function in FUNCTIONS.values():
        for usage in function.usage.split(" or "):
            text = usage.replace(", …", "").replace("condition", "x > 1")
            assert Formula.of(text).references, usage


def test_the_handbook_lists_every_function() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/expressions.md").read_text(encoding="utf-8")
    for function in FUNCTIONS.values():
        usage = function.usage.replace(" or ", "`, `")
        assert f"| `{usage}` | {function.purpose} |" in page
