"""Alarms are handled from the command line under the rules that hold in the client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from factoryops.contracts import http
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.database import Database
from factoryops.domain.alarms import Priority
from factoryops.domain.identity import Role, Scope, device_id
from factoryops.domain.plant import Device
from tests.integration.server.test_command_line import Command, command, settings
from tests.support.databases import Site

__all__ = ["command", "settings"]


@pytest.fixture
def site(command: Command, tmp_path: Path) -> Iterator[Site]:
    """A factory of an installation whose service is not running."""
    command("factory", "add", "works", "--timezone", "Europe/Berlin")
    with closing(Database.open(f"sqlite:///{tmp_path / 'data' / 'factoryops.db'}")) as database:
        (factory,) = database.read(lambda tx: tx.factories.list())
        yield Site(database, factory, Scope(factory.id, "eva", Role.SUPERVISOR))


def _raised(site: Site, name: str, **fields: object) -> AlarmTransition:
    """A new rule whose alarm has just been raised."""
    made = site.transition(site.add_rule(name=name, response="Close the valve."), "raised", 1, **fields)
    site.apply(made)
    return made


def _audited(site: Site) -> list[str]:
    return [entry.action for entry in site.database.read(lambda tx: tx.audit(site.scope).list())]


def _listed(command: Command, *flags: str) -> list[dict[str, Any]]:
    said = command("alarms", "list", "--json", *flags)
    assert said.code == 0, said.err
    alarms: list[dict[str, Any]] = json.loads(said.out)["alarms"]
    return alarms


def test_the_list_shows_what_is_not_normal_and_can_be_narrowed(command: Command, site: Site) -> None:
    press = Device(device_id(site.factory.id, "press-1"), site.factory.id, "press-1", "Press", area="Press shop")
    site.database.run(lambda tx: tx.devices(site.scope).ensure(press))
    _raised(site, "Hot", priority=int(Priority.CRITICAL), device_id=press.id, device_key=press.key)
    _raised(site, "Loud", priority=int(Priority.LOW))
    said = command("alarms", "list")
    assert said.out.index("Hot") < said.out.index("Loud")
    assert "2 active, 2 of them unacknowledged" in said.out
    assert "1970-01-01 01:00:01.000" in said.out  # on the factory's clock, to the millisecond
    assert [one["rule_name"] for one in _listed(command, "--priority", "low")] == ["Loud"]
    assert [one["rule_name"] for one in _listed(command, "--area", "Press shop")] == ["Hot"]
    assert len(_listed(command, "--state", "unacknowledged", "--list", "active")) == 2
    assert _listed(command, "--list", "shelved") == []
    wrong = command("alarms", "list", "--priority", "urgent")
    assert (wrong.code, "critical, high, medium, low" in wrong.err) == (1, True)


def test_an_acknowledgement_answers_the_annunciation_that_was_seen(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    rule = site.database.read(lambda tx: tx.rules(site.scope).list())[0]
    site.apply(site.transition(rule, "cleared", 1), site.transition(rule, "raised", 2))
    command("alarms", "acknowledge", f"{raised.alarm_id}@1")
    assert _listed(command)[0]["state"] == "unacknowledged"
    done = command("alarms", "acknowledge", f"{raised.alarm_id}@2", "--comment", "On my way")
    assert (done.code, "Hot, Pump-1: acknowledged." in done.out) == (0, True)
    (alarm,) = _listed(command)
    assert (alarm["acknowledged_by"], alarm["comment"]) == ("command line", "On my way")
    assert "On my way" in command("alarms", "history", raised.alarm_id).out


def test_without_an_annunciation_the_present_one_is_answered(command: Command, site: Site) -> None:
    one, two = _raised(site, "Hot"), _raised(site, "Loud")
    assert command("alarms", "acknowledge", one.alarm_id, two.alarm_id).code == 0
    assert {alarm["state"] for alarm in _listed(command)} == {"acknowledged"}


def test_a_class_that_asks_for_a_comment_gets_one(command: Command, site: Site) -> None:
    first, *others = http.FIRST_PHILOSOPHY.classes
    strict = first.model_copy(update={"needs_comment": True, "may_be_shelved": False})
    change = http.PhilosophyChange(version=0, classes=[strict, *others], matrix=http.FIRST_PHILOSOPHY.matrix)
    site.database.run(lambda tx: tx.philosophy(site.scope).replace(change))
    raised = _raised(site, "Hot")
    refused = command("alarms", "acknowledge", raised.alarm_id)
    assert (refused.code, "comment" in refused.err) == (1, True)
    assert command("alarms", "shelve", raised.alarm_id, "--reason", "Noise").code == 1
    assert _listed(command)[0]["state"] == "unacknowledged"
    assert command("alarms", "acknowledge", raised.alarm_id, "--comment", "Seen").code == 0


def test_what_is_shelved_says_why_and_is_taken_up_again(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    shelved = command("alarms", "shelve", raised.alarm_id, "--reason", "Sensor is changed", "--minutes", "15")
    assert (shelved.code, "Hot, Pump-1: shelved." in shelved.out) == (0, True)
    shown = command("alarms", "show", raised.alarm_id).out
    assert all(words in shown for words in ("by command line: Sensor is changed", "underneath", "Close the valve."))
    assert command("alarms", "unshelve", raised.alarm_id).code == 0
    assert _listed(command)[0]["state"] == "unacknowledged"
    assert {"alarm.shelve", "alarm.unshelve"} <= set(_audited(site))


def test_shelving_names_one_end_and_it_lies_ahead(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    flags = ("alarms", "shelve", raised.alarm_id, "--reason", "Noise")
    assert "not both" in command(*flags, "--minutes", "5", "--until", "2999-01-01").err
    assert command(*flags, "--until", "2001-01-01").code == 1
    assert "A time is written" in command(*flags, "--until", "soon").err
    assert "for_s" in command(*flags, "--minutes", "0").err
    assert _listed(command, "--list", "shelved") == []


def test_an_alarm_leaves_service_and_returns(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    out = command("alarms", "out-of-service", raised.alarm_id, "--reason", "Overhaul", "--until", "2999-01-01T06:00")
    assert (out.code, "out of service." in out.out) == (0, True)
    assert "until 2999-01-01 06:00:00.000, by command line: Overhaul" in command("alarms", "show", raised.alarm_id).out
    assert command("alarms", "return-to-service", raised.alarm_id).code == 0
    assert {"alarm.take_out", "alarm.return"} <= set(_audited(site))


def test_a_latched_alarm_is_reset_once_it_is_acknowledged(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot", is_latching=True)
    rule = site.database.read(lambda tx: tx.rules(site.scope).list())[0]
    site.apply(site.transition(rule, "cleared", 1, is_latching=True))
    assert command("alarms", "reset", raised.alarm_id).code == 1
    assert command("alarms", "acknowledge", raised.alarm_id).code == 0
    done = command("alarms", "reset", raised.alarm_id)
    assert (done.code, "Hot, Pump-1: normal." in done.out) == (0, True)
    assert _listed(command) == []


def test_all_of_a_command_is_done_or_nothing(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    for unknown in ("0" * 32, f"{raised.alarm_id}@x", "what?"):
        refused = command("alarms", "acknowledge", raised.alarm_id, unknown)
        assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert _listed(command)[0]["state"] == "unacknowledged"


def test_another_factorys_alarm_is_not_there(command: Command, site: Site) -> None:
    raised = _raised(site, "Hot")
    command("factory", "add", "other")
    assert "say which with --factory" in command("alarms", "list").err
    for name in ("show", "acknowledge", "unshelve"):
        refused = command("alarms", name, raised.alarm_id, "--factory", "other")
        assert (refused.code, "There is no such alarm" in refused.err) == (1, True)
    assert (
        http.AlarmList.model_validate_json(command("alarms", "list", "--factory", "other", "--json").out).alarms == []
    )
