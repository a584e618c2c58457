"""What each comparison of a condition said when it turned, and the samples it said it of."""

from __future__ import annotations

from factoryops.contracts import http
from factoryops.domain.time import to_us
from factoryops_app.models.wording import leaf_state_name
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, clock_time


def leaf_table(place: Workplace, name: str) -> DataTable[http.DecidingLeaf]:
    """A table of comparisons; `name` tells its settings apart."""
    zone = place.look.zone

    def samples(leaf: http.DecidingLeaf) -> str:
        told = [f"{_figure(one.value)} ({clock_time(to_us(one.at), zone)})" for one in leaf.samples]
        return ", ".join(told) or NOTHING

    columns: list[ColumnSpec[http.DecidingLeaf]] = [
        ColumnSpec("text", say("Condition"), lambda one: one.text, width=260, is_elastic=True),
        ColumnSpec("state", say("It was"), lambda one: leaf_state_name(one.state), width=90),
        ColumnSpec("value", say("Value"), lambda one: one.value, lambda one: _figure(one.value), is_number=True,
                   width=90),
        ColumnSpec("limit", say("Limit"), lambda one: one.limit, lambda one: _figure(one.limit), is_number=True,
                   width=90),
        ColumnSpec("samples", say("Samples"), lambda one: len(one.samples), samples, width=240),
    ]  # fmt: skip
    return DataTable(place.look, columns, name=name, settings=place.settings, row_key=lambda one: one.path)


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.6g}"
