"""A condition as it is being filled in: a tree whose fields are still text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, cast

from factoryops.domain.conditions import tree
from factoryops.domain.conditions.checking import check
from factoryops.domain.conditions.tree import DEFAULT_AGE_S, Comparison, Condition, Direction, WindowFunction
from factoryops.domain.errors import ExpressionError, InvalidInputError
from factoryops.domain.expressions.formula import Formula
from factoryops_app.models.condition_fields import FieldSpec, FieldType, faults_of, number, seconds
from factoryops_app.models.schedule_draft import ScheduleDraft, WindowDraft, days_text
from factoryops_app.models.typed import number_fault, parsed, plain, span_text
from factoryops_resources.words import say

Path = tuple[int, ...]
"""The way to a part: which child to take at each level; () is the whole condition."""


class NodeKind(StrEnum):
    """What a part of a condition is; the values are those of its JSON."""

    ALL = "all"
    ANY = "any"
    NOT = "not"
    HELD = "held"
    COUNT = "count"
    COMPARE = "compare"
    RATE = "rate"
    DEVIATION = "deviation"
    WINDOW = "window"
    FROZEN = "frozen"
    NO_DATA = "no_data"
    OUTSIDE = "outside"

    @property
    def is_group(self) -> bool:
        """Whether it has any number of parts."""
        return self in (NodeKind.ALL, NodeKind.ANY)

    @property
    def is_wrapper(self) -> bool:
        """Whether it has exactly one part."""
        return self in (NodeKind.NOT, NodeKind.HELD, NodeKind.COUNT)

    @property
    def is_leaf(self) -> bool:
        """Whether it has no parts."""
        return not (self.is_group or self.is_wrapper)


class OperandKind(StrEnum):
    """What a leaf looks at."""

    PARAMETER = "parameter"
    CONSTANT = "constant"
    EXPRESSION = "expression"


@dataclass(frozen=True, slots=True)
class OperandDraft:
    """One thing that is looked at.

    Attributes:
        text: a parameter's key, a number as typed, or an expression.
        device: another device's key; "" for the one the rule is evaluated for.
    """

    kind: OperandKind = OperandKind.PARAMETER
    text: str = ""
    device: str = ""

    @classmethod
    def of(cls, operand: tree.Operand) -> OperandDraft:
        """The draft that changes an operand."""
        match operand:
            case tree.Parameter():
                return cls(OperandKind.PARAMETER, operand.key, operand.device)
            case tree.Constant():
                return cls(OperandKind.CONSTANT, plain(operand.value))
            case tree.Expression():
                return cls(OperandKind.EXPRESSION, operand.text)

    def fault(self) -> str:
        """Why it cannot be used; "" when it can."""
        match self.kind:
            case OperandKind.PARAMETER:
                return "" if self.text else say("Choose a parameter.")
            case OperandKind.CONSTANT:
                return number_fault(self.text, say("Enter a number.")) if parsed(self.text) is None else ""
            case OperandKind.EXPRESSION:
                return _expression_fault(self.text)

    def operand(self) -> tree.Operand:
        """What it says; only without a fault."""
        match self.kind:
            case OperandKind.PARAMETER:
                return tree.Parameter(self.text, self.device)
            case OperandKind.CONSTANT:
                return tree.Constant(parsed(self.text) or 0.0)
            case OperandKind.EXPRESSION:
                return tree.Expression(self.text.strip())


_AGE: Final = FieldSpec("maximum_age_s", FieldType.SPAN, span_text(DEFAULT_AGE_S))
_DEADBAND: Final = FieldSpec("deadband", FieldType.AMOUNT, "0")
_COMPARISON: Final = FieldSpec("comparison", FieldType.COMPARISON, Comparison.ABOVE.value)
_LIMIT: Final = FieldSpec("limit", FieldType.NUMBER)

FIELDS: Final[dict[NodeKind, tuple[FieldSpec, ...]]] = {
    NodeKind.HELD: (FieldSpec("for_s", FieldType.SPAN, "1 min"),),
    NodeKind.COUNT: (FieldSpec("at_least", FieldType.TIMES, "3"), FieldSpec("window_s", FieldType.SPAN, "10 min")),
    NodeKind.COMPARE: (_COMPARISON, _DEADBAND, _AGE),
    NodeKind.RATE: (_COMPARISON, _LIMIT, FieldSpec("window_s", FieldType.SPAN, "1 min"), _DEADBAND, _AGE),
    NodeKind.DEVIATION: (
        FieldSpec("direction", FieldType.DIRECTION, Direction.EITHER.value),
        _LIMIT, FieldSpec("window_s", FieldType.SPAN, "10 min"), _DEADBAND, _AGE,
    ),
    NodeKind.WINDOW: (
        FieldSpec("function", FieldType.FUNCTION, WindowFunction.MEAN.value),
        FieldSpec("window_s", FieldType.SPAN, "10 min"), _COMPARISON, _LIMIT, _DEADBAND, _AGE,
    ),
    NodeKind.FROZEN: (FieldSpec("for_s", FieldType.SPAN, "10 min"), FieldSpec("tolerance", FieldType.AMOUNT, "0")),
    NodeKind.NO_DATA: (FieldSpec("for_s", FieldType.SPAN, "1 min"),),
}  # fmt: skip
"""What is typed, in the order of the form."""

OPERANDS: Final[dict[NodeKind, tuple[str, ...]]] = {
    NodeKind.COMPARE: ("left", "right"),
    NodeKind.RATE: ("of",),
    NodeKind.DEVIATION: ("of",),
    NodeKind.WINDOW: ("of",),
    NodeKind.FROZEN: ("of",),
    NodeKind.NO_DATA: ("of",),
}


TAKE_EXPRESSIONS: Final = frozenset({NodeKind.COMPARE, NodeKind.RATE, NodeKind.DEVIATION, NodeKind.WINDOW})
"""What can look at more than a parameter."""


def office_hours() -> ScheduleDraft:
    """The schedule a new part begins with."""
    return ScheduleDraft((WindowDraft(days_text((1, 2, 3, 4, 5)), "06:00", "18:00"),))


@dataclass(frozen=True, slots=True)
class NodeDraft:
    """One part of a condition and everything below it."""

    kind: NodeKind
    texts: Mapping[str, str] = field(default_factory=dict)
    operands: Mapping[str, OperandDraft] = field(default_factory=dict)
    schedule: ScheduleDraft = field(default_factory=ScheduleDraft)
    parts: tuple[NodeDraft, ...] = ()

    @classmethod
    def new(cls, kind: NodeKind, parts: tuple[NodeDraft, ...] = ()) -> NodeDraft:
        """A part that is not filled in yet; a group or wrapper without parts gets an empty comparison."""
        texts = {one.key: one.default for one in FIELDS.get(kind, ())}
        operands = {key: OperandDraft() for key in OPERANDS.get(kind, ())}
        if kind is NodeKind.COMPARE:
            operands["right"] = OperandDraft(OperandKind.CONSTANT)
        if not kind.is_leaf and not parts:
            parts = (cls.new(NodeKind.COMPARE),)
        return cls(kind, texts, operands, office_hours() if kind is NodeKind.OUTSIDE else ScheduleDraft(), parts)

    @classmethod
    def of(cls, condition: Condition) -> NodeDraft:
        """The draft that changes a condition."""
        kind = NodeKind(str(condition.__struct_config__.tag))
        return cls(
            kind,
            {one.key: _text(one, getattr(condition, one.key)) for one in FIELDS.get(kind, ())},
            {key: _operand_draft(getattr(condition, key)) for key in OPERANDS.get(kind, ())},
            ScheduleDraft.of(condition.schedule) if isinstance(condition, tree.Outside) else ScheduleDraft(),
            tuple(cls.of(child) for child in tree.children(condition)),
        )

    def with_(self, **changes: object) -> NodeDraft:
        """The part with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the form's field names are the draft's

    def errors(self) -> dict[str, str]:
        """Why this very part cannot be used, by field; what lies below it does not count."""
        found = faults_of(FIELDS.get(self.kind, ()), self.texts)
        for key, operand in self.operands.items():
            is_anything = self.kind is NodeKind.NO_DATA and not operand.text
            fault = "" if is_anything else operand.fault()
            if fault:
                found[key] = fault
        if self.kind is NodeKind.OUTSIDE:
            found |= {f"schedule.{key}": fault for key, fault in self.schedule.errors().items()}
        return found or self._misfit()

    def _misfit(self) -> dict[str, str]:
        """What is wrong with fields that are each in order."""
        if not self.kind.is_leaf:
            return {}
        try:
            check(self.condition())
        except InvalidInputError as error:
            return {"": str(error)}
        return {}

    def condition(self) -> Condition:
        """What it says; only for a tree without errors."""
        return _MAKERS[self.kind](self, tuple(part.condition() for part in self.parts))


def walk(root: NodeDraft, path: Path = ()) -> Iterator[tuple[Path, NodeDraft]]:
    """Every part with the way to it, from the top."""
    yield path, root
    for place, part in enumerate(root.parts):
        yield from walk(part, (*path, place))


def all_errors(root: NodeDraft) -> dict[Path, dict[str, str]]:
    """Why parts cannot be used, by the way to them; what concerns the whole condition stands at ()."""
    found = {path: errors for path, node in walk(root) if (errors := node.errors())}
    if not found:
        try:
            check(root.condition())
        except InvalidInputError as error:
            return {(): {"": str(error)}}
    return found


def _text(spec: FieldSpec, value: object) -> str:
    if spec.type is FieldType.SPAN:
        return span_text(cast("float", value))
    return plain(value) if isinstance(value, int | float) else str(value)


def _operand_draft(operand: tree.Operand | None) -> OperandDraft:
    return OperandDraft() if operand is None else OperandDraft.of(operand)


def _expression_fault(text: str) -> str:
    try:
        Formula.of(text)
    except ExpressionError as error:
        return str(error)
    return ""


# --- from text to the language ----------------------------------------------------------------------------------------

_Maker = Callable[[NodeDraft, tuple[Condition, ...]], Condition]


def _compare(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    texts = node.texts
    return tree.Compare(
        node.operands["left"].operand(), Comparison(texts["comparison"]), node.operands["right"].operand(),
        number(texts, "deadband"), seconds(texts, "maximum_age_s"),
    )  # fmt: skip


def _rate(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    texts = node.texts
    return tree.Rate(
        _quantity(node), Comparison(texts["comparison"]), number(texts, "limit"), seconds(texts, "window_s"),
        number(texts, "deadband"), seconds(texts, "maximum_age_s"),
    )  # fmt: skip


def _deviation(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    texts = node.texts
    return tree.Deviation(
        _quantity(node), number(texts, "limit"), seconds(texts, "window_s"), Direction(texts["direction"]),
        number(texts, "deadband"), seconds(texts, "maximum_age_s"),
    )  # fmt: skip


def _window(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    texts = node.texts
    return tree.Window(
        _quantity(node), WindowFunction(texts["function"]), seconds(texts, "window_s"),
        Comparison(texts["comparison"]), number(texts, "limit"), number(texts, "deadband"),
        seconds(texts, "maximum_age_s"),
    )  # fmt: skip


def _frozen(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    return tree.Frozen(_parameter(node), seconds(node.texts, "for_s"), number(node.texts, "tolerance"))


def _no_data(node: NodeDraft, _parts: tuple[Condition, ...]) -> Condition:
    of = _parameter(node) if node.operands["of"].text else None
    return tree.NoData(seconds(node.texts, "for_s"), of)


def _quantity(node: NodeDraft) -> tree.Quantity:
    return cast("tree.Quantity", node.operands["of"].operand())


def _parameter(node: NodeDraft) -> tree.Parameter:
    return tree.Parameter(node.operands["of"].text, node.operands["of"].device)


_MAKERS: Final[dict[NodeKind, _Maker]] = {
    NodeKind.ALL: lambda _node, parts: tree.AllOf(parts),
    NodeKind.ANY: lambda _node, parts: tree.AnyOf(parts),
    NodeKind.NOT: lambda _node, parts: tree.Not(parts[0]),
    NodeKind.HELD: lambda node, parts: tree.Held(parts[0], seconds(node.texts, "for_s")),
    NodeKind.COUNT: lambda node, parts: tree.Count(
        parts[0], int(number(node.texts, "at_least")), seconds(node.texts, "window_s")
    ),
    NodeKind.COMPARE: _compare,
    NodeKind.RATE: _rate,
    NodeKind.DEVIATION: _deviation,
    NodeKind.WINDOW: _window,
    NodeKind.FROZEN: _frozen,
    NodeKind.NO_DATA: _no_data,
    NodeKind.OUTSIDE: lambda node, _parts: tree.Outside(node.schedule.schedule()),
}
