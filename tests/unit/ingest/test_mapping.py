"""Mappings: what a message of a format of its own comes to, and what a mapping's faults are called."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.contracts.telemetry import Reason, Rejection
from factoryops.contracts.telemetry.mapped import CompiledMapping, Mapped
from factoryops.contracts.telemetry.preview import Preview, try_mapping
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.json_path import MISSING, parse_path
from factoryops.domain.mapping import (
    MappedValue,
    PayloadKind,
    TimeForm,
    TimeSource,
    TopicMapping,
    ValueGroup,
    ValueType,
    conflict,
)  # fmt: skip
from factoryops.domain.samples import SampleFlag
from factoryops.domain.topic_template import parse_template

NOW_US = 1_800_000_000_000_000
MARCH_1_US = 1_772_323_200_000_000

SIMPLE = TopicMapping(
    name="Compressors",
    topic="site/+/{device}/data",
    time=TimeSource("$.ts", TimeForm.MILLISECONDS),
    values=(
        MappedValue("pressure", "$.p.bar", unit="bar"),
        MappedValue("temperature", "$['oil temp']", scale=0.1, offset=-40, unit="°C"),
        MappedValue("running", "$.state", ValueType.BOOLEAN),
        MappedValue("program", "$.program", ValueType.TEXT, quality_path="$.q"),
    ),
)
MESSAGE = {"ts": MARCH_1_US // 1_000, "p": {"bar": 7.25}, "oil temp": 1010, "state": "on", "program": "A7", "q": "bad"}


def tried(mapping: TopicMapping, message: object, *, topic: str = "site/north/c-1/data") -> Preview:
    assert mapping.check() == {}
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return try_mapping(mapping, topic, payload, NOW_US)


def values(preview: Preview) -> dict[str, float | bool | str]:
    assert preview.rejection is None, preview
    return {sample.parameter: sample.value for sample in preview.samples}


def test_a_message_becomes_the_samples_that_the_mapping_names() -> None:
    preview = tried(SIMPLE, MESSAGE)
    assert values(preview) == {"pressure": 7.25, "temperature": 61.0, "running": True, "program": "A7"}
    assert {sample.device for sample in preview.samples} == {"c-1"}
    assert {sample.time_us for sample in preview.samples} == {MARCH_1_US}
    assert [sample.parameter for sample in preview.samples if sample.is_uncertain] == ["program"]
    assert {sample.parameter: sample.unit for sample in preview.samples}["temperature"] == "°C"


def test_another_topic_is_none_of_the_mapping() -> None:
    assert not tried(SIMPLE, MESSAGE, topic="site/north/c-1").matches
    assert not tried(SIMPLE, MESSAGE, topic="Site/north/c-1/data").matches


def test_values_that_cannot_be_used_are_refused_singly_with_their_parameter() -> None:
    preview = tried(SIMPLE, MESSAGE | {"state": "perhaps", "oil temp": None, "program": "x" * 257})
    assert values(preview) == {"pressure": 7.25}
    assert [(parameter, reason) for parameter, reason, _ in preview.refused] == [
        ("temperature", "not_a_number"), ("running", "not_a_boolean"), ("program", "text_too_long"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"ts": "yesterday", "p": {"bar": 1}}, Reason.INVALID_TIMESTAMP),
        ({"p": {"bar": 1}}, Reason.INVALID_TIMESTAMP),
        ({"ts": NOW_US // 1_000 + 600_001, "p": {"bar": 1}}, Reason.FUTURE_TIME),
        ({"ts": 5}, Reason.NO_USABLE_VALUE),
        ({"ts": 5, "p": {"bar": None}}, Reason.NO_USABLE_VALUE),
        ([], Reason.INVALID_TIMESTAMP),
        (b"\xff", Reason.INVALID_JSON),
        (b'{"ts":5,"ts":6}', Reason.DUPLICATE_NAME),
        (b"[" * 100_000, Reason.TOO_DEEP),
    ],
)
def test_a_message_without_anything_usable_is_rejected_with_the_reason(message: object, reason: Reason) -> None:
    rejection = tried(SIMPLE, message).rejection
    assert rejection is not None
    assert rejection.reason is reason


def test_records_have_times_and_devices_of_their_own() -> None:
    mapping = TopicMapping(
        name="Gateway",
        topic="gateway/#",
        device_path="$.id",
        records="$.samples[*]",
        time=TimeSource("$.t", TimeForm.ISO, "Europe/Berlin"),
        groups=(ValueGroup("$.values", "em."),),
    )
    message = {
        "t": "2026-03-01T01:00:00",
        "samples": [
            {"id": "m-1", "values": {"p": 1, "phase": {"l1": 2.5, "on": True}, "note": "x"}},
            {"id": 17, "t": "2026-07-01T02:00:00", "values": {"p": 3}},
            {"values": {"p": 4}},
            "nonsense",
        ],
    }
    preview = tried(mapping, message, topic="gateway/a/b")
    assert [(one.device, one.parameter, one.value) for one in preview.samples] == [
        ("m-1", "em.p", 1.0), ("m-1", "em.phase.l1", 2.5), ("m-1", "em.phase.on", True), ("17", "em.p", 3.0),
    ]  # fmt: skip
    assert preview.samples[0].time_us == MARCH_1_US
    assert preview.samples[3].time_us == 1_782_864_000_000_000
    assert [reason for _, reason, _ in preview.refused] == ["no_device", "no_device"]


def test_a_group_leaves_out_what_the_mapping_reads_otherwise() -> None:
    mapping = TopicMapping(
        name="Flat",
        topic="flat",
        device_path="$.serial",
        time=TimeSource("$.at", TimeForm.SECONDS),
        values=(MappedValue("Speed", "$.motor.rpm"),),
        groups=(ValueGroup(),),
    )
    message = {"serial": 4711, "at": 5, "motor": {"rpm": 1480, "amps": 3}, "level": 2}
    assert values(tried(mapping, message, topic="flat")) == {"Speed": 1480.0, "motor.amps": 3.0, "level": 2.0}


def test_a_plain_payload_is_one_value_named_by_its_topic() -> None:
    mapping = TopicMapping(
        name="Sensors",
        topic="hall/{device}/{parameter}",
        payload=PayloadKind.PLAIN,
        values=(MappedValue("{parameter}", codes=(("high", 1), ("low", -1))),),
    )
    assert values(tried(mapping, b" 21.5\n", topic="hall/s-1/temperature")) == {"temperature": 21.5}
    assert values(tried(mapping, b"low", topic="hall/s-1/level")) == {"level": -1.0}
    preview = tried(mapping, b"21.5", topic="hall/s-1/temperature")
    assert (preview.samples[0].time_us, preview.samples[0].has_own_time) == (NOW_US, False)


def test_each_line_of_csv_is_a_record() -> None:
    mapping = TopicMapping(
        name="Logger",
        topic="log/{device}",
        payload=PayloadKind.CSV,
        separator=";",
        time=TimeSource("1", TimeForm.AUTOMATIC),
        values=(MappedValue("flow", "2"), MappedValue("batch", "3", ValueType.TEXT)),
    )
    preview = tried(mapping, b'2026-03-01T00:00:00Z; 1.5;"A;1"\n2026-03-01T00:00:01Z;2\n', topic="log/l-1")
    assert [(one.time_us - MARCH_1_US, one.value) for one in preview.samples] == [
        (0, 1.5), (0, "A;1"), (1_000_000, 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (TimeForm.SECONDS, MARCH_1_US // 1_000_000), (TimeForm.MILLISECONDS, MARCH_1_US // 1_000),
        (TimeForm.MICROSECONDS, MARCH_1_US), (TimeForm.NANOSECONDS, MARCH_1_US * 1_000),
        (TimeForm.NANOSECONDS, str(MARCH_1_US * 1_000)), (TimeForm.SECONDS, MARCH_1_US / 1e6),
        (TimeForm.ISO, "2026-03-01T01:00:00"), (TimeForm.ISO, "2026-03-01T00:00:00Z"),
        (TimeForm.AUTOMATIC, "2026-03-01 01:00:00"), (TimeForm.AUTOMATIC, MARCH_1_US // 1_000),
    ],
)  # fmt: skip
def test_every_form_of_time_is_read_exactly(form: TimeForm, value: object) -> None:
    mapping = replace(SIMPLE, time=TimeSource("$.ts", form, "Europe/Berlin"))
    assert tried(mapping, MESSAGE | {"ts": value}).samples[0].time_us == MARCH_1_US


FAULTS: dict[str, tuple[TopicMapping, str]] = {
    "no name": (replace(SIMPLE, name=" "), "name"),
    "everything": (replace(SIMPLE, topic="#", device_path="$.d"), "topic"),
    "the broker's own": (replace(SIMPLE, topic="$SYS/{device}"), "topic"),
    "a wildcard inside a word": (replace(SIMPLE, topic="site/a+/{device}"), "topic"),
    "# in the middle": (replace(SIMPLE, topic="site/#/{device}"), "topic"),
    "an unknown place": (replace(SIMPLE, topic="site/{machine}/{device}"), "topic"),
    "two devices": (replace(SIMPLE, topic="{device}/{device}"), "topic"),
    "no device": (replace(SIMPLE, topic="site/data"), "topic"),
    "device twice": (replace(SIMPLE, device_path="$.device"), "device_path"),
    "no values": (replace(SIMPLE, values=()), "values"),
    "a key twice": (replace(SIMPLE, values=(MappedValue("a", "$.a"), MappedValue("a", "$.b"))), "values"),
    "a bad path": (replace(SIMPLE, values=(MappedValue("a", "$.a["),)), "values[0].path"),
    "no path": (replace(SIMPLE, values=(MappedValue("a", "a"),)), "values[0].path"),
    "many values": (replace(SIMPLE, values=(MappedValue("a", "$.a[*]"),)), "values[0].path"),
    "scale 0": (replace(SIMPLE, values=(MappedValue("a", "$.a", scale=0),)), "values[0].scale"),
    "scale NaN": (replace(SIMPLE, values=(MappedValue("a", "$.a", scale=math.nan),)), "values[0].scale"),
    "a scaled text": (replace(SIMPLE, values=(MappedValue("a", "$.a", ValueType.TEXT, scale=2),)), "values[0].type"),
    "no {parameter}": (replace(SIMPLE, values=(MappedValue("{parameter}", "$.a"),)), "values[0].parameter"),
    "an unknown zone": (replace(SIMPLE, time=TimeSource("$.t", TimeForm.ISO, "Mars/Base")), "time.zone"),
    "a place of no time": (replace(SIMPLE, time=TimeSource("$.t", TimeForm.RECEIVED)), "time.path"),
    "a time in a plain value": (
        replace(SIMPLE, payload=PayloadKind.PLAIN, values=(MappedValue("a"),), time=TimeSource("$.t", TimeForm.ISO)),
        "time.form",
    ),
    "columns by name": (replace(SIMPLE, payload=PayloadKind.CSV, values=(MappedValue("a", "$.a"),)), "values[0].path"),
    "records of CSV": (replace(SIMPLE, payload=PayloadKind.CSV, records="$[*]"), "records"),
    "too many codes": (
        replace(SIMPLE, values=(MappedValue("a", "$.a", codes=tuple((str(n), 1.0) for n in range(101))),)),
        "values[0].codes",
    ),
}


@pytest.mark.parametrize(("mapping", "field"), FAULTS.values(), ids=FAULTS.keys())
def test_every_fault_is_named_by_its_field(mapping: TopicMapping, field: str) -> None:
    assert field in mapping.check()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/{device}/c", "a/b/{device}", True),
        ("a/{device}", "a/{device}/b", False),
        ("a/#", "a/{device}/b", True),
        ("a/#", "b/{device}", False),
        ("a/b/#", "a/{device}", True),
        ("a/b/c/#", "a/{device}", False),
        ("+/{device}", "x/y", True),
    ],
)
def test_overlapping_topics_need_an_order(one: str, other: str, expected: bool) -> None:
    first = replace(SIMPLE, topic=one, device_path="" if "{device}" in one else "$.d")
    second = replace(SIMPLE, topic=other, device_path="" if "{device}" in other else "$.d")
    assert bool(conflict(first, second)) is bool(conflict(second, first)) is expected
    assert not conflict(first, replace(second, order=1))


def test_the_filter_subscribes_to_exactly_the_topics() -> None:
    assert parse_template("site/+/{device}/{parameter}").filter == "site/+/+/+"
    assert parse_template("line/{device}/#").filter == "line/+/#"


def test_paths_follow_names_places_and_all() -> None:
    document = {"a": [{"b c": 1}, {"b c": 2}, 5], "d": {"e": None}}
    assert parse_path("$.a[1]['b c']").first(document) == 2
    assert parse_path('$.a[*]["b c"]').every(document) == [1, 2]
    assert parse_path("$.d.e").first(document) is None
    assert parse_path("$.a[7]").first(document) is MISSING
    assert parse_path("$.d.e.f").first(document) is MISSING
    assert parse_path("$").every(document) == [document]


@pytest.mark.parametrize(
    "text", ["", "a", "$a", "$.", "$..a", "$[", "$[-1]", "$[1:2]", "$['a]", "$" + ".a" * 17, "$ .a"]
)
def test_what_is_no_path_says_so(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_path(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdt"), inner, max_size=4),
    max_leaves=10,
)
EVERYTHING = TopicMapping(
    name="Everything",
    topic="x",
    device_path="$.d",
    records="$.a[*]",
    time=TimeSource("$.t", TimeForm.AUTOMATIC),
    values=(
        MappedValue("n", "$.a", scale=3, quality_path="$.b"), MappedValue("b", "$.b", ValueType.BOOLEAN),
        MappedValue("t", "$.c", ValueType.TEXT),
    ),
    groups=(ValueGroup("$"),),
)  # fmt: skip


@settings(deadline=None)
@given(JSON | st.binary(max_size=40))
def test_nothing_that_is_sent_raises_and_numbers_are_finite(message: object) -> None:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    for mapping in (EVERYTHING, replace(EVERYTHING, records="")):
        bound = CompiledMapping(mapping).bind("x")
        assert bound is not None
        mapped = bound.read(payload, NOW_US)
        if isinstance(mapped, Mapped):
            for record in mapped.records:
                for flags, found in record.values.items():
                    is_text = bool(flags & SampleFlag.TEXT)
                    assert all(isinstance(v, str) if is_text else math.isfinite(v) for v in found.values())  # type: ignore[arg-type]  # told apart by the flag


@pytest.mark.parametrize("number", ["1" * 390, "-" + "9" * 5_000, "1e999", "NaN"])
def test_row_41_a_number_too_large_is_refused_singly_wherever_it_stands(number: str) -> None:
    payload = f'{{"d":"x","t":5,"a":{number},"c":{number},"good":1}}'.encode()
    preview = try_mapping(replace(EVERYTHING, records=""), "x", payload, NOW_US)
    assert values(preview)["good"] == 1.0
    assert preview.refused


def test_a_mapping_travels_as_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(SIMPLE), type=TopicMapping) == SIMPLE


def test_a_simple_message_costs_little() -> None:
    bound = CompiledMapping(SIMPLE).bind("site/north/c-1/data")
    assert bound is not None
    payload = json.dumps(MESSAGE).encode()
    started = time.process_time()
    for _ in range(5_000):
        assert not isinstance(bound.read(payload, NOW_US), Rejection)
    assert (time.process_time() - started) / 5_000 < 300e-6
