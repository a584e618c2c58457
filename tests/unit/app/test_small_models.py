from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import keyring
import pytest
from keyring.backends import fail

from factoryops.client.fake import ACCOUNTS, FakePlant
from factoryops.client.imagined import describe_devices
from factoryops.contracts import http
from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.models.events import Event
from factoryops_app.models.finding import Finding, find
from factoryops_app.models.health import balances, journal_sentence, promises
from factoryops_app.models.history import Answer, HistoryQueries
from factoryops_app.models.pens import MOST_PENS, PenList
from factoryops_app.models.plant import PlantStore, key_parameters
from factoryops_app.models.runs import RunStore
from factoryops_app.models.settings import Settings
from factoryops_app.models.spans import ReportSpan, span_of
from factoryops_app.models.tokens import KeyringTokens
from factoryops_app.models.trail import Trail
from factoryops_app.options import read_options
from factoryops_resources.words import set_language


def plant() -> PlantStore:
    store = PlantStore()
    store.replace(describe_devices().values(), ())
    return store


def test_whoever_unsubscribed_is_not_told_again() -> None:
    event: Event[int] = Event()
    heard: list[int] = []
    end = event.subscribe(heard.append)
    event.emit(1)
    end()
    end()
    event.emit(2)
    assert heard == [1]
    assert len(event) == 0


def test_key_parameters_prefer_what_rules_watch_and_keep_the_devices_order() -> None:
    device = plant().devices[0]
    last = device.parameters[-1]
    chosen = key_parameters(device, [last.id])
    assert len(chosen) == 4
    assert chosen[-1] == last
    assert [device.parameters.index(one) for one in chosen] == sorted(device.parameters.index(one) for one in chosen)


def test_the_first_day_has_pens_and_later_the_choice_is_kept() -> None:
    settings, store = Settings(), plant()
    pens = PenList(store, settings, "anna")
    assert len(pens.measured) == 3
    chosen = store.parameters[4].parameter.id
    pens.show_only([chosen])
    assert [one.parameter.id for one in PenList(store, settings, "anna").measured] == [chosen]
    assert len(PenList(store, settings, "ben").measured) == 3
    pens.show_only([])
    assert list(PenList(store, settings, "anna").measured) == []


def test_no_more_than_twenty_pens() -> None:
    store = plant()
    pens = PenList(store, Settings(), "anna")
    assert not pens.add(one.parameter.id for one in store.parameters)
    assert len(pens.measured) == MOST_PENS


def test_settings_survive_a_restart_and_a_damaged_file_does_not_stop_the_client(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "workstation.json"
    Settings(path).set_data("trend", {"a": 1})
    assert Settings(path).data("trend") == {"a": 1}
    path.write_text("{ not json", encoding="utf-8")
    assert Settings(path).data("trend") is None
    assert path.with_name("workstation.json.damaged").exists()
    path.write_bytes(b'{"a": "' + b"x" * (1 << 20) + b'"}')
    assert Settings(path).value("a") is None


def test_settings_without_a_place_to_write_last_for_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "workstation.json")
    settings.set_value("theme", "dark")
    assert settings.value("theme") == "dark"


def test_finding_puts_the_beginning_of_a_title_first() -> None:
    entries = [
        Finding(title, "Parameter", detail, lambda: None)
        for title, detail in (("Flow", "pump-1"), ("Gas flow", "furnace"), ("Pressure", "flow line"))
    ]
    assert [one.title for one in find(entries, "flow")] == ["Flow", "Gas flow", "Pressure"]
    assert [one.title for one in find(entries, "flow pump")] == ["Flow"]
    assert find(entries, "nothing") == []


def test_the_trail_forgets_what_lay_ahead_when_one_goes_elsewhere() -> None:
    trail: Trail[str] = Trail()
    for place in ("a", "b", "b", "c"):
        trail.visit(place)
    assert (trail.back(), trail.back(), trail.back()) == ("b", "a", None)
    trail.visit("d")
    assert trail.forward() is None
    assert trail.back() == "a"


def test_yesterday_is_a_day_of_the_factory_also_when_the_clocks_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
    start, end = span_of(ReportSpan.YESTERDAY, now, zone)
    assert (start, end) == (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 22, 0, tzinfo=UTC))


def test_a_ledger_that_does_not_balance_is_a_broken_promise() -> None:
    health = http.Health(
        status="failing", version="1", roles=[], problems=[],
        messages=http.MessageBalance(received=10, accepted=8, quarantined=1),
    )  # fmt: skip
    assert [one.difference for one in balances(health)] == [1]
    assert promises(health)[0].is_kept is False
    assert "1 are not accounted for" in promises(health)[0].sentence


async def test_an_old_copy_of_a_run_changes_nothing() -> None:
    client = FakePlant()
    await client.login("riverside", "operator", ACCOUNTS["operator"][0])
    run = await client.start_run(http.RunRequest(kind=http.JobKind.DAILY_REPORT))
    store = RunStore()
    done = run.model_copy(update={"state": http.RunState.SUCCEEDED, "progress": 1.0})
    store.merge(done)
    store.merge(run)
    assert store.get(run.id) == done


async def test_stale_answers_of_a_chart_are_dropped() -> None:
    client = FakePlant()
    await client.login("riverside", "operator", ACCOUNTS["operator"][0])
    ids = [one.id for device in await client.devices() for one in device.parameters][:6]
    answers: list[Answer] = []
    queries = HistoryQueries(client, answers.append)
    end = now_us()
    day, hour = 86_400 * US_PER_S, 3_600 * US_PER_S
    await asyncio.gather(queries.ask(ids, end - day, end), queries.ask(ids, end - hour, end))
    assert {answer.start_us for answer in answers} == {end - hour}
    assert sorted(piece.parameter_id for answer in answers for piece in answer.pieces) == sorted(ids)


async def test_a_question_nobody_waits_for_any_more_fails_silently() -> None:
    client = FakePlant()
    await client.login("riverside", "operator", ACCOUNTS["operator"][0])
    client.fail_next(UnavailableError("away"))
    queries = HistoryQueries(client, lambda _: None)
    asking = asyncio.create_task(queries.ask(["a" * 32], 0, 86_400 * US_PER_S))
    await asyncio.sleep(0)
    queries.drop()
    await asking


async def test_without_a_keyring_nothing_is_kept_and_no_file_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]  # keyring ships it so
    try:
        assert await KeyringTokens().save("me", "secret-token") is False
        assert await KeyringTokens().load("me") is None
        await KeyringTokens().forget("me")
    finally:
        keyring.set_keyring(before)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_command_line_names_what_it_does_not_understand() -> None:
    options = read_options(["--server", "https://plant:8420", "--theme=dark", "--fake"])
    assert (options.server, options.theme, options.is_fake) == ("https://plant:8420", "dark", True)
    with pytest.raises(SetupError, match="--pasword"):
        read_options(["--pasword", "x"])
    with pytest.raises(SetupError, match="--server needs a value"):
        read_options(["--server"])


def test_there_is_no_way_to_give_a_password_on_the_command_line() -> None:
    with pytest.raises(SetupError):
        read_options(["--password", "secret"])


def test_the_journals_growth_is_told_when_it_is_known() -> None:
    def health(**figures: object) -> http.Health:
        role = http.RoleHealth(role="ingest", is_alive=True, beat_at=None, figures=figures)
        return http.Health(status="ok", version="1", roles=[role], problems=[])

    assert journal_sentence(health()) == ""
    assert journal_sentence(health(journal_bytes_per_hour=None, journal_hours_until_full=None)) == ""
    told = journal_sentence(health(journal_bytes_per_hour=5.4e9, journal_hours_until_full=4.2))
    assert told == "The journal takes 5,400.0 MB an hour; if its readers stood still, its limit would last 4 h."
    set_language("de")
    assert "5.400,0 MB" in journal_sentence(health(journal_bytes_per_hour=5.4e9, journal_hours_until_full=4.2))
