"""Line protocol, written strictly: what cannot be written is refused here, singly, never bent or dropped in silence.

One point per device and time in the measurement `samples`, tagged with the device, one float field per parameter;
flags, where there are any, beside it in the measurement `flags` as integers, and texts, whose code is the float, in
`texts`. No line is built by Python code of its own:
numbers become text all at once, and what stands before and behind each is looked up and joined (decision 0024).

Keys are any printable text, so each name is first percent-coded where line protocol has no safe form (backslash,
control characters, names InfluxDB reserves) and then escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec
import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.history.merging import runs

SAMPLES: Final = "samples"
FLAGS: Final = "flags"
TEXTS: Final = "texts"
MARKER: Final = "marker"

EARLIEST_US: Final = -9_223_372_036_854_775
LATEST_US: Final = 9_223_372_036_854_774
"""InfluxDB keeps nanoseconds in 64 bits."""

_ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_IN_QUOTES: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})


class SeriesName(NamedTuple):
    """A series as InfluxDB knows it, names coded but not escaped."""

    factory: str
    device: str
    field: str


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


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one measurement, one per device and time, kept as the pieces they are joined from.

    Attributes:
        order: int64[n], where each value lies in the samples the lines were made of.
        starts: int64[m], the place of each line's first value.
        time_us: int64[m], of each line.
    """

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    _openings: Sequence[bytes]
    _endings: Sequence[bytes]
    _pieces: list[bytes]

    def __len__(self) -> int:
        return len(self.starts)

    def body(self, low: int, high: int) -> bytes:
        """The values of places [low, high) as lines; one that is cut gives a line in each part."""
        pieces = self._pieces[3 * low : 3 * high]
        pieces[0] = self._openings[low]
        pieces[-1] = self._endings[int(np.searchsorted(self.starts, high - 1, "right")) - 1]
        return b"".join(pieces)


def sample_lines(samples: SampleColumns, names: Mapping[int, SeriesName], measurement: str = SAMPLES) -> Lines:
    """One line per device and time.

    Args:
        samples: finite, ordered by (series, time), one per series and time, of one factory.
        names: of every series in them.
        measurement: what the lines are lines of.
    """
    return _lines(measurement, samples, names, lambda order: _numbers(samples.value[order]))


def flag_lines(samples: SampleColumns, names: Mapping[int, SeriesName]) -> Lines:
    """The same for the samples' flags, as integers."""
    return _lines(FLAGS, samples, names, lambda order: _numbers(samples.flags[order].astype(np.int64), behind=b"i"))


def text_lines(samples: SampleColumns, names: Mapping[int, SeriesName], texts: Mapping[int, str]) -> Lines:
    """The same for what the values of `samples` stand for, as strings."""
    quoted = {code: f'"{text.translate(_IN_QUOTES)}"'.encode(errors="replace") for code, text in texts.items()}
    return _lines(TEXTS, samples, names, lambda order: [quoted[int(code)] for code in samples.value[order].tolist()])


def _lines(
    measurement: str,
    samples: SampleColumns,
    names: Mapping[int, SeriesName],
    values_of: Callable[[npt.NDArray[np.int64]], list[bytes]],
) -> Lines:
    found = list(runs(samples.series))
    lengths = [high - low for _, low, high in found]
    named = [names[series] for series, _, _ in found]
    devices: dict[str, int] = {}
    device_of = np.repeat(np.array([devices.setdefault(one.device, len(devices)) for one in named], np.int64), lengths)
    order = np.lexsort((samples.time_us, device_of))
    device_of, time_us = device_of[order], samples.time_us[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (device_of[1:] != device_of[:-1]) | (time_us[1:] != time_us[:-1])
    starts = np.flatnonzero(is_first)
    number_of = np.repeat(np.arange(len(named)), lengths)[order]
    openings = _texts([f"{head_of(measurement, one.device)} {escape(one.field)}=" for one in named])[number_of]
    before = np.where(is_first, openings, _texts([f",{escape(one.field)}=" for one in named])[number_of])
    endings = _numbers(time_us[starts], before=b" ", behind=b"\n")
    behind = np.full(len(order), b"", object)
    behind[np.append(starts[1:], len(order))[: len(starts)] - 1] = endings
    pieces = [b""] * (3 * len(order))
    pieces[0::3], pieces[1::3], pieces[2::3] = before.tolist(), values_of(order), behind.tolist()
    return Lines(order, starts, time_us[starts], openings.tolist(), endings, pieces)


def _texts(names: list[str]) -> npt.NDArray[np.object_]:
    texts = np.empty(len(names), object)
    texts[:] = [name.encode() for name in names]
    return texts


def _numbers(
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64], *, before: bytes = b"", behind: bytes = b""
) -> list[bytes]:
    """Each number as the shortest text that is read back as the same number."""
    if not len(values):
        return []
    text = msgspec.json.encode(values.tolist())[1:-1]
    if before or behind:
        text = before + text.replace(b",", behind + b"," + before) + behind
    return text.split(b",")
