from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import pytest

from factoryops.database.database import Database
from factoryops.domain.identity import Role, Scope
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.history.local.store import LocalHistory
from tests.integration.server.test_command_line import Command, command, settings
from tests.support.databases import Site

__all__ = ["command", "settings"]

S = 1_000_000


@pytest.fixture
def chattering(command: Command, tmp_path: Path) -> None:
    """An alarm that chattered an hour ago, on samples at 1 Hz."""
    command("factory", "add", "works")
    begin_us = (time.time_ns() // 1_000 // S - 3_600) * S
    database = Database.open(f"sqlite:///{tmp_path / 'data' / 'factoryops.db'}")
    with closing(database):
        (factory,) = database.read(lambda tx: tx.factories.list())
        site = Site(database, factory, Scope(factory.id, "eva", Role.SUPERVISOR))
        parameter = site.add_parameter()
        rule = site.add_rule(name="High", limit=5.0)
        moves = [
            site.transition(rule, kind, number, at_us=begin_us + (5 * number + at_s) * S)
            for number in range(20)
            for kind, at_s in (("raised", 0), ("cleared", 3))
        ]
        site.apply(*moves)
    key = SeriesKey(factory.id, site.device.key, "pressure")
    rows = [(parameter.series_id, begin_us + n * S, 5.5 if n < 100 and n % 5 < 3 else 4.5) for n in range(600)]
    with closing(LocalHistory(tmp_path / "data" / "history.db")) as store:
        store.append(SampleColumns.of(rows), {parameter.series_id: key}, gaps=(), checkpoints={})


def test_it_says_what_was_tried_and_writes_the_proposal_for_import(
    command: Command, chattering: None, tmp_path: Path
) -> None:
    target = tmp_path / "proposed.json"
    said = command("propose-mends", "works", "--days", "1", "--write", str(target))
    assert said.code == 0, said.err
    assert all(words in said.out for words in ("raised 20 times", "as it is", "proposed", "1 proposed rules"))
    (content,) = json.loads(target.read_text(encoding="utf-8"))
    assert content["name"] == "High"
    assert "0 rules were added and 1 changed" in command("rule", "import", "works", str(target)).out
    again = command("propose-mends", "works", "--days", "1")
    assert "nothing needs to be changed" in again.out


def test_a_calm_factory_has_nothing_to_propose(command: Command) -> None:
    command("factory", "add", "works")
    assert "No alarm chatters or flickers" in command("propose-mends", "works").out
