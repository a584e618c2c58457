"""Line protocol as InfluxDB 2 reads it, strictly."""

from __future__ import annotations

import re

Value = float | int | str


class LineError(Exception):
    """The line is not line protocol."""


_UNESCAPED = {separator: re.compile(rf"(?<!\\){separator}") for separator in ",= "}
_STRING = re.compile(r'(?<=[^\\]=)"(?:[^"\\]|\\.)*"', re.DOTALL)  # only a field's value begins with a quote
_LINE = re.compile(rf"(?:\\.|[^ \n\\])+ (?:{_STRING.pattern}|[^\n])+", re.DOTALL)
_HEAD = re.compile(r"(?:\\.|[^ \\])+ ")
_ESCAPED = re.compile(r"\\([,= ])")
_BAD_NAME = re.compile(r"\\(?![,= ])|(?<!\\)[,= ]")
_INTEGER = re.compile(r"-?\d+i")
_FLOAT = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_TIME = re.compile(r"-?\d+")


def _unescape(text: str) -> str:
    if not text or text.endswith("\\") or _BAD_NAME.search(text):
        raise LineError(f"unable to parse name {text!r}")
    return _ESCAPED.sub(r"\1", text)


def split_lines(body: str) -> list[str]:
    """The lines of a body; a newline inside a string belongs to the string."""
    return [line for line in (_LINE.findall(body) if '"' in body else body.split("\n")) if line]


def parse_line(line: str) -> tuple[str, str, dict[str, Value], int]:
    """Measurement, device, fields and time of one line; raises LineError. A line without a tag has no device."""
    strings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        strings.append(found[0])
        return f'"{len(strings) - 1}"'

    head = _HEAD.match(line)
    rest = line[head.end() :] if head else ""
    parts = [
        head[0][:-1] if head else "",
        *_UNESCAPED[" "].split(_STRING.sub(put_aside, rest) if '"' in rest else rest),
    ]
    if len(parts) != 3 or line.startswith("#"):
        raise LineError(f"unable to parse '{line}': three parts are needed")
    measurement, *tags = _UNESCAPED[","].split(parts[0])
    device = _device(tags, line)
    fields: dict[str, Value] = {}
    for text in _UNESCAPED[","].split(parts[1]):
        pair = _UNESCAPED["="].split(text)
        if len(pair) != 2 or not pair[1]:
            raise LineError(f"unable to parse '{line}': missing field value")
        name = _unescape(pair[0])
        if name == "time" or name.startswith("_"):
            raise LineError(f"unable to parse '{line}': the name {name} is reserved")
        fields[name] = _value(pair[1], strings)
    if not _TIME.fullmatch(parts[2]):
        raise LineError(f"unable to parse '{line}': bad timestamp")
    return _unescape(measurement), device, fields, int(parts[2])


def _device(tags: list[str], line: str) -> str:
    if not tags:
        return ""
    tag = _UNESCAPED["="].split(tags[0])
    if len(tags) != 1 or len(tag) != 2 or tag[0] != "device":
        raise LineError(f"unable to parse '{line}': the only tag is device")
    return _unescape(tag[1])


def _value(text: str, strings: list[str]) -> Value:
    if text.startswith('"'):
        return re.sub(r"\\([\\\"])", r"\1", strings[int(text[1:-1])][1:-1])
    if _INTEGER.fullmatch(text):
        return int(text[:-1])
    if not _FLOAT.fullmatch(text):
        raise LineError(f"invalid number {text}")
    return float(text)
