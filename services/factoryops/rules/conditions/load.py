"""What programs may cost: one that fails, is slow or holds too much is stopped, and the others go on."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeVar

from factoryops.domain.expressions.work import TooMuchWorkError
from factoryops.domain.rule import MOST_EVALUATIONS
from factoryops.rules.columns import HeldColumns
from factoryops.rules.conditions.program import MOST_FAILURES, Program, RuleGuard, Turned
from factoryops.rules.conditions.step import Step

SLOW_S: Final = 0.2
"""Processor time of one run, at most."""
FAR_TOO_SLOW_S: Final = 5 * SLOW_S
"""One run that takes so long is one too many: all alarms waited for it."""
MOST_WORK: Final = 10_000_000
"""Rows of windows that one run may look at, at most: about 0.2 s."""
MOST_OF_A_RULE_S: Final = 5.0
"""Processor time of one step of a rule for all its devices, beyond which it is not finished."""
MOST_TOGETHER_S: Final = 0.5
"""Processor time of one step of all programs: alarms wait so long, at most."""
MOST_OVERLOADS: Final = 5
MOST_HELD_TOGETHER: Final = 200_000
"""Samples of all windows together: they are saved with every alarm."""
MOST_PROGRAMS: Final = MOST_EVALUATIONS
"""Of one factory."""

_T = TypeVar("_T")

FAULTS: Final = (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, RecursionError)
"""What a program may raise without harming others."""


class Load:
    """Keeps account of what rules cost."""

    def __init__(self) -> None:
        self._overloads = 0

    @staticmethod
    def run(program: Program, step: Step) -> list[Turned]:
        """Let a program evaluate a step; nothing it does harms others."""
        guard = program.guard
        began = time.thread_time()
        try:
            found = program.step(step)
        except TooMuchWorkError:
            guard.stop("Evaluating it once takes too much work: it looks back over too many samples too often.")
            return []
        except FAULTS as error:
            guard.failed(f"Evaluating it failed {MOST_FAILURES} times in a row ({error}).")
            return []
        spent_s = time.thread_time() - began
        guard.spent_s += spent_s
        if spent_s > FAR_TOO_SLOW_S:
            guard.stop(f"Evaluating it once took {spent_s:.1f} s of processor time, which all alarms waited for.")
        elif guard.spent_s > MOST_OF_A_RULE_S:
            guard.stop(
                f"Evaluating it once for all its devices takes more than {MOST_OF_A_RULE_S:.0f} s of processor time, "
                "which all alarms wait for."
            )
        elif spent_s > SLOW_S:
            guard.failed(f"Evaluating it took more than {SLOW_S * 1_000:.0f} ms {MOST_FAILURES} times in a row.")
        else:
            guard.failures = 0
        return found

    def bound(self, guards: Iterable[RuleGuard]) -> bool:
        """When rules together take too long again and again, stop the dearest of the factory that takes most."""
        working = [guard for guard in guards if not guard.fault]
        together_s = sum(guard.spent_s for guard in working)
        self._overloads = self._overloads + 1 if together_s > MOST_TOGETHER_S else 0
        if self._overloads < MOST_OVERLOADS:
            return False
        self._overloads = 0
        dearest = max(_of_greediest(working, _spent_s, _factory), key=_spent_s)
        dearest.stop(
            f"All rules together take {together_s:.1f} s of processor time at once, which alarms wait for, and this "
            f"one takes most of it ({dearest.spent_s * 1_000:.0f} ms)."
        )
        return True

    @staticmethod
    def bound_memory(windows: HeldColumns, programs: Iterable[Program]) -> bool:
        """When windows hold too much, stop the rule that looks back furthest of the factory that holds most."""
        if len(windows) <= MOST_HELD_TOGETHER:
            return False

        def holds(program: Program) -> float:
            return sum(windows.count(series) for series, reach_us in program.reaches.items() if reach_us)

        looking_back = [program for program in programs if not program.guard.fault and holds(program)]
        greediest = _of_greediest(looking_back, holds, lambda program: _factory(program.guard))
        if not greediest:
            return False
        furthest = max(greediest, key=lambda program: max(program.reaches.values()))
        furthest.guard.stop(
            f"All rules together look back at more than {MOST_HELD_TOGETHER:,} samples, and this one looks back "
            "furthest."
        )
        return True

    @staticmethod
    def bound_number(programs: Iterable[Program]) -> bool:
        """When a factory has too many conditions, stop its newest rule; whether one was stopped.

        What worked before goes on: it is the one that was changed last, or added, that is too much.
        """
        at_work = [program for program in programs if not program.guard.fault]
        too_many = {factory for factory, count in _counted(at_work).items() if count > MOST_PROGRAMS}
        for factory in sorted(too_many):
            counts = Counter(program.guard for program in at_work if _factory(program.guard) == factory)
            newest = max(counts, key=lambda guard: (guard.in_force.changed_us, counts[guard], guard.in_force.rule.id))
            newest.stop(
                f"The rules of this factory that look at more than one limit are evaluated more than {MOST_PROGRAMS:,} "
                f"times; this one, for {counts[newest]:,} devices, was changed last. Narrow its scope, or take other "
                "rules out of use."
            )
        return bool(too_many)


def _counted(programs: Iterable[Program]) -> Counter[str]:
    return Counter(_factory(program.guard) for program in programs)


def _spent_s(guard: RuleGuard) -> float:
    return guard.spent_s


def _factory(guard: RuleGuard) -> str:
    return guard.in_force.rule.factory_id


def _of_greediest(items: Collection[_T], takes: Callable[[_T], float], factory: Callable[[_T], str]) -> list[_T]:
    """Those of the factory that takes most: no factory pays for another's."""
    by_factory: defaultdict[str, list[_T]] = defaultdict(list)
    for item in items:
        by_factory[factory(item)].append(item)
    return max(by_factory.values(), key=lambda one: sum(map(takes, one)), default=[])
