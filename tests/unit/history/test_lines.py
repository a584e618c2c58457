"""Line protocol: what is written is read back the same; what has no form is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.history.influx.flux import flux_string, parse_answer
from factoryops.history.influx.lines import decode_name, flag_lines, name_of, sample_lines
from tests.support.history_model import columns
from tests.support.influx_stub import _unquote, parse_line

_key = st.text(min_size=1, max_size=100).filter(lambda text: all(not 0xD800 <= ord(one) <= 0xDFFF for one in text))
_value = st.floats(allow_nan=False, allow_infinity=False)


@given(device=_key, parameter=_key, value=_value, time_us=st.integers(-(10**15), 10**15), flags=st.integers(0, 7))
@example("back\\", "a\\ ,=", -0.0, 0, 0)
@example("#", "time", 5e-324, 1, 1)
@example("%5C", "_field", 1e300, 1, 1)
@settings(max_examples=1_000, deadline=None)
def test_any_key_and_value_round_trips(device: str, parameter: str, value: float, time_us: int, flags: int) -> None:
    key = SeriesKey("f", device, parameter)
    series = series_id(key)
    samples, names = columns([(series, time_us, value, flags)]), {int(series): name_of(key)}
    (line,) = sample_lines(samples, names)
    assert "\n" not in line.text
    measurement, read_device, fields, read_time_us = parse_line(line.text)
    assert (measurement, decode_name(read_device), read_time_us) == ("samples", device, time_us)
    assert {decode_name(name): repr(one) for name, one in fields.items()} == {parameter: repr(value)}
    (line,) = flag_lines(samples, names)
    assert list(parse_line(line.text)[2].values()) == [flags]


@given(keys=st.lists(st.tuples(_key, _key), min_size=2, max_size=20, unique=True))
@settings(max_examples=300, deadline=None)
def test_different_keys_have_different_names(keys: list[tuple[str, str]]) -> None:
    names = {name_of(SeriesKey("f", *key)) for key in keys}
    assert len(names) == len(keys)


def test_the_parameters_of_one_device_and_time_share_a_line() -> None:
    keys = [SeriesKey("f", "d", "a"), SeriesKey("f", "d", "b"), SeriesKey("f", "e", "a")]
    ids = [int(series_id(key)) for key in keys]
    samples = columns([(ids[0], 1, 1.5, 0), (ids[1], 1, 2.5, 0), (ids[2], 1, 3.5, 0), (ids[0], 2, 4.5, 0)])
    lines = [
        line.text for line in sample_lines(samples, {one: name_of(key) for one, key in zip(ids, keys, strict=True)})
    ]
    assert len(lines) == 3
    assert sorted(len(parse_line(line)[2]) for line in lines) == [1, 1, 2]


@pytest.mark.parametrize("key", ["", "\ud800", "a\udfffb"])
def test_what_is_not_text_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError):
        name_of(SeriesKey("f", "device", key))
    with pytest.raises(InvalidInputError):
        name_of(SeriesKey("f", key, "parameter"))


@given(text=_key)
@example('a"b\\c${d}\n')
@settings(max_examples=2_000, deadline=None)
def test_a_flux_string_means_its_text_and_cannot_be_left(text: str) -> None:
    literal = flux_string(text)
    assert _unquote(literal) == text
    inside = literal[1:-1]
    assert "$" not in inside
    assert '"' not in inside.replace('\\"', "").replace("\\\\", "") or '\\\\"' in inside
    assert "\n" not in inside


def test_an_error_in_the_middle_of_an_answer_is_not_taken_for_its_end() -> None:
    good = ",result,table,_time,_value\r\n,samples,0,2024-01-01T00:00:00Z,1\r\n\r\n"
    text = f"{good}error,reference\r\nout of memory,897\r\n"
    with pytest.raises(UnavailableError, match="out of memory"):
        parse_answer(text)
