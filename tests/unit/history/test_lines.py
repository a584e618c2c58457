"""Line protocol: what is written is read back the same; what has no form is refused."""

from __future__ import annotations

import math
import random
import struct
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id, text_code
from factoryops.history.influx.answers import Answer, Origin, parse_answer
from factoryops.history.influx.flux import flux_string, series_query
from factoryops.history.influx.lines import (
    Lines,
    SeriesName,
    decode_name,
    encode_device,
    flag_lines,
    name_of,
    sample_lines,
    text_lines,
)
from tests.support.history_model import columns
from tests.support.influx_stub_flux import answer, unquote
from tests.support.influx_stub_lines import parse_line, split_lines

_key = st.text(min_size=1, max_size=100).filter(lambda text: all(not 0xD800 <= ord(one) <= 0xDFFF for one in text))
_value = st.floats(allow_nan=False, allow_infinity=False)


def _text(lines: Lines) -> str:
    return lines.body(0, len(lines.order)).decode().rstrip("\n")


@given(device=_key, parameter=_key, value=_value, time_us=st.integers(-(10**15), 10**15), flags=st.integers(0, 127))
@example("back\\", "a\\ ,=", -0.0, 0, 0)
@example("#", "time", 5e-324, 1, 1)
@example("%5C", "_field", 1e300, 1, 1)
@settings(max_examples=300, deadline=None)
def test_any_key_and_value_round_trips(device: str, parameter: str, value: float, time_us: int, flags: int) -> None:
    _assert_round_trip(device, parameter, value, time_us, flags)


def test_ten_thousand_keys_and_values_round_trip() -> None:
    chance = random.Random(20_241_127)
    alphabet = [*"abAB09 ,=\\\"'%#_$\n\t\0.-", "\u00e9", "\u2028", "\ufeff", "\U0001f321", "\ue000"]
    for _ in range(10_000):
        device, parameter = ("".join(chance.choices(alphabet, k=chance.randrange(1, 12))) for _ in range(2))
        value = struct.unpack("d", chance.randbytes(8))[0]
        if math.isfinite(value):
            _assert_round_trip(device, parameter, value, chance.randrange(-(10**15), 10**15), chance.randrange(128))


def _assert_round_trip(device: str, parameter: str, value: float, time_us: int, flags: int) -> None:
    key = SeriesKey("f", device, parameter)
    series = series_id(key)
    samples, names = columns([(series, time_us, value, flags)]), {int(series): name_of(key)}
    line = _text(sample_lines(samples, names))
    assert "\n" not in line
    measurement, read_device, fields, read_time_us = parse_line(line)
    assert (measurement, decode_name(read_device), read_time_us) == ("samples", device, time_us)
    assert {decode_name(name): repr(one) for name, one in fields.items()} == {parameter: repr(value)}
    assert list(parse_line(_text(flag_lines(samples, names)))[2].values()) == [flags]


@given(keys=st.lists(st.tuples(_key, _key), min_size=2, max_size=20, unique=True))
@settings(max_examples=300, deadline=None)
def test_different_keys_have_different_names(keys: list[tuple[str, str]]) -> None:
    names = {name_of(SeriesKey("f", *key)) for key in keys}
    assert len(names) == len(keys)


def test_the_parameters_of_one_device_and_time_share_a_line() -> None:
    keys = [SeriesKey("f", "d", "a"), SeriesKey("f", "d", "b"), SeriesKey("f", "e", "a")]
    ids = [int(series_id(key)) for key in keys]
    samples = columns([(ids[0], 1, 1.5, 0), (ids[1], 1, 2.5, 0), (ids[2], 1, 3.5, 0), (ids[0], 2, 4.5, 0)])
    lines = sample_lines(samples.sorted_unique(), {one: name_of(key) for one, key in zip(ids, keys, strict=True)})
    assert len(lines) == 3
    assert sorted(len(parse_line(line)[2]) for line in _text(lines).split("\n")) == [1, 1, 2]


@pytest.mark.parametrize("key", ["", "\ud800", "a\udfffb"])
def test_what_is_not_text_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError):
        name_of(SeriesKey("f", "device", key))
    with pytest.raises(InvalidInputError):
        name_of(SeriesKey("f", key, "parameter"))


@given(text=_key)
@example('a"b\\c${d}\n')
@settings(max_examples=500, deadline=None)
def test_a_flux_string_means_its_text_and_cannot_be_left(text: str) -> None:
    literal = flux_string(text)
    assert unquote(literal) == text
    inside = literal[1:-1]
    assert "$" not in inside
    assert '"' not in inside.replace('\\"', "").replace("\\\\", "") or '\\\\"' in inside
    assert "\n" not in inside


def test_an_error_in_the_middle_of_an_answer_is_not_taken_for_its_end() -> None:
    good = ",result,table,_time,_value\r\n,samples,0,2024-01-01T00:00:00Z,1\r\n\r\n"
    text = f"{good}error,reference\r\nout of memory,897\r\n"
    with pytest.raises(UnavailableError, match="out of memory"):
        parse_answer(text.encode())


@given(
    rows=st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 6)), _value, min_size=1, max_size=35),
    cuts=st.lists(st.integers(0, 35), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_lines_cut_anywhere_say_the_same(rows: dict[tuple[int, int], float], cuts: list[int]) -> None:
    keys = [SeriesKey("f", f"d {n // 2}", f"p={n % 2}") for n in range(5)]
    ids = [int(series_id(key)) for key in keys]
    samples = columns([(ids[which], time_us, value, 0) for (which, time_us), value in rows.items()]).sorted_unique()
    lines = sample_lines(samples, {one: name_of(key) for one, key in zip(ids, keys, strict=True)})
    edges = sorted({0, len(samples), *(cut for cut in cuts if cut < len(samples))})
    found = {
        (device, name, time_us): value
        for low, high in pairwise(edges)
        for line in split_lines(lines.body(low, high).decode())
        for _, device, fields, time_us in [parse_line(line)]
        for name, value in fields.items()
    }
    assert found == {
        (keys[which].device, keys[which].parameter, time_us): value for (which, time_us), value in rows.items()
    }
    for place, index in enumerate(lines.order.tolist()):
        (line,) = split_lines(lines.body(place, place + 1).decode())
        assert (parse_line(line)[3], [*parse_line(line)[2].values()]) == (
            samples.time_us[index],
            [samples.value[index]],
        )


@given(text=st.text(max_size=50).filter(lambda text: all(not 0xD800 <= ord(one) <= 0xDFFF for one in text)))
@example('a "quoted"\nline\\ with, = and \\"')
@settings(max_examples=200, deadline=None)
def test_a_text_is_written_as_a_string_that_means_it(text: str) -> None:
    key = SeriesKey("f", "d", "state")
    code = text_code("f", text)
    series = int(series_id(key))
    samples = columns([(series, 5, float(code), SampleFlag.TEXT)])
    lines = text_lines(samples, {series: name_of(key)}, {code: text})
    (line,) = split_lines(lines.body(0, 1).decode())
    assert parse_line(line) == ("texts", "d", {"state": text}, 5)


_moment = st.integers(-(9 * 10**15), 9 * 10**15)


@given(rows=st.lists(st.tuples(_moment, _value), min_size=1, max_size=20), key=_key)
@example([(0, -0.0), (-1, 1e300), (1, 5e-324)], 'a,"b" ')
@settings(max_examples=200, deadline=None)
def test_an_answer_is_read_exactly(rows: list[tuple[int, float]], key: str) -> None:
    quoted = encode_device(key)
    points = {("samples", quoted, "f,1"): dict(rows), ("samples", "d", "f,1"): dict(rows[:1])}
    flux = "\n".join(
        series_query("b", [SeriesName("f", device, "f,1") for device in (quoted, "d")], (-(1 << 62), 1 << 62), [one])
        for one in ("samples", "flags")
    )
    found = parse_answer(answer(points, flux).encode())
    expected = {Origin("samples", quoted, "f,1"): sorted(dict(rows).items())}
    expected.setdefault(Origin("samples", "d", "f,1"), list(dict(rows[:1]).items()))
    assert {origin: _listed(one) for origin, one in found.items()} == expected
    assert [repr(value) for _, value in _listed(found[Origin("samples", quoted, "f,1")])] == [
        repr(value) for _, value in sorted(dict(rows).items())
    ]


def _listed(answer: Answer) -> list[tuple[int, float]]:
    return list(zip(answer.time_us.tolist(), answer.value.tolist(), strict=True))
