"""No door from one factory to another: the repositories, the second line, and the database itself."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

import factoryops.database
from factoryops.contracts import http
from factoryops.contracts.alarm_orders import acknowledging, shelving
from factoryops.contracts.http import JobKind
from factoryops.database import tables
from factoryops.database.columns import metadata
from factoryops.database.guard import UnscopedStatementError
from factoryops.database.transaction import Transaction
from factoryops.domain.alarm_life import Deed
from factoryops.domain.errors import NotFoundError
from factoryops.domain.identity import new_id
from tests.support.databases import Site
from tests.support.rules import limit_content

Act = Callable[[Transaction, Site, str], object]

BY_DEVICE: dict[str, Act] = {
    "get": lambda tx, site, device: tx.devices(site.scope).get(device),
    "get many": lambda tx, site, device: tx.devices(site.scope).get_many([site.device.id, device]),
    "change": lambda tx, site, device: tx.devices(site.scope).change(device, name="stolen"),
    "run": lambda tx, site, device: tx.work.queue(
        site.scope, http.RunRequest(kind=JobKind.DAILY_REPORT, device_ids=[device])
    ),
}
BY_PARAMETER: dict[str, Act] = {
    "get many": lambda tx, site, parameter: tx.parameters(site.scope).get_many([parameter]),
    "change": lambda tx, site, parameter: tx.parameters(site.scope).change(parameter, name="stolen"),
}
BY_RULE: dict[str, Act] = {
    "get": lambda tx, site, rule: tx.rules(site.scope).get(rule),
    "update": lambda tx, site, rule: tx.rules(site.scope).update(rule, 1, limit_content(), "x"),
    "delete": lambda tx, site, rule: tx.rules(site.scope).delete(rule),
}
BY_ALARM: dict[str, Act] = {
    "get many": lambda tx, site, alarm: tx.alarms(site.scope).get_many([alarm]),
    "sheet": lambda tx, site, alarm: tx.alarms(site.scope).sheet(alarm),
    "acknowledge": lambda tx, site, alarm: tx.alarm_handling(site.scope).carry_out(
        acknowledging(
            http.AcknowledgeRequest(items=[http.AcknowledgeItem(alarm_id=alarm, annunciation=1)]), Deed("x", 0)
        ),
        action="",
    ),
    "shelve": lambda tx, site, alarm: tx.alarm_handling(site.scope).carry_out(
        shelving(http.ShelveRequest(alarm_ids=[alarm], reason="x"), Deed("x", 0)), action="alarm.shelve"
    ),
}
BY_EVENT: dict[str, Act] = {"page": lambda tx, site, event: tx.alarms(site.scope).events(before=event)}
BY_RUN: dict[str, Act] = {
    "get": lambda tx, site, run: tx.work.get(site.scope, run),
    "cancel": lambda tx, site, run: tx.work.request_cancel(site.scope, run),
}
BY_MAPPING: dict[str, Act] = {
    "get": lambda tx, site, mapping: tx.mappings(site.scope).get(mapping),
    "update": lambda tx, site, mapping: tx.mappings(site.scope).update(mapping, 1, _mapping()),
    "delete": lambda tx, site, mapping: tx.mappings(site.scope).delete(mapping),
}


def _mapping() -> http.MappingContent:
    value = http.MappingValue(parameter="force", path="$.force")
    return http.MappingContent(name="Presses", topic="hall2/{device}/state", values=[value])


@pytest.fixture
def foreign(other_site: Site) -> dict[str, str]:
    """One of everything that belongs to the other factory."""
    rule = other_site.add_rule()
    other_site.apply(other_site.transition(rule, "raised", 1))
    page = other_site.database.read(lambda tx: tx.alarms(other_site.scope).events())
    request = http.RunRequest(kind=JobKind.DAILY_REPORT)
    return {
        "device": other_site.device.id,
        "parameter": other_site.add_parameter().id,
        "rule": rule.id,
        "alarm": other_site.alarms()[0].id,
        "event": page.events[0].id,
        "run": other_site.database.run(lambda tx: tx.work.queue(other_site.scope, request)).id,
        "mapping": other_site.database.run(lambda tx: tx.mappings(other_site.scope).create(_mapping())).id,
    }


ACTS = [
    pytest.param(kind, act, id=f"{kind}: {name}")
    for kind, acts in (
        ("device", BY_DEVICE), ("parameter", BY_PARAMETER), ("rule", BY_RULE), ("alarm", BY_ALARM),
        ("event", BY_EVENT), ("run", BY_RUN), ("mapping", BY_MAPPING),
    )
    for name, act in acts.items()
]  # fmt: skip


@pytest.mark.parametrize(("kind", "act"), ACTS)
def test_a_foreign_id_is_as_unknown_as_one_that_does_not_exist(
    site: Site, other_site: Site, foreign: dict[str, str], kind: str, act: Act
) -> None:
    said = []
    for asked in (foreign[kind], new_id()):
        with pytest.raises(NotFoundError) as raised:
            site.database.run(lambda tx, asked=asked: act(tx, site, asked))  # type: ignore[misc] # bound per turn
        said.append(str(raised.value))
    assert said[0] == said[1]
    name = site.database.read(lambda tx: tx.devices(other_site.scope).get(foreign["device"])).name
    assert name == "Pump-1"


def test_lists_show_the_scopes_factory_only(site: Site, foreign: dict[str, str]) -> None:
    def everything(tx: Transaction) -> list[object]:
        scope = site.scope
        return [
            *tx.parameters(scope).list(), *tx.rules(scope).list(), *tx.alarms(scope).list_abnormal(),
            *tx.alarms(scope).events().events, *tx.work.list(scope),
        ]  # fmt: skip

    assert foreign
    assert site.database.read(everything) == []
    assert [device.id for device in site.database.read(lambda tx: tx.devices(site.scope).list())] == [site.device.id]


def test_a_device_of_another_factory_cannot_be_smuggled_in(site: Site, other_site: Site) -> None:
    with pytest.raises(NotFoundError):
        site.database.run(lambda tx: tx.devices(site.scope).ensure(other_site.device))


@pytest.mark.parametrize("table", ["parameter", "alarm"])
def test_the_database_itself_refuses_a_link_between_factories(site: Site, foreign: dict[str, str], table: str) -> None:
    rule = site.add_rule()
    parameter = site.add_parameter()
    site.apply(site.transition(rule, "raised", 1))
    target = metadata.tables[table]
    chosen = sa.select(target).where(target.c.factory_id == site.factory.id)
    with site.database._engine.connect() as connection:
        row = dict(connection.execute(chosen).mappings().one())
    row |= {"id": new_id()} | ({"series_id": parameter.series_id + 1} if table == "parameter" else {})
    with pytest.raises(exc.IntegrityError), site.database._engine.begin() as connection:
        connection.execute(sa.insert(target), [row | {"device_id": foreign["device"]}])


def test_a_statement_that_forgot_its_factory_never_reaches_the_database(site: Site) -> None:
    with site.database._engine.begin() as connection:
        for statement in (
            sa.select(tables.device),
            sa.update(tables.alarm).values(change=1),
            sa.delete(tables.job_run).where(tables.job_run.c.id == "x"),
        ):
            with pytest.raises(UnscopedStatementError):
                connection.execute(statement)


def test_no_statement_is_written_as_text() -> None:
    """S-32, S-41: bound parameters only, and no filter that guesses its table."""
    folder = Path(factoryops.database.__path__[0])
    forbidden = {"text", "filter_by", "literal_column"}
    found = [
        f"{file.name}:{node.lineno}"
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in forbidden
    ]
    assert found == []
