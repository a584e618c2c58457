"""Calculated parameters."""

from __future__ import annotations

from factoryops.api.call import Asking, Call
from factoryops.api.guard import session_name
from factoryops.contracts import http
from factoryops.domain.calculations import unknown_parameter
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.expressions.trial import MOST_SAMPLES, try_formula
from factoryops.domain.identity import parameter_id
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import US_PER_S


async def list_calculations(asking: Asking) -> http.CalculationList:
    """All calculated parameters in use."""
    return http.CalculationList(calculations=await asking.read(lambda tx: tx.calculations(asking.scope).list()))


async def create(body: http.CalculationContent, asking: Asking) -> http.Calculation:
    """Add a calculated parameter; the engine takes it up within seconds."""
    made = await asking.change(lambda tx: tx.calculations(asking.scope).create(body, asking.scope.actor))
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return made


async def update(calculation_id: http.Identifier, body: http.CalculationUpdate, asking: Asking) -> http.Calculation:
    """Put a new version in force; refused when somebody else changed it first."""
    made = await asking.change(
        lambda tx: tx.calculations(asking.scope).update(calculation_id, body.version, body.content, asking.scope.actor)
    )
    asking.service.hub.tell_plant(asking.scope.factory_id)
    return made


async def delete(calculation_id: http.Identifier, asking: Asking) -> None:
    """Take it out of use; its parameter and what was calculated stay."""
    await asking.change(lambda tx: tx.calculations(asking.scope).delete(calculation_id))
    asking.service.hub.tell_plant(asking.scope.factory_id)


async def try_expression(body: http.CalculationTrial, asking: Asking) -> http.TriedCalculation:
    """What an expression would have come to over a span of history; nothing is saved."""
    if body.end_us <= body.start_us:
        raise InvalidInputError("The span is empty: its end must lie after its start.", fields={"end_us": "too early"})
    formula = Formula.of(body.expression)
    series = await _series(asking, body.device_key, formula)
    async with asking.service.rate_limits.turn(session_name(asking.session)):
        return await asking.service.history_pool.run(_try, asking, body, formula, series)


async def _series(asking: Call, device_key: str, formula: Formula) -> dict[Reference, int]:
    """The series of each name; raises InvalidInputError when there is no such parameter."""
    known = (await asking.plant()).parameters
    found: dict[Reference, int] = {}
    for reference in formula.references:
        device = reference.device or device_key
        identity = parameter_id(asking.scope.factory_id, device, reference.parameter)
        if identity not in known:
            raise unknown_parameter(SeriesKey(asking.scope.factory_id, device, reference.parameter))
        found[reference] = known[identity].series_id
    return found


def _try(
    asking: Call, body: http.CalculationTrial, formula: Formula, series: dict[Reference, int]
) -> http.TriedCalculation:
    age_us = round(body.maximum_age_s * US_PER_S)
    history = asking.service.context.history
    start_us = body.start_us - formula.reach_us(age_us)
    samples = {
        reference: history.raw(one, start_us, body.end_us, most=MOST_SAMPLES + 1) for reference, one in series.items()
    }
    trial = try_formula(formula, samples, age_us, body.start_us)
    return http.TriedCalculation(
        is_condition=formula.is_condition,
        count=trial.count,
        without_value=trial.without_value,
        time_us=trial.time_us,
        value=trial.value,
    )
