from __future__ import annotations

import json

from factoryops.contracts.snapshot import SnapshotDeadband, SnapshotFactory, SnapshotMapping
from factoryops.domain.mapping import MappedValue, TimeForm, TimeSource, TopicMapping, ValueType
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id, text_code
from factoryops.ingest.rehearsal import Rehearsal

NOW_US = 1_800_000_000_000_000
FACTORY = SnapshotFactory("f", "works", adopts_automatically=False, device_keys=["pump-1", "press-7"])
PRESSES = TopicMapping(
    name="Presses",
    topic="hall2/{device}/state",
    time=TimeSource("$.t", TimeForm.MILLISECONDS),
    values=(MappedValue("oil", "$.oil", scale=0.1), MappedValue("mode", "$.mode", ValueType.TEXT)),
)
TELEMETRY = b"factories/works/devices/%s/telemetry"


def _plain(value: float, time_us: int = NOW_US) -> bytes:
    return json.dumps({"timestamp": time_us / 1_000_000, "metrics": {"pressure": value}}).encode()


def test_a_device_taken_up_since_has_its_messages_read_with_their_own_times() -> None:
    rehearsal = Rehearsal(FACTORY, [], {})
    heard = rehearsal.hear(TELEMETRY % b"pump-1", _plain(5.5, NOW_US - 60_000_000), NOW_US)
    key = SeriesKey("f", "pump-1", "pressure")
    assert rehearsal.keys == {series_id(key): key}
    assert (heard.samples.value.tolist(), heard.samples.time_us.tolist()) == ([5.5], [NOW_US - 60_000_000])
    stays = rehearsal.hear(TELEMETRY % b"pump-2", _plain(5.5), NOW_US)
    assert (stays.reason, len(stays.samples)) == ("unknown_device", 0)


def test_history_is_never_late_and_no_deadband_holds_it_back() -> None:
    banded = SnapshotFactory(
        "f", "works", adopts_automatically=True, device_keys=[],
        deadbands=[SnapshotDeadband("pump-1", "pressure", 100.0, 600.0)],
    )  # fmt: skip
    rehearsal = Rehearsal(banded, [], {})
    for second in (5, 1, 9, 2):
        heard = rehearsal.hear(TELEMETRY % b"pump-1", _plain(1.0, NOW_US + second), NOW_US + 10)
        assert heard.samples.flags.tolist() == [0]


def test_a_mapping_counts_before_those_in_force_and_belongs_to_this_factory_alone() -> None:
    other = SnapshotMapping("1", "f", 1, TopicMapping("Other", PRESSES.topic, values=(MappedValue("raw", "$.oil"),)))
    foreign = SnapshotMapping("2", "g", 1, TopicMapping("Foreign", "x/{device}", values=PRESSES.values))
    payload = json.dumps({"t": NOW_US // 1_000, "oil": 415, "mode": "auto"}).encode()
    plain = Rehearsal(FACTORY, [other, foreign], {})
    plain.hear(b"hall2/press-7/state", payload, NOW_US)
    assert [key.parameter for key in plain.keys.values()] == ["raw"]
    assert plain.hear(b"x/press-7", payload, NOW_US).reason == "invalid_topic"
    tried = Rehearsal(FACTORY, [other], {}, instead=PRESSES)
    heard = tried.hear(b"hall2/press-7/state", payload, NOW_US)
    values = dict(zip(heard.samples.series.tolist(), heard.samples.value.tolist(), strict=True))
    code = text_code("f", "auto")
    assert {tried.keys[series].parameter: value for series, value in values.items()} == {"oil": 41.5, "mode": code}
    assert tried.texts == {code: ("f", "auto")}
    assert sorted(heard.samples.flags.tolist()) == [0, SampleFlag.TEXT]


def test_another_factorys_topic_stays_where_it_is() -> None:
    rehearsal = Rehearsal(FACTORY, [], {})
    assert rehearsal.hear(b"factories/others/devices/pump-1/telemetry", _plain(1.0), NOW_US).reason == "unknown_factory"


def test_the_budget_of_names_holds_for_replays_too() -> None:
    known = [SeriesKey("f", "pump-1", f"p{number}") for number in range(200)]
    rehearsal = Rehearsal(FACTORY, [], {series_id(key): key for key in known})
    assert rehearsal.hear(TELEMETRY % b"pump-1", _plain(1.0), NOW_US).reason == "too_many_parameters"
