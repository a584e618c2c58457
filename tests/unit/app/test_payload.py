from __future__ import annotations

import json

import pytest

from factoryops.contracts import http
from factoryops.domain.time import EPOCH
from factoryops_app.models.payload import decoded, hex_lines, payload_bytes


def _message(payload: str, *, is_hex: bool = False, size_bytes: int = 0) -> http.QuarantinedMessage:
    size = size_bytes or (len(payload) // 2 if is_hex else len(payload.encode()))
    return http.QuarantinedMessage(
        number=1, received_at=EPOCH, client="c", topic="t", reason="r", detail="d", payload=payload, is_hex=is_hex,
        size_bytes=size,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (_message('{"a": 1, "b": {}}'), "fields a, b"),
        (_message("{}"), "empty JSON object"),
        (_message("[1, 2, 3]"), "array of 3"),
        (_message("21.5"), "One JSON value"),
        (_message('{"a": 1,\n "b": }'), "line 2 at character 7"),
        (_message("7b22ff", is_hex=True), "byte 3"),
        (_message("{", size_bytes=9_000), "only the first 1"),
        (_message("[" * 100_000), "nested too deeply"),
    ],
)
def test_a_payload_is_named_or_the_place_where_it_goes_wrong(message: http.QuarantinedMessage, says: str) -> None:
    assert says in decoded(message).sentence


def test_decoded_json_is_shown_a_field_a_line() -> None:
    text = decoded(_message('{"druck": "hoch ▲", "x": [1]}')).text
    assert json.loads(text) == {"druck": "hoch ▲", "x": [1]}
    assert "▲" in text


def test_bytes_are_shown_with_their_place_and_their_letters() -> None:
    lines = hex_lines(bytes(range(0x30, 0x43))).splitlines()
    assert lines[0].startswith("000000  30 31 32")
    assert lines[0].endswith("0123456789:;<=>?")
    assert lines[1].split() == ["000010", "40", "41", "42", "@AB"]
    assert payload_bytes(_message("7b22ff", is_hex=True)) == b'{"\xff'
