"""Line protocol, written strictly: what cannot be written is refused here, singly, never bent or dropped in silence.

One point per device and time in the measurement `samples`, tagged with the device, one float field per parameter;
flags, where there are any, beside it in the measurement `flags` as integers.

Keys are any printable text, so each name is first percent-coded where line protocol has no safe form (backslash,
control characters, names InfluxDB reserves) and then escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

import numpy as np

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.samples import SampleColumns, SeriesKey

SAMPLES: Final = "samples"
FLAGS: Final = "flags"

EARLIEST_US: Final = -9_223_372_036_854_775
LATEST_US: Final = 9_223_372_036_854_774
"""InfluxDB keeps nanoseconds in 64 bits."""

_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


class SeriesName(NamedTuple):
    """A series as InfluxDB knows it, names coded but not escaped."""

    factory: str
    device: str
    field: str


class Line(NamedTuple):
    """One line: measurement and tags, fields, time."""

    head: str
    fields: tuple[str, ...]
    time_us: int

    @property
    def text(self) -> str:
        """The line as it is sent."""
        return f"{self.head} {','.join(self.fields)} {self.time_us}"

    def split(self) -> list[Line]:
        """A line of its own for every field."""
        return [Line(self.head, (field,), self.time_us) for field in self.fields]


def _code(text: str) -> str:
    return "".join(
        one if one.isprintable() and one not in "%\\" else "".join(f"%{byte:02X}" for byte in one.encode())
        for one in text
    )


def encode_device(key: str) -> str:
    """A device key as a tag's value; raises InvalidInputError when it cannot be one."""
    if not key:
        raise InvalidInputError("An empty device key cannot be written to InfluxDB.")
    try:
        return _code(key)
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"The key {key!a} is not valid text.") from error


def encode_field(key: str) -> str:
    """A parameter key as a field's name; raises InvalidInputError when it cannot be one."""
    coded = encode_device(key)
    if coded.startswith("_") or coded.lower() == "time":
        return f"%{ord(coded[0]):02X}{coded[1:]}"
    return coded


def decode_name(coded: str) -> str:
    """The key of a coded name."""
    return unquote(coded, errors="strict")


def name_of(key: SeriesKey) -> SeriesName:
    """A series as InfluxDB knows it; raises InvalidInputError when it cannot be named there."""
    return SeriesName(key.factory, encode_device(key.device), encode_field(key.parameter))


def escape(name: str) -> str:
    """A coded name as it stands in a line."""
    return name.translate(_ESCAPES)


def head_of(measurement: str, device: str) -> str:
    """Measurement and tags of a device's lines."""
    return f"{measurement},device={escape(device)}"


def sample_lines(samples: SampleColumns, names: Mapping[int, SeriesName]) -> Iterator[Line]:
    """One line per device and time.

    Args:
        samples: one per series and time, finite, of one factory.
        names: of every series in them.
    """
    heads = {name.device: head_of(SAMPLES, name.device) for name in names.values()}
    return _lines(samples, names, heads, [repr(value) for value in samples.value.tolist()])


def flag_lines(samples: SampleColumns, names: Mapping[int, SeriesName]) -> Iterator[Line]:
    """The same for the samples' flags."""
    heads = {name.device: head_of(FLAGS, name.device) for name in names.values()}
    return _lines(samples, names, heads, [f"{flags}i" for flags in samples.flags.tolist()])


def _lines(
    samples: SampleColumns, names: Mapping[int, SeriesName], heads: Mapping[str, str], values: list[str]
) -> Iterator[Line]:
    present, inverse = np.unique(samples.series, return_inverse=True)
    devices: dict[str, int] = {}
    number = np.array([devices.setdefault(names[one].device, len(devices)) for one in present.tolist()], np.int64)
    ordered_heads = [heads[device] for device in devices]
    device_of = number[inverse] if len(present) else np.empty(0, np.int64)
    prefixes = {one: escape(names[one].field) + "=" for one in present.tolist()}
    order = np.lexsort((samples.time_us, device_of))
    place: tuple[int, int] | None = None
    fields: list[str] = []
    series, times, device_list = samples.series.tolist(), samples.time_us.tolist(), device_of.tolist()
    for index in order.tolist():
        here = (device_list[index], times[index])
        if here != place:
            if place is not None:
                yield Line(ordered_heads[place[0]], tuple(fields), place[1])
            place, fields = here, []
        fields.append(prefixes[series[index]] + values[index])
    if place is not None:
        yield Line(ordered_heads[place[0]], tuple(fields), place[1])
