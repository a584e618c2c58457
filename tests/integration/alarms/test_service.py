"""The engine role on a real journal and a real database."""

from __future__ import annotations

import time

import msgspec
import pytest

from factoryops.contracts import http
from factoryops.contracts.snapshot import open_snapshot
from factoryops.database.database import Database
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import device_id
from factoryops.domain.retention import RetentionPlan
from factoryops.domain.rule import RuleMode, RuleScope
from factoryops.domain.samples import SampleColumns, SampleFlag, series_id
from factoryops.journal.checkpoints import lowest_checkpoint
from factoryops.journal.reader import JournalReader
from factoryops.journal.writer import JournalWriter, import_samples
from factoryops.observability.heartbeat import read_heartbeats
from tests.support.engine_site import KEY, EngineSite
from tests.support.rules import limit_content
from tests.support.waiting import until


def now_s() -> int:
    return int(time.time())


async def test_a_sample_over_the_limit_raises_an_alarm_and_its_return_clears_it(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    async with plant.running():
        start = now_s()
        plant.write([(start, 4.0), (start + 1, 5.31)])
        await until(lambda: plant.events() == [(1, "raised")])
        alarm = plant.site.alarms()[0]
        assert (alarm.value, alarm.state.value, alarm.raised_at) == (5.31, "unacknowledged", alarm.raised_at)
        assert alarm.message == "Pressure is 5.31, above the limit of 5"
        plant.write([(start + 2, 4.5)])
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])
        assert plant.site.alarms()[0].state.value == "returned_unacknowledged"
        plant.site.acknowledge(alarm.id, 1)
        assert plant.site.alarms() == []


async def test_the_live_side_hears_of_an_alarm_within_moments_of_the_sample(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    async with plant.running():
        plant.write([(now_s(), 1.0)])
        await until(lambda: plant.checkpoint() > 0)
        began = time.monotonic()
        plant.write([(now_s() + 1, 6.0)])
        await until(plant.told)
        assert time.monotonic() - began < 0.5
        assert [(one.kind, one.is_recorded) for one in plant.told()] == [("raised", True)]


async def test_an_on_delay_runs_out_with_the_watermark_and_is_dated_when_due(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0, on_delay_s=30)
    start = now_s()
    async with plant.running():
        plant.write([(start, 6.0)])
        plant.write(watermark_s=start + 29)
        plant.write(watermark_s=start + 45)
        await until(plant.events)
        assert [event[3] for event in plant.dated_events()] == [start + 30]


async def test_a_late_or_imported_sample_never_raises_an_alarm(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    async with plant.running():
        start = now_s()
        plant.write([(start, 9.0)], flags=SampleFlag.LATE)
        plant.write([(start, 9.0)], flags=SampleFlag.IMPORTED)
        last = plant.write([(start, 6.0)], key=plant.key("pump-2"))
        await until(lambda: plant.events() and plant.checkpoint() == last)
        assert [one.device_key for one in plant.told()] == ["pump-2"]


async def test_a_restart_announces_nothing_again_and_loses_no_acknowledgement(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    start = now_s()
    async with plant.running():
        plant.write([(start, 6.0)])
        await until(plant.events)
        plant.site.acknowledge(plant.site.alarms()[0].id, 1)
    async with plant.running():
        last = plant.write([(start + 1, 7.0)], watermark_s=start)
        await until(lambda: plant.checkpoint() == last, what="the checkpoint")
    assert plant.site.alarms()[0].state.value == "acknowledged"
    assert len(plant.told()) == 1
    async with plant.running():
        plant.write([(start + 2, 1.0), (start + 3, 8.0)])
        await until(lambda: len(plant.dated_events()) == 3)
    assert plant.site.alarms()[0].annunciation == 2
    assert plant.site.alarms()[0].state.value == "unacknowledged"


async def test_what_happened_while_the_engine_was_down_is_made_up(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    start = now_s()
    async with plant.running():
        plant.write([(start, 1.0)])
        await until(lambda: plant.checkpoint() > 0)
    plant.write([(start + 1, 6.0)])
    plant.write([(start + 2, 2.0)])
    async with plant.running():
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])


async def test_a_changed_limit_holds_from_then_on_and_is_judged_against_the_newest_value(plant: EngineSite) -> None:
    rule = plant.add_rule(limit=5.0)
    start = now_s()
    async with plant.running():
        seq = plant.write([(start, 4.0)])
        await until(lambda: plant.checkpoint() == seq, what="the first row")
        changed = plant.change_rule(rule, limit=3.0)
        await until(lambda: plant.events() == [(1, "raised")])
        held = plant.site.database.read(lambda tx: tx.rules(plant.site.scope).get(rule.id))
        assert held.version == changed.version
        assert held.holds_from_seq == seq + 1
        plant.change_rule(changed, limit=10.0)
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])


async def test_a_device_that_becomes_of_a_kind_is_watched_from_then_on(plant: EngineSite) -> None:
    content = limit_content().model_copy(update={"scope": RuleScope(kinds=("press",))})
    site = plant.site
    rule = site.database.run(lambda tx: tx.rules(site.scope).create(content, "op1"))
    async with plant.running():
        seq = plant.write([(now_s(), 6.0)], key=plant.key("press-1"))
        await until(lambda: plant.checkpoint() == seq, what="the first row")
        assert plant.events() == []
        site.database.run(lambda tx: tx.devices(site.scope).change(device_id(site.factory.id, "press-1"), kind="press"))
        await until(lambda: plant.events() == [(1, "raised")])
        assert site.database.read(lambda tx: tx.rules(site.scope).get(rule.id)).version == 1


async def test_a_deleted_rule_clears_its_alarm_and_says_so(plant: EngineSite) -> None:
    rule = plant.add_rule(limit=5.0)
    async with plant.running():
        plant.write([(now_s(), 6.0)])
        await until(plant.events)
        plant.site.database.run(lambda tx: tx.rules(plant.site.scope).delete(rule.id))
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])
        await until(lambda: len(plant.told()) == 2)
        assert "no longer watched" in plant.told()[-1].message


async def test_a_rule_that_becomes_a_shadow_ends_its_alarm_in_the_name_of_whoever_made_it_one(
    plant: EngineSite,
) -> None:
    rule = plant.add_rule(limit=5.0)
    site = plant.site
    async with plant.running():
        plant.write([(now_s(), 6.0)])
        await until(plant.events)
        tried = rule.content.model_copy(update={"mode": RuleMode.SHADOW})
        site.database.run(lambda tx: tx.rules(site.scope).update(rule.id, 1, tried, "op2", "Too many false ones"))
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared"), (1, "withdrawn")])
    newest = site.database.read(lambda tx: tx.alarms(site.scope).events()).events[0]
    assert (newest.actor, newest.comment) == ("op2", "Too many false ones")
    assert site.alarms() == []
    shadow = site.database.read(lambda tx: tx.alarms(site.scope).events(shadow_of=rule.id)).events
    assert [(one.annunciation, one.kind.value) for one in shadow] == [(2, "raised")]


async def test_a_rule_for_every_device_takes_up_those_that_appear_later(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    async with plant.running():
        plant.write([(now_s(), 6.0)], key=plant.key("brand-new"))
        await until(plant.events)
        assert plant.site.alarms()[0].device_name == "Brand New"


async def test_new_devices_and_parameters_reach_the_database_with_readable_names(plant: EngineSite) -> None:
    with JournalWriter(plant.config.import_path or plant.folder) as imports:
        key = plant.key("old-press", "oil_temperature")
        import_samples(imports, SampleColumns.of([(int(series_id(key)), 1, 2.0)]), [key])
    async with plant.running():
        plant.write([(now_s(), 230.0)], key=plant.key("mixer-2", "voltage_l1"))
        scope, database = plant.site.scope, plant.site.database

        def units() -> dict[str, str]:
            return {one.name: one.unit for one in database.read(lambda tx: tx.parameters(scope).list())}

        await until(lambda: units() == {"Voltage L1": "V", "Oil Temperature": "°C"})
        names = {one.name for one in database.read(lambda tx: tx.devices(scope).list())}
        assert {"Mixer 2", "Old Press"} <= names


async def test_the_database_learns_what_parameters_carry(plant: EngineSite) -> None:
    async with plant.running():
        plant.write([(now_s(), 1.0)], key=plant.key("mixer-2", "is_on"), flags=int(SampleFlag.BOOLEAN))
        plant.write([(now_s(), 7.0)], key=plant.key("mixer-2", "mode"), flags=int(SampleFlag.TEXT))
        plant.write([(now_s(), 7.0)], key=plant.key("mixer-2", "speed"))
        scope, database = plant.site.scope, plant.site.database

        def kinds() -> dict[str, str]:
            return {one.key: one.kind.value for one in database.read(lambda tx: tx.parameters(scope).list())}

        await until(lambda: kinds() == {"is_on": "boolean", "mode": "text", "speed": "number"})


async def test_the_database_learns_when_a_device_was_last_heard(plant: EngineSite) -> None:
    start = now_s()
    identity = device_id(plant.site.factory.id, "pump-1")
    async with plant.running():
        plant.write([(start, 1.0)])

        def heard() -> float:
            device = plant.site.database.read(lambda tx: tx.devices(plant.site.scope).get(identity))
            return device.last_received_at.timestamp() if device.last_received_at else 0.0

        await until(lambda: heard() == start + 2, timeout_s=15)


async def test_the_signed_snapshot_follows_devices_and_credentials(plant: EngineSite) -> None:
    def credentials() -> set[str]:
        path = plant.config.snapshot_path
        return {one.username for one in open_snapshot(path.read_bytes(), KEY).credentials} if path.exists() else set()

    async with plant.running():
        await until(plant.config.snapshot_path.exists)
        factory = plant.site.factory.id
        plant.site.database.run(lambda tx: tx.credentials.create(factory, "gateway", "ab" * 32, None))
        await until(lambda: credentials() == {"gateway"})


async def test_how_long_history_is_kept_reaches_the_historian_as_a_file(plant: EngineSite) -> None:
    path = plant.config.retention_path

    def plan() -> RetentionPlan:
        is_there = path is not None and path.exists()
        return msgspec.json.decode(path.read_bytes(), type=RetentionPlan) if path and is_there else RetentionPlan()

    async with plant.running():
        await until(plant.config.snapshot_path.exists)
        change = http.RetentionChange(version=0, rules=[http.RetentionRule(name="all", raw_days=30)])
        plant.site.database.run(lambda tx: tx.retention(plant.site.scope).replace(change))
        await until(lambda: plan().keep(plant.key()).raw_days == 30)


async def test_the_heartbeat_tells_figures_and_the_checkpoint_is_published(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    async with plant.running():
        seq = plant.write([(now_s(), 6.0)], watermark_s=now_s())
        await until(lambda: lowest_checkpoint(plant.config.checkpoints_folder, ["engine"], "journal") == seq)

        def figures() -> dict[str, object]:
            beat = read_heartbeats(plant.config.heartbeat_folder).get("engine")
            return beat.figures if beat else {}

        await until(lambda: figures().get("active_alarms") == 1 and figures().get("checkpoint") == seq)
        assert figures()["rules"] == 1
        assert figures()["pending_transitions"] == 0
    assert read_heartbeats(plant.config.heartbeat_folder) == {}


class Outage:
    """A database that can be taken away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_away = False

    def __getattr__(self, name: str) -> object:
        if self.is_away and name in ("run", "read"):
            return self._refuse
        return getattr(self._database, name)

    def _refuse(self, _: object) -> None:
        raise UnavailableError("The database does not answer.")


async def test_with_the_database_away_alarms_go_on_and_are_recorded_together_later(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    outage = Outage(plant.site.database)
    start = now_s()
    async with plant.running(outage):  # type: ignore[arg-type]  # stands in for a database
        plant.write([(start, 1.0)])
        await until(lambda: plant.checkpoint() > 0)
        before = plant.checkpoint()
        outage.is_away = True
        plant.write([(start + 1, 6.0)])
        await until(lambda: len(plant.told()) == 1)
        await until(lambda: "database_away" in problems(plant))
        plant.write([(start + 2, 2.0)])
        await until(lambda: len(plant.told()) == 2)
        assert plant.told()[-1].is_recorded is False
        assert plant.checkpoint() == before
        assert plant.events() == []
        outage.is_away = False
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")], timeout_s=20)
        await until(lambda: "database_away" not in problems(plant))
    assert len(plant.told()) == 2


def problems(plant: EngineSite) -> list[str]:
    beat = read_heartbeats(plant.config.heartbeat_folder).get("engine")
    return [one.code for one in beat.problems] if beat else []


async def test_a_start_without_database_waits_for_it(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    outage = Outage(plant.site.database)
    outage.is_away = True
    async with plant.running(outage):  # type: ignore[arg-type]  # stands in for a database
        plant.write([(now_s(), 6.0)])
        await until(lambda: "database_away" in problems(plant))
        assert plant.told() == []
        outage.is_away = False
        await until(plant.events)


async def test_too_many_pending_transitions_are_derived_again_from_the_journal(
    plant: EngineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factoryops.alarms.evaluation.MOST_PENDING", 3)
    plant.add_rule(limit=5.0)
    outage = Outage(plant.site.database)
    start = now_s()
    async with plant.running(outage):  # type: ignore[arg-type]  # stands in for a database
        plant.write([(start, 1.0)])
        await until(lambda: plant.checkpoint() > 0)
        outage.is_away = True
        for number in range(1, 9):
            plant.write([(start + number, 6.0 if number % 2 else 1.0)])
        await until(lambda: len(plant.told()) == 8)
        outage.is_away = False
        await until(lambda: len(plant.dated_events()) == 8, timeout_s=20)
    assert [(event[1], event[2]) for event in plant.dated_events()] == [
        (annunciation, kind) for annunciation in range(1, 5) for kind in ("raised", "cleared")
    ]


async def test_missing_journal_rows_are_reported_as_a_gap_and_conditions_go_on(plant: EngineSite) -> None:
    plant.add_rule(limit=5.0)
    start = now_s()
    async with plant.running():
        first = plant.write([(start, 1.0)])
        await until(lambda: plant.checkpoint() == first)
    lost = [plant.write([(start + 1, 2.0)]), plant.write([(start + 2, 3.0)])]
    plant.writer.trim(lost[-1] + 1)
    plant.write([(start + 3, 6.0)])
    plant.writer.trim(lost[-1] + 1)
    async with plant.running():
        await until(plant.events)
        await until(lambda: "journal_rows_missing" in problems(plant))
    reader = JournalReader(plant.config.derived_path)
    gaps = [gap for batch in reader.read() for gap in batch.entry.gaps]
    reader.close()
    assert [(gap.end_us, gap.reason) for gap in gaps] == [
        ((start + 5) * 10**6, "Alarms were not evaluated: rows of the journal are missing.")
    ]
