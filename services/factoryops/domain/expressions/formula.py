"""An expression that was parsed and checked: what everybody works with."""

from __future__ import annotations

from dataclasses import dataclass

from factoryops.domain.expressions.checking import check
from factoryops.domain.expressions.evaluation import Inputs, evaluate, reach_us
from factoryops.domain.expressions.functions import Kind
from factoryops.domain.expressions.parser import parse
from factoryops.domain.expressions.printer import print_expression
from factoryops.domain.expressions.track import Track
from factoryops.domain.expressions.tree import Node, Reference, references


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked expression.

    Attributes:
        tree: what it says.
        references: the parameters it names, each once.
        is_condition: it yields true (1) or false (0) rather than a number.
    """

    tree: Node
    references: tuple[Reference, ...]
    is_condition: bool

    @classmethod
    def of(cls, text: str) -> Formula:
        """The formula of a text.

        Raises:
            ExpressionError: it cannot be understood, is too large, or its parts do not fit together; says where.
        """
        tree = parse(text)
        kind = check(tree)
        return cls(tree, references(tree), kind is Kind.CONDITION)

    @property
    def text(self) -> str:
        """Its text in the one way it is written."""
        return print_expression(self.tree)

    def reach_us(self, maximum_age_us: int) -> int:
        """How far back the samples lie that can matter to a result, in microseconds."""
        return reach_us(self.tree, maximum_age_us)

    def evaluate(self, inputs: Inputs, start_us: int) -> Track:
        """The results from `start_us` on, those without a value included."""
        return evaluate(self.tree, inputs, start_us)
