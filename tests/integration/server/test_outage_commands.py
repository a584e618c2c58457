from __future__ import annotations

import re

from tests.integration.server.test_command_line import Command, command, settings

__all__ = ["command", "settings"]


def test_an_outage_is_declared_on_the_factory_s_clock_listed_and_withdrawn(command: Command) -> None:
    command("factory", "add", "works", "--timezone", "Europe/Berlin")
    said = command(
        "outage", "declare", "works", "--start", "2026-07-01 06:00", "--end", "2026-07-01T10:00Z", "--reason", "Stop"
    )
    assert said.code == 0, said.err
    (identity,) = re.findall(r"[0-9a-f]{32}", said.out)
    listed = command("outage", "list", "works").out
    assert all(words in listed for words in (identity[:8], "2026-07-01 06:00", "2026-07-01 12:00", "Stop"))
    assert "its time counts again" in command("outage", "withdraw", "works", identity).out
    assert "by command line" in command("outage", "list", "works").out
    again = command("outage", "withdraw", "works", identity)
    assert (again.code, "already" in again.err) == (1, True)


def test_what_cannot_be_declared_says_why(command: Command) -> None:
    command("factory", "add", "works")
    for start, reason, words in (("soon", "Stop", "is a time such as"), ("2026-07-02 06:00", "Stop", "must end after")):
        said = command("outage", "declare", "works", "--start", start, "--end", "2026-07-01 10:00", "--reason", reason)
        assert (said.code, words in said.err) == (1, True), said.err


def test_figures_of_the_command_line_leave_it_out(command: Command) -> None:
    command("factory", "add", "works")
    command("outage", "declare", "works", "--start", "2020-01-01", "--end", "2120-01-01", "--reason", "Always")
    assert "24.0 h of declared outages are left out." in command("performance", "works", "--days", "1").out
