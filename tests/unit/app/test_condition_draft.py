from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.client.imagined import describe_devices
from factoryops.domain.conditions.checking import MOST_LEVELS, check
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Constant,
    Count,
    Deviation,
    Direction,
    Expression,
    Frozen,
    Held,
    NoData,
    Not,
    Outside,
    Parameter,
    Rate,
    Window,
    WindowFunction,
)
from factoryops.domain.schedules import Schedule, WeeklyWindow
from factoryops_app.models.condition_draft import NodeDraft, NodeKind, OperandDraft, OperandKind, all_errors, walk
from factoryops_app.models.condition_edits import (
    Edited,
    added,
    changed_kind,
    moved,
    moved_in,
    moved_out,
    part_at,
    removed,
    unwrapped,
    wrapped,
)
from factoryops_app.models.condition_words import condition_words, line_words
from factoryops_app.models.names import Names
from factoryops_app.models.plant import PlantStore
from factoryops_resources.words import set_language

PRESSURE = Parameter("pressure")
NIGHT = Schedule((WeeklyWindow("22:00", "06:00", (1, 2, 3, 4, 5)),), ("early",), date(2026, 3, 1), None)
_numbers = st.integers(-1_000, 1_000).map(float)
_spans = st.integers(1, 3_600).map(float)
_quantities = st.sampled_from([PRESSURE, Parameter("flow", "pump-1"), Expression("pressure * flow")])
_ordered = st.sampled_from([one for one in Comparison if one.is_ordered])
_leaves = st.one_of(
    st.builds(Compare, _quantities, _ordered, _numbers.map(Constant), st.just(0.5), _spans),
    st.builds(Rate, _quantities, _ordered, _numbers, _spans, st.just(0.0), _spans),
    st.builds(Deviation, _quantities, _numbers, _spans, st.sampled_from(Direction), st.just(0.0), _spans),
    st.builds(Window, _quantities, st.sampled_from(WindowFunction), _spans, _ordered, _numbers, st.just(1.0), _spans),
    st.builds(Frozen, st.just(PRESSURE), _spans, st.just(0.1)),
    st.builds(NoData, _spans, st.sampled_from([None, PRESSURE])),
    st.just(Outside(NIGHT)),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
        st.builds(Held, inner, _spans),
        st.builds(Count, inner, st.integers(1, 5), _spans),
    ),
    max_leaves=6,
)


@pytest.fixture
def names() -> Iterator[Names]:
    store = PlantStore()
    store.replace(describe_devices().values(), ())
    yield Names(store, shifts={"early": "Early shift"})
    set_language("en")


@given(conditions)
def test_every_condition_survives_being_shown_and_read(condition: Condition) -> None:
    draft = NodeDraft.of(condition)
    assert draft.condition() == condition
    assert all_errors(draft) == {}


@given(conditions)
def test_every_condition_has_words_for_the_whole_and_for_each_part(condition: Condition) -> None:
    names = Names(PlantStore())
    draft = NodeDraft.of(condition)
    assert condition_words(draft, names)
    assert all(line_words(part, names) for _, part in walk(draft))


@given(conditions, st.data())
def test_no_edit_breaks_a_tree(condition: Condition, data: st.DataObject) -> None:
    """Whatever is done in whatever order, groups keep parts, wrappers exactly one, and the chosen part exists."""
    root = NodeDraft.of(condition)
    for _ in range(6):
        path = data.draw(st.sampled_from([path for path, _ in walk(root)]))
        kind = data.draw(st.sampled_from(NodeKind))
        wrapper = data.draw(st.sampled_from([one for one in NodeKind if not one.is_leaf]))
        edit: Edited | None = data.draw(
            st.sampled_from(
                [
                    added(root, path, kind), removed(root, path), moved(root, path, 1), moved(root, path, -1),
                    moved_in(root, path), moved_out(root, path), wrapped(root, path, wrapper), unwrapped(root, path),
                    changed_kind(root, path, kind),
                ]
            )
        )  # fmt: skip
        if edit is None:
            continue
        root = edit.root
        part_at(root, edit.path)
        for _, part in walk(root):
            assert len(part.parts) >= 1 if part.kind.is_group else len(part.parts) == int(part.kind.is_wrapper)
            assert set(part.texts) == set(NodeDraft.new(part.kind).texts)
            assert set(part.operands) == set(NodeDraft.new(part.kind).operands)


def _leaf(key: str) -> NodeDraft:
    return NodeDraft.of(Compare(Parameter(key), Comparison.ABOVE, Constant(1.0)))


def _keys(root: NodeDraft) -> str:
    """Such as "all(a any(b c))"."""
    if root.kind.is_leaf:
        return root.operands["left"].text or "?"
    return f"{root.kind.value}({' '.join(_keys(part) for part in root.parts)})"


def test_parts_are_added_moved_and_taken_out_as_their_group_says() -> None:
    first = added(_leaf("a"), (), NodeKind.COMPARE)
    assert (_keys(first.root), first.path) == ("all(a ?)", (1,))
    root = NodeDraft.new(NodeKind.ALL, (_leaf("a"), NodeDraft.new(NodeKind.ANY, (_leaf("b"), _leaf("c"))), _leaf("d")))
    into = moved_in(root, (2,))
    assert into is not None
    assert (_keys(into.root), into.path) == ("all(a any(b c d))", (1, 2))
    out = moved_out(into.root, (1, 0))
    assert out is not None
    assert (_keys(out.root), out.path) == ("all(a any(c d) b)", (2,))
    ahead = moved_in(root, (0,))
    assert ahead is not None
    assert (_keys(ahead.root), ahead.path) == ("all(any(a b c) d)", (0, 0))
    up = moved(root, (2,), -1)
    assert up is not None
    assert _keys(up.root) == "all(a d any(b c))"
    less = removed(root, (1, 0))
    assert less is not None
    assert _keys(less.root) == "all(a c d)"
    assert removed(_leaf("a"), ()) is None
    assert moved_out(root, (0,)) is None
    negated = wrapped(root, (0,), NodeKind.NOT)
    assert _keys(negated.root) == "all(not(a) any(b c) d)"
    gone = removed(negated.root, (0, 0))
    assert gone is not None
    assert _keys(gone.root) == "all(any(b c) d)"


def test_a_part_that_becomes_another_kind_keeps_what_both_have() -> None:
    leaf = NodeDraft.of(Compare(PRESSURE, Comparison.BELOW, Constant(4.0), 0.2))
    rate = changed_kind(leaf, (), NodeKind.RATE).root
    assert (rate.operands["of"].text, rate.texts["comparison"], rate.texts["deadband"]) == ("pressure", "lt", "0.2")
    expression = NodeDraft.of(Compare(Expression("pressure * 2"), Comparison.ABOVE, Constant(4.0)))
    assert changed_kind(expression, (), NodeKind.FROZEN).root.operands["of"] == OperandDraft()
    group = NodeDraft.new(NodeKind.ANY, (_leaf("a"), _leaf("b")))
    assert _keys(changed_kind(group, (), NodeKind.ALL).root) == "all(a b)"
    assert _keys(changed_kind(group, (), NodeKind.NOT).root) == "not(any(a b))"


def test_what_is_missing_is_named_at_its_part() -> None:
    tree = NodeDraft.new(NodeKind.ALL, (NodeDraft.new(NodeKind.COMPARE), NodeDraft.new(NodeKind.HELD)))
    tree = tree.with_(parts=(tree.parts[0], tree.parts[1].with_(texts={"for_s": "soon"})))
    errors = all_errors(tree)
    assert errors[0,] == {"left": "Choose a parameter.", "right": "Enter a number."}
    assert "10 min" in errors[1,]["for_s"]
    wrong = NodeDraft.of(Compare(PRESSURE, Comparison.EQUAL, Constant(1.0)))
    wrong = wrong.with_(texts={**wrong.texts, "deadband": "1"})
    assert "deadband makes no sense" in all_errors(wrong)[()][""]
    broken = wrong.with_(operands={**wrong.operands, "left": OperandDraft(OperandKind.EXPRESSION, "pressure *")})
    assert "ends too early" in all_errors(broken)[()]["left"]


def test_a_tree_that_is_too_deep_says_so() -> None:
    deep: NodeDraft = _leaf("a")
    for _ in range(MOST_LEVELS):
        deep = wrapped(deep, (), NodeKind.NOT).root
    assert "nested" in all_errors(deep)[()][""]


NESTED = AllOf(
    (
        AnyOf(
            (
                Compare(PRESSURE, Comparison.ABOVE, Constant(5.0), 0.5),
                Rate(Parameter("flow", "pump-1"), Comparison.BELOW, -2.0, 60.0),
            )
        ),
        Not(NoData(120.0)),
        Held(Window(PRESSURE, WindowFunction.MEAN, 600.0, Comparison.AT_OR_ABOVE, 4.5), 300.0),
        Outside(Schedule(shifts=("early",))),
    )
)


def test_a_nested_condition_reads_as_a_sentence(names: Names) -> None:
    check(NESTED)
    assert condition_words(NodeDraft.of(NESTED), names) == (
        "(Line pressure is above 5 bar (until back below 4.5 bar) or the rate of change of Feed pump 1 · Flow "
        "over 1 min is below -2 m³/h/s) and not (the device has sent nothing for 2 min) and the mean of Line "
        "pressure over the last 10 min is at or above 4.5 bar for 5 min without a break and it is outside Early shift"
    )
    assert condition_words(NodeDraft.new(NodeKind.COMPARE), names) == "… is above …"


def test_it_reads_as_a_sentence_in_german(names: Names) -> None:
    set_language("de")
    words = condition_words(NodeDraft.of(NESTED), names)
    assert words.startswith("(Line pressure liegt über 5 bar (bis wieder unter 4,5 bar) oder die Änderungsrate")
    assert "nicht (das Gerät hat seit 2 min nichts gesendet)" in words
