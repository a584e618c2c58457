"""Alarms through any course of samples, acknowledgements, rule changes and crashes, against a model without crashes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from factoryops.alarms.evaluation import Evaluation
from factoryops.alarms.live_journal import LiveJournal
from factoryops.alarms.records import commit, load_state, read_in_force
from factoryops.database.database import Database
from tests.support.databases import new_site
from tests.support.engine_site import EngineSite

DEVICES = ("pump-1", "pump-2")
START_S = 1_750_000_000


class Modelled:
    """One alarm as the words say: raised while the value is above 5, counted, answered by a person."""

    def __init__(self) -> None:
        self.value = 0.0
        self.annunciation = 0
        self.answered = 0
        self.events: list[tuple[int, str]] = []

    def take(self, value: float) -> None:
        if value > 5 >= self.value:
            self.annunciation += 1
            self.events.append((self.annunciation, "raised"))
        if value <= 5 < self.value:
            self.events.append((self.annunciation, "cleared"))
        self.value = value


class Alarms(RuleBasedStateMachine):
    """Steps: a sample, evaluating, recording, acknowledging, and a crash that forgets all that was not recorded."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="alarms-"))
        shutil.copy(self.template, self.folder / "factoryops.db")
        self.database = Database.open(f"sqlite:///{self.folder / 'factoryops.db'}")
        self.plant = EngineSite(new_site(self.database), self.folder)
        self.plant.add_rule(limit=5.0)
        self.model = {device: Modelled() for device in DEVICES}
        self.recorded = dict.fromkeys(DEVICES, 0)
        self.moment_s = START_S
        self.is_recorded = True
        self.start()

    def start(self) -> None:
        config = self.plant.config
        self.live = LiveJournal(config.derived_path, config.checkpoints_folder, config.doorbell_folder)
        self.evaluation = Evaluation(config.journal_path, self.live)
        state = load_state(self.database)
        self.evaluation.resume(state)
        if state is None:
            self.evaluation.engine.set_rules(read_in_force(self.database).rules)
            commit(self.database, self.evaluation.record())

    def forget(self) -> None:
        self.evaluation.close()
        self.live.close()

    @rule(device=st.sampled_from(DEVICES), value=st.sampled_from([1.0, 4.0, 5.0, 6.0, 7.0]))
    def sample(self, device: str, value: float) -> None:
        self.moment_s += 1
        self.plant.write([(self.moment_s, value)], key=self.plant.key(device), watermark_s=self.moment_s - 2)
        self.model[device].take(value)
        self.is_recorded = False

    @rule()
    def evaluate(self) -> None:
        self.evaluation.turn()

    @rule(is_whole=st.booleans())
    def record(self, *, is_whole: bool) -> None:
        self.evaluation.turn()
        record = self.evaluation.record_of_news(is_whole=is_whole)
        commit(self.database, record)
        self.evaluation.recorded(record)
        self.recorded = {device: one.annunciation for device, one in self.model.items()}
        self.is_recorded = True

    @rule()
    def crash(self) -> None:
        self.forget()
        self.start()

    @rule(is_whole=st.booleans())
    def crash_after_the_commit(self, *, is_whole: bool) -> None:
        self.evaluation.turn()
        commit(self.database, self.evaluation.record_of_news(is_whole=is_whole))
        self.recorded = {device: one.annunciation for device, one in self.model.items()}
        self.is_recorded = True
        self.crash()

    @precondition(lambda self: any(self.recorded.values()))
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from([one for one, count in self.recorded.items() if count]))
        model, current = self.model[device], self.recorded[device]
        self.plant.site.acknowledge(self.alarm_of(device), current)
        if model.answered < current:
            model.answered = current
            model.events.append((current, "acknowledged"))

    def alarm_of(self, device: str) -> str:
        told = {one.device_key: one.alarm_id for one in self.plant.told()}
        return told[device]

    @invariant()
    def the_database_agrees_with_the_model(self) -> None:
        if not hasattr(self, "plant") or not self.is_recorded:
            return
        held = {one.device_key: one for one in self.plant.site.alarms()}
        for device, model in self.model.items():
            is_normal = model.value <= 5 and model.answered >= model.annunciation
            assert (device in held) is not is_normal
            if not is_normal:
                assert held[device].annunciation == model.annunciation
                assert held[device].state.value == expected_state(model)
        expected = sorted(event for model in self.model.values() for event in model.events)
        assert sorted(self.plant.events()) == expected

    def teardown(self) -> None:
        if hasattr(self, "plant"):
            self.forget()
            self.plant.close()
            self.database.close()
            shutil.rmtree(self.folder)


def expected_state(model: Modelled) -> str:
    is_answered = model.answered >= model.annunciation
    if model.value > 5:
        return "acknowledged" if is_answered else "unacknowledged"
    return "returned_unacknowledged"


@pytest.mark.timeout(240)
def test_no_restart_loses_repeats_or_unanswers_anything(migrated_sqlite: Path) -> None:
    Alarms.template = migrated_sqlite
    run_state_machine_as_test(
        Alarms,
        settings=settings(
            max_examples=200,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            print_blob=True,
        ),
    )
