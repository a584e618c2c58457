"""Dialect A: what is read, what is refused singly, what is quarantined, and why."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryops.contracts import telemetry
from factoryops.contracts.telemetry import (
    Dialect,
    Reading,
    Reason,
    Rejection,
    Topic,
    decode,
    dialect_a,
    documents,
    encode,
    parse_timestamp,
    parse_topic,
)  # fmt: skip
from factoryops.domain.samples import SampleFlag

NOW_US = 1_800_000_000_000_000
MARCH_1_US = 1_772_323_200_000_000


def read(payload: bytes | str) -> Reading:
    reading = decode(payload if isinstance(payload, bytes) else payload.encode(), NOW_US)
    assert isinstance(reading, Reading), reading
    return reading


def reason(payload: bytes | str) -> Reason:
    rejection = decode(payload if isinstance(payload, bytes) else payload.encode(), NOW_US)
    assert isinstance(rejection, Rejection), rejection
    return rejection.reason


def test_a_plain_message_is_read() -> None:
    reading = read('{"timestamp":"2026-03-01T00:00:00.250Z","metrics":{"temperature":71.25,"count":3}}')
    assert reading.metrics == {"temperature": 71.25, "count": 3.0}
    assert (reading.time_us, reading.flags, reading.refused) == (MARCH_1_US + 250_000, 0, {})


@pytest.mark.parametrize("head", ["", '"timestamp":null,'])
def test_without_a_time_the_receive_time_is_taken_and_flagged(head: str) -> None:
    reading = read(f'{{{head}"metrics":{{"a":1}}}}')
    assert (reading.time_us, reading.flags) == (NOW_US, SampleFlag.RECEIVE_TIME)


@pytest.mark.parametrize(
    ("value", "expected_us"),
    [
        ("2026-03-01T00:00:00Z", MARCH_1_US),
        ("2026-03-01T02:00:00+02:00", MARCH_1_US),
        ("2026-03-01T00:00:00", MARCH_1_US),
        ("2026-03-01 00:00:00", MARCH_1_US),
        ("2026-03-01t00:00:00z", MARCH_1_US),
        ("2026-03-01", MARCH_1_US),
        ("2026-03-01T00:00:00.123456Z", MARCH_1_US + 123_456),
        (MARCH_1_US // 1_000_000, MARCH_1_US),
        (MARCH_1_US / 1e6 + 0.25, MARCH_1_US + 250_000),
        (MARCH_1_US // 1_000, MARCH_1_US),
        (str(MARCH_1_US // 1_000_000), MARCH_1_US),
        (f"{MARCH_1_US // 1_000_000}.000001", MARCH_1_US + 1),
        (f"{MARCH_1_US // 1_000}.5", MARCH_1_US + 500),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ("2038-01-19T03:14:08Z", 2_147_483_648_000_000),
        ("1970-01-01T00:00:00Z", 0),
        (0, 0),
    ],
)
def test_every_form_of_time_is_understood(value: object, expected_us: int) -> None:
    assert parse_timestamp(value) == expected_us


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "12:30", True, [], {}, "NaN", "9" * 5_000, 1e300]
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_timestamp(value) is None
    assert reason(json.dumps({"metrics": {"a": 1}, "timestamp": value})) is Reason.INVALID_TIMESTAMP


@pytest.mark.parametrize("value", ["-1", "1969-12-31T23:59:59Z", -5])
def test_a_time_before_1970_is_quarantined(value: object) -> None:
    assert reason(json.dumps({"metrics": {"a": 1}, "timestamp": value})) is Reason.INVALID_TIMESTAMP


def test_microseconds_mistaken_for_milliseconds_are_the_far_future() -> None:
    assert read(f'{{"metrics":{{"a":1}},"timestamp":{NOW_US}}}').time_us == NOW_US * 1_000


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", '"nan"', '"-inf"', "9" * 5_000, "9" * 390]
)
def test_row_40_a_value_that_is_not_finite_is_refused_singly(value: str) -> None:
    reading = read(f'{{"metrics":{{"good":1.5,"bad":{value}}}}}')
    assert reading.metrics == {"good": 1.5}
    assert reading.refused == {"not_finite": 1}


def test_row_40_minus_zero_is_kept() -> None:
    assert math.copysign(1, read('{"metrics":{"a":-0.0}}').metrics["a"]) == -1


@pytest.mark.parametrize("value", ["9007199254740993", "18446744073709551616", "9" * 300, "-9223372036854775809"])
def test_row_41_a_huge_whole_number_becomes_the_nearest_float(value: str) -> None:
    assert read(f'{{"metrics":{{"a":{value}}}}}').metrics == {"a": float(int(value))}


@pytest.mark.parametrize(
    "value", ["null", '"text"', '""', "[1]", '{"b":1}', '"0x10"', '"1_000"', '"١"', '"' + "1" * 500 + '"']
)
def test_row_42_a_value_that_is_no_number_is_refused_singly(value: str) -> None:
    reading = read(f'{{"metrics":{{"good":1.5,"bad":{value}}}}}')
    assert reading.metrics == {"good": 1.5}
    assert reading.refused == {"not_a_number": 1}


@pytest.mark.parametrize(("value", "number"), [('"45.5"', 45.5), ('" -3e2 "', -300.0)])
def test_row_42_numeric_text_is_a_number(value: str, number: float) -> None:
    assert read(f'{{"metrics":{{"a":{value}}}}}').metrics == {"a": number}


@pytest.mark.parametrize(("value", "number"), [("true", 1.0), ("false", 0.0)])
def test_row_42_a_boolean_is_a_number_that_says_so(value: str, number: float) -> None:
    reading = read(f'{{"metrics":{{"a":{value},"b":2}}}}')
    assert (reading.metrics, reading.booleans) == ({"b": 2.0}, {"a": number})


@pytest.mark.parametrize("metrics", ["{}", "null", "[]", "5", '"x"'])
def test_row_42_metrics_must_be_an_object_with_values(metrics: str) -> None:
    assert reason(f'{{"metrics":{metrics}}}') is Reason.INVALID_METRICS
    assert reason('{"timestamp":1}') is Reason.INVALID_METRICS


def test_row_42_a_message_without_any_usable_value_is_quarantined() -> None:
    assert reason('{"metrics":{"a":null,"b":NaN}}') is Reason.NO_USABLE_VALUE


def test_row_43_a_message_above_256_kib_is_refused_before_decoding() -> None:
    assert reason(b'{"metrics":{"a":1}}' + b" " * telemetry.MOST_BYTES) is Reason.TOO_LARGE
    assert reason(b"[" * (telemetry.MOST_BYTES + 1)) is Reason.TOO_LARGE


ROW_44 = {
    "deep arrays": (b"[" * 100_000, Reason.TOO_DEEP),
    "deep objects": (b'{"a":' * 40_000, Reason.TOO_DEEP),
    "a deep metric": (b'{"metrics":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", Reason.TOO_DEEP),
    "a metric twice": (b'{"metrics":{"a":1,"a":2}}', Reason.DUPLICATE_NAME),
    "metrics twice": (b'{"metrics":{"a":1},"metrics":{"a":1}}', Reason.DUPLICATE_NAME),
    "a time twice": (b'{"timestamp":1,"metrics":{"a":1},"timestamp":2}', Reason.DUPLICATE_NAME),
    "a name twice, once escaped": (b'{"metrics":{"a":1,"\\u0061":2}}', Reason.DUPLICATE_NAME),
    "invalid UTF-8": (b'{"metrics":{"\xff":1}}', Reason.INVALID_JSON),
    "invalid UTF-8 in an ignored field": (b'{"metrics":{"a":1},"note":"\xff"}', Reason.INVALID_JSON),
    "a raw surrogate": (b'{"metrics":{"\xed\xa0\x80":1}}', Reason.INVALID_JSON),
    "NUL bytes": (b"\0" * 20, Reason.INVALID_JSON),
    "a byte order mark": (b'\xef\xbb\xbf{"metrics":{"a":1}}', Reason.INVALID_JSON),
    "UTF-16": ('{"metrics":{"a":1}}'.encode("utf-16"), Reason.INVALID_JSON),
    "nothing": (b"", Reason.INVALID_JSON),
    "blanks": (b"  \n", Reason.INVALID_JSON),
    "half a message": (b'{"metrics":{"a":1', Reason.INVALID_JSON),
    "two messages": (b'{"metrics":{"a":1}}{"metrics":{"a":1}}', Reason.INVALID_JSON),
    "single quotes": (b"{'metrics':{'a':1}}", Reason.INVALID_JSON),
    "an array": (b'[{"metrics":{"a":1}}]', Reason.NOT_AN_OBJECT),
    "a number": (b"5", Reason.NOT_AN_OBJECT),
}


@pytest.mark.parametrize(("payload", "expected"), ROW_44.values(), ids=ROW_44.keys())
def test_row_44_what_is_no_message_is_quarantined_with_the_reason(payload: bytes, expected: Reason) -> None:
    assert reason(payload) is expected


def test_other_fields_are_ignored() -> None:
    assert read('{"unit":"bar","metrics":{"a":1},"meta":{"x":[1,"metrics"]}}').metrics == {"a": 1.0}


ROW_45 = {
    "invalid UTF-8": b"factories/riverside/devices/\xff/telemetry",
    "an empty level": b"factories//devices/pump/telemetry",
    "an empty device": b"factories/riverside/devices//telemetry",
    "65 kilobytes": b"factories/riverside/devices/" + b"x" * 65_000 + b"/telemetry",
    "a look-alike": "factories/riversidе/devices/pump/telemetry".encode(),
    "capital letters": b"factories/Riverside/devices/pump/telemetry",
    "too short": b"factories/riverside",
    "too long": b"factories/riverside/devices/pump/telemetry/x",
    "a leading slash": b"/factories/riverside/devices/pump/telemetry",
    "a wildcard": b"factories/riverside/devices/+/telemetry",
    "a control character": b"factories/riverside/devices/a\x07/telemetry",
    "nothing": b"",
}


@pytest.mark.parametrize("topic", ROW_45.values(), ids=ROW_45.keys())
def test_row_45_a_topic_that_is_not_ours_is_refused(topic: bytes) -> None:
    place = parse_topic(topic)
    assert isinstance(place, Rejection)
    assert place.reason is Reason.INVALID_TOPIC


def test_a_device_key_may_be_any_printable_text() -> None:
    assert parse_topic("factories/riverside/devices/Pumpe Süd (2)/telemetry".encode()) == Topic(
        Dialect.A, "riverside", "Pumpe Süd (2)"
    )


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.dictionaries(NAMES, FINITE, min_size=1), st.integers(0, NOW_US))
def test_what_is_encoded_is_read_back_exactly(metrics: dict[str, float], time_us: int) -> None:
    reading = read(encode(time_us, metrics))
    assert (reading.metrics, reading.time_us, reading.refused) == (metrics, time_us, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {"metrics": JSON | st.dictionaries(NAMES, JSON, max_size=4)}, optional={"timestamp": JSON, "note": JSON}
)


@settings(deadline=None)
@given(MESSAGES | JSON)
def test_the_fast_way_and_the_lenient_way_agree(message: object) -> None:
    payload = json.dumps(message).encode()
    assert decode(payload, NOW_US) == dialect_a._decode_lenient(payload, NOW_US)


@settings(deadline=None)
@given(MESSAGES | JSON, st.booleans())
def test_a_document_reads_alike_the_quick_way_and_the_careful_way(message: object, is_doubled: bool) -> None:
    payload = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if is_doubled:
        payload = b'{"a":' + payload + b',"a":' + payload + b"}"
    quick = documents._read_plain(payload)
    assert quick is documents._DOUBTFUL or quick == documents._read_carefully(payload)
    assert not is_doubled or quick is documents._DOUBTFUL


@settings(deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(lambda a, b: b'{"metrics":{' + a + b"}," + b + b"}", st.binary(max_size=20), st.binary(max_size=20))
)
def test_no_bytes_whatever_raise(payload: bytes) -> None:
    outcome = decode(payload, NOW_US)
    if isinstance(outcome, Reading):
        assert outcome.metrics or outcome.booleans
        assert all(math.isfinite(value) for value in outcome.metrics.values())
